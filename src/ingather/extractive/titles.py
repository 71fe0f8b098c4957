"""What a place of a text is called: its heading, a row's label, what a sentence is about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ingather.extractive.finders import names
from ingather.extractive.lengths import cut
from ingather.extractive.named import is_proper
from ingather.extractive.reading import Found
from ingather.extractive.words import stem, word_set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingather.extractive.reading import Reading, Topic

_SHORT = 160  # characters: a string that may not be longer is a name or a title
_TITLES = word_set(
    "title headline heading name topic area subject label theme risk exposure advantage regime "
    "note initiative metric "
    "figure segment"
)
# these are what the whole section is about
_OF_SECTION = word_set("topic area note theme category")
_LED = 12  # sentences under a sentence that heads them, for which it says what they are about
_LED = 12  # sentences under a sentence that heads them, for which it says what they are about
_LAWS = word_set("regime law regulation act agency regulator statute")
_LAW = re.compile(
    r"(?:[A-Z][\w.&’'-]*\s+(?:(?:of|and|on|for|the|to)\s+){0,2}){1,7}"
    r"(?:Acts?|Regulations?|Directive|Code|Rules?|Commission|Agency|Administration|Authority|Reform|HIPAA)\b(?:\s+of\s+\d{4})?"
)
_BESIDE = 2  # sentences after a heading for which it is still their own
_SUBJECT = re.compile(  # a sentence's subject: what stands before its verb
    r"(?P<subject>[^,;:.]{3,90}?),?\s+(?:for\s+(?:the\s+)?(?:fiscal|year|19|20)|in\s+(?:fiscal|19|20)|was|were|is|are|will"
    r"|increased|decreased|declined|grew|rose|fell|totaled|totalled|amounted|represented|accounted|improved|remained"
    r"|consists?|includes?|provides?|offers?|may|could|has|have|had|requires?|affects?)\b"
)
_ARTICLES = re.compile(
    r"(?i)^(?:however|in addition|additionally|further|moreover|also|as a "
    r"result|accordingly|our|the|its|total)\b,?\s*"
)
_CAUSE = re.compile(
    r"(?i)\b(?:(?:is |was |were "
    r")?(?:primarily|mainly|largely|principally|partly|partially|mostly)?\s*"
    r"(?:driven\s+(?:primarily\s+|mainly\s+)?by|due\s+(?:primarily\s+|mainly\s+)?to|because\s+of|as\s+a\s+result\s+of|attributable\s+"
    r"(?:primarily\s+|mainly\s+)?to|resulting\s+from|caused\s+by|reflecting|reflects?|because)"
    r"|the\s+result\s+of)\s+(?P<cause>[^.;]{4,400})"
)
_PRONOUN = re.compile(
    r"(?i)(?:we|it|they|this|these|there|such|he|she|i|that|which|those|if|when|as|some|many|most|each|in|on|at|to|for"
    r"|based|since|during|although|while|because|given|under)\b"
)
_PARTY = re.compile(
    r"(?i)\b(?:depend(?:s|ent|ence|ed)?\s+(?:\w+\s+)?(?:up)?on|rel(?:y|ies|iant|iance|ied)\s+(?:\w+\s+)?(?:up)?on|competes?\s+with"
    r"|sold\s+(?:\w+\s+)?to|sales?\s+to|supplied\s+by|purchased?\s+from|obtained?\s+from|manufactured\s+by)\s+(?:the\s+)?"
    r"(?P<party>[^,;.:()]{3,110}?)(?=\s+(?:to|for|that|which|who|as|because|in\s+order|and\s+(?:our|we|the))\b|[,;.:()]|$)"
)
_CELL = re.compile(r"\t|\s{2,}|\.{3,}|\s(?=[$(]?\s?\d)")
_PERIOD = re.compile(
    r"(?i)\b(?:fiscal\s+(?:year\s+)?(?:19|20)\d\d|(?:fiscal\s+)?year\s+ended\s+\w+\s+\d{1,2},?\s+(?:19|20)\d\d"
    r"|(?:first|second|third|fourth)\s+(?:fiscal\s+)?quarter\s+of\s+(?:fiscal\s+(?:year\s+)?)?(?:19|20)\d\d"
    r"|(?:next|coming)\s+(?:fiscal\s+)?year|next\s+(?:twelve|12)\s+months|(?:19|20)\d\d)\b"
)
_PERIODS = frozenset(map(stem, word_set("period horizon when year quarter")))


def is_short(topic: Topic, most: int | None) -> bool:
    """Whether a name or a title is asked for rather than a sentence."""
    return (most is not None and most <= _SHORT) or (
        bool(topic.words) and topic.words[-1] in _TITLES
    )


def title(topic: Topic, reading: Reading, *, needed: bool) -> Iterator[Found]:
    """What a place is called, the best first; for a *period* the times that it speaks of.

    What is not `needed` is only what the place is known to be about: the rest would be a guess.
    """
    place = reading.place
    if place is None:
        return
    own = reading.passage.sentences[place.anchor]
    if _PERIODS & {stem(word) for word in topic.words}:
        yield from (Found(found[0], 2, place.anchor) for found in _PERIOD.finditer(own.text))
        return
    if not needed:
        return
    if place.subject:
        yield Found(place.subject, 1, place.anchor)
    if own.kind == "row":
        label = _CELL.split(reading.passage.text[own.start : own.end].strip(), maxsplit=1)[0].strip(
            " .$:"
        )
        if any(sign.isalpha() for sign in label):
            yield Found(label, 2, place.anchor)
        return
    if own.kind == "heading" or (own.kind == "lead" and not is_proper(topic)):
        yield Found(own.text, 1, place.anchor)
        return
    yield from (
        Found(said, 1, place.anchor)
        for said in _called(topic, reading, place.anchor, figure=place.of_figure)
    )
    if not is_proper(topic) or place.of_figure:
        yield Found(cut(own.text, 0, _SHORT), 0.5, place.anchor)


def _called(topic: Topic, reading: Reading, at: int, *, figure: bool) -> Iterator[str]:
    """What a sentence is about: a law's name, its party, the heading above it, its grammatical subject."""
    text = reading.passage.sentences[at].text
    last = topic.words[-1] if topic.words else ""
    if last in _LAWS:
        yield from (found[0] for found in _LAW.finditer(text))
    if is_proper(topic) and not figure:
        yield from _party(text)
        return
    heading = reading.passage.heading_of(at)
    if heading is not None and not figure:
        above = reading.passage.sentences[heading]
        reach = _LED if above.kind == "lead" or last in _OF_SECTION else _BESIDE
        if at - heading <= reach and not _names_section(above.text):
            yield above.text
    yield from _subject(text)


def _subject(text: str) -> Iterator[str]:
    found = _SUBJECT.match(_ARTICLES.sub("", text))
    if found and len(found["subject"].split()) <= 8 and not _PRONOUN.match(found["subject"]):
        yield found["subject"].strip()


def _party(sentence: str) -> Iterator[str]:
    """Who or what a sentence speaks of: a name, else what it says that one depends on, competes with or sells to."""
    found = _PARTY.search(sentence)
    if found is None:
        yield from _subject(sentence)
        return
    said = found["party"].strip()
    yield from [name for name in names(said) if len(name) > 2][:1]
    yield cut(said, 0, _SHORT)


def _names_section(heading: str) -> bool:
    return re.match(r"(?i)\W*(?:item|part)\s+\d|table of contents|index\b", heading) is not None


def cause_of(sentence: str) -> str:
    """What a sentence names as the cause; empty where it names none.

    >>> cause_of("Sales rose 5%, primarily due to higher prices.")
    'higher prices'
    """
    found = _CAUSE.search(sentence)
    return found["cause"].strip(" ,") if found else ""
