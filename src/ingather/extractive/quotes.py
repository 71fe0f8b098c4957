"""Quotes: a part of the text exactly as it stands there, within the lengths that are asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ingather.extractive.lengths import cut
from ingather.extractive.reading import Found

if TYPE_CHECKING:
    from ingather.extractive.reading import Reading, Topic

_NAMES = frozenset(
    {
        "quote",
        "quotes",
        "quotation",
        "verbatim",
        "excerpt",
        "evidence",
        "citation",
        "snippet",
        "passage",
    }
)
_SAID = re.compile(
    r"(?i)\bverbatim\b|\bword for word\b|\bexact (?:words?|quote|text|wording|sentence)\b|\bcopied "
    r"from the\b"
    r"|\bquoted\b"
)


def is_quote(topic: Topic) -> bool:
    """Whether a string shall be a quote: by its name, or because its description says so."""
    return not _NAMES.isdisjoint(topic.words) or _SAID.search(topic.description) is not None


def quote(topic: Topic, reading: Reading, least: int, most: int | None) -> Found:
    """The sentence of the place that is read, or the best one of the text; longer by what follows where it is short."""
    sentences, text = reading.passage.sentences, reading.passage.text
    if reading.place is not None:
        at = reading.place.anchor
    else:
        hits = reading.hits(topic)
        if not hits:
            return Found("", 0)
        at = hits[0].at
    start, last = sentences[at].start, at
    while sentences[last].end - start < least and last + 1 < len(sentences):
        last += 1
    while sentences[last].end - start < least and at > 0:  # at the text's end: by what goes before
        at -= 1
        start = sentences[at].start
    said = cut(text[start : sentences[last].end], least, most)
    return Found(said, 2 if len(said) >= least else 0, at)
