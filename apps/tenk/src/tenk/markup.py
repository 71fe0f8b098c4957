"""HTML to plain text: a line for each block and table row, a tab between cells, nothing that a reader does not see.

The parser tells of tags and text as they come; no tree is built, so depth and size cost no more
than their bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNSEEN = frozenset({"script", "style", "title", "ix:header", "ix:hidden", "header:hidden"})
_PARAGRAPHS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "div",
        "dl",
        "fieldset",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "ul",
    ]
)
_LINES = frozenset({"br", "caption", "dd", "dt", "li", "tbody", "tfoot", "thead", "tr"})
_CELLS = frozenset({"td", "th"})
_HIDDEN = re.compile(r"display\s{0,4}:\s{0,4}none", re.IGNORECASE)

_SPACES = {
    ord(blank): " "
    for blank in "\t\n\r\f\v\x1c\x1d\x1e\x1f\x85\u2028\u2029\u2002\u2003\u2009\u202f\u3000"
}
_NOTHING = dict.fromkeys(
    [0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, *range(9), *range(0x0E, 0x1C), 0x7F]
)
# numeric references such as &#146; mean Windows' characters, whatever the standard says
_WINDOWS = {
    code: bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
}
_KEPT_BLANK = "\ue000"  # stands for a blank of <pre>, where runs of them are columns
_FLOWING = {**_SPACES, **_NOTHING, **_WINDOWS}
_KEPT = {
    **_NOTHING,
    **_WINDOWS,
    ord("\r"): None,
    ord("\f"): "\n",
    ord(" "): _KEPT_BLANK,
    ord("\t"): _KEPT_BLANK,
}

_BLANKS = re.compile(r" {2,}")
_AROUND_BREAK = re.compile(r" ?([\n\t]) ?")


def plain_text(markup: str) -> str:
    r"""What a reader sees of `markup`, its white space made single; empty where there is nothing to see.

    >>> plain_text("<p>Item&nbsp;1.</p><table><tr><td>Net sales</td><td>$5</td></tr></table>")
    'Item 1.\n\nNet sales\t$5'
    """
    reader = _Reader()
    # its stubs say that a target gets bytes as well
    parser = etree.HTMLParser(target=reader, encoding="utf-8", huge_tree=True)  # type: ignore[arg-type]
    parser.feed(markup.replace("\x00", "").encode("utf-8", "replace"))
    parser.close()
    return reader.text


class _Reader:
    """What the parser calls. A separator waits until text follows, so that the strongest of several is written."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._separator = ""
        self._at_cell_start = False
        self._unseen = 0  # open elements since, and with, the first that is not seen
        self._pre = 0

    def start(self, tag: str, attrib: Mapping[str, str]) -> None:
        if self._unseen or tag in _UNSEEN or _HIDDEN.search(attrib.get("style", "")):
            self._unseen += 1
            return
        self._pre += tag == "pre"
        if tag in _CELLS:
            self._at_cell_start = True
        else:
            self._break(tag)

    def end(self, tag: str) -> None:
        if self._unseen:
            self._unseen -= 1
            return
        self._pre -= tag == "pre"
        if tag in _CELLS:
            if not self._at_cell_start:
                # also in place of the line break at the end of a paragraph in the cell
                self._separator = "\t"
            self._at_cell_start = False
        else:
            self._break(tag)

    def _break(self, tag: str) -> None:
        if tag in _LINES:
            self._separator = "\n" if self._separator != "\n\n" else "\n\n"
        elif tag in _PARAGRAPHS and not self._at_cell_start:
            self._separator = "\n\n"

    def data(self, data: str) -> None:
        if self._unseen:
            return
        text = data.translate(_KEPT if self._pre else _FLOWING)
        if self._separator and not self._pre:
            text = text.lstrip(" \xa0")
        if not text:
            return
        self._at_cell_start = False
        self._pieces += (self._separator, text)
        self._separator = ""

    def comment(self, text: str) -> None:
        """Nobody sees it."""

    def close(self) -> None:
        """The parser asks for it at the end."""

    @property
    def text(self) -> str:
        """What was read, its white space made single."""
        text = "".join(self._pieces).replace("\xa0", " ")
        return _AROUND_BREAK.sub(r"\1", _BLANKS.sub(" ", text)).replace(_KEPT_BLANK, " ").strip()
