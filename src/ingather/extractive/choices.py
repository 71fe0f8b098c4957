"""Values with few possibilities, read from a text: one of several, yes or no."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ingather.extractive.cues import NEUTRAL, own_words, speaks_for, stems_of
from ingather.extractive.figures import periods
from ingather.extractive.reading import Found, Reading, Topic
from ingather.extractive.schema import JSON, SchemaError
from ingather.extractive.words import stems, word_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingather.extractive.text import Sentence

_NEGATION = re.compile(r"(?i)\b(?:no|not|never|none|nor|without|neither|cannot)\b|n['’]t\b")
_SUPPOSED = re.compile(  # what is only thought of, asked or defined is no statement
    r"(?i)\b(?:if|whether|may|might|could|would|should|risk that|possibility|in the "
    r"event|unless|is defined as"
    r"|is a\s+\w+\s+that)\b"
)
_OTHERWISE = re.compile(  # a description that says when it is false, or that silence is
    r"(?i)\bfalse\s+(?:if|for|when|where|unless|otherwise|by default|in "
    r"all)|\b(?:if|where|when)\b[^.;]*\bfalse\b"
    r"|\btrue\s+(?:only\s+)?(?:if|when|where|for)\b"
    r"|\bwhether\b.*\b(?:is|are|was|were|has been|gets?)\s+(?:\w+\s+)?"
    r"(?:stated|mentioned|reported|said|disclosed|named|described|noted|spoken of)\b"
    r"|\bwhether the (?:text|document|filing|report|company|auditor)\s+"
    r"(?:says|states|mentions|reports|discloses|names|describes|notes|speaks)\b"
)
_FILLERS = word_set("is has have can was were are does do contains any a an the")
_HEADING = 2.0  # weight of the heading above a place
_OWN_PLACE = (3.0, 1.0)  # weight of a place's own sentence, and of those around it


def choice(values: Sequence[JSON], topic: Topic, reading: Reading) -> Found:
    """The value that the text speaks for most; where it speaks for none, a neutral one, or, unsure, the first."""
    if not values:
        raise SchemaError("the schema has an enum without values: nothing satisfies it")
    if (label := reading.label(topic)) is not None:
        scores = [
            speaks_for(value, frozenset(stems_of(label)), topic.description) for value in values
        ]
        if max(scores) > 0:
            return Found(values[scores.index(max(scores))], 3)
    totals, at = _totals(values, topic, reading)
    best = max(totals)
    if best > 0:
        return Found(values[totals.index(best)], 2, at)
    return _neutral(values) or Found(values[0], 0)


def _neutral(values: Sequence[JSON]) -> Found | None:
    """A value that says that nothing is said."""
    known = {value.lower(): value for value in values if isinstance(value, str)}
    return next((Found(known[name], 0.25) for name in NEUTRAL if name in known), None)


def _totals(
    values: Sequence[JSON], topic: Topic, reading: Reading
) -> tuple[list[float], int | None]:
    """How much the text speaks for each value, by the sentences that count; neutral ones stand for silence."""
    spoken = [value for value in values if str(value).lower() not in NEUTRAL]
    if reading.place is not None:
        read = [(at, _OWN_PLACE[nth > 0]) for nth, at in enumerate(reading.place.window)]
        above = reading.passage.heading_of(reading.place.anchor)
        if above is not None and above not in reading.place.window:
            read.append((above, _HEADING))
    else:
        read = [(hit.at, hit.fit) for hit in reading.hits(topic)]
    sentences = reading.passage.sentences
    has = [(frozenset(stems_of(sentences[at].text)), weight) for at, weight in read]
    scores = [_score(value, has, topic) for value in spoken]
    if not any(scores) and reading.place is None:  # nothing on the topic: what the whole text names
        scores = [float(_named(value, reading)) for value in spoken]
    said = dict(zip(map(str, spoken), scores, strict=True))
    if reading.place is not None and (moved := _moved(sentences[reading.place.anchor])) in said:
        said[moved] += 10.0
    if reading.place is None and any(scores):
        for word in ("positive", "negative"):
            if word in said:
                said[word] += 0.01 * _named(word, reading)
    return [said.get(str(value), 0.0) for value in values], read[0][0] if read else None


def _moved(sentence: Sentence) -> str:
    """Where the numbers of a row, this period's and the one's before, have moved: ``"up"``, ``"down"``, ``"flat"``."""
    now, before = periods(sentence.text, row=True) if sentence.kind == "row" else ((), ())
    if not now or not before:
        return ""
    change = now[0].printed - before[0].printed
    return "up" if change > 0 else "down" if change < 0 else "flat"


def _score(value: JSON, has: list[tuple[frozenset[str], float]], topic: Topic) -> float:
    return sum(weight * speaks_for(value, held, topic.description) for held, weight in has)


def _named(value: JSON, reading: Reading) -> int:
    """In how many sentences all words of a value stand, or one that speaks for it strongly."""
    if value is None or isinstance(value, bool | list | dict):
        return 0
    words = own_words(str(value))
    return min((reading.passage.count(word) for word in words), default=0) + _mood(
        str(value), reading
    )


def _mood(value: str, reading: Reading) -> int:
    if value.lower() not in {"positive", "negative"}:
        return 0
    return sum(
        speaks_for(value, frozenset(sentence.stems)) > 0 for sentence in reading.passage.sentences
    )


def mentioned(values: Sequence[JSON], reading: Reading) -> list[JSON]:
    """Those of `values` that the text, or its place, names."""
    if reading.place is None:
        return [value for value in values if _named(value, reading)]
    has = {
        word for at in reading.place.window for word in stems_of(reading.passage.sentences[at].text)
    }
    return [
        value
        for value in values
        if not isinstance(value, bool) and has.issuperset(own_words(str(value)))
    ]


def boolean(topic: Topic, reading: Reading) -> Found:
    """True where the text speaks of the topic and does not deny it, false where it does.

    Where the text is silent it is false only if the description says what false stands for (*true
    if …*, *whether … is stated*), for silence is no denial.
    """
    if (label := reading.label(topic)) is not None:
        return Found(re.match(r"(?i)\W*(?:y|yes|true|on|1)\b", label) is not None, 3)
    wanted = stems(" ".join(word for word in topic.words if word not in _FILLERS))
    for hit in reading.looked_at(topic) if wanted else ():
        share = reading.fit(Topic(name=wanted), hit.at, by_heading=False)
        if share >= 0.8 and _SUPPOSED.search(hit.sentence.text) is None:
            return Found(_NEGATION.search(hit.sentence.text) is None, 2, hit.at)
    if _OTHERWISE.search(topic.description):
        return Found(value=False, sure=0.25)
    return Found(value=False, sure=0)
