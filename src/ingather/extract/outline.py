"""A pydantic model taken apart into what can be asked for on its own, and put together again. No I/O.

A part is one top-level field. On the wire it has the form that `ingather.schema` gives any
response_model: a list, for one, travels as ``{"items": […]}``. What is put together is what was
said, the JSON of each field, validated once by the model itself, just as if one answer had said all
of it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, cast, get_origin

from pydantic import (
    AliasChoices,
    BaseModel,
    Field,
    RootModel,
    TypeAdapter,
    ValidationError,
    create_model,
)
from pydantic.errors import PydanticUndefinedAnnotation
from pydantic_core import to_json

from ingather.errors import InvalidAnswer, SetupError
from ingather.extract.field_types import (
    GROUPS,
    bare,
    described,
    is_hidden,
    is_optional,
    own_type,
    part_type,
    question_of,
)
from ingather.schema import Schema
from ingather.schema.lenient import ABSENT, cut_json, sole_json
from ingather.schema.wire_form import resolved

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pydantic.fields import FieldInfo

    from ingather.schema.wire_form import Node

_WRONG_MODEL = (
    "an ExtractTask fills a pydantic model with fields, or a list, not {!r:.80}: "
    "use LLMTask(response_model=…)"
)


class Ask(NamedTuple):
    """One call's worth: which fields it fills, the type that its answer has, and the question.

    `whole`: the answer is an object with these fields, and not the one field's value itself.
    `nested`: the field is a model, which is filled by an extraction of its own.
    """

    fields: tuple[str, ...]
    answer: Any  # a type or a typing form: no common supertype
    question: str
    whole: bool
    nested: bool = False


class Found(NamedTuple):
    """What fills a field. `document`: the JSON that says so, where it was said in JSON and not made by code."""

    value: object
    document: object = None
    by_code: bool = False


NOTHING = Found(None)  # it was answered that there is none: the default stands


class Unmerged(Exception):
    """The parts do not make a whole. `fields`: those to blame, none where it is the whole."""

    def __init__(self, problem: str, fields: tuple[str, ...]) -> None:
        super().__init__(problem)
        self.fields = fields


class Outline:
    r"""The fields of a pydantic model, each with what is asked for it. A list is a model whose one field is ``items``.

    `asked`: those that are asked of a model; one that its type hides from the schema
    (``SkipJsonSchema``) is code's.

    >>> class Firm(BaseModel):
    ...     products: list[str] = Field(description="What it sells.")
    >>> Outline.of(Firm).part("products").question
    'Extract from the document:\n- products: What it sells.'
    """

    def __init__(self, model: object) -> None:
        """Raises SetupError for what is no pydantic model with fields, and no list."""
        self.model, self.is_list = _as_model(model)
        self.fields = dict(self.model.model_fields)
        self.asked = tuple(name for name, field in self.fields.items() if not is_hidden(field))
        self._keys = {name: _key(name, field) for name, field in self.fields.items()}
        self._parts = dict[str, Ask]()

    @classmethod
    def of(cls, model: object) -> Outline:
        """The outline of `model`, made once for each."""
        try:
            hash(model)
        except TypeError:
            return cls(model)
        return _outline(model)

    def composed(self, names: Collection[str]) -> list[str]:
        """Those of `names` that are models or lists."""
        wire = Schema.of(self.whole(names).answer).wire
        return [
            name
            for name in names
            if _is_composed(wire["properties"].get(self._keys[name], {}), wire)
        ]

    def key(self, name: str) -> str:
        """The field's name on the wire."""
        return self._keys[name]

    def part(self, name: str) -> Ask:
        """The field on its own."""
        if name not in self._parts:
            kind = part_type(self.model, name)
            # it travels without its name, so that only this says what it is
            if Schema.of(kind).key is not None:
                kind = described(kind, question_of(self.fields[name]))
            self._parts[name] = Ask((name,), kind, self._question([name]), whole=False)
        return self._parts[name]

    def whole(self, names: Iterable[str]) -> Ask:
        """All of `names` in one."""
        names = tuple(names)
        model = self.model if len(names) == len(self.asked) else _subset(self, names)
        return Ask(names, model, self._question(names), whole=True)

    def subset(self, names: tuple[str, ...]) -> type[BaseModel]:
        """A model of these fields alone. Its own names for them clash with nothing; only their keys are on the wire."""
        wanted: dict[str, Any] = {}
        for name in names:
            field = self.fields[name]
            info: Any = Field(
                ... if field.is_required() else None if field.default_factory else field.default,
                validation_alias=AliasChoices(self._keys[name], name),
                description=field.description,
                examples=field.examples,
            )
            wanted[_attribute(name)] = (own_type(self.model, name), info)
        return create_model(self.model.__name__, __doc__=self.model.__doc__, **wanted)

    def requires(self, name: str) -> bool:
        """Whether the model cannot be without this field."""
        return self.fields[name].is_required()

    def found(self, ask: Ask, answer: object, text: str) -> dict[str, Found]:
        """What a right answer says of each field: `answer` is its value, `text` its own words."""
        document = Schema.of(ask.answer).document(text)
        if not ask.whole:
            return {ask.fields[0]: self._found(ask.fields[0], answer, document)}
        found = dict[str, Found]()
        for name in ask.fields:
            value = getattr(answer, name if ask.answer is self.model else _attribute(name))
            said = self._said(name, document)
            found[name] = (
                NOTHING
                if said is ABSENT
                else self._found(name, None if said is None else value, said)
            )
        return found

    def salvaged(self, ask: Ask, text: str, *, is_cut: bool = False) -> dict[str, Found]:
        """The fields that are right in an answer which, as a whole, is not; null is, where there may be nothing."""
        document = cut_json(text) if is_cut else sole_json(text)
        if not ask.whole:
            inner = (
                [*document.values()]
                if isinstance(document, dict) and len(document) == 1
                else [document]
            )
            document = {ask.fields[0]: None} if inner == [None] else {}
        found = dict[str, Found]()
        for name in ask.fields:
            said = self._said(name, document)
            if said is None and (not self.requires(name) or self._takes_none(name)):
                found[name] = self._found(name, None, None)
            elif said is not ABSENT:
                try:
                    value = Schema.of(self.part(name).answer).parse(to_json(said).decode()).value
                except InvalidAnswer:
                    continue
                found[name] = self._found(name, value, said)
        return found

    def made(self, name: str, value: object) -> Found:
        """What a function gave, as the field's type; raises `Unmerged`."""
        if value is None and not self.requires(name):
            return self._found(name, None, None)
        try:
            field = self.fields[name]
            kind: Any = (
                Annotated[(field.annotation, *field.metadata)]
                if field.metadata
                else field.annotation
            )
            return Found(TypeAdapter(kind).validate_python(value), by_code=True)
        except _VALIDATION as error:
            raise Unmerged(
                f"the function for {name!r} gave no {name}: {_problems(error)}", (name,)
            ) from error

    def merged(self, found: Mapping[str, Found]) -> BaseModel:
        """The model's instance, validated as a whole; raises `Unmerged`."""
        values = {
            self._keys[name]: each.value if each.by_code else each.document
            for name, each in found.items()
        }
        validator = self.model.__pydantic_validator__
        try:
            if any(each.by_code for each in found.values()):  # what code made is no JSON
                whole = validator.validate_python(values, strict=False, by_alias=True, by_name=True)
            else:
                whole = validator.validate_json(to_json(values), by_alias=True, by_name=True)
        except _VALIDATION as error:
            places = (
                [each["loc"] for each in error.errors()]
                if isinstance(error, ValidationError)
                else []
            )
            names = [name for place in places for name in self._fields_at(place) if name in found]
            problem = f"the parts do not make a {self.model.__name__}: {_problems(error)}"
            raise Unmerged(problem, tuple(dict.fromkeys(names))) from error
        return cast("BaseModel", whole)

    def bare(self, whole: BaseModel) -> object:
        """The value that was wanted: the model, or the list that stands in it."""
        return getattr(whole, "items") if self.is_list else whole  # noqa: B009 - as of its type

    def words_for(self, ask: Ask, found: Mapping[str, Found]) -> str:
        """The answer to `ask` that would have given what was `found`, to be told what is wrong with it."""
        if ask.whole:
            said: object = {
                self._keys[name]: found[name].document for name in ask.fields if name in found
            }
        else:
            key, said = Schema.of(ask.answer).key, found[ask.fields[0]].document
            said = said if key is None else {key: said}
        return to_json(said).decode()

    def _found(self, name: str, value: object, document: object) -> Found:
        return NOTHING if value is None and not self._takes_none(name) else Found(value, document)

    def _takes_none(self, name: str) -> bool:
        return is_optional(self.fields[name].annotation)

    def _said(self, name: str, document: object) -> object:
        said = document if isinstance(document, dict) else {}
        return next((said[key] for key in (self._keys[name], name) if key in said), ABSENT)

    def _question(self, names: Iterable[str]) -> str:
        lines = (
            f"- {name}: {asked}" if (asked := question_of(self.fields[name])) else f"- {name}"
            for name in names
        )
        return "Extract from the document:\n" + "\n".join(lines)

    def _fields_at(self, place: tuple[int | str, ...]) -> list[str]:
        by_key = [name for name, key in self._keys.items() if place[:1] == (key,)]
        return by_key or [name for name in self.fields if place[:1] == (name,)]

    def __repr__(self) -> str:
        return f"Outline({self.model.__name__}: {', '.join(self.fields)})"


