"""A JSON schema filled from a text: any schema, always the same value for the same text, nothing invented.

What the text does not say is null where the schema allows it, an empty list, or left out where it
is not required; a member of a list that lacks something required is dropped. What is required all
the same is lacking: `NothingFits`.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, cast

from ingather.extractive.choices import boolean, choice
from ingather.extractive.figure import Figure
from ingather.extractive.guesses import another, labelled_map
from ingather.extractive.members import Members
from ingather.extractive.numbers import number
from ingather.extractive.quotes import is_quote
from ingather.extractive.reading import Found, Reading, Topic
from ingather.extractive.schema import (
    JSON,
    Node,
    Schema,
    SchemaError,
    alternatives,
    count,
    in_order,
    is_bare_string,
    kind_of,
    listed_in,
)
from ingather.extractive.strings import string

if TYPE_CHECKING:
    from collections.abc import Mapping

MANY = 8  # members of an array that the schema leaves open
_ENOUGH = 2000  # values: a recursive schema is closed as soon as it can be after these
_SHORTEST_TIE = 0.25  # how sure null is: surer than a guess


class NothingFits(ValueError):
    """The text has nothing for a property that the schema requires. `field`: its path, such as ``"evidence.quote"``."""

    def __init__(self, field: str) -> None:
        super().__init__(f"the text says nothing that fits {field!r}")
        self.field = field


def fill(
    schema: Mapping[str, object], text: str, question: str = "", *, forced: bool = False
) -> JSON:
    """A value that satisfies `schema`, its parts taken from `text` by the names and descriptions of the properties.

    `question`: what was asked, which says what to look for where the schema has no names. `forced`:
    never refuse; what the text does not say is empty, a default, or the first value that is
    allowed, for stand-ins in tests. ``pattern`` is satisfied as far as one can; ``not`` and ``if``
    are not looked at.

    Raises SchemaError for a schema that nothing can satisfy, `NothingFits` for what is required and
    not in the text.

    >>> fill({"properties": {"age": {"type": "integer"}}}, "Ann is a 30-year-old nurse")
    {'age': 30}
    """
    try:
        filler = Filler(Schema(schema), forced=forced)
        found = filler.value(schema, Topic.root(question), Reading(text))
    except RecursionError:
        raise SchemaError("the schema is nested too deeply") from None
    if found.lacks and not forced:
        raise NothingFits(found.lacks)
    return found.value


class Filler:
    """Walks one schema once. `forced`: guesses stand; else they are lacking."""

    def __init__(self, schema: Schema, *, forced: bool) -> None:
        self.schema = schema
        self.forced = forced
        self.open = list[str]()  # the references that we are inside of
        self.made = 0

    @property
    def closing(self) -> bool:
        """Whether to end as soon as the schema allows: inside a recursion, or after very many values."""
        return self.made > _ENOUGH or len(set(self.open)) < len(self.open)

    def value(
        self,
        node: object,
        topic: Topic,
        reading: Reading,
        taken: list[JSON] | None = None,
        *,
        needed: bool = True,
    ) -> Found:
        """The value of `node`. What is not `needed` may be empty: it is only taken where it is surely meant."""
        resolved, refs = self.schema.resolve(node)
        self.open += refs
        self.made += 1
        try:
            found = self._resolved(resolved, topic, reading, taken or [], needed=needed)
        finally:
            del self.open[len(self.open) - len(refs) :]
        if (
            self.forced
            or found.lacks
            or found.sure > 0
            or kind_of_any(resolved) in {"object", "array", "several"}
        ):
            return found
        return found._replace(lacks=topic.path or "value")

    def _resolved(
        self, node: Node, topic: Topic, reading: Reading, taken: list[JSON], *, needed: bool
    ) -> Found:
        if "const" in node:
            return Found(cast("JSON", node["const"]), _SHORTEST_TIE)
        if isinstance(values := node.get("enum"), list):
            return choice(
                [value for value in values if value not in taken] or values, topic, reading
            )
        if len(branches := alternatives(node)) > 1 or branches[0] is not node:
            return self._best(branches, topic, reading, taken, needed=needed)
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
                return Found(None, _SHORTEST_TIE)
        return string(node, topic, reading, taken, needed=needed)

    def _best(
        self,
        branches: list[Node],
        topic: Topic,
        reading: Reading,
        taken: list[JSON],
        *,
        needed: bool,
    ) -> Found:
        resolved = [self.schema.resolve(branch)[0] for branch in branches]
        # beside a bare string: pydantic's Decimal
        if any(node.get("type") == "number" for node in resolved):
            branches = [
                part
                for part, node in zip(branches, resolved, strict=True)
                if not is_bare_string(node)
            ]
        heights = [self.schema.height(branch) for branch in branches]
        lowest = min(heights)
        if lowest == inf:
            raise SchemaError("the schema refers to itself without an end: nothing satisfies it")
        needed = needed and not any(node.get("type") == "null" for node in resolved)
        best: Found | None = None
        for branch, height in zip(branches, heights, strict=True):
            if height == inf or (self.closing and height > lowest):
                continue
            found = self.value(branch, topic, reading, taken, needed=needed)
            if best is None or (bool(best.lacks), -best.sure) > (bool(found.lacks), -found.sure):
                best = found
            if self.closing and not found.lacks:  # it fits, and that is enough
                break
        if best is None:
            raise SchemaError("the schema refers to itself without an end: nothing satisfies it")
        return best

    def _object(self, node: Node, topic: Topic, reading: Reading) -> Found:
        figure = Figure.of(node, self.schema)
        if figure is not None and (
            (read := figure.read(topic, reading)).sure > 0 or not self.forced
        ):
            return read
        required = [str(name) for name in listed_in(node.get("required"))]
        extra = node.get("additionalProperties", {})
        other: object = extra if extra is not False else {}
        properties = in_order(node)
        wanted = {name: properties.get(name, other) for name in required} | properties
        if not wanted and extra is not False:
            return labelled_map(self, node, extra, reading)
        parts = dict[str, Found]()
        for name, part in self._in_turn(wanted):
            if name not in required and (self.closing or self.schema.height(part) == inf):
                continue
            found = self._part(
                name,
                part,
                topic,
                self._for_proof(name, part, reading, parts),
                needed=name in required,
            )
            if found.lacks and not self.forced:
                if name in required:
                    return Found(None, 0, lacks=found.lacks)
                continue
            parts[name] = found
            if isinstance(found.value, str):
                reading.given.add(found.value)
        return _joined({name: parts[name] for name in wanted if name in parts})

    def _part(
        self, name: str, part: object, topic: Topic, reading: Reading, *, needed: bool
    ) -> Found:
        return self.value(
            part, topic.of(name, self.schema.resolve(part)[0]), reading, needed=needed
        )

    def _in_turn(self, wanted: dict[str, object]) -> list[tuple[str, object]]:
        """The properties in their order, but proofs last: they prove what the others say."""
        return sorted(wanted.items(), key=lambda item: self._is_proof(*item))

    def _is_proof(self, name: str, part: object) -> bool:
        return is_quote(Topic().of(name, self.schema.resolve(part)[0]))

    def _for_proof(
        self, name: str, part: object, reading: Reading, parts: dict[str, Found]
    ) -> Reading:
        """For a proof the place from which the first of the others was read."""
        if reading.place is not None or not self._is_proof(name, part):
            return reading
        read = [
            found for found in parts.values() if found.at is not None and found.sure > _SHORTEST_TIE
        ]
        return reading.at(read[0].at) if read and read[0].at is not None else reading

    def _array(self, node: Node, topic: Topic, reading: Reading) -> Found:
        heads = listed_in(node.get("prefixItems"))
        least, most = (
            count(node.get("minItems"), 0),
            count(node.get("maxItems"), max(MANY, len(heads))),
        )
        most = max(least, most)
        found = [self.value(part, topic, reading) for part in heads[:most]]
        rest = node.get("items", not heads)
        if rest is not False and len(found) < most and not (self.closing and len(found) >= least):
            if not self.closing:
                found += Members(self, topic, reading).read(rest, most - len(found))
            if self.forced:
                self._pad(
                    found, rest, topic, reading, least, unique=node.get("uniqueItems") is True
                )
        if (lacking := next((part.lacks for part in found if part.lacks), "")) and not self.forced:
            return Found([], 0, lacks=lacking)
        if len(found) < least:
            if rest is False or self.forced:
                raise SchemaError(f"the schema wants {least} items and allows {len(found)}")
            return Found([], 0, lacks=topic.path or "items")
        sure = max((member.sure for member in found), default=0)
        return Found([member.value for member in found], sure, found[0].at if found else None)

    def _pad(
        self,
        found: list[Found],
        node: object,
        topic: Topic,
        reading: Reading,
        least: int,
        *,
        unique: bool,
    ) -> None:
        """Guess members until there are enough."""
        taken = [member.value for member in found]
        while len(found) < least:
            member = self.value(node, topic, reading, taken)
            if unique and member.value in taken:
                member = Found(another(self.schema.resolve(node)[0], member.value, taken), 0)
            found.append(member)
            taken.append(member.value)

    def __repr__(self) -> str:
        return f"Filler({self.schema!r}, {self.made} values)"


def kind_of_any(node: Node) -> str:
    """The kind of a resolved node; ``"several"`` where it is one of alternatives."""
    if "const" in node or "enum" in node:
        return "one"
    return kind_of(node) if alternatives(node)[0] is node else "several"


def _joined(parts: dict[str, Found]) -> Found:
    """The object of its parts: as sure as they are on average, empty ones counted as nothing."""
    filled = [found for found in parts.values() if found.value not in (None, [], {})]
    sure = sum(found.sure for found in filled) / max(1, len(parts))
    at = next((found.at for found in filled if found.at is not None), None)
    return Found({name: found.value for name, found in parts.items()}, sure, at)
