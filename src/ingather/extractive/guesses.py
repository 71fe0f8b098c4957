"""What stands where a text has nothing, for stand-ins in tests that must satisfy any schema."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ingather.extractive.bounds import bounded
from ingather.extractive.finders import labelled
from ingather.extractive.lengths import fitted
from ingather.extractive.reading import Found, Reading, Topic
from ingather.extractive.schema import count, kind_of

if TYPE_CHECKING:
    from ingather.extractive.fill import Filler
    from ingather.extractive.schema import JSON, Node

_MANY = 8  # names of an object whose names are free


def labelled_map(filler: Filler, node: Node, values: object, reading: Reading) -> Found:
    """An object whose names are free: the labels of the text.

    Where it has too few, names that stand in it if the filler is forced.
    """
    least, most = count(node.get("minProperties"), 0), count(node.get("maxProperties"), _MANY)
    labels = {label: Reading(value) for label, value in labelled(reading.passage.text)}
    named = list(labels)
    if filler.forced:
        words = dict.fromkeys(re.findall(r"[^\W\d_]{3,}", reading.passage.text))
        named += [
            name
            for name in (*words, *(f"key{index}" for index in range(1, least + 1)))
            if name not in labels
        ]
    filled: dict[str, JSON] = {}
    for name in named[: max(least, min(most, len(labels)))]:
        inner = labels.get(name, reading)
        topic = Topic() if name in labels else Topic().of(name, {})
        found = filler.value(values, topic, inner)
        if filler.forced or not found.lacks:
            filled[name] = found.value
    if len(filled) < least:
        return Found({}, 0, lacks="properties")
    return Found(filled, 2 if labels and filled else 0)


def another(node: Node, value: JSON, taken: list[JSON]) -> JSON:
    """A value near `value` that is not taken yet, for arrays whose members must differ."""
    for step in range(1, len(taken) + 2):
        if isinstance(value, str):
            most = node.get("maxLength")
            near: JSON = fitted(
                f"{step} {value}",
                count(node.get("minLength"), 0),
                most if isinstance(most, int) else None,
            )
        elif isinstance(value, int | float) and not isinstance(value, bool):
            whole = kind_of(node) == "integer"
            around = (
                bounded(node, value + sign * step * _step(node), whole=whole) for sign in (1, -1)
            )
            near = next((number for number in around if number not in taken), value)
        else:
            return value
        if near not in taken:
            return near
    return value


def _step(node: Node) -> float:
    step = node.get("multipleOf")
    return float(step) if isinstance(step, int | float) else 1.0
