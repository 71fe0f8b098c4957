"""The numbers of a table row, each with the year of its column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingather.extractive.figures import numbers
from ingather.extractive.reading import Found
from ingather.extractive.schema import kind_of

if TYPE_CHECKING:
    from ingather.extractive.reading import Reading
    from ingather.extractive.schema import JSON, Node, Schema

_ABOVE = 60  # sentences and rows above a row in which the years of its columns stand


def is_by_year(schema: Schema, node: Node) -> bool:
    """Whether `node` is an object of a year and a number."""
    return _named(schema, node) is not None


def columns(schema: Schema, node: Node, reading: Reading) -> list[Found]:
    """A member for each number of the row that is read: where `node` is an object of a year and a number."""
    place, names = reading.place, _named(schema, node)
    if place is None or names is None or reading.passage.sentences[place.anchor].kind != "row":
        return []
    year, value = names
    years = _years_above(reading, place.anchor)
    found = numbers(reading.passage.sentences[place.anchor].text, row=True)
    printed: list[JSON] = [
        number.printed for number in found if not number.percent and not number.year
    ]
    # the first one is that of a note
    printed = printed[1:] if len(printed) == len(years) + 1 else printed
    return [
        Found({year: int(when), value: number}, 2, place.anchor)
        for when, number in zip(years, printed, strict=False)
    ]


def _named(schema: Schema, node: Node) -> tuple[str, str] | None:
    """The names of the year and of the number."""
    properties = node.get("properties")
    if not isinstance(properties, dict) or len(properties) != 2:
        return None
    parts = {name: schema.resolve(part)[0] for name, part in properties.items()}
    year = next(
        (name for name, part in parts.items() if "year" in name and kind_of(part) == "integer"),
        None,
    )
    value = next(
        (name for name in parts if name != year and kind_of(parts[name]) in {"number", "integer"}),
        None,
    )
    return None if year is None or value is None else (year, value)


def _years_above(reading: Reading, at: int) -> list[float]:
    """The years at the head of a table: of the nearest line above with several, and little else."""
    for above in range(at - 1, max(-1, at - _ABOVE), -1):
        found = numbers(reading.passage.sentences[above].text)
        years = [number.value for number in found if number.year]
        others = [number for number in found if not number.year and number.value > 31]
        if len(years) >= 2 and not others:
            return list(dict.fromkeys(years)) if len(years) > 6 else years
    return []
