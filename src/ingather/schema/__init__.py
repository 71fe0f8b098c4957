"""Structured output: what a `response_model` is on the wire, and the way back. No I/O.

`wire.py` makes the schema that travels, `lenient.py` finds JSON among prose, `places.py` sees what pydantic would miss.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from functools import cached_property, lru_cache, partial
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from pydantic import PydanticUserError, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticUndefinedAnnotation
from pydantic_core import ErrorDetails, PydanticCustomError, PydanticSerializationError, SchemaError

from ingather.errors import InvalidAnswer, SetupError
from ingather.schema.lenient import candidates
from ingather.schema.places import is_finite, without_absent
from ingather.schema.wire import Node, Source, resolved, wire_form
from ingather.task import LLMMessage

_MAX_ERRORS = 5
_MAX_ERROR = 180
_MAX_ANSWER = 8_000

_INSTRUCTION = """\
Answer with JSON only, one value that fits the JSON schema below: no prose before or after it, no code fence.

{schema}"""

_REASK = """\
That is not what was asked for: {error}

Answer again with only the JSON, complete and corrected."""


class Parsed(NamedTuple):
    """`value`: an instance of the response_model. `lenient`: it was looked for in the text, or lacked its wrapper."""

    value: object
    lenient: bool


class _Form(NamedTuple):
    """One form that an answer may have. `key`: under which the value is, None where the whole is the value."""

    adapter: TypeAdapter[object]
    source: Node
    key: str | None


class Schema:
    """A response_model on its way to a model and back.

    What is not an object travels as ``{"items": …}`` (lists, sets, tuples) or ``{"value": …}``, and comes back bare.

    `name`: as OpenAI takes it. `strict`: whether the schema keeps to strict mode. `key`: that of the wrapper, or None.

    >>> Schema.of(list[int]).parse('{"items": [1, 2]}')
    Parsed(value=[1, 2], lenient=False)
    """

    def __init__(self, response_model: object) -> None:
        """Raises SetupError for a response_model that no schema can be made of."""
        self.model = response_model
        self.name = _name(response_model)
        bare = _form(response_model)
        root = resolved(bare.source, bare.source)
        if root.get("type") == "object":
            self._forms: tuple[_Form, ...] = (bare,)
        else:
            self._forms = (_form(response_model, "items" if root.get("type") == "array" else "value"), bare)
        self.key = self._forms[0].key
        self._wire, self.strict = wire_form(self._forms[0].source, lengths=False)

    @classmethod
    def of(cls, response_model: object) -> Schema:
        """The schema of `response_model`, made once for each (each time, for what cannot be hashed).

        Raises SetupError for what no schema can be made of.
        """
        try:
            hash(response_model)
        except TypeError:
            return cls(response_model)
        return _made(response_model)

    def __repr__(self) -> str:
        return f"Schema({self.name!r}, strict={self.strict})"

    def response_format(self, *, lengths: bool = False) -> Mapping[str, object]:
        """What goes into ``config_overrides["response_format"]``, in OpenAI's form; shared, not to be changed.

        `lengths`: with ``minLength`` and ``maxLength``, which OpenAI refuses and servers of one's own enforce.
        """
        return self._with_lengths if lengths else self._format

    @cached_property
    def _format(self) -> dict[str, object]:
        return _response_format(self.name, self._wire, self.strict)

    @cached_property
    def _with_lengths(self) -> dict[str, object]:
        return _response_format(self.name, wire_form(self._forms[0].source, lengths=True)[0], self.strict)

    def instruction(self) -> str:
        """What to put into the prompt for a provider that takes no schema."""
        return self._instruction

    @cached_property
    def _instruction(self) -> str:
        wire, _ = wire_form(self._forms[0].source, lengths=True)
        return _INSTRUCTION.format(schema=json.dumps(wire, ensure_ascii=False))

    def parse(self, text: str) -> Parsed:
        """The value in an answer. Code fences, prose around the JSON and a forgotten wrapper are tolerated.

        Raises InvalidAnswer, whose message names place and problem of the first few errors.
        """
        try:
            return Parsed(_read(self._forms[0], text), lenient=False)
        except ValidationError as error:
            closest = error
        nearness = _nearness(closest, self._forms[0])
        texts = list(candidates(text))
        for form in self._forms:
            for candidate in texts:
                try:
                    return Parsed(_read(form, candidate), lenient=True)
                except ValidationError as error:
                    if (near := _nearness(error, form)) > nearness:
                        closest, nearness = error, near
        raise InvalidAnswer(f"the answer does not fit {self.name}: {_problems(closest)}") from None

    def reask_messages(self, answer: str, error: Exception) -> list[LLMMessage]:
        """What to add to the conversation to have an answer corrected: the answer itself, and what is wrong with it."""
        shown = answer if len(answer) <= _MAX_ANSWER else answer[:_MAX_ANSWER] + " […]"
        return [
            LLMMessage("assistant", shown if shown.strip() else "(no answer)"),
            LLMMessage("user", _REASK.format(error=error)),
        ]


@lru_cache(maxsize=256)
def _made(response_model: object) -> Schema:
    return Schema(response_model)


def _form(model: object, key: str | None = None) -> _Form:
    if isinstance(model, str | Mapping | partial) or inspect.isroutine(model):
        raise SetupError(f"a response_model is a type: a pydantic model, dataclass, list[T], int, …; not {model!r:.80}")
    try:
        whole: Any = model
        if key is not None:
            fields: dict[str, Any] = {key: (model, ...)}
            whole = create_model(_name(model), **fields)
        adapter: TypeAdapter[object] = TypeAdapter(whole)
        source = adapter.json_schema(schema_generator=Source)
    except (PydanticUserError, PydanticUndefinedAnnotation, PydanticSerializationError, SchemaError) as error:
        reason = re.split(r"\.\s|\n", str(error))[0]
        raise SetupError(f"no JSON schema can be made of the response_model {_name(model)}: {reason}") from error
    if adapter.core_schema["type"] == "generator":  # pydantic would check its items only as they are drawn
        raise SetupError(f"the response_model {_name(model)} is lazy: use list[T]")
    return _Form(adapter, source, key)


def _name(model: object) -> str:
    """A name as OpenAI takes it: up to 64 letters, digits and underscores."""
    if get_origin(model) is Annotated:
        model = get_args(model)[0]
    plain = isinstance(model, type) and get_origin(model) is None
    text = model.__name__ if plain else re.sub(r"[\w.]*\.", "", repr(model))  # type: ignore[attr-defined]
    return re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")[:64] or "answer"


def _response_format(name: str, wire: Node, strict: bool) -> dict[str, object]:
    return {"type": "json_schema", "json_schema": {"name": name, "strict": strict, "schema": wire}}


def _read(form: _Form, text: str) -> object:
    try:
        value = form.adapter.validator.validate_json(text)
    except ValidationError as error:
        rest = None if "null" not in text or _is_no_json(error) else without_absent(text, form.source)
        if rest is None:
            raise
        value = form.adapter.validator.validate_json(rest)
    if not is_finite(text, form.source):
        problem = PydanticCustomError("not_finite", "NaN and Infinity are not JSON")
        raise ValidationError.from_exception_data("", [{"type": problem, "loc": (), "input": None}])
    return value if form.key is None else getattr(value, form.key)


def _errors(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_context=False, include_input=False)


def _is_no_json(error: ValidationError) -> bool:
    return _errors(error)[0]["type"] == "json_invalid"


def _nearness(error: ValidationError, form: _Form) -> int:
    """How near to an answer a text came: no JSON, JSON of another kind, or only wrong inside."""
    first = _errors(error)[0]
    if first["type"] == "json_invalid":
        return 0
    return 1 if first["loc"] == () or (first["loc"] == (form.key,) and first["type"] == "missing") else 2


def _problems(error: ValidationError) -> str:
    every = _errors(error)
    texts = [": ".join(filter(None, (".".join(map(str, each["loc"])), each["msg"]))) for each in every[:_MAX_ERRORS]]
    if len(every) > _MAX_ERRORS:
        texts.append(f"and {len(every) - _MAX_ERRORS} more")
    return "; ".join(_one_line(text) for text in texts)


def _one_line(text: str) -> str:
    clean = " ".join("".join(char if char.isprintable() else " " for char in text[: 2 * _MAX_ERROR]).split())
    return clean if len(clean) <= _MAX_ERROR else clean[: _MAX_ERROR - 1] + "…"
