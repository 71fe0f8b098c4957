"""The number of a text that a property asks for: by what stands near it, and by whether it is money, share or year."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ingather.extractive.bounds import allowed, bounded
from ingather.extractive.figures import SCALES, Number, numbers, periods
from ingather.extractive.reading import Found, Hit, Reading, Topic
from ingather.extractive.related import ways
from ingather.extractive.words import stem, stems, word_set

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from ingather.extractive.schema import JSON, Node
    from ingather.extractive.text import Sentence

_NEAR = 40  # characters on each side of a number that say what it counts
_LONG_BEFORE = 110  # the same, before a year
_SURE = 0.6  # the share of a name's words that a sentence must have before its number is taken
_MONEY = frozenset(
    stem(word)
    for word in word_set(
        "asset budget capital cash cost debt dividend earnings expense expenditure fee fine income "
        "loss payment price "
        "profit revenue salary sales usd dollars eur euros"
    )
)
_SHARES = frozenset(
    map(stem, word_set("growth margin pct percent percentage rate ratio share discount yield"))
)
_OF_SHARES = frozenset(map(stem, word_set("share percent percentage portion proportion")))
_YEARS = frozenset(map(stem, word_set("year founded since established incorporated")))
_COUNTED = frozenset(
    map(stem, word_set("count number quantity headcount employees staff people units"))
)
_AGE = re.compile(r"(?i)[\s-]*years?[\s-]*old\b|[\s-]*years? of age\b|[\s-]*years? of experience\b")
_LABELLED = re.compile(
    r"\b(?:Notes?|Items?|Parts?|Sections?|Topic|Subtopic|ASC|ASU|SFAS|FASB|FAS|Rules?|Nos?\.?|Level|Form|Chapter|Article|page|pages"
    r"|Exhibit|Tier|Phase|Class|Series|Title)\s+$"
)
_MOVES = frozenset(map(stem, word_set("increase decrease change difference")))
_COUNTING = re.compile(
    r"(?i)\b(?:approximately|about|nearly|over|roughly|total(?:ed|led|ing)?|employs?|employed|had)\s+[$€£]?$"
)
_PER_SHARE = re.compile(r"(?i)\bper\b.{0,24}\bshare\b")


class Wanted(NamedTuple):
    """What kind of number a topic asks for."""

    money: bool
    share: bool
    year: bool
    age: bool
    counted: bool

    @classmethod
    def by(cls, topic: Topic, *, money: bool = False) -> Wanted:
        own = {stem(word) for word in topic.words}
        said = own | set(stems(topic.description))
        share = bool(own & _SHARES) and not {"per", "earn", "price"} & set(topic.words)
        year = bool(own & _YEARS) or bool(
            re.match(r"(?i)\W*(?:the )?years? (?:in|of|when)\b", topic.description)
        )
        share = share or bool(re.match(r"(?i)\W*percent(?:age)?\b", topic.description))
        counted = bool(own & _COUNTED) or "number" in stems(topic.description)[:1]
        is_money = money or (bool((own | set(topic.name)) & _MONEY) and not share and not counted)
        age = "age" in said and not money
        return cls(
            is_money and not year,
            share and not money,
            year and not money,
            age,
            counted and not money,
        )


def number(
    node: Node, topic: Topic, reading: Reading, *, whole: bool, taken: Container[JSON] = ()
) -> Found:
    """The number that is most likely meant, as it stands, its *million* multiplied in; `whole` for an integer.

    Where the text has none that fits it is a guess within the bounds, and unsure.
    """
    if (label := reading.label(topic)) is not None:
        for found in numbers(label):
            if (value := bounded(node, found.value, whole=whole)) not in taken:
                return Found(value, 3 if value == found.value else 0)
    picked = pick(
        topic, reading, Wanted.by(topic), lambda value: allowed(node, value, whole=whole), taken
    )
    if picked is not None:
        return Found(bounded(node, picked.value, whole=whole), picked.sure, picked.at)
    guesses = (
        found.value for hit in reading.looked_at(topic) for found in numbers(hit.sentence.text)
    )
    near = (value for guess in guesses if (value := bounded(node, guess, whole=whole)) not in taken)
    return Found(next(near, bounded(node, 0, whole=whole)), 0)


class Picked(NamedTuple):
    """A number that was chosen. `value`: multiplied out, by its own *million* or by that over its table."""

    value: float
    number: Number
    scale: str
    sure: float
    at: int


def pick(
    topic: Topic,
    reading: Reading,
    wanted: Wanted,
    fits: Callable[[float], bool],
    taken: Container[JSON] = (),
) -> Picked | None:
    """The number that fits best; None where none does."""
    if wanted.share:  # a percentage is one already: what it is of must be told
        topic = replace(
            topic, name=tuple(word for word in topic.name if word not in _OF_SHARES) or topic.name
        )
    best: Picked | None = None
    highest = 0.0
    for rank, hit in enumerate(reading.looked_at(topic, figures=True)):
        for found in numbers(hit.sentence.text, row=hit.sentence.kind == "row"):
            score = _score(found, hit, topic, reading, wanted) - 0.05 * rank
            if score <= highest:
                continue
            scale = _scale(found, hit.sentence, reading, wanted)
            value = found.printed * SCALES.get(scale, 1.0)
            if fits(value) and value not in taken:
                sure = 2.0 if found.currency or found.percent or found.year or wanted.age else 1.0
                best, highest = Picked(value, found, scale, sure, hit.at), score
    return best


def _scale(found: Number, sentence: Sentence, reading: Reading, wanted: Wanted) -> str:
    if found.scale or sentence.kind != "row" or found.percent or found.year or not wanted.money:
        return found.scale
    return "" if _PER_SHARE.search(sentence.text) else reading.passage.scale_at(sentence.start)


def _score(found: Number, hit: Hit, topic: Topic, reading: Reading, wanted: Wanted) -> float:
    """How well a number fits; 0 for one that is of another kind, or that the sentence does not tie to the topic."""
    sentence = hit.sentence
    if wanted.age:
        return (
            2.0
            if _AGE.match(sentence.text, found.end)
            else 1.0
            if _is_aged(sentence.text, found)
            else 0.0
        )
    if _is_other(found, sentence, topic, wanted) or _is_label(found, sentence.text):
        return 0.0
    tied = hit.fit if reading.place is not None else _tied(topic, reading, hit)
    if tied < _SURE:
        return 0.0
    if wanted.year and not _is_dated(topic, sentence.text, found):
        return 0.0
    before = sentence.text[max(0, found.at - _NEAR) : found.at]
    near = set(stems(before)[-5:] + stems(sentence.text[found.end : found.end + _NEAR])[:5])
    counted = (
        set(stems(sentence.text[found.end : found.end + _NEAR])[:3])
        if sentence.text[found.end : found.end + 1] == " "
        else set()
    )
    score = (
        1.0
        + tied
        + 0.5 * sum(word in near for word in topic.name)
        + 1.0 * _is_counted(topic, counted)
    )
    score += 0.7 * (_COUNTING.search(sentence.text[: found.at]) is not None)
    score += 0.8 * (wanted.money and found.money) - 0.3 * (found.year and not wanted.year)
    spoken = [word for word in topic.said if word in sentence.stems]
    score += 0.8 * len(spoken) / max(1, len(topic.said))
    if (
        sentence.kind == "row"
        and _MOVES & set(sentence.stems)
        and not _MOVES & {*topic.name, *topic.said}
    ):
        return 0.0  # a change, where what it is itself is asked for
    if wanted.money and sentence.kind == "row" and topic.name and not _is_labelled(topic, sentence):
        return 0.0
    now, prior = periods(sentence.text, row=sentence.kind == "row")
    if topic.role == "prior":
        return score if found in prior else 0.0
    aside = found not in now and not (wanted.share or wanted.year)
    return max(0.0, score - 1.0 * (found in prior or aside) + 0.2 * (found in now[:1]))


def _is_counted(topic: Topic, following: set[str]) -> bool:
    """Whether the words after a number are for what is counted: *2,900 people*, where employees are."""
    said = {*topic.name, *(phrase[0] for _, phrase in ways(topic.name) if len(phrase) == 1)}
    return not following.isdisjoint(said)


def _is_labelled(topic: Topic, row: Sentence) -> bool:
    """Whether at least half of a row's label is about the topic: *Cash used for taxes* is not about cash."""
    said = {*topic.name, *topic.said, *(word for _, phrase in ways(topic.name) for word in phrase)}
    return 2 * sum(word in said for word in row.stems) >= len(row.stems)


