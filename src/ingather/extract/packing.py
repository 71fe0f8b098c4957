"""Which calls fill the fields of a model, where a provider takes schemas up to a ceiling. No I/O.

Fields that can be asked for together go into as few calls as the ceiling allows, in the model's
order and about as many in each. A field that is above the ceiling alone is filled by an extraction
of its own, if it is a model that can be taken apart; else nothing is asked at all, and the error
names what is too large.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, RootModel

from ingather.errors import SetupError
from ingather.extract.field_types import bare, without_none
from ingather.extract.outline import Ask, Outline
from ingather.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingather.schema.ceiling import Ceiling
    from ingather.schema.wire_form import Node

_MANY = 2  # fields that are models or lists: with so many each field has a call of its own


def asks_for(outline: Outline, names: Sequence[str], split: str, ceiling: Ceiling) -> list[Ask]:
    """The calls that an extraction begins with. `split`: as the task has it; ``"single"`` is one above any ceiling.

    Raises SetupError for a field that is above the ceiling and cannot be taken apart.
    """
    if not names:
        return []
    if split == "single":
        return [outline.whole(names)]
    composed = outline.composed(names)
    if split == "auto" and len(composed) < _MANY:
        return packed(outline, tuple(names), ceiling)
    if split == "fields" or ceiling.admits(Schema.of(outline.whole(names).answer).wire):
        return [_within(outline, name, ceiling) for name in names]
    plain = tuple(name for name in names if name not in composed)
    together = packed(outline, plain, ceiling) if len(plain) > 1 else []
    alone = composed if together else names
    asks = together + [_within(outline, name, ceiling) for name in alone]
    return sorted(asks, key=lambda ask: names.index(ask.fields[0]))


@lru_cache(maxsize=256)
def packed(outline: Outline, names: tuple[str, ...], ceiling: Ceiling) -> list[Ask]:
    """As few calls as the ceiling allows for these fields: shared, not to be changed. Raises as `asks_for` does."""
    whole = outline.whole(names)
    wire = Schema.of(whole.answer).wire
    if ceiling.admits(wire):
        return [whole]
    asks: list[Ask] = []
    for group in _groups(outline, names, wire, ceiling):
        together = outline.whole(group)
        if len(group) > 1 and ceiling.admits(Schema.of(together.answer).wire):
            asks.append(together)
        else:
            asks += [_within(outline, name, ceiling) for name in group]
    return asks


def admits(ask: Ask, ceiling: Ceiling) -> bool:
    """Whether what `ask` would send is within the ceiling; an extraction of its own sends nothing itself."""
    return not ask.nested and ceiling.admits(Schema.of(ask.answer).wire)


def _within(outline: Outline, name: str, ceiling: Ceiling) -> Ask:
    part = outline.part(name)
    too_large = _too_large(outline, (name,), ceiling, (outline.model,))
    if too_large:
        raise SetupError(
            f"the schema of the field {'.'.join(too_large)!r} of {outline.model.__name__} is "
            f"larger than the provider takes ({ceiling}): "
            "make it smaller, or several fields of it"
        )
    if ceiling.admits(Schema.of(part.answer).wire):
        return part
    return part._replace(answer=_model_in(outline.fields[name].annotation), nested=True)


def _too_large(
    outline: Outline, names: Sequence[str], ceiling: Ceiling, inside: tuple[type[BaseModel], ...]
) -> tuple[str, ...]:
    """The path to the first field that is above the ceiling and cannot be taken apart; empty where there is none.

    `inside`: the models that these fields are in. One that holds itself is as large however deep.
    """
    for name in names:
        if ceiling.admits(Schema.of(outline.part(name).answer).wire):
            continue
        model = _model_in(outline.fields[name].annotation)
        if model is None or model in inside or not model.model_fields:
            return (name,)
        inner = Outline.of(model)
        if not inner.asked:
            return (name,)
        if deeper := _too_large(inner, inner.asked, ceiling, (*inside, model)):
            return (name, *deeper)
    return ()


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The model that a field of this type holds, perhaps or always; None where it holds anything else."""
    kind: Any = bare(without_none(annotation))
    is_model = (
        isinstance(kind, type) and issubclass(kind, BaseModel) and not issubclass(kind, RootModel)
    )
    return kind if is_model else None


def _groups(
    outline: Outline, names: Sequence[str], wire: Node, ceiling: Ceiling
) -> Iterator[tuple[str, ...]]:
    """The fewest runs of neighbours that are within the ceiling, as even as they can be."""

    def fits(start: int, end: int) -> bool:
        return ceiling.admits(_part_of(wire, [outline.key(name) for name in names[start:end]]))

    cuts, end = [0], 1
    while end < len(names):
        if not fits(cuts[-1], end + 1):
            cuts.append(end)
        end += 1
    even = [len(names) * number // len(cuts) for number in range(len(cuts) + 1)]
    cuts.append(len(names))
    if all(fits(*pair) for pair in pairwise(even)):
        cuts = even
    return (tuple(names[start:end]) for start, end in pairwise(cuts))


def _part_of(wire: Node, keys: list[str]) -> Node:
    """The object schema `wire` with these properties alone, and the definitions that they need."""
    properties = {key: wire["properties"][key] for key in keys}
    part = {**wire, "properties": properties, "required": keys}
    defs = part.pop("$defs", {})
    needed: dict[str, Node] = {}
    waiting = [*_references(properties)]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = defs[name]
            waiting += _references(defs[name])
    return (
        {**part, "$defs": {name: defs[name] for name in defs if name in needed}} if needed else part
    )


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(reference := value.get("$ref"), str):
            yield reference.rpartition("/")[2]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
