"""Pages of a document by their numbers, as the lines that hold nothing else tell them."""

from __future__ import annotations

import re

_RANGE = re.compile(
    r"(?i)\bpages?\s{1,20}(?P<kind>[FSA]-)?(?P<first>\d{1,3})\s{0,20}(?:-|–|—|to|through)\s{0,20}(?:[FSA]-)?(?P<last>\d{1,3})\b"
)
_NUMBER = re.compile(
    r"^[^\S\n]*[-–—(]?[^\S\n]?(?:page\s)?([FSA]-)?(\d{1,3})[^\S\n]?[-–—)]?$",
    re.MULTILINE | re.IGNORECASE,
)
_MOST = 50  # lines that hold one number: of a table's, too
_LONGEST_PAGE = 20_000  # characters


def page_range(words: str) -> tuple[str, int, int] | None:
    """The longest range of pages that a pointer names: its kind (``"F-"`` or nothing), its first and its last.

    >>> page_range("on pages 23 to 40, and page 41")
    ('', 23, 40)
    """
    ranges = [
        ((m["kind"] or "").upper(), int(m["first"]), int(m["last"])) for m in _RANGE.finditer(words)
    ]
    return max((r for r in ranges if r[1] <= r[2]), key=lambda r: r[2] - r[1], default=None)


def span_of(
    kind: str, first: int, last: int, text: str, low: int, high: int
) -> tuple[int, int] | None:
    """From where to where these pages go between `low` and `high`; None where their numbers do not stand there."""
    ends = {number: list[tuple[int, int]]() for number in range(first - 1, last + 1)}
    for match in _NUMBER.finditer(text, low, high):
        number = int(match[2])
        if number in ends and (match[1] or "").upper() == kind and len(ends[number]) < _MOST:
            ends[number].append(match.span())
    # an exhibit may begin with this page
    before = [end for _, end in ends[first - 1]] or [low] * bool(ends[first])
    for start in before:
        stop = next((begin for begin, _ in ends[last] if begin > start), None)
        if stop is None or stop - start > _LONGEST_PAGE * (last - first + 1):
            continue
        between = sum(
            any(start < begin <= stop for begin, _ in ends[number])
            for number in range(first, last + 1)
        )
        if 2 * between >= last - first + 1:
            return start + len(text[start:stop]) - len(text[start:stop].lstrip()), stop
    return None