@lru_cache(maxsize=256)
def _outline(model: object) -> Outline:
    return Outline(model)


@lru_cache(maxsize=256)
def _subset(outline: Outline, names: tuple[str, ...]) -> type[BaseModel]:
    return outline.subset(names)


def _as_model(model: object) -> tuple[type[BaseModel], bool]:
    """What is to be filled, and whether it stands for a list."""
    kind = get_origin(bare(model)) or bare(model)
    if kind in GROUPS and kind is not dict:
        items: Any = model
        return create_model(Schema.of(model).name, items=(items, ...)), True
    if not (isinstance(model, type) and issubclass(model, BaseModel)) or issubclass(
        model, RootModel
    ):
        raise SetupError(_WRONG_MODEL.format(model))
    if not model.model_fields:
        raise SetupError(f"the model {model.__name__} has no fields: there is nothing to extract")
    try:
        model.model_rebuild()
    except PydanticUndefinedAnnotation as error:
        raise SetupError(
            f"the model {model.__name__} is not complete: {str(error).partition(chr(10))[0]}"
        ) from error
    Schema.of(model)  # which says best what else is wrong with it
    return model, False


def _key(name: str, field: FieldInfo) -> str:
    """Under which name the schema has it, as pydantic chooses it."""
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return next((choice for choice in choices if isinstance(choice, str)), name)


def _attribute(name: str) -> str:
    return f"field_{name}"


def _is_composed(node: Node, root: Node) -> bool:
    """An object or an array, or perhaps null: what takes an answer of its own."""
    node = resolved(node, root)
    return node.get("type") in ("object", "array") or any(
        _is_composed(each, root) for each in node.get("anyOf", ())
    )


# What a model's own validators may raise for what they did not expect, as in `Schema`.
_VALIDATION = (ValidationError, LookupError, TypeError, AttributeError, ArithmeticError)


def _problems(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return f"a validator raised {type(error).__name__}: {error}"
    every = error.errors(include_url=False, include_input=False)
    return "; ".join(
        ": ".join(filter(None, (".".join(map(str, each["loc"])), each["msg"])))
        for each in every[:3]
    )
