"""Values with few possibilities, read from a text: numbers within bounds, yes or no, one of several."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from ingather.extractive.finders import Number, numbers
from ingather.extractive.reading import Found, Reading, Topic
from ingather.extractive.schema import JSON, Node, SchemaError
from ingather.extractive.text import Passage, Sentence, stem, stems, word_set

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

_NEAR = 32  # characters on each side of a number that say what it counts
_MONEY = word_set(
    "amount asset budget capital cash cost debt earnings expense fee income price profit revenue salary sales"
)
_SHARES = word_set("growth margin percent percentage rate ratio share")
_YEARS = word_set("year founded since established")
_AGE = re.compile(r"(?i)[\s-]*years?[\s-]*old\b|[\s-]*years? of age\b")
_NEGATION = re.compile(r"(?i)\b(?:no|not|never|none|nor|without|neither|cannot)\b|n['’]t\b")
_TONE = {
    "positive": frozenset(
        map(stem, word_set("amazing best excellent fantastic good great happy love loved perfect strong wonderful"))
    ),
    "negative": frozenset(
        map(stem, word_set("awful bad broken disappointed hate horrible poor slow terrible weak worse worst"))
    ),
}
_NEUTRAL = frozenset({"neutral", "other", "unknown", "none", "unspecified", "n/a", "not_applicable", "undefined"})


def number(node: Node, topic: Topic, reading: Reading, *, whole: bool, taken: Container[JSON] = ()) -> Found:
    """The number of the text that is most likely meant, moved into the schema's bounds; `whole` for an integer."""
    label = reading.label(topic)
    best, certainty = 0.0, -1.0
    for rank, sentence in enumerate(reading.sentences(topic) if label is None else [Sentence(label, ())]):
        for found in numbers(sentence.text):
            value = bounded(node, found.value, whole=whole)
            score = _fit(found, sentence, topic, whole=whole) - 0.05 * rank
            if score > certainty and value not in taken:
                best, certainty = found.value, score
    if certainty < 0:
        return Found(bounded(node, 0, whole=whole), 0)
    sure = 3 if label is not None else 2 if certainty >= 1.5 else 0.5 if certainty >= 0.8 else 0
    return Found(bounded(node, best, whole=whole), sure)


def _fit(found: Number, sentence: Sentence, topic: Topic, *, whole: bool) -> float:
    words, own = set(topic.words), topic.own
    before, after = sentence.text[max(0, found.at - _NEAR) : found.at], sentence.text[found.end : found.end + _NEAR]
    near = set(stems(before)[-4:] + stems(after)[:4])
    is_age = _AGE.match(after) is not None
    score = 1.0 + min(2, len(own & near)) + 0.5 * bool(own & set(sentence.stems))
    score += 1.5 * (found.money and bool(words & _MONEY)) + 1.5 * (found.percent and bool(words & _SHARES))
    score += 2.0 * (found.year and bool(words & _YEARS)) + 2.0 * (is_age and "age" in words)
    score -= 0.8 * (found.year and not words & _YEARS) + 0.5 * (found.percent and not words & _SHARES)
    return score - 0.5 * (is_age and "age" not in words) - 0.5 * (whole and not float(found.value).is_integer())


def bounded(node: Node, value: float, *, whole: bool) -> int | float:
    """`value`, or the nearest one that the bounds and ``multipleOf`` of `node` allow. SchemaError where none is."""
    low, above = _bound(node, "minimum", "exclusiveMinimum", max)
    high, below = _bound(node, "maximum", "exclusiveMaximum", min)
    step = _fraction(node.get("multipleOf")) or (Fraction(1) if whole else None)
    if whole and step is not None and step.denominator != 1:
        step = Fraction(step.numerator)  # the least multiple of a/b that is whole
    if step is not None:
        first = None if low is None else math.floor(low / step) + 1 if above else math.ceil(low / step)
        last = None if high is None else math.ceil(high / step) - 1 if below else math.floor(high / step)
        if first is not None and last is not None and first > last:
            raise SchemaError(f"no number lies within the bounds of {_said(node)}")
        times = round(Fraction(value) / step)
        times = times if first is None else max(times, first)
        exact = step * (times if last is None else min(times, last))
        return int(exact) if exact.denominator == 1 and (whole or abs(exact) < 2**53) else float(exact)
    return _clamped(value, (low, above), (high, below), node)


def _clamped(
    value: float, lower: tuple[Fraction | None, bool], upper: tuple[Fraction | None, bool], node: Node
) -> int | float:
    low, high = (None if bound is None else float(bound) for bound, _ in (lower, upper))
    if low is not None and (value < low or (lower[1] and value == low)):
        value = low if not lower[1] else low + 1 if high is None or low + 1 < high else low + (high - low) / 2
    if high is not None and (value > high or (upper[1] and value == high)):
        value = high if not upper[1] else high - 1 if low is None or high - 1 > low else low + (high - low) / 2
    if low is not None and (value < low or (lower[1] and value <= low)):
        value = math.nextafter(low, math.inf)
    if high is not None and (value > high or (upper[1] and value >= high)):
        raise SchemaError(f"no number lies within the bounds of {_said(node)}")
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else value


def _bound(
    node: Node, inclusive: str, exclusive: str, tighter: Callable[[Fraction, Fraction], Fraction]
) -> tuple[Fraction | None, bool]:
    plain, strict = _fraction(node.get(inclusive)), _fraction(node.get(exclusive))
    if node.get(exclusive) is True:  # the form of draft 4
        return plain, True
    if plain is None or strict is None:
        return (strict, True) if plain is None else (plain, False)
    return (strict, True) if tighter(plain, strict) == strict else (plain, False)


def _fraction(value: object) -> Fraction | None:
    return Fraction(Decimal(repr(value))) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _said(node: Node) -> str:
    keys = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf")
    return json.dumps({key: node[key] for key in keys if key in node})


def boolean(topic: Topic, reading: Reading) -> Found:
    """True where the text speaks of the topic and does not deny it."""
    if (label := reading.label(topic)) is not None:
        return Found(re.match(r"(?i)\W*(?:y|yes|true|on|1)\b", label) is not None, 3)
    wanted = set(stems(" ".join(word for word in topic.words if word not in {"is", "has", "can", "was", "contains"})))
    for sentence in reading.sentences(topic):
        if wanted and wanted <= set(sentence.stems):
            return Found(_NEGATION.search(sentence.text) is None, 2)
    return Found(value=False, sure=0)


def choice(values: Sequence[JSON], topic: Topic, reading: Reading) -> Found:
    """The value that the text speaks of most; where it speaks of none, a neutral one, or the first."""
    if not values:
        raise SchemaError("the schema has an enum without values: nothing satisfies it")
    label = reading.label(topic)
    text = reading.passage if label is None else Passage(label)
    counts = [_mentions(value, text) for value in values]
    if any(counts):
        return Found(values[counts.index(max(counts))], 3 if label is not None else 2)
    neutral = (value for value in values if isinstance(value, str) and value.lower() in _NEUTRAL)
    return Found(next(neutral, values[0]), 0)


def mentioned(values: Sequence[JSON], reading: Reading) -> list[JSON]:
    """Those of `values` that the text speaks of."""
    return [value for value in values if _mentions(value, reading.passage)]


def _mentions(value: JSON, text: Passage) -> int:
    if value is None or isinstance(value, bool | list | dict):
        return 0
    counts = [text.count(word) for word in stems(str(value).replace("_", " "))]
    return min(counts, default=0) + sum(map(text.count, _TONE.get(str(value).lower(), ())))
