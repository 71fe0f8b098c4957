"""Where statements and sections stand outside their items: behind the last item, in Exhibit 13."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tenk.headings import letters_of
from tenk.titles import title_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SHORTEST = 600  # characters: less is another pointer
_SHORTEST_STATEMENTS = 1500
_CROWDED = 300  # characters: openings that follow each other closer than this are lines of an index
_CROWD = 3

_STATEMENT = re.compile(
    r"""(?ix)(?:
    report\s+of\s+(?:the\s+)?(?:independent|certified|registered|management|ernst|kpmg|deloitte|price|arthur|coopers)
    | (?:independent\s+)?(?:registered\s+public\s+accounting\s+firm|(?:public\s+)?accountant|auditor)s?['’]?s?\s+
      (?:audit\s+)?report
    | management['’]?s\s+(?:annual\s+)?(?:report|responsibility|statement\s+of\s+responsibility)
    | notes\s+to\s+(?:the\s+)?(?:consolidated\s+|combined\s+)?financial\s+statements
    | (?:(?:consolidated|combined|condensed|comparative)\s+){0,2}
      (?: balance\s+sheets? | income\s+statements? | cash\s+flows?\s+statements?
        | statements?\s+of\s+(?:consolidated\s+)?(?:financial\s+(?:position|condition)|operations|income|earnings|loss
          | cash\s+flows?|comprehensive|changes\s+in|(?:(?:share|stock)?holders|owners|partners)['’]?s?['’]?\s+equity
          | net\s+assets|assets\s+and|expenses) )
    )\b"""
)
_FIGURES = re.compile(
    r"(?i)\btotal\s+(?:liabilities|assets|current\s+assets)\b|\bnet\s+cash\s+(?:provided|used|flow)"
)
_CLOSING = re.compile(
    r"""(?ix)(?: schedules?\s+(?:[IVX]{1,4}|\d)\b | signatures?\W*$ | exhibits?\s+index | index\s+(?:to|of)\s+exhibits
    | power\s+of\s+attorney | glossary\W*$
    | (?:share|stock)holders?['’]?\s+information | (?:corporate|investor)\s+(?:information|directory|data)
    | (?:board\s+of\s+)?directors\s+and\s+(?:executive\s+)?officers
    | (?:five|six|ten|eleven|\d{1,2})[\s-]?year\s+(?:(?:consolidated|financial|statistical)\s+){0,2}
      (?:summary|review|comparison) )"""
)
_INDEXED = re.compile(
    r"(?:[\s.]\(?(?:[FSA]-?)?\d{1,3}(?:\s?-\s?\d{1,3})?\)?|\bpages?|\.{3,}\s*)$", re.IGNORECASE
)
_YEAR = re.compile(r"\b(?:19|20)\d\d$")
_LINE = re.compile(r"^[^\S\n]*(\S[^\n]{2,199})$", re.MULTILINE)
_TELLING = 10  # letters of a title, at least
_BESIDE = 25  # letters beside it on its line, at most
_SECTIONS = ("7", "6", "7A", "1A")  # whose titles part an annual report


class _Mark(NamedTuple):
    """A line that opens (or closes) statements, or a section with the title of an item."""

    start: int
    opens: str  # the item it opens, "" for a line that only closes
    notes: bool = False  # the line of the notes to statements


def first_mark(item: str, text: str, low: int, high: int) -> int | None:
    """Where the first line between `low` and `high` stands that opens the matter of `item`."""
    return next((mark.start for mark in _marks(text, low, high) if mark.opens == item), None)


def holds_figures(text: str, low: int, high: int) -> bool:
    """Whether statements stand there, not only their names."""
    return _FIGURES.search(text, low, high) is not None


def find(item: str, text: str, low: int, high: int, stops: Iterable[int]) -> tuple[int, int] | None:
    """Where the matter of `item` begins and ends between `low` and `high`, not across any of `stops`."""
    marks = sorted(
        [*_marks(text, low, high), *(_Mark(stop, "") for stop in stops if low <= stop < high)]
    )
    marks = _without_indexes(marks)
    # a statement's name may be a sub-heading of the discussion, until the statements begin
    if item == "7":
        statements = _longest(text, "8", marks, high)
        marks = [
            mark
            for mark in marks
            if mark.opens not in {"8", "7A"} or mark.start in (statements or ())
        ]
    return _longest(text, item, marks, high)


def _longest(text: str, item: str, marks: list[_Mark], high: int) -> tuple[int, int] | None:
    """The longest run of marks that open `item`, up to the next other mark."""
    best: tuple[int, int] | None = None
    start = -1
    for mark in [*marks, _Mark(high, "")]:
        if mark.opens == item:
            start = mark.start if start < 0 else start
        elif start >= 0:
            if best is None or mark.start - start > best[1] - best[0]:
                best = (start, mark.start)
            start = -1
    if best is None or best[1] - best[0] < (_SHORTEST_STATEMENTS if item == "8" else _SHORTEST):
        return None
    return best if item != "8" or holds_figures(text, *best) else None


def _marks(text: str, low: int, high: int) -> Iterator[_Mark]:
    for match in _LINE.finditer(text, low, high):
        line = match[1].rstrip()
        if line[0].islower() or (_INDEXED.search(line) and not _YEAR.search(line)):
            continue
        if _CLOSING.match(line):
            yield _Mark(match.start(1), "")
        elif _STATEMENT.match(line) and not line.endswith((".", ",", ";")):
            yield _Mark(match.start(1), "8", line[:5].lower() == "notes")
        elif opened := _section(line):
            yield _Mark(match.start(1), opened)


def _section(line: str) -> str | None:
    """The item whose title the line is, as a heading: little else stands in it."""
    letters = letters_of(line)
    for item in _SECTIONS:
        length = title_of(letters, item)
        if length is not None and length > _TELLING and len(letters) - length <= _BESIDE:
            return item
    return None


def _without_indexes(marks: list[_Mark]) -> list[_Mark]:
    """Without those that crowd together, as the lines of an index do; what closes stays.

    The last of a crowd may be the first of the statements themselves, right below the index; but
    those do not begin with their notes, with which indexes end.
    """
    kept, crowd = list[_Mark](), list[_Mark]()
    for mark, following in pairwise([*marks, _Mark(10**12, "")]):
        crowd.append(mark)
        if following.start - mark.start > _CROWDED or not (mark.opens and following.opens):
            if sum(bool(member.opens) for member in crowd) >= _CROWD:
                crowd = [
                    member
                    for member in crowd
                    if not member.opens or (member is mark and not member.notes)
                ]
            kept += crowd
            crowd = []
    return kept
