"""From a file to rows: each with its line number; a line that is no row is a `BadLine` in its place.

A format is one function from lines of bytes to rows. Nothing here holds more than one row.
"""

from __future__ import annotations

import csv
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import orjson

from ingather.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BOM = b"\xef\xbb\xbf"
_LIST_HINT = " (`jq -c '.[]' FILE` writes a list so, `jq -c . FILE` an object)"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")


class BadLine(SetupError):
    """One line of the input cannot become a task; the message says where, why, and what to do.

    `id`: what its result is filed under.
    """

    def __init__(self, name: str, line: int, problem: str, key: str | int | None = None) -> None:
        super().__init__(f"{name}, line {line}: {problem}")
        self.line = line
        self.id = f"line-{line}" if key is None else key


@dataclass(slots=True)
class Row:
    """One row of the input: its fields, and the line of the file it starts at (the first is 1)."""

    line: int
    fields: dict[str, object]


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from: a path, or ``"-"`` for standard input. ``.csv`` is read as CSV, all else as JSON lines.

    Raises SetupError where there is no such file, it is a folder, or it cannot be read.

    >>> Source("-").rereadable
    False
    """

    path: str
    rereadable: bool = field(init=False, default=False)
    """Whether it is a regular file, which can be checked whole before it is run."""

    def __post_init__(self) -> None:
        if self.path == "-":
            return
        try:
            mode = Path(self.path).stat().st_mode
            if not stat.S_ISDIR(mode) and not stat.S_ISFIFO(mode):
                Path(self.path).open("rb").close()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise SetupError(f"cannot read the tasks file {self.path}: {reason}") from error
        if stat.S_ISDIR(mode):
            raise SetupError(f"{self.path} is a folder; give one file of tasks (.jsonl or .csv)")
        object.__setattr__(self, "rereadable", stat.S_ISREG(mode))

    @property
    def name(self) -> str:
        """How messages call it."""
        return "standard input" if self.path == "-" else self.path

    def rows(self) -> Iterator[Row | BadLine]:
        """All rows from the start; blank lines are skipped. Reads as it is iterated, one line at a time."""
        read = read_csv if self.path.lower().endswith(".csv") else read_jsonl
        with self._open() as file:
            yield from read(file, self.name)

    def _open(self) -> BinaryIO:
        # a buffer of our own on standard input: a thread that waits in sys.stdin's would hang the interpreter's exit
        return open(0, "rb", closefd=False) if self.path == "-" else Path(self.path).open("rb")


def read_jsonl(lines: Iterable[bytes], name: str) -> Iterator[Row | BadLine]:
    """Rows of JSON lines: one object a line."""
    for number, raw in enumerate(lines, 1):
        text = (raw.removeprefix(_BOM) if number == 1 else raw).strip()
        if not text:
            continue
        try:
            fields = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            yield BadLine(name, number, _json_problem(text, error))
            continue
        if isinstance(fields, dict):
            yield Row(number, fields)
        else:
            yield BadLine(
                name,
                number,
                f"a line is one JSON object {{…}}, not {_short(text)}{_LIST_HINT * isinstance(fields, list)}",
            )


def read_csv(lines: Iterable[bytes], name: str) -> Iterator[Row | BadLine]:
    """Rows of CSV with a header line; quoted fields may span lines."""
    csv.field_size_limit(max(csv.field_size_limit(), sys.maxsize))  # a field may be a whole document
    decoded = _Decoded(lines)
    table = csv.reader(decoded, strict=True)
    header: list[str] | None = None
    while True:
        line = table.line_num + 1
        try:
            cells = next(table, None)
        except (csv.Error, UnicodeDecodeError) as error:
            if isinstance(error, UnicodeDecodeError):
                yield BadLine(name, decoded.number, _encoding_problem(error))
                return  # the reader may stand inside a quoted field: what follows cannot be told apart
            yield BadLine(name, line, f"not CSV: {error}; a quote inside a quoted field is written twice")
            continue
        if cells is None:
            return
        if not cells:
            continue
        if header is None:
            header = cells
            if problem := _header_problem(cells):
                yield BadLine(name, line, problem)
                return
        elif len(cells) != len(header):
            yield BadLine(
                name, line, f"{len(cells)} cells where the header has {len(header)}; a comma or quote too many?"
            )
        else:
            yield Row(line, dict(zip(header, cells, strict=True)))


class _Decoded:
    """Lines of text, and the number of the newest."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.number = 0
        self._lines = iter(lines)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = next(self._lines)
        self.number += 1
        return (raw.removeprefix(_BOM) if self.number == 1 else raw).decode("utf-8", "strict")


def _header_problem(cells: list[str]) -> str:
    twice = sorted({cell for cell in cells if cells.count(cell) > 1})
    if twice:
        return f"the header names {twice[0]!r} twice; give each column a name of its own"
    return "" if all(cell.strip() for cell in cells) else "the header has a column without a name"


def _json_problem(text: bytes, error: orjson.JSONDecodeError) -> str:
    if text.startswith(_WIDE_BOMS):
        return "the file is UTF-16; save it as UTF-8"
    if text in (b"[", b"{", b"[{"):
        return "JSON over several lines; one object a line is read" + _LIST_HINT
    try:
        text.decode("utf-8", "strict")
    except UnicodeDecodeError as encoding:
        return _encoding_problem(encoding)
    if "surrogate" in str(error):
        return f"half of a surrogate pair (such as \\ud800) is no character; remove it (column {error.colno})"
    return f"not JSON ({error.msg}, column {error.colno}): {_short(text)}"


def _encoding_problem(error: UnicodeDecodeError) -> str:
    return f"not UTF-8: byte 0x{error.object[error.start]:02x} at position {error.start}; save the file as UTF-8"


def _short(text: bytes) -> str:
    shown = text.decode("utf-8", "replace")
    return shown if len(shown) <= 60 else shown[:57] + "…"
