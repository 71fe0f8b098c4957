"""Strings read from a text: by format or pattern, as labelled, by what the name asks for, else the best sentence."""

from __future__ import annotations

import hashlib
import re
import uuid
from itertools import islice
from typing import TYPE_CHECKING

from ingather.extractive.finders import EMAIL, PHONE, URL, dates, names, roles
from ingather.extractive.patterns import example
from ingather.extractive.reading import Found, Reading, Topic
from ingather.extractive.text import name_words, stem, word_set

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from ingather.extractive.schema import JSON, Node

_KINDS = {  # what a property's name asks for
    "name": "author brand candidate ceo chairman company competitor customer director employer founder manufacturer "
    "name organisation organization owner person publisher speaker supplier surname vendor who",
    "place": "address city country headquarters location place region state town where",
    "role": "career job occupation position profession role",
    "date": "birthday date deadline when",
    "email": "email mail",
    "url": "homepage link url website",
    "phone": "fax phone telephone",
}
_KIND_BY_WORD = {stem(word): kind for kind, words in _KINDS.items() for word in words.split()}
_PLACE = re.compile(r"\b(?:[Ii]n|[Aa]t|[Nn]ear|[Ff]rom|[Tt]o)\s+(?=[^\W\d_a-z])")
_ROLE_AS = re.compile(
    r"(?i)\b(?:as|job:|role:)\s+(?:an?|the)\s+(?P<role>[^.,;:!?()\n]{2,80}?)(?=\s+(?:at|in|for|with|and)\b|[.,;:!?()]|$)"
)
_SAID = word_set(
    "city country date email link name occupation phone role url website"
)  # also where a description says so
_LONGEST_TRIED = 80  # characters: a bad pattern takes its time on a long text
_TRIED = 32  # texts, and words of each, that are tried against a pattern
_FALLBACKS = {
    "date": "1970-01-01", "date-time": "1970-01-01T00:00:00Z", "time": "00:00:00Z", "duration": "P1D",
    "email": "user@example.com", "idn-email": "user@example.com", "uri": "https://example.com/",
    "url": "https://example.com/", "iri": "https://example.com/", "uri-reference": "/", "hostname": "example.com",
    "ipv4": "127.0.0.1", "ipv6": "::1", "ipvanyaddress": "127.0.0.1", "ipv4network": "127.0.0.0/8",
    "ipv6network": "::/64", "ipvanynetwork": "127.0.0.0/8", "json-string": "null", "json-pointer": "", "regex": ".*",
}  # fmt: skip
_UUIDS = {"uuid": 4, "uuid1": 1, "uuid3": 3, "uuid4": 4, "uuid5": 5}


def string(node: Node, topic: Topic, reading: Reading, taken: Container[JSON] = ()) -> Found:
    """The string of the text that fits `node` and `topic` best; not one of `taken` while there are others."""
    form = node.get("format")
    if isinstance(form, str) and (form in _FALLBACKS or form in _UUIDS):
        return _formatted(form, topic, reading, taken)
    least, most = (length if isinstance(length := node.get(key), int) else None for key in ("minLength", "maxLength"))
    candidates = _candidates(topic, reading)
    if isinstance(pattern := node.get("pattern"), str):
        return _matching(pattern, (least or 0, most), list(islice(candidates, _TRIED)), taken)
    first: Found | None = None
    for found in candidates:
        text = fitted(str(found.value), least or 0, most)
        if text not in taken:
            return Found(text, found.sure)
        first = first or Found(text, found.sure)
    return first or Found(fitted("", least or 0, most), 0)


def fitted(text: str, least: int, most: int | None) -> str:
    """`text` cut at a word, or repeated, so that its length in characters is within the bounds."""
    if len(text) < least:
        text = (text + " ") * (least // (len(text) + 1) + 1) if text else "." * least
        text = text[:least].rstrip().ljust(least, ".")
    if most is not None and len(text) > most:
        cut = text[:most]
        at_word = cut.rpartition(" ")[0] if text[most] != " " else cut
        text = at_word.rstrip(" ,;:") if len(at_word.rstrip(" ,;:")) >= max(least, most // 2) else cut
    return text


def _candidates(topic: Topic, reading: Reading) -> Iterator[Found]:
    if (label := reading.label(topic)) is not None:
        yield Found(label, 3)
    kind = _kind(topic)
    for sentence in reading.throughout(topic) if kind else ():
        for text in _of_kind(kind, sentence.text, topic):
            yield Found(text, 2 if kind != "name" or " " in text or not sentence.text.startswith(text) else 1)
    own, sentences = topic.own, reading.sentences(topic)
    fresh = [sentence for sentence in sentences if sentence.text not in reading.given] or sentences
    for sentence in fresh:
        yield Found(sentence.text, 0 if own.isdisjoint(sentence.stems) else 1)


def _kind(topic: Topic) -> str:
    words = [*reversed(topic.words), *(word for word in name_words(topic.description) if word in _SAID)]
    return next((_KIND_BY_WORD[stem(word)] for word in words if stem(word) in _KIND_BY_WORD), "")


def _of_kind(kind: str, sentence: str, topic: Topic) -> Iterator[str]:
    match kind:
        case "name":
            words = set(topic.words)
            for name in names(sentence):
                part = 0 if words & {"first", "given"} else -1 if words & {"last", "family", "surname"} else None
                yield name if part is None else name.split()[part]
        case "place":
            yield from (found[0] for match in _PLACE.finditer(sentence) if (found := names(sentence[match.end() :])))
        case "role":
            yield from roles(sentence)
            yield from (found["role"] for found in _ROLE_AS.finditer(sentence))
        case "date":
            yield from (written for written, _ in dates(sentence))
        case _:
            form = {"email": EMAIL, "url": URL, "phone": PHONE}[kind]
            yield from (found[0] for found in form.finditer(sentence))


def _formatted(form: str, topic: Topic, reading: Reading, taken: Container[JSON]) -> Found:
    if form in _UUIDS:
        digest = hashlib.sha256(f"{topic.words}{reading.passage.text}{taken}".encode()).digest()
        return Found(str(uuid.UUID(bytes=digest[:16], version=_UUIDS[form])), 0)
    for sentence in reading.sentences(topic):
        if form in {"date", "date-time"}:
            found = [iso + ("T00:00:00Z" if form == "date-time" else "") for _, iso in dates(sentence.text)]
        elif form in {"email", "idn-email", "uri", "url", "iri"}:
            found = [match[0] for match in (EMAIL if "email" in form else URL).finditer(sentence.text)]
        else:
            break
        if fresh := [value for value in found if value not in taken]:
            return Found(fresh[0], 2)
    return Found(_FALLBACKS[form], 0)


def _matching(pattern: str, length: tuple[int, int | None], found: list[Found], taken: Container[JSON]) -> Found:
    least, most = length
    try:
        form = re.compile(pattern)
    except re.error:  # of another dialect of expressions: no reason to refuse the request
        return Found(fitted(str(found[0].value) if found else "", least, most), -1)
    for text in found:
        for part in [str(text.value), *str(text.value).split()][:_TRIED]:
            fits = least <= len(part) <= min(_LONGEST_TRIED, len(part) if most is None else most)
            if fits and part not in taken and form.search(part):
                return Found(part, max(1, text.sure))
    built = example(pattern, least)
    return Found(fitted("", least, most), -1) if built is None else Found(built, 0)
