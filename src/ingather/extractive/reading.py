"""A text being read for the sake of one value: what the value is about, and where the text speaks of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from ingather.extractive.finders import labelled
from ingather.extractive.related import asked, subject, ways
from ingather.extractive.text import Passage, Sentence, passage
from ingather.extractive.words import name_words, stem

if TYPE_CHECKING:
    from ingather.extractive.schema import JSON, Node

# a field, by its name
_FIELD = re.compile(r"(?m)^\s*-\s+([A-Za-z][\w-]*):|`([a-z]\w*)`|\b([a-z]+(?:_[a-z]+)+)\b")
_REACH = 10  # sentences that are looked at for one value
_OPENING = 8  # sentences at the text's beginning that are looked at too
_ENOUGH = 3  # words of a description that, if a sentence has them, are as good as all
_SAID_WORTH = 0.8  # of a description's words, beside the name's own
_WAY_WORTH = 0.85  # of another way to say it
_AHEAD, _UNDER = 3, 5  # sentences that belong to one place: after its own, or under its heading
FITS = 0.34  # the share of what is asked for that a sentence must have to be an answer


class Found(NamedTuple):
    """A value, how sure it is, and where it was read.

    `sure`: -1: it may not fit; 0: a guess, or nothing; 0.5: from a place about something wider; 1:
    from a sentence on the subject; 2: by its form; 3: the text labels it so. `at`: the index of its
    sentence. `lacks`: the path of the required property for which the text has nothing; then there
    is no value that is honest.
    """

    value: JSON
    sure: float
    at: int | None = None
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """What a value is about.

    `words`: of its own name, lower case. `name`: stems that a sentence on it has, its own or its
    holder's. `said`: stems of its description, or of the question. `path`: where in the answer it
    stands. `role`: ``"prior"`` for the number of an earlier period. `is_own`: the name is its own.
    `any_word`: a part of the name will do.

    >>> Topic.root("Who leads?").of("company_name", {}).words
    ('company', 'name')
    """

    words: tuple[str, ...] = ()
    description: str = ""
    name: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    path: str = ""
    role: str = ""
    is_own: bool = False
    any_word: bool = False

    @classmethod
    def root(cls, question: str) -> Topic:
        """The topic of a whole answer; a question that names one field, as *key_products*, is about that."""
        named = dict.fromkeys("".join(found) for found in _FIELD.findall(question))
        name = subject(" ".join(name_words(next(iter(named))))) if len(named) == 1 else ()
        return cls(name=name, said=tuple(word for word in asked(question) if word not in name))

    def of(self, name: str, node: Node) -> Topic:
        """The topic of a property of an object on this topic."""
        described = node.get("description")
        description = described if isinstance(described, str) else ""
        words = tuple(name_words(name))
        own = subject(" ".join(words))
        said = tuple(word for word in subject(description) if word not in own)
        path = f"{self.path}.{name}".lstrip(".")
        role = (
            "prior"
            if {"prior", "previous", "last", "earlier", "before"} & set(words)
            else self.role
        )
        if own:
            return Topic(words, description, own, said, path, role, is_own=True)
        return Topic(
            words, description, self.name, tuple(dict.fromkeys(said + self.said)), path, role
        )

    def member(self, kind: str, node: Node) -> Topic:
        """The topic of the members of a list: also about what their definition is called, such as *KeyProduct*."""
        described = node.get("description")
        own = subject(" ".join(name_words(kind))) if not self.name else ()
        name = self.name or own
        also = subject(described if isinstance(described, str) else "")
        said = tuple(word for word in dict.fromkeys((*self.said, *also)) if word not in name)
        return replace(self, name=name, said=said, path=f"{self.path}[]".lstrip("."), any_word=True)

    @property
    def query(self) -> dict[str, float]:
        """Stems to look for, and the weight of each."""
        query = dict.fromkeys(self.said, 1.0)
        for _, phrase in ways(self.name):
            query.update({word: max(query.get(word, 0.0), 2.0 / len(phrase)) for word in phrase})
        query.update(dict.fromkeys(self.name, 1.0))
        # the noun; those before it only tell which
        query.update(dict.fromkeys(self.name[-1:], 2.0))
        return query


class Place(NamedTuple):
    """A spot in a text that one member of a list is read from.

    `anchor`: its sentence. `window`: the sentences that belong to it, the nearest first. `subject`:
    what it is about, in the text's words, for the property `head`. `of_figure`: it is a number that
    is reported. `settled`: stems that need not be looked for any more.
    """

    anchor: int
    window: tuple[int, ...]
    subject: str = ""
    head: str = ""
    of_figure: bool = False
    settled: frozenset[str] = frozenset()


class Hit(NamedTuple):
    """A sentence that may answer. `fit`: how much of what is asked for it speaks of, from 0 to 1."""

    at: int
    sentence: Sentence
    fit: float


class Reading:
    """One reading of a text, all of it or one place; sentences given once are not given again while others are left."""

    def __init__(self, text: str | Passage, place: Place | None = None) -> None:
        self.passage = passage(text) if isinstance(text, str) else text
        self.place = place
        self.given = set[str]()

    def at(
        self,
        anchor: int,
        settled: frozenset[str] = frozenset(),
        subject: str = "",
        head: str = "",
        *,
        of_figure: bool = False,
    ) -> Reading:
        """The reading of one place: a sentence with those after it in its paragraph, or a heading with its text."""
        sentences = self.passage.sentences
        own = sentences[anchor]
        if own.kind in {"heading", "lead"}:
            after = list(self.passage.section(anchor, _UNDER))
        elif own.kind == "row":
            after = []
        else:
            after = [at for at in range(anchor + 1, anchor + 1 + _AHEAD) if at < len(sentences)]
            after = [at for at in after if sentences[at].block == own.block]
        return Reading(
            self.passage, Place(anchor, (anchor, *after), subject, head, of_figure, settled)
        )

    def hits(self, topic: Topic, most: int = _REACH) -> list[Hit]:
        """The sentences on the topic, best first; those that do not fit it are left out."""
        return [hit for hit in self.looked_at(topic, most) if hit.fit >= FITS]

    def looked_at(self, topic: Topic, most: int = _REACH, *, figures: bool = False) -> list[Hit]:
        """The sentences to read for a topic, best first, whether they fit or not; `figures`: those with a number."""
        sentences = self.passage.sentences
        if self.place is not None:
            settled = self.place.settled
            found = [
                Hit(at, sentences[at], self.fit(topic, at, settled)) for at in self.place.window
            ]
            return sorted(found, key=lambda hit: -hit.fit)
        best = self.passage.find(topic.query)
        if figures:
            best = [at for at in best if any(map(str.isdigit, sentences[at].text))]
        best = best[:most]
        opening = [at for at in range(min(_OPENING, len(sentences))) if at not in best]
        opening = [at for at in opening if sentences[at].kind != "aside"]
        found = [
            Hit(at, sentences[at], self.fit(topic, at, by_heading=not topic.is_own))
            for at in best + opening
        ]
        return sorted(found, key=lambda hit: hit.fit < FITS)

    def fit(
        self,
        topic: Topic,
        at: int,
        settled: frozenset[str] = frozenset(),
        *,
        by_heading: bool = True,
    ) -> float:
        """How much of the topic a sentence speaks of; the heading above it speaks for it too, a little less."""
        name = tuple(word for word in self._name_of(topic) if word not in settled)
        if not name and (settled or not topic.said):
            return 1.0
        sentence = self.passage.sentences[at]
        fit = self._share(topic, name, sentence.stems)
        if (
            sentence.kind == "row"
            and sentence.stems
            and set(sentence.stems) <= {*name, *topic.said}
        ):
            fit = max(fit, _SAID_WORTH)  # the whole label is asked for
        heading = self.passage.heading_of(at)
        if by_heading and not settled and heading is not None and heading != at:
            both = self.passage.sentences[heading].stems + sentence.stems
            fit = max(fit, 0.9 * self._share(topic, name, both))
        return fit

    def _name_of(self, topic: Topic) -> tuple[str, ...]:
        """A topic's name; where the text has no word of it, those of its description that the text has, if half are."""
        if not topic.is_own or self._knows(topic.name):
            return topic.name
        said = tuple(word for word in topic.said if self._knows((word,)))
        return said if said and 2 * len(said) >= len(topic.said) else topic.name

    def _knows(self, name: tuple[str, ...]) -> bool:
        count = self.passage.count
        return any(map(count, name)) or any(all(map(count, phrase)) for _, phrase in ways(name))

    def _share(self, topic: Topic, name: tuple[str, ...], stems: tuple[str, ...]) -> float:
        said, has = topic.said, frozenset(stems)
        by_way = {word for key, phrase in ways(name) if has.issuperset(phrase) for word in key}
        rarity = self.passage.rarity
        weights = {
            word: rarity(word) * (2.0 if topic.any_word and word == name[-1] else 1.0)
            for word in name
        }
        whole = sum(weights.values())
        got = sum(
            weights[word] * (1.0 if word in has else _WAY_WORTH if word in by_way else 0.0)
            for word in name
        )
        by_name = got / whole if whole else 0.0
        if len(name) == 2 and not topic.any_word and not by_way and not _are_close(*name, stems):
            by_name *= 0.5  # one word of two, or both far apart, are another thing
        spoken = [rarity(word) for word in said if word in has]
        if len(spoken) < min(2, len(said)) or not said:
            return by_name
        enough = min(len(said), _ENOUGH) * sum(map(rarity, said)) / len(said)
        worth = _SAID_WORTH if topic.is_own is False or not topic.name else 0.5 * _SAID_WORTH
        return max(by_name, worth * min(1.0, sum(spoken) / enough))

    def label(self, topic: Topic) -> str | None:
        """The value that the text labels with the topic's name (*Occupation: nurse*); None where it does not."""
        wanted = {stem(word) for word in topic.words}
        text = (
            self.passage.text
            if self.place is None
            else self.passage.sentences[self.place.anchor].text
        )
        for label, value in labelled(text) if wanted else ():
            said = {stem(word) for word in name_words(label)}
            if said == wanted or (wanted < said and len(said) == len(wanted) + 1):
                return value
        return None

    def __repr__(self) -> str:
        return f"Reading({self.passage!r}, {self.place!r}, given={len(self.given)})"


def _are_close(first: str, second: str, stems: tuple[str, ...]) -> bool:
    """Whether both words stand in a sentence, with at most one other between them."""
    places = [[at for at, word in enumerate(stems) if word == wanted] for wanted in (first, second)]
    return any(abs(a - b) <= 2 for a in places[0] for b in places[1])
