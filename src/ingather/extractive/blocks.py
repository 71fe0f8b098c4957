"""A text as blocks: paragraphs, headings, table rows. By its line breaks and the form of its lines alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE = re.compile(r"[^\n]*\S[^\n]*")
_BLANK = re.compile(r"\n[ \t\r]*\n")
_GAP = re.compile(r"\S(?:\t|[ ]{3,}|[ .]{4,})(?=\S)")  # between the cells of a table row
_FIGURE = re.compile(r"\d|[—–-]\s*$")
_BULLET = re.compile(r"\s*(?:(?:[•●·▪■◦○]\s*|[*–—-]\s+)+|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]\s+)")
_CLOSED = re.compile(r"[.!?:;,][\"'”’)\]]*\s*$")
_SENTENCE_END = re.compile(r"[.!?][\"'”’)\]]*(?=\s|$)")
# characters: longer lines on average are a wrapped paragraph, shorter ones are items of their own
_WRAPPED = 55
_WIDEST = 130  # characters of a wrapped line
_LONGEST_HEADING = 110  # characters of a heading that is no sentence
_LONGEST_LEAD = 420  # characters of one that is: a risk in a sentence, above the paragraphs on it
_LEAST_PROSE = 50  # characters that stand under a heading


class Block(NamedTuple):
    """A part of a text between line breaks.

    `kind`: ``"prose"``; ``"row"`` of a table; ``"heading"``; ``"lead"``, a sentence that heads the
    paragraphs below it.
    """

    start: int
    end: int
    kind: str


def blocks(text: str) -> list[Block]:
    r"""The blocks of a text, in order.

    >>> [block.kind for block in blocks("Competition\n\nWe have large competitors in all of the markets we serve.")]
    ['heading', 'prose']
    """
    found, start = list[Block](), 0
    for blank in _BLANK.finditer(text):
        if blank.start() >= start:
            found += _of_paragraph(text, start, blank.start())
            start = blank.end() - 1
    found += _of_paragraph(text, start, len(text))
    return _with_headings(text, found)


def _of_paragraph(text: str, start: int, end: int) -> Iterator[Block]:
    lines = [_trimmed(line[0], line.start()) for line in _LINE.finditer(text, start, end)]
    if not _is_wrapped([text[a:b] for a, b in lines]):
        for a, b in _joined(text, lines):
            yield Block(a, b, "row" if is_row(text[a:b]) else "prose")
        return
    open_at, last = -1, -1
    for a, b in lines:
        if is_row(text[a:b]):
            if open_at >= 0:
                yield Block(open_at, last, "prose")
            yield Block(a, b, "row")
            open_at = -1
        else:
            open_at, last = (a if open_at < 0 else open_at), b
    if open_at >= 0:
        yield Block(open_at, last, "prose")


def _joined(text: str, lines: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same, but a line that goes on where the one before it broke off is one with it."""
    joined = list[tuple[int, int]]()
    for a, b in lines:
        goes_on = bool(joined) and text[a].islower() and not is_row(text[a:b])
        if goes_on and _CLOSED.search(text[joined[-1][0] : joined[-1][1]]) is None:
            joined[-1] = (joined[-1][0], b)
        else:
            joined.append((a, b))
    return joined


def _trimmed(line: str, at: int) -> tuple[int, int]:
    """Where a line's words begin and end: without white space and the bullet before them."""
    bullet = _BULLET.match(line)
    begin = bullet.end() if bullet and bullet.end() < len(line.rstrip()) else 0
    begin += len(line[begin:]) - len(line[begin:].lstrip())
    return at + begin, at + len(line.rstrip())


def _is_wrapped(lines: list[str]) -> bool:
    before_last = lines[:-1]
    if not before_last or max(map(len, lines)) > _WIDEST:
        return False
    closed = sum(_CLOSED.search(line) is not None for line in before_last)
    return sum(map(len, before_last)) / len(before_last) > _WRAPPED and closed * 2 <= len(
        before_last
    )


def is_row(line: str) -> bool:
    """Whether a line is a row of a table: cells with a gap between them, and a figure behind the first gap."""
    gap = _GAP.search(line)
    return gap is not None and _FIGURE.search(line, gap.end()) is not None


def _with_headings(text: str, found: list[Block]) -> list[Block]:
    """The same, with headings marked: what stands alone, unlike a sentence, above prose or another heading."""
    marked, below = list[Block](), None
    for block in reversed(found):
        kind = block.kind
        if kind == "prose" and below is not None and below.kind != "row":
            is_prose = below.kind == "prose" and below.end - below.start >= _LEAST_PROSE
            line = text[block.start : block.end]
            if _is_title(line) and (below.kind in {"heading", "lead"} or is_prose):
                kind = "heading"
            elif is_prose and _is_lead(line, text[below.start : below.end]):
                kind = "lead"
        below = Block(block.start, block.end, kind)
        marked.append(below)
    return marked[::-1]


def _is_title(line: str) -> bool:
    return (
        len(line) <= _LONGEST_HEADING
        and "\n" not in line
        and _CLOSED.search(line) is None
        and ": " not in line
        and "=" not in line
        and (line[0].isupper() or line[0].isdigit())
        and sum(sign.isalpha() for sign in line) >= 3
    )


def _is_lead(line: str, below: str) -> bool:
    """Whether a paragraph of one sentence is the heading of the longer one below it."""
    if len(line) > _LONGEST_LEAD or line[-1:] in ":;," or not line[0].isupper():
        return False
    sentences = len(_SENTENCE_END.findall(line))
    return (
        sentences == 1 and len(below) > 1.3 * len(line) and len(_SENTENCE_END.findall(below)) >= 2
    )
