"""Strings of a form: dates, addresses, identifiers, and those that a regular expression describes."""

from __future__ import annotations

import hashlib
import re
import uuid
from itertools import islice
from typing import TYPE_CHECKING

from ingather.extractive.finders import EMAIL, URL, dates
from ingather.extractive.lengths import fitted
from ingather.extractive.patterns import example
from ingather.extractive.reading import FITS, Found

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from ingather.extractive.reading import Reading, Topic
    from ingather.extractive.schema import JSON

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


def is_form(form: object) -> bool:
    """Whether a ``format`` is one that is known here."""
    return isinstance(form, str) and (form in _FALLBACKS or form in _UUIDS)


def formatted(form: str, topic: Topic, reading: Reading, taken: Container[JSON]) -> Found:
    """The first of the form that the text has on the topic; else, unsure, one that is only well formed."""
    if form in _UUIDS:
        digest = hashlib.sha256(f"{topic.words}{reading.passage.text}{taken}".encode()).digest()
        return Found(str(uuid.UUID(bytes=digest[:16], version=_UUIDS[form])), 0)
    for hit in reading.looked_at(topic):
        sentence = hit.sentence
        if hit.fit < FITS and (topic.is_own or "date" in form):
            continue
        if form in {"date", "date-time"}:
            found = [
                iso + ("T00:00:00Z" if form == "date-time" else "")
                for _, iso in dates(sentence.text)
            ]
        elif form in {"email", "idn-email", "uri", "url", "iri"}:
            found = [
                match[0] for match in (EMAIL if "email" in form else URL).finditer(sentence.text)
            ]
        else:
            break
        if fresh := [value for value in found if value not in taken]:
            return Found(fresh[0], 2, hit.at)
    return Found(_FALLBACKS[form], 0)


def matching(
    pattern: str,
    length: tuple[int, int | None],
    candidates: Iterable[Found],
    taken: Container[JSON],
) -> Found:
    """The first candidate, or word of one, in which `pattern` is found; else, unsure, a string made for it."""
    least, most = length
    found = list(islice(candidates, _TRIED))
    try:
        form = re.compile(pattern)
    except re.error:  # of another dialect of expressions: no reason to refuse the request
        return Found(fitted(str(found[0].value) if found else "", least, most), -1)
    for text in found:
        for part in [str(text.value), *str(text.value).split()][:_TRIED]:
            fits = least <= len(part) <= min(_LONGEST_TRIED, len(part) if most is None else most)
            if fits and part not in taken and form.search(part):
                return Found(part, text.sure and max(1, text.sure), text.at)
    built = example(pattern, least)
    return Found(fitted("", least, most), -1) if built is None else Found(built, 0)
