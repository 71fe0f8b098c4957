"""Things that a text names: listed in a sentence or below it, before the word for them, or where they are described."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ingather.extractive.finders import listed, names
from ingather.extractive.words import COMMON, name_words, stem, stems, word_set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingather.extractive.reading import Topic
    from ingather.extractive.text import Passage

_PROPER = word_set(
    "name segment customer competitor region product brand country company supplier partner person market geography"
)
_LISTS = 6  # sentences on the topic whose names are taken
_LONGEST_NAME = 60  # characters
_DESCRIBED = re.compile(
    r"(?:The\s+|Our\s+)?(?P<name>[^\W\d_a-z][\w.&®™'’/-]*(?:\s+(?:(?:of|for|and|the|&)\s+)?[^\W_a-z][\w.&®™'’/-]*){0,4})"
    r"(?:\s*\([^)]{1,40}\))?,?\s+(?:segment\s+)?(?:is|are|was|were|provides?|offers?|includes?|enables?|consists?|comprises?|serves?|combines?"
    r"|delivers?|helps?|allows?|has|have|uses?|sells?|develops?|designs?|manufactures?|markets?)\b"
)
_OPENER = re.compile(
    r"(?i)\b(?:such as|including|include[sd]?|are|like|namely|with|from|competitors?|primarily|to|in)\b[:\s]"
)
_NO_NAMES = word_set(
    "item part note table form section fiscal annual report company registrant we our the this these business "
    "competition general overview risk factors products services customers employees government january february "
    "march april may june july august september october november december monday tuesday wednesday thursday "
    "friday saturday sunday we it they he she i some many most each all any no one two both other such if when "
    "while since as in on at for by to from with however additionally furthermore moreover although because under "
    "during based management statements financial see certain its their there those an a also"
)


class Spot(NamedTuple):
    """Where a member of a list may be read. `worth`: how well it fits. `subject`: its name, as the text has it."""

    anchor: int
    worth: float
    subject: str = ""
    nth: int = 0


def is_proper(topic: Topic) -> bool:
    """Whether a property holds a proper name."""
    return bool(topic.words) and topic.words[-1] in _PROPER


def enumerated(passage: Passage, at: int) -> list[str]:
    """The members of a list within a sentence, or in the short lines below one that ends in a colon."""
    sentence = passage.sentences[at]
    if sentence.text.endswith(":"):
        below = list[str]()
        for following in passage.sentences[at + 1 : at + 13]:
            if following.kind != "prose" or len(following.text) > 250 or following.block == sentence.block:
                break
            below.append(re.sub(r"(?i)[;,.]?\s*(?:and|or)?$", "", following.text))
            if following.text.endswith("."):
                break
        if len(below) >= 2:
            return below
    return listed(sentence.text)


def named_spots(passage: Passage, topic: Topic, spots: list[Spot]) -> list[Spot]:
    """The names that the best places tell, each where it is described if it is, else where it is listed."""
    described = _described(passage)
    found = dict[str, Spot]()
    for spot in spots[:_LISTS]:
        for nth, name in enumerate(_names_in(passage, spot.anchor, topic)):
            key = name.casefold()
            if key not in found:
                at = described.get(key, spot.anchor)
                found[key] = Spot(at, spot.worth, name, nth)
    fitting = {spot.anchor: spot.worth for spot in spots}
    for key, at in described.items():
        if at in fitting and key not in found:
            said = passage.sentences[at].text
            found[key] = Spot(at, 0.8 * fitting[at], _written(said, key))
    return sorted(found.values(), key=lambda spot: (-spot.worth, spot.anchor, spot.nth))


def _written(text: str, key: str) -> str:
    at = text.casefold().find(key)
    return text[at : at + len(key)] if at >= 0 else key


def _described(passage: Passage) -> dict[str, int]:
    """For each name that opens a sentence before a verb, or is a heading, the first such sentence."""
    cached: dict[str, int] | None = passage.__dict__.get("_described")
    if cached is not None:
        return cached
    found = dict[str, int]()
    for at, sentence in enumerate(passage.sentences):
        if sentence.kind == "prose" and (opened := _DESCRIBED.match(sentence.text)) and _is_name(opened["name"]):
            found.setdefault(opened["name"].casefold(), at)
        elif sentence.kind == "heading" and at + 1 < len(passage.sentences) and len(sentence.text) <= _LONGEST_NAME:
            following = passage.sentences[at + 1]
            own = set(sentence.stems)
            if following.kind == "prose" and own and own <= set(following.stems) and _is_name(sentence.text):
                found.setdefault(sentence.text.casefold(), at + 1)
    passage.__dict__["_described"] = found
    return found


def _is_name(text: str) -> bool:
    words = name_words(text)
    telling = [word for word in words if word not in COMMON and word not in _NO_NAMES]
    return bool(telling) and len(text) <= _LONGEST_NAME and text[0].isupper() and words[0] not in _NO_NAMES


def _names_in(passage: Passage, at: int, topic: Topic) -> Iterator[str]:
    """The names in a sentence: before the word for them (*the Graphics segment*), listed, or behind *such as*."""
    text = passage.sentences[at].text
    given = set[str]()
    for nouns in (topic.name,):
        for name in _before_noun(text, nouns):
            if name.casefold() not in given:
                given.add(name.casefold())
                yield name
    parts = enumerated(passage, at)
    for part in parts:
        name = re.sub(r"^(?:our|the|its)\s+", "", part.strip(" \"“”'"))
        name = re.split(r"\s+[—–-]\s+|:\s|\s\(", name)[0].strip(" \"“”',.")
        if name and _is_name(name) and name.casefold() not in given:
            given.add(name.casefold())
            yield name
    if given:
        return
    opened = _OPENER.search(text)
    for name in names(text[opened.end() :]) if opened else ():
        known = any(name.casefold() in one for one in given)
        if _is_name(name) and not known and not set(stems(name)) <= set(topic.name):
            given.add(name.casefold())
            yield name


def _before_noun(text: str, nouns: tuple[str, ...]) -> list[str]:
    """Names right before a word for what they are: *the Compute & Networking segment*."""
    found = list[str]()
    words = list(re.finditer(r"[\w.&®™'’/-]+", text))
    for nth, word in enumerate(words):
        if stem(word[0].lower()) not in nouns or nth == 0:
            continue
        first = nth
        while first > 0 and (words[first - 1][0][0].isupper() or words[first - 1][0] in {"&", "and", "of"}):
            first -= 1
        while first < nth and (words[first][0].lower() in _NO_NAMES or not words[first][0][0].isupper()):
            first += 1
        if first < nth:
            name = text[words[first].start() : words[nth - 1].end()]
            if "," not in name and _is_name(name):
                found.append(name)
    return found
