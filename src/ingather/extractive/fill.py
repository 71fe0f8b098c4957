"""A JSON schema filled from a text: any schema, always the same value for the same text, nothing invented but defaults.

What the text does not say is null where the schema allows it, else empty or the first value that is allowed.
"""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING, cast

from ingather.extractive.finders import labelled, listed
from ingather.extractive.numbers import boolean, bounded, choice, mentioned, number
from ingather.extractive.reading import Found, Reading, Topic
from ingather.extractive.schema import JSON, Node, Schema, SchemaError, alternatives, is_bare_string, kind_of
from ingather.extractive.strings import fitted, string
from ingather.extractive.text import Passage

if TYPE_CHECKING:
    from collections.abc import Mapping

_MANY = 8  # members of an array that the schema leaves open
_ENOUGH = 2000  # values: a recursive schema is closed as soon as it can be after these
_GUESSES = 3  # members of an array that are about something else, where there is nothing better
_LIKELY = 0.5  # how sure a member must be to count as found


def fill(schema: Mapping[str, object], text: str, question: str = "") -> JSON:
    """A value that satisfies `schema`, its parts taken from `text` by the names and descriptions of the properties.

    `question`: what was asked, which says what to look for where the schema has no names. ``pattern`` is satisfied as
    far as one can; ``not`` and ``if`` are not looked at. Raises SchemaError for a schema that nothing can satisfy.

    >>> fill({"properties": {"age": {"type": "integer"}}}, "Ann is a 30-year-old nurse")
    {'age': 30}
    """
    try:
        return _Filler(Schema(schema)).value(schema, Topic.root(question), Reading(text)).value
    except RecursionError:
        raise SchemaError("the schema is nested too deeply") from None


