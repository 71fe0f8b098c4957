"""Strings read from a text: by format or pattern, as labelled, by what the name asks for, else the best sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ingather.extractive import forms
from ingather.extractive.finders import (
    EMAIL,
    PHONE,
    URL,
    dates,
    firms,
    is_seat,
    names,
    places,
    roles,
)
from ingather.extractive.lengths import cut, fitted
from ingather.extractive.named import is_name_within
from ingather.extractive.openings import opening
from ingather.extractive.quotes import is_quote, quote
from ingather.extractive.reading import FITS, Found, Hit, Reading, Topic
from ingather.extractive.related import subject
from ingather.extractive.titles import cause_of, is_short, title
from ingather.extractive.words import name_words, stem, stems, word_set

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from ingather.extractive.schema import JSON, Node

_KINDS = {  # what a property's name asks for
    "name": "author brand candidate ceo cfo chairman company director employer founder manufacturer auditor president "
    "name organisation organization owner person publisher speaker supplier surname vendor who competitor customer",
    "place": "address city country headquarters location place region state town where",
    "role": "career job occupation position profession role",
    "date": "birthday date deadline when",
    "email": "email mail",
    "url": "homepage link url website",
    "phone": "fax phone telephone",
}
_KIND_BY_WORD = {word: kind for kind, words in _KINDS.items() for word in words.split()}
_EXACT = frozenset({"place", "date", "email", "url", "phone"})  # a sentence is no such thing
_BY_FORM = word_set(  # these are found by their form alone: the text need not use the word
    "brand candidate company name organisation organization person surname who city country place "
    "town career job "
    "occupation position profession role date email mail link url website homepage fax phone "
    "telephone when where "
    "region"
)
_ROLE_AS = re.compile(
    r"(?i)\b(?:as|job:|role:)\s+(?:an?|the)\s+(?P<role>[^.,;:!?()\n]{2,80}?)(?=\s+(?:at|in|for|with|and)\b|[.,;:!?()]|$)"
)
_SAID = word_set(
    "city country date email link name occupation phone role url website"
)  # also where a description says so
_SEVERAL = re.compile(r"(?i)\bsummar|\boverview|\bsentences\b|\bparagraph")
_CAUSES = frozenset(map(stem, word_set("driver cause reason why because explanation basis")))
_IN_SUMMARY = 3  # sentences


def string(
    node: Node, topic: Topic, reading: Reading, taken: Container[JSON] = (), *, needed: bool = True
) -> Found:
    """The string of the text that fits `node` and `topic` best; not one of `taken` while there are others.

    `needed`: whether the schema requires it; then any sentence of the place that it belongs to will
    do.
    """
    least, most = (
        length if isinstance(length := node.get(key), int) else None
        for key in ("minLength", "maxLength")
    )
    if is_quote(topic):
        found = quote(topic, reading, least or 0, most)
        return Found(fitted(str(found.value), least or 0, most), 0) if found.sure <= 0 else found
    form = node.get("format")
    if isinstance(form, str) and forms.is_form(form):
        return forms.formatted(form, topic, reading, taken)
    candidates = _candidates(topic, reading, most, needed=needed)
    if isinstance(pattern := node.get("pattern"), str):
        return forms.matching(pattern, (least or 0, most), candidates, taken)
    first: Found | None = None
    for found in candidates:
        text = str(found.value)
        # too short: padding it would be no word of the text
        sure = found.sure if len(text) >= (least or 0) else 0.0
        result = Found(fitted(text, least or 0, most), sure, found.at)
        if result.value not in taken:
            return result
        first = first or result
    return first._replace(sure=0) if first else Found(fitted("", least or 0, most), 0)


def _candidates(
    topic: Topic, reading: Reading, most: int | None, *, needed: bool
) -> Iterator[Found]:
    """Texts that may answer, the surest first; the unsure ones last."""
    place = reading.place
    if place is not None and place.subject and place.head == topic.path.rpartition(".")[2]:
        yield Found(place.subject, 2, place.anchor)
        return
    if (label := reading.label(topic)) is not None:
        yield Found(label, 3)
    kind = _kind(topic)
    of_row = place is not None and reading.passage.sentences[place.anchor].kind == "row"
    if place is not None and is_short(topic, most) and (of_row or place.of_figure):
        yield from title(topic, reading, needed=needed)
    yield from _by_kind(kind, topic, reading)
    if place is not None and is_short(topic, most):
        yield from title(topic, reading, needed=needed)
    if needed or kind not in _EXACT:
        yield from _sentences(topic, reading, most, needed=needed and not kind)


def _sentences(
    topic: Topic, reading: Reading, most: int | None, *, needed: bool
) -> Iterator[Found]:
    looked_at = reading.looked_at(topic)
    hits = [hit for hit in looked_at if hit.fit >= FITS]
    if reading.place is not None:
        own = hits or (looked_at if needed else [])
        sure = 1.0 if hits else 0.5
        if _CAUSES & {stem(word) for word in topic.words}:
            yield from (
                Found(said, 1, hit.at) for hit in own if (said := cause_of(hit.sentence.text))
            )
        fresh = [
            hit
            for hit in own
            if hit.sentence.text not in reading.given and hit.sentence.kind != "heading"
        ]
        if not needed:
            fresh = [hit for hit in fresh if _is_told(topic, hit, most)]
        for hit in fresh or (own if needed else []):
            yield Found(_grown(topic, reading, hit, most), sure, hit.at)
        return
    fresh = [hit for hit in hits if hit.sentence.text not in reading.given] or hits
    if not topic.is_own and _wants_several(topic):
        fresh = opening(topic, reading) or fresh
    for hit in fresh:
        yield Found(_grown(topic, reading, hit, most), 1, hit.at)
    for hit in looked_at:
        yield Found(hit.sentence.text, 0, hit.at)


def _is_told(topic: Topic, hit: Hit, most: int | None) -> bool:
    """Whether a sentence is worth giving where nothing must be given: it is about the property, and not cut for it."""
    if hit.sentence.kind == "row" or (
        is_short(topic, most) and most is not None and len(hit.sentence.text) > most
    ):
        return False
    if topic.is_own:
        return True
    described = subject(topic.description)
    return len(described) > 1 and 2 * sum(word in hit.sentence.stems for word in described) >= len(
        described
    )


def _wants_several(topic: Topic) -> bool:
    return _SEVERAL.search(" ".join((*topic.words, topic.description))) is not None


def _grown(topic: Topic, reading: Reading, hit: Hit, most: int | None) -> str:
    """The sentence; for a summary, with those that follow it in its paragraph."""
    text, sentences = hit.sentence.text, reading.passage.sentences
    if not _wants_several(topic):
        return text
    for at in range(hit.at + 1, min(len(sentences), hit.at + _IN_SUMMARY)):
        following = sentences[at]
        if following.block != hit.sentence.block or (
            most is not None and len(text) + len(following.text) >= most
        ):
            break
        text = f"{text} {following.text}"
    return text


def _kind(topic: Topic) -> str:
    words = [
        *reversed(topic.words),
        *(word for word in name_words(topic.description) if word in _SAID),
    ]
    return next((_KIND_BY_WORD[word] for word in words if word in _KIND_BY_WORD), "")


def _by_kind(kind: str, topic: Topic, reading: Reading) -> Iterator[Found]:
    if not kind:
        return
    by_form = any(word in _BY_FORM for word in topic.words) and not (
        set(topic.words) - _BY_FORM - _MODIFIERS
    )
    for hit in _read_for(kind, topic, reading):
        if not by_form and hit.fit < FITS and topic.words[-1:] not in _FIRMS:
            continue
        for text in _of_kind(kind, hit.sentence.text, topic):
            if (
                kind == "name"
                and reading.place is not None
                and not is_name_within(reading.passage.text, text)
            ):
                continue
            certain = kind != "name" or " " in text or not hit.sentence.text.startswith(text)
            yield Found(text, 2 if certain else 1, hit.at)


def _read_for(kind: str, topic: Topic, reading: Reading) -> Iterator[Hit]:
    """The sentences to look at; for addresses, which have a form of their own, all of them."""
    first = reading.looked_at(topic)
    yield from first
    if (kind in {"email", "url", "phone"} or topic.words[-1:] in _FIRMS) and reading.place is None:
        seen = {hit.at for hit in first}
        sentences = enumerate(reading.passage.sentences)
        yield from (Hit(at, sentence, 0.0) for at, sentence in sentences if at not in seen)


# whose names have a form of their own
_FIRMS = {("auditor",), ("accountant",), ("lawyer",), ("underwriter",)}
_MODIFIERS = word_set("first last full given family legal current of the home work main")


def _of_kind(kind: str, sentence: str, topic: Topic) -> Iterator[str]:
    match kind:
        case "name" if topic.words[-1:] in _FIRMS:
            yield from firms(sentence)
        case "name":
            words = set(topic.words)
            asked = set(stems(" ".join(topic.words)))
            for name in names(sentence):
                if asked and asked.issuperset(stems(name)):
                    continue  # the heading's own words
                part = (
                    0
                    if words & {"first", "given"}
                    else -1
                    if words & {"last", "family", "surname"}
                    else None
                )
                yield name if part is None else name.split()[part]
        case "place":
            seated = "headquarters" in topic.words
            yield from (
                place for place in places(sentence) if not seated or is_seat(sentence, place)
            )
        case "role":
            yield from roles(sentence)
            yield from (found["role"] for found in _ROLE_AS.finditer(sentence))
        case "date":
            yield from (written for written, _ in dates(sentence))
        case _:
            form = {"email": EMAIL, "url": URL, "phone": PHONE}[kind]
            yield from (found[0] for found in form.finditer(sentence))


def shortened(text: str, node: Node) -> str:
    """A member of a list cut to the lengths of `node`."""
    least, most = (
        length if isinstance(length := node.get(key), int) else None
        for key in ("minLength", "maxLength")
    )
    return cut(text, least or 0, most)
