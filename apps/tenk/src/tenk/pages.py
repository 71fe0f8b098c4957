"""Pages of a document by their numbers, as the lines that hold nothing else tell them."""

from __future__ import annotations

import re

_RANGE = re.compile(
    r"(?i)\bpages?\s{1,3}(?P<kind>[FSA]-)?(?P<first>\d{1,3})\s{0,3}(?:-|–|—|to|through)\s{0,3}(?:[FSA]-)?(?P<last>\d{1,3})\b"
)
_NUMBER = re.compile(
    r"^[^\S\n]*[-–—]?[^\S\n]?(?:page\s)?([FSA]-)?(\d{1,3})[^\S\n]?[-–—]?$", re.MULTILINE | re.IGNORECASE
)
_LONGEST_PAGE = 20_000  # characters


def page_range(words: str) -> tuple[str, int, int] | None:
    """The longest range of pages that a pointer names: its kind (``"F-"`` or nothing), its first and its last.

    >>> page_range("on pages 23 to 40, and page 41")
    ('', 23, 40)
    """
    ranges = [((m["kind"] or "").upper(), int(m["first"]), int(m["last"])) for m in _RANGE.finditer(words)]
    return max((r for r in ranges if r[1] <= r[2]), key=lambda r: r[2] - r[1], default=None)


def span_of(kind: str, first: int, last: int, text: str, low: int, high: int) -> tuple[int, int] | None:
    """From where to where these pages go between `low` and `high`; None where their numbers do not stand there."""
    ends = [
        (int(match[2]), match.start(), match.end())
        for match in _NUMBER.finditer(text, low, high)
        if (match[1] or "").upper() == kind
    ]
    for index, (number, begin, end) in enumerate(ends):
        if number == first - 1:
            start, rest = end, ends[index + 1 :]
        elif number == first and index == 0:  # the exhibit begins with this page
            start, rest = low, ends
        else:
            continue
        stop = next((begin for number, begin, _ in rest if number == last), None)
        if stop is not None and stop - start <= _LONGEST_PAGE * (last - first + 1):
            seen = {number for number, begin, _ in rest if begin <= stop}
            if 2 * len(seen & set(range(first, last + 1))) >= last - first + 1:
                return start + len(text[start:stop]) - len(text[start:stop].lstrip()), stop
    return None
