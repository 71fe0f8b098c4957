"""An amount with its unit: the number, its scale and its currency, all from one place of the text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ingather.extractive.bounds import allowed, bounded
from ingather.extractive.numbers import Picked, Wanted, pick
from ingather.extractive.reading import Found, Reading, Topic
from ingather.extractive.schema import JSON, Node, alternatives, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.extractive.schema import Schema

_UNITS = frozenset({"scale", "unit", "units", "currency", "magnitude", "multiplier"})
_ONES = frozenset({"unit", "units", "one", "ones", "none", "single", ""})
_NOUN = re.compile(r"[\s-]*(?P<noun>[A-Za-z][a-z-]+(?:\s+[a-z-]+)?)")
_NO_NOUN = re.compile(
    r"(?i)(?:in|of|and|or|to|for|from|at|on|as|by|was|were|is|are|the|compared|than|during|up|down)\b"
)


class Figure(NamedTuple):
    """The properties of an object that is an amount: `number` is its amount, `units` say what that counts."""

    number: str
    node: Node
    units: Mapping[str, Node]

    @classmethod
    def of(cls, node: Node, schema: Schema) -> Figure | None:
        """What an object has as an amount; None for any other object."""
        properties = node.get("properties")
        if not isinstance(properties, dict):
            return None
        parts = {name: _bare(schema, part) for name, part in properties.items()}
        counted = [name for name, part in parts.items() if kind_of(part) in {"number", "integer"}]
        units = {name: part for name, part in parts.items() if name.lower() in _UNITS}
        if len(counted) != 1 or not units or len(parts) != 1 + len(units):
            return None
        return cls(counted[0], parts[counted[0]], units)

    def read(self, topic: Topic, reading: Reading) -> Found:
        """The object, from the number that fits the topic best."""
        own = topic.of(self.number, self.node)
        in_money = any(name in {"scale", "currency"} for name in self.units)
        whole = kind_of(self.node) == "integer"

        def fits(value: float) -> bool:
            return allowed(self.node, value, whole=whole) or not whole

        picked = pick(own, reading, Wanted.by(own, money=in_money), fits)
        if picked is None:
            return Found(None, 0, lacks=own.path)
        filled: dict[str, JSON] = {}
        for name, node in self.units.items():
            unit = _unit(name, node, picked, reading)
            if unit is None:
                return Found(None, 0, lacks=f"{topic.path}.{name}".lstrip("."))
            filled[name] = unit
        return Found(
            {self.number: bounded(self.node, picked.number.printed, whole=whole), **filled},
            2,
            picked.at,
        )


def _bare(schema: Schema, part: object) -> Node:
    """A property without its null."""
    node, _ = schema.resolve(part)
    branches = [schema.resolve(branch)[0] for branch in alternatives(node)]
    return next((branch for branch in branches if branch.get("type") != "null"), node)


def _unit(name: str, node: Node, picked: Picked, reading: Reading) -> JSON:
    values = node.get("enum")
    currency = picked.number.currency or _currency_of_row(picked, reading)
    if isinstance(values, list):
        currency = currency or ("USD" if "$" in reading.passage.text else "")
        wanted = {currency.lower()} if name == "currency" else {picked.scale, picked.scale + "s"}
        if (
            not picked.scale
            and name != "currency"
            and reading.passage.sentences[picked.at].kind == "row"
        ):
            return None  # a table that does not say what it counts in
        named = wanted if picked.scale or name == "currency" else _ONES
        return next(
            (value for value in values if isinstance(value, str) and value.lower() in named), None
        )
    if name == "currency":
        return currency or ("USD" if "$" in reading.passage.text else None)
    if name == "scale":
        return picked.scale or "units"
    return _named(picked, currency, reading)


def _currency_of_row(picked: Picked, reading: Reading) -> str:
    """Dollars, where a row or the scale over its table says so: most rows of a table have no sign."""
    sentence = reading.passage.sentences[picked.at]
    whole = (
        float(picked.number.printed).is_integer()
        or "share" in sentence.stems
        or "shar" in sentence.stems
    )
    in_table = sentence.kind == "row" and whole and bool(_of_table(picked, reading))
    return "USD" if "$" in sentence.text or (in_table and "$" in reading.passage.text) else ""


def _named(picked: Picked, currency: str, reading: Reading) -> str | None:
    """The unit in words: *percent*, *USD millions*, *stores*."""
    number, sentence = picked.number, reading.passage.sentences[picked.at]
    if number.percent:
        return "percent"
    scale = picked.scale or ("" if sentence.kind != "row" else _of_table(picked, reading))
    if number.currency or (sentence.kind == "row" and currency):
        per_share = " per share" if re.search(r"(?i)\bper\b.{0,24}\bshare\b", sentence.text) else ""
        return f"{currency}{per_share}" if per_share or not scale else f"{currency} {scale}s"
    noun = _NOUN.match(sentence.text, number.end)
    if noun and not _NO_NOUN.match(noun["noun"]):
        return f"{scale} {noun['noun']}".strip() if scale else noun["noun"]
    return f"{scale}s" if scale else None


def _of_table(picked: Picked, reading: Reading) -> str:
    return reading.passage.scale_at(reading.passage.sentences[picked.at].start)
