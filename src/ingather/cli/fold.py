"""Long lines, folded between words where somebody reads them in a terminal; files and pipes get them as they are."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from typing import TextIO

# of a line of a summary, whose text goes on under its beginning
_LABEL = re.compile(r"  \S+(?: \S+)?  +(?=\S)")
_COMMAND = "  ingather "  # to be copied: a line break in it would end it


def say(text: str, *, error: bool = False) -> None:
    """Print `text`, folded; `error`: to standard error."""
    stream = sys.stderr if error else sys.stdout
    print(fold(text, stream), file=stream, flush=True)


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
    label = _LABEL.match(line)
    under = " " * (label.end() if label else indent + 2)
    return "\n".join(
        textwrap.wrap(
            line,
            width,
            subsequent_indent=under,
            drop_whitespace=True,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )
