"""The type of an answer that fills one field of a model and nothing else: what is checked with that field alone.

A field that may be absent may be answered with null, unless its type can say by itself that there
is nothing, as a list can by being empty. Of the model's own validators those come along that look
at this field only; one that takes ``info`` may look at others, and waits for the whole.
"""

from __future__ import annotations

import inspect
import types
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PlainValidator,
    WrapValidator,
)
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticUndefined

from ingather.extract_task import Prompt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

GROUPS = (list, set, frozenset, tuple, dict)

_VALIDATORS: dict[str, Any] = {
    "before": BeforeValidator, "after": AfterValidator, "plain": PlainValidator, "wrap": WrapValidator
}  # fmt: skip
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def own_type(model: type[BaseModel], name: str) -> object:
    """The field's type, with all that is checked of it alone."""
    field = model.model_fields[name]
    return _noted(field.annotation, [*_notes(field), *_validators(model, name)])


def part_type(model: type[BaseModel], name: str) -> object:
    """The type of an answer for this field: its own, or null where it may be absent."""
    field = model.model_fields[name]
    own: Any = own_type(model, name)
    if field.is_required() and not is_optional(field.annotation):
        return own
    group = without_none(field.annotation)
    if _may_be_empty(group, ()) and not _has_least(field.metadata):
        return _noted(group, [*_notes(field), *_validators(model, name)])
    return own if is_optional(field.annotation) else Union[None, own]  # noqa: UP007 - own is no type to `|`


def described(kind: object, question: str) -> object:
    """The type, with what is asked as the description of its values."""
    return _noted(kind, [Field(description=question)]) if question else kind


def question_of(field: FieldInfo) -> str:
    """What to ask for it, in one line: its `Prompt`, else its description, else nothing."""
    prompt = next((note.text for note in field.metadata if isinstance(note, Prompt)), None)
    return " ".join((prompt or field.description or "").split())


def is_hidden(field: FieldInfo) -> bool:
    """Whether its type hides it from the schema."""
    hidden: Any = SkipJsonSchema  # which type checkers take for a typing form
    return any(isinstance(note, hidden) for note in field.metadata)


def is_optional(annotation: object) -> bool:
    """Whether None is a value of this type."""
    return any(member is type(None) for member in _members(bare(annotation)))


def bare(annotation: object) -> object:
    """The type within ``Annotated``."""
    return bare(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation


def _notes(field: FieldInfo) -> list[object]:
    notes = [note for note in field.metadata if not isinstance(note, Prompt)]
    return (
        notes if field.discriminator is None else [*notes, Field(discriminator=field.discriminator)]
    )


def _validators(model: type[BaseModel], name: str) -> Iterator[object]:
    for decorator in model.__pydantic_decorators__.field_validators.values():
        concerns = name in decorator.info.fields or "*" in decorator.info.fields
        if concerns and not _takes_info(decorator.func, decorator.info.mode):
            given = {"json_schema_input_type": decorator.info.json_schema_input_type}
            said = given if given["json_schema_input_type"] is not PydanticUndefined else {}
            yield _VALIDATORS[decorator.info.mode](decorator.func, **said)


def _takes_info(function: Any, mode: str) -> bool:
    try:
        given = inspect.signature(function).parameters.values()
    except ValueError:  # of a builtin, which has none
        return False
    needed = [each for each in given if each.default is each.empty and each.kind in _POSITIONAL]
    return len(needed) > (2 if mode == "wrap" else 1)


def _noted(annotation: Any, notes: list[object]) -> Any:
    return Annotated[(annotation, *notes)] if notes else annotation


def _members(annotation: Any) -> tuple[Any, ...]:
    return (
        get_args(annotation)
        if get_origin(annotation) in (Union, types.UnionType)
        else (annotation,)
    )


def without_none(annotation: object) -> object:
    """The type without None as one of its alternatives."""
    left: list[Any] = [member for member in _members(annotation) if member is not type(None)]
    return Union[tuple(left)] if left else annotation  # noqa: UP007 - of however many there are


def _may_be_empty(annotation: Any, inside: tuple[object, ...]) -> bool:
    """Whether a value of this type can itself say that there is nothing."""
    if get_origin(annotation) is Annotated and _has_least(annotation.__metadata__):
        return False
    kind = bare(annotation)
    if (get_origin(kind) or kind) in GROUPS:
        return True
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)) or kind in inside:
        return False
    return all(
        not field.is_required() or is_optional(field.annotation)
        or (_may_be_empty(field.annotation, (*inside, kind)) and not _has_least(field.metadata))
        for field in kind.model_fields.values()
    )  # fmt: skip


def _has_least(notes: Any) -> bool:
    # ``Field(min_length=…)`` in Annotated
    inner = [note for field in notes for note in getattr(field, "metadata", ())]
    return any(getattr(note, "min_length", 0) for note in (*notes, *inner))
