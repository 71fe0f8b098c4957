"""Where an item may begin: each line that starts with "Item 7.", and how much it looks like the item's heading."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenk.titles import title_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_AHEAD = 400  # characters after the number in which a title may stand
_FAR = 4000  # characters of text after which a heading counts fully

_NUMBER = r"[0-9IlO]{1,2}|[IVX]{1,4}"
_LETTER = r"(?:[ \t.]?\(?-?[ \t]?[A-Da-d]\)?(?![A-Za-z’']))?"
_ITEM = re.compile(
    rf"""(?mx)
    ^[^\S\n]*                                                   # a line begins
    (?:P\s?A\s?R\s?T\s{{1,4}}[IVl1-4]{{1,3}}\b[\s.,:;|–—-]{{0,40}})?  # perhaps with its part
    (?P<head>
      (?:I\s?T\s?E\s?M|I\s?t\s?e\s?m)\s?[Ss]?\b
      [\s.:#|]{{0,12}} (?:[Nn][Oo]s?\.?\s{{1,3}})?
      (?P<first>{_NUMBER}) (?P<letter>{_LETTER}) (?![0-9])
      (?P<more> (?: [\s.]{{0,4}} (?:,|&|/|and\b|AND\b|through\b|to\b|-(?=\s?\d))+ \s{{0,4}} (?:and\s|AND\s|&\s?)?
                (?:I\s?T\s?E\s?M|I\s?t\s?e\s?m)?[Ss]?\s{{0,4}} \d{{1,2}} (?:\(?[A-D]\)?(?![A-Za-z]))? (?![0-9]) ){{0,5}} )
    )
    """
)
_MEMBER = re.compile(r"(\d{1,2})\(?([A-D])?")
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "X": 10, "XI": 11, "XII": 12,
          "XIII": 13, "XIV": 14, "XV": 15, "XVI": 16}  # fmt: skip
_LAST = 16

_PAGE = re.compile(r"(?:[\s.·_…]|\bpages?\b){0,200}\(?(?:[FSA]-?)?\d{1,3}(?:-\d{1,3})?(?:\s{0,3}(?:,|-|–|to|and|&)\s{0,3}"
                   r"(?:[FSA]-?)?\d{1,3}){0,6}\)?[ \t]{0,40}(?:\n|$)", re.IGNORECASE)  # fmt: skip
_GOES_ON = re.compile(
    r"""\s{0,3}(?:["”’')\]]{0,2}[,;]?\s?(?:
    above|below|herein|hereof|contained|included|of\sthis|of\sour|of\sthe\s(?:company['’]s\s)?(?:annual|form)|in\sthis|
    in\sour|in\sthe|to\sthis|section|which|as\swell|as\sdiscussed|for\s(?:a|further|more|additional)\b|
    and\s(?:elsewhere|in\b|item)|under\b|is\s|are\s|was\s|were\s|on\spage|beginning\son)|["”]\s?[a-z,;.)]|,\s|’’\s)""",
    re.VERBOSE,
)
_OPENS_QUOTE = re.compile(r"[\s.:\-–—]{0,6}(?:,|;|\(?[\"“‘'`]|\(|of\s|in\s|and\s|above|below|\))")
_LEADS_ON = re.compile(
    r"(?:\b(?:see|in|under|and|or|of|to|the|with|by|at|from|also|both|our|part\s+[IViv]+)|[,(“\"‘`;–—])\s{0,3}$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A place where `items` may begin. `start` to `title_end`: its words; `weight`: how much it looks like a heading."""

    items: tuple[str, ...]
    start: int
    title_end: int
    titled: bool
    weight: float

    @property
    def rank(self) -> int:
        return rank(self.items[0])

    @property
    def last_rank(self) -> int:
        return rank(self.items[-1])


def rank(item: str) -> int:
    """A number that grows with the order of items: 1, 1A, 1B, 2.

    >>> rank("1A") < rank("1B") < rank("2")
    True
    """
    digits = item.rstrip("ABCD")
    return 8 * int(digits) + (ord(item[-1]) - 64 if digits != item else 0)


def letters_of(text: str, start: int, length: int = _AHEAD) -> tuple[str, list[int]]:
    """The letters a to z of `length` characters from `start`, small, and where each stands."""
    letters, places = [], []
    for place, sign in enumerate(text[start : start + length], start):
        small = sign.lower()
        if "a" <= small <= "z":
            letters.append(small)
            places.append(place)
    return "".join(letters), places


def headings(text: str) -> list[Heading]:
    """All places where an item may begin, in order of the text."""
    return [heading for match in _ITEM.finditer(text) if (heading := _heading(text, match))]


def _heading(text: str, match: re.Match[str]) -> Heading | None:
    for items, end in _readings(match):
        letters, places = letters_of(text, end)
        title = title_of(letters, items[0])
        if title is not None:
            title_end = places[title.length - 1] + 1
            return Heading(items, match.start("head"), title_end, True, _weight(text, match, end, title_end))
    items, end = next(_readings(match), ((), 0))
    if not items or _is_mention(text, match, end, end):
        return None
    return Heading(items, match.start("head"), end, False, 0.3)


def _readings(match: re.Match[str]) -> Iterator[tuple[tuple[str, ...], int]]:
    """The items that a heading may mean, likeliest first, and where its number ends."""
    more = tuple(f"{int(number)}{letter}" for number, letter in _MEMBER.findall(match["more"]))
    letter = match["letter"].strip(" \t.()-").upper()
    for number in _numbers(match["first"]):
        for item, end in ((f"{number}{letter}", match.end("letter")), (str(number), match.end("first"))):
            members = (item, *more) if match["more"] else (item,)
            ranks = [rank(member) for member in members]
            if all(1 <= int(member.rstrip("ABCD")) <= _LAST for member in members) and ranks == sorted(set(ranks)):
                yield members, match.end("more") if more else end


def _numbers(written: str) -> list[int]:
    """What digits mean, some of which may be letters that look like them, or Roman."""
    digits = written.translate(str.maketrans("IlO", "110"))
    numbers = [int(digits)] if digits.isdigit() else []
    return [*numbers, *([_ROMAN[written]] if written in _ROMAN else [])]


def _weight(text: str, match: re.Match[str], number_end: int, title_end: int) -> float:
    if _is_mention(text, match, number_end, title_end):
        return 0.2
    return 0.1 if _PAGE.match(text, title_end) else 1.0


def _is_mention(text: str, match: re.Match[str], number_end: int, title_end: int) -> bool:
    """Whether the words stand in a sentence, which a line break has put at the start of a line."""
    start = match.start()
    before = text[max(0, start - 200) : start].rstrip(" \t")
    flows = (
        before.endswith("\n") and not before.endswith("\n\n") and _LEADS_ON.search(before.rstrip()[-40:]) is not None
    )
    return bool(flows or _OPENS_QUOTE.match(text, number_end) or _GOES_ON.match(text, title_end))
