"""A filing as it is shown beside its analysis: its plain text in blocks, each with its place, no markup at all.

All that the filing brings is text here: what reads it puts text on the page, and nothing of it can
load or run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenk.filing import Filing

Kind = Literal["text", "wrapped", "row", "pre"]

_GROUP = re.compile(r"[^\n]+(?:\n[^\n]+)*")  # lines without an empty one between
_COLUMNS = re.compile(r"\S {4,}\S|\.{4,}|^ {12,}\S|-{5,}|={5,}", re.MULTILINE)


class Block(NamedTuple):
    """A paragraph or a table's row: ``text[start:start + len(words)]`` is `words`.

    `kind`: ``"text"`` with line breaks that count; ``"wrapped"``, lines of a typewriter's length,
    which may flow; ``"row"`` of cells with tabs between; ``"pre"``, whose columns are made of
    blanks.
    """

    start: int
    kind: Kind
    words: str


def blocks(filing: Filing) -> Iterator[Block]:
    r"""The text of a filing, in order. Nothing is left out but empty lines.

    >>> from tenk.filing import Filing
    >>> [tuple(block) for block in blocks(Filing("Item 1.\n\nNet sales\t5\nCost\t3", b"<p>", "10-K", ()))]
    [(0, 'text', 'Item 1.'), (9, 'row', 'Net sales\t5'), (21, 'row', 'Cost\t3')]
    """
    flowing: Kind = "wrapped" if filing.markup is None else "text"
    for group in _GROUP.finditer(filing.text):
        words, start = group[0], group.start()
        if not words.strip():
            continue
        if "\t" in words:
            for line in words.split("\n"):
                yield Block(start, "row" if "\t" in line else "text", line)
                start += len(line) + 1
        else:
            yield Block(start, "pre" if _COLUMNS.search(words) else flowing, words)