def _is_dated(topic: Topic, text: str, found: Number) -> bool:
    """Whether what happened in a year stands near it."""
    around = {
        *stems(text[max(0, found.at - _LONG_BEFORE) : found.at]),
        *stems(text[found.end : found.end + _NEAR]),
    }
    said = [{word} for word in topic.name] + [set(phrase) for _, phrase in ways(topic.name)]
    return not topic.name or any(words <= around for words in said)


def _tied(topic: Topic, reading: Reading, hit: Hit) -> float:
    """How much of the property's name is in the sentence itself: a heading is not enough for a number."""
    return reading.fit(topic, hit.at, by_heading=False)


def _is_other(found: Number, sentence: Sentence, topic: Topic, wanted: Wanted) -> bool:
    """Whether a number is of another kind than wanted."""
    if wanted.year:
        return not found.year
    if wanted.share:
        return not found.percent
    if wanted.money:
        counts = found.money or bool(found.scale) or sentence.kind == "row"
        return not counts or found.percent or found.year
    if wanted.counted and (found.money or found.percent):
        return True
    following = stems(sentence.text[found.end : found.end + _NEAR])[:1]
    return found.year and (not following or following[0] not in topic.name)


def _is_label(found: Number, text: str) -> bool:
    """Whether a number is what something is called: *Note 7*, *ASC 105*."""
    return _LABELLED.search(text[max(0, found.at - _NEAR) : found.at]) is not None


def _is_aged(text: str, found: Number) -> bool:
    before = text[max(0, found.at - 8) : found.at].lower().rstrip()
    return before.endswith(("aged", "age", "age:", ",")) and not (
        found.year or found.money or found.percent
    )
