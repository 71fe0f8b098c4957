"""Where an item may begin: each line that starts with "Item 7.", and how much it looks like the item's own heading."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from tenk.titles import LETTERS, TITLES, neighbours, title_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# lines that are looked at: a filing with a running header on each of 500 pages has a tenth of it
_MOST = 10_000
_AHEAD = 400  # characters after the number in which a title may stand
_TELLING = 10  # letters of a title that say that a number is wrong
_LONGEST_TITLE = 120  # characters of a title that we do not know
_LONGEST_LINE = 240  # characters that may stand between a title and its page

# How much each kind of line is worth beside a heading with its title.
TITLED, MISNUMBERED, UNTITLED, UNNUMBERED, MENTION, LISTED = 1.0, 0.8, 0.3, 0.25, 0.2, 0.1

_ITEM = re.compile(
    r"""(?mx)
    ^[^\S\n]*[*\#>|_•·]{0,4}[^\S\n]{0,4}                                        # a line begins
    (?:(?P<part>[Pp]\s?[Aa]\s?[Rr]\s?[Tt]\s{1,4}[IVl1-4]{1,3}\b)[\s.,:;|–—-]{0,40})?  # perhaps with its part
    (?P<head>
      (?:I\s?T\s?E\s?M|I\s?t\s?e\s?m)\s?(?:[Ss]|\([Ss]\))?(?![A-Za-z])
      [\s.:\#|–—-]{0,12} (?:[Nn][Oo]s?\.?\s{1,3})?
      (?P<number>(?:[IVX]{2,4}|[VX])(?![A-Za-z])|[1-9Il](?:[ ]?(?:[0-6]|[OIl](?![A-Za-z])))?) (?![0-9]|\.[0-9])
      (?P<letter>(?:[ \t.]?-?[ \t]?[A-Da-d]|[ \t]?\([A-D]\))(?![A-Za-z’'])(?:[ \t]?\([Tt]\))?)?
      (?P<more> (?: [\s.,]{0,4} (?:,|&|/|\+|(?:and|AND|And|through|THROUGH|to|TO|thru)\b|[-–](?=\s?\d)) \s{0,4}
                (?:(?:and|AND|And|&)\s{1,3})? (?:(?:I\s?T\s?E\s?M|I\s?t\s?e\s?m)[Ss]?\s{1,4})?
                \d{1,2} (?:\(?[A-D]\)?(?![A-Za-z]))? (?![0-9]|\.[0-9]) ){0,5} )
    )  # noqa: SIM905 - read as a row
    """
)
_LETTERS = re.compile("[A-Za-z]+")
_LETTER = re.compile("[A-Za-z]")
_MEMBER = re.compile(r"(\d{1,2})\(?([A-D])?")
_THROUGH = re.compile(r"(?i)through|thru|\bto\b|[-–]")
_ROMAN = {
    number: place
    for place, number in enumerate(
        [
            "I",
            "II",
            "III",
            "IV",
            "V",
            "VI",
            "VII",
            "VIII",
            "IX",
            "X",
            "XI",
            "XII",
            "XIII",
            "XIV",
            "XV",
            "XVI",
        ],
        1,
    )
}
_LOOKALIKES = str.maketrans("IlO", "110", " ")

_TITLE_LINE = re.compile(r"^[^\S\n]*(?P<line>[A-Z][^\n\t.;:]{6,150})[.:]?$", re.MULTILINE)
_PAGED = re.compile(
    r"(?:^|[\s.·_…-])\(?(?:pages?\s)?(?:[A-Z]{1,3}-)?\d{1,3}(?:\s?(?:-|–|,|to|and|&)\s?(?:[A-Z]{1,3}-)?\d{1,3}){0,8}\)?\s*$",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"[\s.:\-–—]{0,6}(?:[,;]|[\"“‘`]|\((?![Rr][Ee]|[A-Z]{2})|(?:of|in|and|or|above|below|under|to|is|are)\b|\)(?=\s?[a-z,.;]))"
)
_GOES_ON = re.compile(
    r"""(?x)\s{0,3}(?: ["”’')\]]{0,2}[,;]?\s?(?:above|below|herein|hereof|contained|included|of\sthis|of\sour|
      of\sthe\s(?:[Cc]ompany['’]s\s)?(?:[Aa]nnual|[Ff]orm)|in\sthis|in\sour|in\sthe|to\sthis|section\b|which|as\swell|
      as\sdiscussed|for\s(?:a|further|more|additional)\b|and\s(?:elsewhere|in\b|[Ii]tem)|under\b|is\b|are\b|was\b|were\b|
      on\spage|beginning\son) | ["”]\s?[a-z,;.)] | ,\s(?:we|which|as|and\sin|our)\b | ’’\s )"""
)
_LEADS_ON = re.compile(
    r"(?:\b(?:see|in|under|and|or|of|to|the|with|within|by|at|from|also|both|our|this|part\s+[IViv]+)|[,(“\"‘`;–—])$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A place where `items` may begin.

    From `start` to `number_end` stands "Item 7", to `title_end` what we know of its title.
    `weight`: its kind of line.
    """

    items: tuple[str, ...]
    start: int
    number_end: int
    title_end: int
    weight: float

    @property
    def rank(self) -> int:
        """By its first item: "Items 1 and 2" may stand before Item 1A."""
        return rank(self.items[0])


def rank(item: str) -> int:
    """A number that grows with the order of items: 1, 1A, 1B, 2.

    >>> rank("1A") < rank("1B") < rank("2")
    True
    """
    digits = item.rstrip("ABCDE")
    return 8 * int(digits) + (ord(item[-1]) - 64 if digits != item else 0)


def letters_of(text: str, start: int = 0, end: int | None = None) -> str:
    """The letters a to z of a piece of `text`, small: how titles are compared, whatever stands between their letters.

    >>> letters_of("B U S I N E S S")
    'business'
    """
    return "".join(_LETTERS.findall(text, start, len(text) if end is None else end)).lower()


def headings(text: str) -> list[Heading]:
    """All places where an item may begin, in order of the text."""
    matches = islice(_ITEM.finditer(text), _MOST)
    return [heading for match in matches if (heading := _heading(text, match)) is not None]


def title_lines(text: str, items: Collection[str]) -> list[Heading]:
    """Lines that hold the title of one of `items` and nothing else: headings without a number."""
    found = []
    for match in _TITLE_LINE.finditer(text):
        start, end = match.span("line")
        letters = letters_of(text, start, end)
        found += [
            Heading((item,), start, start, end, UNNUMBERED)
            for item in items
            if title_of(letters, item) == len(letters)
        ]
    return found


def _heading(text: str, match: re.Match[str]) -> Heading | None:
    readings = [
        (items, end, letters_of(text, end, end + _AHEAD)) for items, end in _readings(match)
    ]
    for items, end, letters in readings:
        if (length := title_of(letters, items[0])) is not None:
            return _made(text, match, items, end, length, TITLED)
    if not readings or match["more"]:
        return None
    for items, end, letters in readings:
        for other in neighbours(items[0]) if items[0] in TITLES else ():
            if (length := title_of(letters, other) or 0) >= _TELLING:
                return _made(text, match, (other,), end, length, MISNUMBERED)
    items, end, _ = readings[0]
    rest = text[end : end + _LONGEST_TITLE + 20].split("\n", 1)[0].lstrip(" \t.:-–—")
    heading = _made(text, match, items, end, 0, UNTITLED)
    return (
        None
        if rest[:1].islower() or len(rest) > _LONGEST_TITLE or heading.weight == MENTION
        else heading
    )


def _made(
    text: str, match: re.Match[str], items: tuple[str, ...], end: int, length: int, kind: float
) -> Heading:
    """The heading whose number ends at `end`, and whose title takes `length` letters behind it."""
    last = next(islice(_LETTER.finditer(text, end), length - 1, None), None) if length else None
    title_end = last.end() if last else end
    if _is_mention(text, match, end, title_end):
        weight = MENTION
    elif _PAGED.search(text[title_end : title_end + _LONGEST_LINE].split("\n", 1)[0]):
        weight = LISTED
    else:
        weight = kind
    return Heading(items, match.start("head"), end, title_end, weight)


def _readings(match: re.Match[str]) -> Iterator[tuple[tuple[str, ...], int]]:
    """The items that a heading may mean, likeliest first, and where its number ends."""
    letter = (match["letter"] or "").upper().replace("(T)", "").strip(" \t.()-")
    for number in _numbers(match["number"]):
        for item, end in (
            (f"{number}{letter}", match.end("letter")),
            (str(number), match.end("number")),
        ):
            if item.rstrip("ABCDE") != item and item[-1] not in LETTERS.get(str(number), ""):
                continue
            if not match["more"]:
                yield (item,), max(end, match.end("number"))
            elif members := _members(item, match["more"]):
                yield members, match.end("more")


def _members(first: str, more: str) -> tuple[str, ...] | None:
    """All items of a heading for several, such as "Items 10 through 13"; None where they are not in order."""
    members = [first, *(f"{int(number)}{letter}" for number, letter in _MEMBER.findall(more))]
    ranks = [rank(member) for member in members]
    if ranks != sorted(set(ranks)) or ranks[-1] > rank("16") or ranks[0] < rank("1"):
        return None
    if len(members) == 2 and _THROUGH.search(more) and first.isdigit() and members[1].isdigit():
        return tuple(str(number) for number in range(int(first), int(members[1]) + 1))
    return tuple(members)


def _numbers(written: str) -> list[int]:
    """What digits mean, some of which may be letters that look like them, or Roman."""
    digits = written.translate(_LOOKALIKES)
    numbers = [int(digits)] if digits.isdigit() else []
    roman = [_ROMAN[written]] if written in _ROMAN else []
    return [number for number in [*numbers, *roman] if 1 <= number <= 16]


def _is_mention(text: str, match: re.Match[str], number_end: int, title_end: int) -> bool:
    """Whether the words stand in a sentence, which a line break has put at the start of a line."""
    start = match.start()
    before = text[max(0, start - 300) : start].rstrip(" \t")
    if before.endswith("\n") and not before.endswith("\n\n") and _LEADS_ON.search(before.rstrip()):
        return True
    if (
        match["part"]
        and "," in text[match.end("part") : match.start("head")]
        and not match["part"].isupper()
    ):
        return True
    return bool(
        _QUOTED.match(text, number_end)
        or (title_end > number_end and _GOES_ON.match(text, title_end))
    )
