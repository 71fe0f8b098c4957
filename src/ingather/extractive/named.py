"""Things that a text names: listed in a sentence or below it, before the word for them, or where they are described."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ingather.extractive.finders import listed, names
from ingather.extractive.places import PLACES
from ingather.extractive.words import COMMON, name_words, stem, stems, word_set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingather.extractive.reading import Topic
    from ingather.extractive.text import Passage

_PROPER = word_set(
    "name segment customer competitor region product brand country company supplier partner person "
    "market geography"
)
_PLACES = word_set("region country geography market place")
_PLACE_STEMS = frozenset(map(stem, _PLACES))
_PARTIES = frozenset(
    map(stem, word_set("competitor customer supplier partner person company distributor auditor"))
)
_PEOPLE = frozenset(
    map(stem, word_set("person executive officer director manager employee people founder"))
)
_CAREER = re.compile(
    r"(?i)\b(?:served|serves|serving) (?:as|in|on|from)\b|\b(?:prior to|before) joining\b|\bsenior "
    r"vice president\b"
    r"|\bexecutive vice president\b|\bholds an? (?:b\.?[as]|m\.?[bs]|ph)|\bvice president of\b"
)
_LISTS = 16  # sentences on the topic whose names are taken
_OFTEN = 6  # times that a name comes, from which on it does not matter how often
_LONGEST_NAME = 60  # characters
_WORD = r"[^\W\d_a-z][\w.&®™'’/+-]*"
_DESCRIBED = re.compile(
    rf"(?:The\s+|Our\s+)?(?P<name>{_WORD}(?:\s+(?:(?:of|for|and|the|&)\s+)?[^\W_a-z][\w.&®™'’/+-]*){{0,4}})"
    r"(?:\s*\([^)]{1,40}\))?,?\s+(?:segment\s+|family\s+|line\s+|product\s+|platform\s+|software\s+|service\s+)?"
    r"(?:is|are|was|were|provides?|offers?|includes?|enables?|consists?|comprises?|serves?|combines?|delivers?|helps?"
    r"|allows?|uses?|sells?|develops?|designs?|manufactures?|markets?)\b"
)
_OPENER = re.compile(
    r"(?i)\b(?:such as|including|includes?|included|namely|are|like|competitors?|with|by|from|in|to)\b[:\s]"
)
_STRONG_OPENER = re.compile(r"(?i)\b(?:such as|including|includes?|included|namely|like)\b[:\s]")
_NO_NAMES = word_set(
    "item part note table form section fiscal annual report company registrant we our the this "
    "these business "
    "businesses competition general overview risk factors products services customers employees "
    "government january "
    "february march april may june july august september october november december monday tuesday "
    "wednesday thursday "
    "friday saturday sunday it they he she i some many most each all any no one two both other "
    "such if when while "
    "since as in on at for by to from with however additionally furthermore moreover although "
    "because under during "
    "based management statements financial see certain its their there those an a also inc corp "
    "ltd llc exhibit "
    "principal significant key total net sales revenue revenues segment segments division group "
    "committee board "
    "engineering marketing manufacturing research development operations and or plus tm trademark "
    "registered"
)
_ACRONYMS = word_set(
    "ai ar vr pc it ip hr api sdk cpu gpu usg gaap sec ceo cfo coo cto eps irs fasb sfas oem odm "
    "ipo rd os "
    "u.s tv id ok faq esg dei cso csp isv hpc iot ev av llm"
)
_AND = re.compile(r"\s+(?:and|or)\s+(?=[A-Z])")
_TITLES = word_set("mr ms mrs dr prof sir examples example")
_TELLING = re.compile(
    r"(?i)-(?:powered|enabled|based|driven|related|specific|wide|scale|class|ready)\b"
)


class Spot(NamedTuple):
    """Where a member of a list may be read. `worth`: how well it fits. `subject`: its name, as the text has it."""

    anchor: int
    worth: float
    subject: str = ""
    nth: int = 0


class Listed(NamedTuple):
    """A part of a list, and the sentence in which it stands."""

    text: str
    at: int


def is_proper(topic: Topic) -> bool:
    """Whether a property holds a proper name."""
    return bool(topic.words) and topic.words[-1] in _PROPER


def enumerated(passage: Passage, at: int) -> list[Listed]:
    """The members of a list within a sentence, or in the short lines below one that ends in a colon."""
    sentence = passage.sentences[at]
    if sentence.text.endswith(":"):
        below = list[Listed]()
        for index in range(at + 1, min(at + 13, len(passage.sentences))):
            following = passage.sentences[index]
            if (
                following.kind != "prose"
                or following.block == sentence.block
                or len(following.text) > 400
            ):
                break
            below.append(Listed(re.sub(r"(?i)[;,.]?\s*(?:and|or)?$", "", following.text), index))
            if following.text.endswith("."):
                break
        if len(below) >= 2:
            return below
    return [Listed(part, at) for part in listed(sentence.text)]


@lru_cache(maxsize=64)
def own_name(passage: Passage) -> str:
    """What a text calls the one that it is about most often: the first word of its most frequent name."""
    counts = Counter[str]()
    for sentence in passage.sentences[:400]:
        if sentence.kind == "prose":
            counts.update(
                name.split()[0].casefold() for name in names(sentence.text) if _is_name(name)
            )
    return counts.most_common(1)[0][0] if counts and counts.most_common(1)[0][1] >= 5 else ""


def named_spots(passage: Passage, topic: Topic, spots: list[Spot], head: Topic) -> list[Spot]:
    """The names that the best places tell, each where it is described if it is, else where it is listed."""
    described, own = _described(passage), own_name(passage)
    places = bool(_PLACES & set(head.words)) or bool(_PLACE_STEMS & set(topic.name))
    loose = places or bool(_PARTIES & {*topic.name, *map(stem, head.words)})
    found = dict[str, Spot]()
    fits = _is_place if places else _is_no_place
    if not _PARTIES & set(map(stem, head.words)) and "product" not in topic.name:
        own = ""  # a segment may be called as the whole is
    people = not _PEOPLE.isdisjoint(topic.name + topic.said)
    spots = [
        spot for spot in spots if people or not _CAREER.search(passage.sentences[spot.anchor].text)
    ]
    for spot in spots[:_LISTS]:
        told = _names_in(passage, spot.anchor, topic, loose=loose)
        parted = (
            Listed(part, name.at)
            for name in told
            for part in (_AND.split(name.text) if loose else [name.text])
        )
        for nth, name in enumerate(parted):
            key = name.text.casefold()
            if key not in found and key.removesuffix("'s") != own and fits(name.text):
                at = name.at if places else described.get(key, name.at)
                found[key] = Spot(at, spot.worth * _weight(passage, name.text), name.text, nth)
    fitting = {spot.anchor: spot.worth for spot in spots}
    for key, at in described.items():
        if at in fitting and key not in found and key != own and not places:
            written = _written(passage, at, key)
            found[key] = Spot(at, 0.8 * fitting[at] * _weight(passage, written), written)
    return sorted(found.values(), key=lambda spot: (-spot.worth, spot.anchor, spot.nth))


def _weight(passage: Passage, name: str) -> float:
    """More for a name that comes often."""
    return 0.5 + min(1.0, passage.text.count(name) / _OFTEN)


def _written(passage: Passage, at: int, key: str) -> str:
    for index in (at, at - 1):
        text = passage.sentences[max(0, index)].text
        if (start := text.casefold().find(key)) >= 0:
            return text[start : start + len(key)]
    return key


@lru_cache(maxsize=64)
def _described(passage: Passage) -> dict[str, int]:
    """For each name that opens a sentence before a verb, or is a heading, the first such sentence."""
    found = dict[str, int]()
    for at, sentence in enumerate(passage.sentences):
        opened = _DESCRIBED.match(sentence.text) if sentence.kind == "prose" else None
        if (
            opened
            and _is_name(opened["name"])
            and (" " in opened["name"] or _within(passage.text, opened["name"]))
        ):
            found.setdefault(opened["name"].casefold(), at)
        elif (
            sentence.kind == "heading"
            and at + 1 < len(passage.sentences)
            and len(sentence.text) <= _LONGEST_NAME
        ):
            following = passage.sentences[at + 1]
            written = [
                word for word in sentence.text.split() if word.lower() not in _NO_NAMES | COMMON
            ]
            told = any(
                word[0].isupper() and word in following.text.split(" ", 1)[-1] for word in written
            )
            if following.kind in {"prose", "lead"} and told and _is_name(sentence.text):
                found.setdefault(sentence.text.casefold(), at + 1)
    return found


def is_name_within(text: str, name: str) -> bool:
    """Whether capitalised words are a name in a text, not just a sentence's first word."""
    return _is_name(name) and (" " in name or _within(text, name))


def _is_titled(name: str) -> bool:
    return all(word[0].isupper() or word[0].isdigit() or len(word) <= 3 for word in name.split())


def _within(text: str, name: str) -> bool:
    """Whether a word is capitalised also where it opens no sentence."""
    return re.search(rf"[a-z,;]\s{re.escape(name)}\b", text) is not None


def _is_no_place(text: str) -> bool:
    return text not in PLACES


def _is_place(text: str) -> bool:
    """Whether a name is, or holds, that of a country, a state or a part of the world."""
    return any(place in text for place in PLACES)


def _is_name(text: str) -> bool:
    """Whether capitalised words are a name, and no beginning of a sentence, heading word or common acronym."""
    words = name_words(text)
    if (
        not words
        or len(text) > _LONGEST_NAME
        or not (text[0].isupper() or text[0].isdigit())
        or _TELLING.search(text)
    ):
        return False
    if words[0] in _NO_NAMES | _TITLES or re.fullmatch(r"(?:[A-Z&.]{2,6}s|.|[A-Z]\.)", text):
        return False
    telling = [
        word for word in words if word not in COMMON | _NO_NAMES | _ACRONYMS and not word.isdigit()
    ]
    return bool(telling)


def _names_in(passage: Passage, at: int, topic: Topic, *, loose: bool) -> Iterator[Listed]:
    """The names in a sentence: before the word for them (*the Graphics segment*), listed, or behind *such as*."""
    text = passage.sentences[at].text
    before = _before_noun(text, topic.name[-1:])
    yield from (Listed(name, at) for name in before)
    found = 0
    for part in enumerated(passage, at):
        name = re.sub(r"^(?:our|the|its)\s+", "", part.text.strip(" \"“”'"))
        name = re.split(r"\s+[—–-]\s+|:\s|\s\(|,?\s+(?:or|which|formerly)\s", name)[0].strip(
            " \"“”',."
        )
        if _is_name(name) and _is_titled(name) and len(name.split()) <= 6:
            found += 1
            yield Listed(name, part.at)
        elif opened := _STRONG_OPENER.search(part.text):
            for name in names(part.text[opened.end() :]):
                if _is_name(name):
                    found += 1
                    yield Listed(name, part.at)
    if found or before:
        return
    opened = _STRONG_OPENER.search(text) or (_OPENER.search(text) if loose else None)
    for name in names(text[opened.end() :]) if opened else ():
        if _is_name(name) and not set(stems(name)) <= set(topic.name):
            yield Listed(name, at)


def _before_noun(text: str, nouns: tuple[str, ...]) -> list[str]:
    """Names right before a word for what they are: *the Compute & Networking segment*."""
    found = list[str]()
    words = list(re.finditer(r"[\w.&®™'’/-]+", text))
    for nth, word in enumerate(words):
        if (
            stem(word[0].lower()) not in nouns
            or nth == 0
            or text[words[nth - 1].end() : word.start()] != " "
        ):
            continue
        first = nth
        while first > 0 and (
            words[first - 1][0][0].isupper() or words[first - 1][0] in {"&", "and", "of"}
        ):
            first -= 1
        while first < nth and (
            words[first][0].lower() in _NO_NAMES or not words[first][0][0].isupper()
        ):
            first += 1
        name = text[words[first].start() : words[nth - 1].end()] if first < nth else ""
        if name and "," not in name and _is_name(name):
            found.append(name)
    return found
