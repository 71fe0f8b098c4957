"""Long lines, folded between words where somebody reads them in a terminal; files and pipes get them as they are."""

from __future__ import annotations

import shutil
import textwrap
from typing import TextIO

_LABEL = 14  # columns of a summary's label, under which its text goes on
_COMMAND = "  ingather "  # to be copied: a line break in it would end it


def fold(text: str, stream: TextIO) -> str:
    """`text` for `stream`, no line of it wider than the terminal, but for commands.

    >>> import io
    >>> fold("a long line", io.StringIO())
    'a long line'
    """
    if not stream.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(_folded(line, width) for line in text.split("\n"))


def _folded(line: str, width: int) -> str:
    if len(line) <= width or line.startswith(_COMMAND):
        return line
    indent = len(line) - len(line.lstrip())
    has_label = indent == 2 and line[_LABEL - 2 : _LABEL] == "  "
    under = " " * (_LABEL if has_label else indent + 2)
    return "\n".join(
        textwrap.wrap(
            line, width, subsequent_indent=under, drop_whitespace=True, break_long_words=False, break_on_hyphens=False
        )
    )
