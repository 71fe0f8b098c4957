"""The members of a list: each from a place of its own, so that all of its parts are said there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ingather.extractive.choices import mentioned
from ingather.extractive.columns import columns, is_by_year
from ingather.extractive.figure import Figure
from ingather.extractive.named import Spot, enumerated, is_proper, named_spots
from ingather.extractive.quotes import is_quote
from ingather.extractive.reading import FITS, Found, Reading, Topic
from ingather.extractive.schema import alternatives, in_order, kind_of, listed_in
from ingather.extractive.strings import shortened
from ingather.extractive.titles import is_short
from ingather.extractive.words import name_words, word_set

if TYPE_CHECKING:
    from ingather.extractive.fill import Filler
    from ingather.extractive.schema import JSON, Node

_TRIED = 36  # places that are read for the members of one list
_GUESSES = 3  # members that are about something else, where there is nothing better
_LIKELY = 0.5  # how sure a member must be to count as found
_NEAR_BEST = 0.3  # of the best place's score, that another one must have
# the fit of a sentence whose parts, or which itself, are members of a list of texts
_ON_SUBJECT = 0.55
_LABEL_FILLERS = (
    "total",
    "up",
    "down",
    "consolidat",
    "dilut",
    "basic",
    "befor",
    "tax",
    "net",
    "common",
)
_FITS_LIST = 0.45  # the fit of a sentence that may be a member
_HEADINGS = word_set("title headline heading")
_LEADS = 5  # headings that are sentences, from which on a text is made of them
_SECTION = 12  # sentences under a heading that speak for it
_SENTENCES = 3  # members of a list of texts that are whole sentences


class _Kept(NamedTuple):
    found: Found
    spot: Spot
    worth: float


class _Counts(NamedTuple):
    """Of a list's members: whether a number is `needed`, and whether they have `several`."""

    needed: bool
    several: bool


