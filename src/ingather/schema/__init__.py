"""Structured output: what a `response_model` is on the wire, and the way back. No I/O.

`wire.py` makes the schema that travels, `lenient.py` finds JSON among prose, `places.py` sees what pydantic would miss.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args, get_origin

from pydantic import PydanticUserError, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticUndefinedAnnotation
from pydantic_core import PydanticCustomError, PydanticSerializationError, SchemaError, from_json

from ingather.errors import InvalidAnswer, SetupError
from ingather.schema.lenient import candidates
from ingather.schema.places import is_finite, without_absent
from ingather.schema.wire import Node, Source, holds_floats, resolved, wire_form
from ingather.task import LLMMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

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


class _Found(NamedTuple):
    """A value, the JSON it was read from, and where it was in that (None: it is the whole)."""

    value: object
    json: str | bytes
    key: str | None
    lenient: bool = False


class _Form(NamedTuple):
    """One form that an answer may have.

    `source`: pydantic's JSON schema of it. `key`: where the value is in it, None where the whole is the value.
    `floats`: whether it may hold any.
    """

    adapter: TypeAdapter[object]
    source: Node
    key: str | None
    floats: bool

    def read(self, text: str) -> _Found:
        """The value in the JSON `text`; raises ValidationError."""
        read: str | bytes = text
        try:
            value = self._validated(read)
        except ValidationError:
            rest = without_absent(text, self.source) if "null" in text else None
            if rest is None:
                raise
            read, value = rest, self._validated(rest)
        if self.floats and not is_finite(text, self.source):
            raise _invalid("NaN and Infinity are not JSON")
        return _Found(value if self.key is None else getattr(value, self.key), read, self.key)

    def _validated(self, text: str | bytes) -> object:
        try:
            return self.adapter.validator.validate_json(text)
        except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
            # From a validator of the model's own, which takes the answer for something that it is not.
            raise _invalid(f"a validator raised {type(error).__name__}: {error}") from error


def _invalid(problem: str) -> ValidationError:
    error = PydanticCustomError("refused", "{problem}", {"problem": problem})
    return ValidationError.from_exception_data("", [{"type": error, "loc": (), "input": None}])


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

    @property
    def wire(self) -> Node:
        """The schema that travels; shared, not to be changed."""
        return self._wire

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
        found = self._found(text)
        return Parsed(found.value, found.lenient)

    def document(self, text: str) -> object:
        """The JSON of the value that `parse` finds in an answer, bare, and as it was before any validator saw it.

        >>> Schema.of(set[int]).document('{"items": [1, 2]}')
        [1, 2]
        """
        found = self._found(text)
        whole = from_json(found.json)
        return whole[found.key] if found.key is not None else whole

    def _found(self, text: str) -> _Found:
        asked = self._forms[0]
        try:
            return asked.read(text)
        except ValidationError as error:
            closest = _miss(error, asked)
        texts = dict.fromkeys(candidates(text))
        for form in self._forms:
            for candidate in texts:
                if form is asked and candidate == text:
                    continue
                try:
                    return form.read(candidate)._replace(lenient=True)
                except ValidationError as error:
                    closest = max(closest, _miss(error, form), key=lambda miss: miss.nearness)
        raise InvalidAnswer(f"the answer does not fit {self.name}: {closest.problems}")

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
    return _Form(adapter, source, key, holds_floats(source))


def _name(model: object) -> str:
    """A name as OpenAI takes it: up to 64 letters, digits and underscores; the same in every process."""
    return re.sub(r"\W+", "_", " ".join(_words(model)), flags=re.ASCII).strip("_")[:64] or "answer"


def _words(model: object) -> Iterator[str]:
    origin, args = get_origin(model), get_args(model)
    if origin is Annotated:
        yield from _words(args[0])
    elif origin is Literal:
        yield from map(str, args)
    else:
        yield getattr(origin or model, "__name__", "" if args else repr(model))
        for arg in args:
            yield from _words(arg)


def _response_format(name: str, wire: Node, strict: bool) -> dict[str, object]:
    return {"type": "json_schema", "json_schema": {"name": name, "strict": strict, "schema": wire}}


class _Miss(NamedTuple):
    """Why a text is no answer. `nearness`: 0 for no JSON, 1 for JSON of another kind, 2 for a wrong inside."""

    nearness: int
    problems: str


def _miss(error: ValidationError, form: _Form) -> _Miss:
    every = error.errors(include_url=False, include_context=False, include_input=False)
    texts = [": ".join(filter(None, (".".join(map(str, each["loc"])), each["msg"]))) for each in every[:_MAX_ERRORS]]
    if len(every) > _MAX_ERRORS:
        texts.append(f"and {len(every) - _MAX_ERRORS} more")
    kind, place = every[0]["type"], every[0]["loc"]
    other_kind = place == () or (place == (form.key,) and kind == "missing")
    return _Miss(0 if kind == "json_invalid" else 1 if other_kind else 2, "; ".join(map(_one_line, texts)))


def _one_line(text: str) -> str:
    clean = " ".join("".join(char if char.isprintable() else " " for char in text[: 2 * _MAX_ERROR]).split())
    return clean if len(clean) <= _MAX_ERROR else clean[: _MAX_ERROR - 1] + "…"
