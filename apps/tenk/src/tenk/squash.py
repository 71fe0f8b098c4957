"""A text without what copying changes: white space, quotation marks, the form of a dash; with the way back to it."""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_right
from functools import lru_cache

# plain ASCII; white space; any other character
_PIECE = re.compile(r"([!#-&(-,./0-9:-_a-z{-~]+)|(\s+)|.", re.DOTALL)
_DROPPED = frozenset("\"'`´•·▪◦●■")
_DASHES = frozenset("-−⁃")
_NUMBER_END = re.compile(r"\d[.,]?\Z")


class Squashed:
    r"""`text` in its squashed form, each character of which knows where it came from.

    Left out: white space (but for one blank between two numbers), quotation marks, bullets,
    accents, soft hyphens and all that is invisible. A run of dashes of any form is one hyphen,
    letters are lower case.

    >>> squashed = Squashed("We sell “long-term”\n  contracts — now.")
    >>> squashed.form
    'weselllong-termcontracts-now.'
    >>> squashed.origin(squashed.form.index("contracts"))
    22
    """

    def __init__(self, text: str) -> None:
        self._at, self._from, self._width = array("L"), array("L"), array("L")
        form, length, tail, space = list[str](), 0, "", False
        for match in _PIECE.finditer(text):
            if match[2]:
                space = True
                continue
            piece = match[0].lower() if match[1] else _character(match[0])
            if not piece or (piece == "-" and tail[-1:] == "-"):
                continue
            if space and piece[0].isdigit() and _NUMBER_END.search(tail):
                piece = " " + piece
            space = False
            ours = len(piece) - (piece[0] == " ")
            self._at.append(length + len(piece) - ours)
            self._from.append(match.start())
            self._width.append(match.end() - match.start())
            form.append(piece)
            length += len(piece)
            tail = (tail + piece)[-2:]
        self.form = "".join(form)

    def origin(self, index: int) -> int:
        """Where in the text the character at `index` of the form came from."""
        piece = bisect_right(self._at, index) - 1
        return self._from[piece] + min(index - self._at[piece], self._width[piece] - 1)

    def index(self, origin: int) -> int:
        """The first character of the form that came from `origin` in the text, or from behind it."""
        piece = bisect_right(self._from, origin) - 1
        if piece >= 0 and origin < self._from[piece] + self._width[piece]:
            return self._at[piece] + origin - self._from[piece]
        return self._at[piece + 1] if piece + 1 < len(self._at) else len(self.form)

    def __repr__(self) -> str:
        return f"Squashed({self.form!r:.60}, {len(self.form)} characters)"


@lru_cache(maxsize=4096)
def _character(char: str) -> str:
    """What one character stands for: nothing, a hyphen, or itself without accents, in lower case."""
    kind = unicodedata.category(char)
    if char in _DROPPED or kind in {"Cc", "Cf", "Co", "Cs", "Mn", "Pi", "Pf"} or char in "„‚′″":
        return ""
    if char in _DASHES or kind == "Pd":
        return "-"
    parts = unicodedata.normalize("NFKD", char)
    return "".join(
        part for part in parts if not unicodedata.combining(part) and not part.isspace()
    ).casefold()
