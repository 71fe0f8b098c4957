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


def columns(schema: Schema, node: Node, reading: Reading) -> list[Found]:
    """A member for each number of the row that is read: where `node` is an object of a year and a number."""
    place, properties = reading.place, node.get("properties")
    if place is None or not isinstance(properties, dict):
        return []
    parts = {name: schema.resolve(part)[0] for name, part in properties.items()}
    year = next((name for name, part in parts.items() if "year" in name and kind_of(part) == "integer"), None)
    value = next(
        (name for name, part in parts.items() if name != year and kind_of(part) in {"number", "integer"}), None
    )
    row = reading.passage.sentences[place.anchor]
    if year is None or value is None or len(parts) != 2 or row.kind != "row":
        return []
    years = _years_above(reading, place.anchor)
    printed: list[JSON] = [number.printed for number in numbers(row.text) if not number.percent and not number.year]
    printed = printed[-len(years) :] if len(printed) == len(years) + 1 else printed
    return [
        Found({year: int(when), value: number}, 2, place.anchor) for when, number in zip(years, printed, strict=False)
    ]


def _years_above(reading: Reading, at: int) -> list[float]:
    """The years at the head of a table: of the nearest line above with several, and little else."""
    for above in range(at - 1, max(-1, at - _ABOVE), -1):
        found = numbers(reading.passage.sentences[above].text)
        years = [number.value for number in found if number.year]
        others = [number for number in found if not number.year and number.value > 31]
        if len(years) >= 2 and not others:
            return list(dict.fromkeys(years)) if len(years) > 6 else years
    return []