class Members:
    """Reads the members of one list."""

    def __init__(self, filler: Filler, topic: Topic, reading: Reading) -> None:
        self.filler = filler
        self.topic = topic
        self.reading = reading

    def read(self, node: object, most: int) -> list[Found]:
        """The members that the text has, in its order, `most` at most."""
        resolved, refs = self.filler.schema.resolve(node)
        if isinstance(values := resolved.get("enum"), list):
            return [Found(value, 2) for value in mentioned(values, self.reading)][:most]
        if "const" in resolved:
            return []
        kind = refs[-1].rpartition("/")[2] if refs else ""
        topic = self.topic.member(kind, resolved)
        if alternatives(resolved)[0] is not resolved or kind_of(resolved) in {"object", "array"}:
            return self._objects(node, resolved, topic, most)
        if (
            kind_of(resolved) in {"string", "any"}
            and "format" not in resolved
            and "pattern" not in resolved
        ):
            return self._texts(resolved, most)
        return self._scalars(node, topic, most)

    def _scalars(self, node: object, topic: Topic, most: int) -> list[Found]:
        found = list[Found]()
        taken: list[JSON] = []
        while len(found) < most:
            member = self.filler.value(node, topic, self.reading, taken)
            guess = member.sure < _LIKELY
            surer = any(one.sure >= _LIKELY for one in found)
            if (
                member.value in taken
                or member.lacks
                or (guess and (surer or len(found) >= _GUESSES))
            ):
                break
            found.append(member)
            taken.append(member.value)
        return found

    def _texts(self, node: Node, most: int) -> list[Found]:
        """Texts: the parts of a list within a sentence on the topic, or whole sentences on it."""
        size = node.get("minLength")
        least = max(1, size if isinstance(size, int) else 0)
        if (label := self.reading.label(self.topic)) is not None:
            parts = [part.strip() for part in label.replace(";", ",").split(",")]
            return [Found(shortened(part, node), 3) for part in parts if len(part) >= least][:most]
        hits = [hit for hit in self.reading.hits(self.topic) if hit.fit >= _ON_SUBJECT]
        for hit in hits[:_SENTENCES]:
            if told := enumerated(self.reading.passage, hit.at):
                kept = [part for part in told if len(part.text) >= least]
                return [Found(shortened(part.text, node), 2, part.at) for part in kept][:most]
        if self.reading.place is not None and not self.topic.is_own:
            return []
        told_of = [
            hit for hit in hits if hit.sentence.kind != "row" and len(hit.sentence.text) >= least
        ]
        whole = sorted(told_of[: min(most, _SENTENCES)], key=lambda hit: hit.at)
        return [Found(shortened(hit.sentence.text, node), 1, hit.at) for hit in whole]

    def _objects(self, node: object, resolved: Node, topic: Topic, most: int) -> list[Found]:
        if self.reading.place is not None:
            return (
                columns(self.filler.schema, resolved, self.reading) or self._around(node, topic)
            )[:most]
        head, part = self._head(resolved)
        kept = list[_Kept]()
        figures = self._counts(resolved).needed
        for spot in self._spots(topic, head, part, resolved)[:_TRIED]:
            settled = frozenset(topic.name) or frozenset({""})
            place = self.reading.at(spot.anchor, settled, spot.subject, head, of_figure=figures)
            member = self.filler.value(node, topic, place)
            if (member.lacks and not self.filler.forced) or member.sure < _LIKELY:
                continue
            if figures and not _has_number(member.value):
                continue
            kept.append(_Kept(member, spot, spot.worth * (0.4 + min(2.0, member.sure))))
        if self._counts(resolved).several:  # better those that have a number
            kept = [
                one if _has_number(one.found.value) else one._replace(worth=one.worth * 0.3)
                for one in kept
            ]
        chosen = _distinct(sorted(kept, key=lambda one: -one.worth), head, most)
        return [
            one.found for one in sorted(chosen, key=lambda one: (one.spot.anchor, one.spot.nth))
        ]

    def _around(self, node: object, topic: Topic) -> list[Found]:
        """Members from the sentences of the place itself, those that speak of them."""
        place = self.reading.place
        if place is None or not topic.is_own:
            return []
        fitting = [at for at in place.window if self.reading.fit(topic, at) >= FITS]
        found = [
            self.filler.value(node, topic, self.reading.at(at, frozenset(topic.name)))
            for at in fitting
        ]
        return [member for member in found if not member.lacks and member.sure >= _LIKELY]

    def _head(self, node: Node) -> tuple[str, Node]:
        """The property that says which member it is: the first plain string."""
        for name, part in in_order(node).items():
            resolved, _ = self.filler.schema.resolve(part)
            plain = (
                kind_of(resolved) == "string"
                and "enum" not in resolved
                and "format" not in resolved
            )
            if plain and not is_quote(Topic().of(name, resolved)):
                return name, resolved
        return "", {}

    def _spots(self, topic: Topic, head: str, part: Node, item: Node) -> list[Spot]:
        """Where the members may be, the best first."""
        passage, counts = self.reading.passage, self._counts(item)
        most = part.get("maxLength")
        head_topic = Topic().of(head, part) if head else Topic()
        short = is_short(head_topic, most if isinstance(most, int) else None)
        rows = counts.needed or (short and counts.several)
        kinds = {"prose", "lead", "row"} if rows else {"prose", "lead"}
        if (
            _HEADINGS & set(head_topic.words[-1:])
            and sum(passage.sentences[at].kind == "lead" for at in passage.headings) >= _LEADS
        ):
            # the text has sentences for headings: they are what its parts are called
            kinds = {"lead"}
        scores = self._by_section(topic) if kinds == {"lead"} else passage.scores(topic.query)
        ranked = [
            at
            for at in sorted(scores, key=lambda at: (-scores[at], at))
            if passage.sentences[at].kind in kinds
        ]
        if counts.needed:
            ranked = [at for at in ranked if any(map(str.isdigit, passage.sentences[at].text))]
        fitting = [
            at
            for at in ranked[: 4 * _TRIED]
            if kinds == {"lead"} or self.reading.fit(topic, at) >= _FITS_LIST
        ]
        # a short text, all of which may be members
        if not fitting and len(passage.sentences) <= _TRIED:
            fitting = [
                at for at, sentence in enumerate(passage.sentences) if sentence.kind != "heading"
            ]
        spots = [Spot(at, scores.get(at, 0.1)) for at in fitting]
        if counts.several and not counts.needed:  # better those that have one
            spots = [spot._replace(worth=spot.worth * self._figured(spot)) for spot in spots]
            spots.sort(key=lambda spot: (-spot.worth, spot.anchor))
        if rows:
            spots = self._labels_first(topic, spots)
        if is_proper(head_topic) and not counts.needed:
            anything = {"else", "otherwise"} & set(name_words(head_topic.description))
            short_text = len(passage.sentences) <= _TRIED
            named = named_spots(passage, topic, spots, head_topic)
            if anything:
                return sorted([*named, *spots], key=lambda spot: (-spot.worth, spot.anchor))
            return named or (spots if short_text else [])
        return spots

    def _by_section(self, topic: Topic) -> dict[int, float]:
        """The scores of headings, with what stands under them."""
        passage = self.reading.passage
        scores = passage.scores(topic.query)
        return {
            at: scores.get(at, 0.0)
            + sum(scores.get(under, 0.0) for under in passage.section(at, _SECTION)) / 4
            for at in passage.headings
        }

    def _figured(self, spot: Spot) -> float:
        return (
            1.5 if any(map(str.isdigit, self.reading.passage.sentences[spot.anchor].text)) else 1.0
        )

    def _labels_first(self, topic: Topic, spots: list[Spot]) -> list[Spot]:
        """The same, but rows whose label is what is asked for are worth more than others: *Net income*."""
        asked = {*topic.name, *topic.said, *_LABEL_FILLERS}
        best = max((spot.worth for spot in spots), default=1.0)
        raised = list[Spot]()
        for spot in spots:
            row = self.reading.passage.sentences[spot.anchor]
            exact = row.kind == "row" and bool(row.stems) and asked.issuperset(row.stems)
            raised.append(spot._replace(worth=best * 1.5 + spot.worth * 0.01) if exact else spot)
        return sorted(raised, key=lambda spot: (-spot.worth, spot.anchor))

    def _counts(self, node: Node) -> _Counts:
        """Whether members have numbers: one that is required, or several."""
        properties, required = node.get("properties"), listed_in(node.get("required"))
        numeric, needed = 0, False
        for name, part in properties.items() if isinstance(properties, dict) else ():
            resolved, _ = self.filler.schema.resolve(part)
            branches = [self.filler.schema.resolve(branch)[0] for branch in alternatives(resolved)]
            nullable = any(branch.get("type") == "null" for branch in branches)
            counts = any(self._is_numeric(branch) for branch in branches)
            numeric += counts
            needed = needed or (counts and not nullable and name in required)
        return _Counts(needed, numeric > 1)

    def _is_numeric(self, node: Node) -> bool:
        if kind_of(node) == "object" and "enum" not in node:
            return Figure.of(node, self.filler.schema) is not None or self._is_table(node)
        if kind_of(node) == "array":
            return self._is_table(node)
        return "enum" not in node and "const" not in node and kind_of(node) in {"number", "integer"}

    def _is_table(self, node: Node) -> bool:
        """Whether a value is a list of numbers by year, or an object with nothing else in it."""
        properties = node.get("properties")
        parts = list(properties.values()) if isinstance(properties, dict) else []
        inner, _ = self.filler.schema.resolve(parts[0]) if len(parts) == 1 else (node, ())
        members, _ = (
            self.filler.schema.resolve(inner["items"])
            if isinstance(inner.get("items"), dict)
            else ({}, ())
        )
        return bool(members) and is_by_year(self.filler.schema, members)

    def __repr__(self) -> str:
        return f"Members({self.topic!r}, {self.reading!r})"


def _has_number(value: JSON) -> bool:
    if isinstance(value, dict | list):
        return any(map(_has_number, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int | float) and not isinstance(value, bool)


def _distinct(kept: list[_Kept], head: str, most: int) -> list[_Kept]:
    """The best that are not the same thing once more, and not much worse than the best."""
    chosen, seen = list[_Kept](), set[str]()
    for one in kept:
        value = one.found.value
        called = value.get(head) if head and isinstance(value, dict) else None
        name = str(called if called is not None else value).casefold()
        if name in seen or len(chosen) >= most or one.worth < _NEAR_BEST * kept[0].worth:
            continue
        seen.add(name)
        chosen.append(one)
    return chosen
