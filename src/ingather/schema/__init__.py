"""Structured output: what a `response_model` is on the wire, and the way back. No I/O.

`wire.py` makes the schema that travels. Of an answer, `thinking.py` takes out the model's thinking,
`lenient.py` finds JSON among prose, `form.py` reads it, `places.py` sees what pydantic would miss,
and `choice.py` says which one counts.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args, get_origin

from pydantic import PydanticUserError, TypeAdapter, create_model
from pydantic.errors import PydanticUndefinedAnnotation
from pydantic_core import PydanticSerializationError, SchemaError

from ingather.errors import InvalidAnswer, SetupError
from ingather.schema.choice import Choice
from ingather.schema.form import Form, Found, Miss
from ingather.schema.lenient import candidates
from ingather.schema.model_schema import Source
from ingather.schema.thinking import visible
from ingather.schema.wire_form import Node, holds_floats, is_loose, resolved, wire_form
from ingather.task import LLMMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_ANSWER = 8_000
_FENCED = re.compile(r"\A```\w*\s(.*)```\Z", re.DOTALL)

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


class Schema:
    """A response_model on its way to a model and back.

    What is not an object travels as ``{"items": …}`` (lists, sets, tuples) or ``{"value": …}``, and
    comes back bare.

    `name`: as OpenAI takes it. `strict`: whether the schema keeps to strict mode. `key`: that of
    the wrapper, or None.

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
            self._forms: tuple[Form, ...] = (bare,)
        else:
            self._forms = (
                _form(response_model, "items" if root.get("type") == "array" else "value"),
                bare,
            )
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

        `lengths`: with ``minLength`` and ``maxLength``, which OpenAI refuses and servers of one's
        own enforce.
        """
        return self._with_lengths if lengths else self._format

    @cached_property
    def _format(self) -> dict[str, object]:
        return _response_format(self.name, self._wire, self.strict)

    @cached_property
    def _with_lengths(self) -> dict[str, object]:
        return _response_format(
            self.name, wire_form(self._forms[0].source, lengths=True)[0], self.strict
        )

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

    def parse(self, text: str, *, alone: bool = False) -> Parsed:
        """The value in an answer. Code fences, prose around the JSON and a forgotten wrapper are tolerated.

        The model's thinking does not count. Where several different values fit, the last one does,
        if it stands on its own lines as an answer. `alone`: it must be all of the answer but
        thinking and a fence, and be complete.

        Raises InvalidAnswer, whose message names place and problem of the first few errors, or says
        that it is not clear which value is the answer.
        """
        found = self._found(text, alone=alone)
        return Parsed(found.value, found.lenient)

    def document(self, text: str) -> object:
        """The JSON of the value that `parse` finds in an answer, bare, and as it was before any validator saw it.

        >>> Schema.of(set[int]).document('{"items": [1, 2]}')
        [1, 2]
        """
        return self._found(text).document

    def _found(self, text: str, *, alone: bool = False) -> Found:
        exact = self._forms[0].read(text)
        if isinstance(exact, Found):
            return exact
        shown = visible(text).strip("\ufeff \t\r\n")
        if alone:
            shown = _FENCED.sub(r"\1", shown)
            if shown[-1:].isdigit():  # of a number, which may go on
                raise InvalidAnswer(f"the answer does not fit {self.name}: it may be cut")
        whole = [form.read(shown) for form in self._forms]
        if (found := next((each for each in whole if isinstance(each, Found)), None)) is not None:
            return found._replace(lenient=True)
        if alone:
            raise InvalidAnswer(f"the answer does not fit {self.name}: it is cut")
        choice = Choice(self._forms)
        for candidate in candidates(shown):
            choice.offer(candidate)
        found, problem = choice.made()
        if found is not None:
            return found._replace(lenient=True)
        misses = [exact, *(each for each in whole if isinstance(each, Miss)), *choice.misses]
        why = problem or max(misses, key=lambda miss: miss.nearness).problems
        raise InvalidAnswer(f"the answer does not fit {self.name}: {why}")

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


def _form(model: object, key: str | None = None) -> Form:
    if isinstance(model, str | Mapping | partial) or inspect.isroutine(model):
        raise SetupError(
            f"a response_model is a type: a pydantic model, dataclass, list[T], int, "
            f"…; not {model!r:.80}"
        )
    try:
        whole: Any = model
        if key is not None:
            fields: dict[str, Any] = {key: (model, ...)}
            whole = create_model(_name(model), **fields)
        adapter: TypeAdapter[object] = TypeAdapter(whole)
        source = adapter.json_schema(schema_generator=Source)
    except (
        PydanticUserError,
        PydanticUndefinedAnnotation,
        PydanticSerializationError,
        SchemaError,
    ) as error:
        reason = re.split(r"\.\s|\n", str(error))[0]
        raise SetupError(
            f"no JSON schema can be made of the response_model {_name(model)}: {reason}"
        ) from error
    # pydantic would check its items only as they are drawn
    if adapter.core_schema["type"] == "generator":
        raise SetupError(f"the response_model {_name(model)} is lazy: use list[T]")
    return Form(adapter, source, key, holds_floats(source), is_loose(source))


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