class _Filler:
    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.open = list[str]()  # the references that we are inside of
        self.made = 0

    @property
    def closing(self) -> bool:
        """Whether to end as soon as the schema allows: inside a recursion, or after very many values."""
        return self.made > _ENOUGH or len(set(self.open)) < len(self.open)

    def value(self, node: object, topic: Topic, reading: Reading, taken: list[JSON] | None = None) -> Found:
        resolved, refs = self.schema.resolve(node)
        self.open += refs
        self.made += 1
        try:
            return self._resolved(resolved, topic, reading, taken or [])
        finally:
            del self.open[len(self.open) - len(refs) :]

    def _resolved(self, node: Node, topic: Topic, reading: Reading, taken: list[JSON]) -> Found:
        if "const" in node:
            return Found(cast("JSON", node["const"]), 1)
        if isinstance(values := node.get("enum"), list):
            return choice([value for value in values if value not in taken] or values, topic, reading)
        if len(branches := alternatives(node)) > 1 or branches[0] is not node:
            return self._best(branches, topic, reading, taken)
        match kind_of(node):
            case "object":
                return self._object(node, topic, reading)
            case "array":
                return self._array(node, topic, reading)
            case "integer" | "number" as kind:
                return number(node, topic, reading, whole=kind == "integer", taken=taken)
            case "boolean":
                found = boolean(topic, reading)
                return found if found.value not in taken else Found(not found.value, 0)
            case "null":
                return Found(None, 0.25)  # surer than a guess
        return string(node, topic, reading, taken)

    def _best(self, branches: list[Node], topic: Topic, reading: Reading, taken: list[JSON]) -> Found:
        resolved = [self.schema.resolve(branch)[0] for branch in branches]
        if any(node.get("type") == "number" for node in resolved):  # beside a bare string: pydantic's Decimal
            branches = [part for part, node in zip(branches, resolved, strict=True) if not is_bare_string(node)]
        heights = [self.schema.height(branch) for branch in branches]
        if min(heights) == inf:
            raise SchemaError("the schema refers to itself without an end: nothing satisfies it")
        lowest = min(heights)
        best: Found | None = None
        for branch, height in zip(branches, heights, strict=True):
            if height == inf or (self.closing and height > lowest):
                continue
            found = self.value(branch, topic, reading, taken)
            if best is None or found.sure > best.sure:
                best = found
            if self.closing:  # it fits, and that is enough
                break
        if best is None:
            raise SchemaError("the schema refers to itself without an end: nothing satisfies it")
        return best

    def _object(self, node: Node, topic: Topic, reading: Reading) -> Found:
        properties = node.get("properties")
        required = [str(name) for name in _list(node.get("required"))]
        wanted = dict(properties) if isinstance(properties, dict) else {}
        extra = node.get("additionalProperties", {})
        wanted |= {name: extra if extra is not False else {} for name in required if name not in wanted}
        filled, certainty = dict[str, JSON](), 0.0
        for name, part in wanted.items():
            if name not in required and (self.closing or self.schema.height(part) == inf):
                continue
            found = self.value(part, topic.of(name, self.schema.resolve(part)[0]), reading)
            filled[name] = found.value
            certainty += found.sure
            if isinstance(found.value, str):
                reading.given.add(found.value)
        if not wanted and extra is not False:
            return self._map(node, extra, reading)
        return Found(filled, certainty / max(1, len(filled)))

    def _map(self, node: Node, values: object, reading: Reading) -> Found:
        """An object whose names are free: the labels of the text; where it has too few, names that stand in it."""
        least, most = _count(node.get("minProperties"), 0), _count(node.get("maxProperties"), _MANY)
        labels = {label: Reading(value) for label, value in labelled(reading.passage.text)}
        words = dict.fromkeys(re.findall(r"[^\W\d_]{3,}", reading.passage.text))
        spare = [*words, *(f"key{index}" for index in range(1, least + 1))]
        named = [*labels, *(name for name in spare if name not in labels)]
        filled = dict[str, JSON]()
        for name in named[: max(least, min(most, len(labels)))]:
            inner = labels.get(name, reading)
            filled[name] = self.value(values, Topic((), "", {}).of("" if name in labels else name, {}), inner).value
        return Found(filled, 2 if labels and filled else 0)

    def _array(self, node: Node, topic: Topic, reading: Reading) -> Found:
        heads = _list(node.get("prefixItems"))
        least, most = _count(node.get("minItems"), 0), _count(node.get("maxItems"), max(_MANY, len(heads)))
        most = max(least, most)
        found = [self.value(part, topic, reading) for part in heads[:most]]
        rest = node.get("items", not heads)
        if rest is not False and len(found) < most and not (self.closing and len(found) >= least):
            unique = node.get("uniqueItems") is True
            found += self._members(rest, topic, reading, (least - len(found), most - len(found)), unique=unique)
        if len(found) < least:
            raise SchemaError(f"the schema wants {least} items and allows {len(found)}")
        sure = max((member.sure for member in found), default=0)
        return Found([member.value for member in found], sure)

    def _members(
        self, node: object, topic: Topic, reading: Reading, bounds: tuple[int, int], *, unique: bool
    ) -> list[Found]:
        least, most = bounds
        kept, taken = list[Found](), list[JSON]()
        for member in () if self.closing else self._read(node, topic, reading):
            if len(kept) < most and member.value not in taken:
                kept.append(member)
                taken.append(member.value)
        while len(kept) < least:
            member = self.value(node, topic, reading, taken)
            if unique and member.value in taken:
                member = Found(_other(self.schema.resolve(node)[0], member.value, taken), 0)
            kept.append(member)
            taken.append(member.value)
        return kept

    def _read(self, node: object, topic: Topic, reading: Reading) -> list[Found]:
        """The members that the text has for an array of `node`."""
        resolved, _ = self.schema.resolve(node)
        if isinstance(values := resolved.get("enum"), list):
            return [Found(value, 2) for value in mentioned(values, reading)]
        if kind_of(resolved) in {"object", "array"} or alternatives(resolved)[0] is not resolved:
            return self._by_sentence(node, topic, reading)
        if "format" not in resolved and "pattern" not in resolved and kind_of(resolved) in {"string", "any"}:
            least, most = _count(resolved.get("minLength"), 0), resolved.get("maxLength")
            if parts := _list_on(topic, reading):
                return [Found(fitted(part, least, most if isinstance(most, int) else None), 2) for part in parts]
        found, taken = list[Found](), list[JSON]()
        while len(found) < _MANY:
            member = self.value(node, topic, reading, taken)
            if member.value in taken or (
                member.sure < _LIKELY and (len(found) >= _GUESSES or any(other.sure >= _LIKELY for other in found))
            ):
                break
            found.append(member)
            taken.append(member.value)
        return found

    def _by_sentence(self, node: object, topic: Topic, reading: Reading) -> list[Found]:
        """One member from each sentence that has most of what a member needs; else one from the whole text."""
        looked_at = reading.sentences(topic)
        in_order = [sentence for sentence in reading.passage.sentences if sentence in looked_at]
        if len(in_order) < 2:
            return [self.value(node, topic, reading)]
        found = [self.value(node, topic, Reading(Passage(sentence.text))) for sentence in in_order]
        best = max(member.sure for member in found)
        return [member for member in found if member.sure >= max(_LIKELY, 0.6 * best)] or [
            self.value(node, topic, reading)
        ]

    def __repr__(self) -> str:
        return f"_Filler({self.schema!r}, {self.made} values)"


def _list_on(topic: Topic, reading: Reading) -> list[str]:
    if (label := reading.label(topic)) is not None:
        return [part.strip() for part in re.split(r"[;,]", label) if part.strip()]
    on_topic = (sentence for sentence in reading.sentences(topic) if not topic.own.isdisjoint(sentence.stems))
    return next((parts for sentence in on_topic if (parts := listed(sentence.text))), [])


def _other(node: Node, value: JSON, taken: list[JSON]) -> JSON:
    """A value near `value` that is not taken yet, for arrays whose members must differ."""
    for step in range(1, len(taken) + 2):
        if isinstance(value, str):
            most = node.get("maxLength")
            other: JSON = fitted(
                f"{step} {value}", _count(node.get("minLength"), 0), most if isinstance(most, int) else None
            )
        elif isinstance(value, int | float) and not isinstance(value, bool):
            whole = kind_of(node) == "integer"
            around = (bounded(node, value + sign * step * _step(node), whole=whole) for sign in (1, -1))
            other = next((near for near in around if near not in taken), value)
        else:
            return value
        if other not in taken:
            return other
    return value


def _step(node: Node) -> float:
    step = node.get("multipleOf")
    return float(step) if isinstance(step, int | float) else 1.0


def _count(value: object, default: int) -> int:
    return value if isinstance(value, int) and value >= 0 else default


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
