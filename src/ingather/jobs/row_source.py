"""Where rows come from: a file or standard input, gzipped or not, in one of the formats.

A format is one function from lines of bytes to rows. Nothing here holds more than one row.
"""

from __future__ import annotations

import os
import stat
import zlib
from dataclasses import dataclass, field
from io import BufferedReader, RawIOBase, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from ingather.errors import SetupError
from ingather.jobs.file_types import check_input
from ingather.jobs.rows import WIDE_BOMS, BadLine, Row, read_jsonl
from ingather.jobs.tables import read_csv, read_tsv

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

FORMATS: dict[str, Callable[[Iterable[bytes], str], Iterator[Row | BadLine]]] = {
    "jsonl": read_jsonl,
    "csv": read_csv,
    "tsv": read_tsv,
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from: a path, or ``"-"`` for standard input.

    `format`: ``"jsonl"``, ``"csv"`` or ``"tsv"``; unless given it is that of the path's ending, and
    JSON lines for all other endings. A path that ends in ``.gz`` is unpacked as it is read.

    Raises SetupError for another format, and where there is no such file, it is a folder, or it
    cannot be read.

    >>> Source("-").rereadable
    False
    """

    path: str
    format: str | None = None
    rereadable: bool = field(init=False, default=False)
    """Whether it is a regular file, which can be checked whole before it is run."""

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in FORMATS:
            raise SetupError(f"--format is one of {', '.join(FORMATS)}, not {self.format!r:.60}")
        if self.path == "-":
            _check_standard_input()
            return
        if self.format is None:
            check_input(self.path)
        try:
            mode = Path(self.path).stat().st_mode
            if not stat.S_ISDIR(mode) and not stat.S_ISFIFO(mode):
                Path(self.path).open("rb").close()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise SetupError(f"cannot read the tasks file {self.path}: {reason}") from error
        if stat.S_ISDIR(mode):
            raise SetupError(
                f"{self.path} is a folder; give one file of tasks (.jsonl, .csv or .tsv)"
            )
        object.__setattr__(self, "rereadable", stat.S_ISREG(mode))

    @property
    def name(self) -> str:
        """How messages call it."""
        return "standard input" if self.path == "-" else self.path

    @property
    def is_table(self) -> bool:
        """Whether its first line is a header."""
        return self._format() != "jsonl"

    def rows(self) -> Generator[Row | BadLine]:
        """All rows from the start; blank lines are skipped. Reads as it is iterated, one line at a time.

        Where the file cannot be read to its end (damaged gzip data, a failing disk), the last row
        is a `BadLine`.
        """
        with self._open() as file:
            lines = _Counted(_as_utf8(file))
            try:
                yield from FORMATS[self._format()](lines, self.name)
            except (OSError, EOFError, zlib.error) as error:
                packed = "corrupt or truncated gzip data, or none at all: " if self._packed else ""
                yield BadLine(
                    self.name, lines.number + 1, f"cannot be read from here on: {packed}{error}"
                )

    @property
    def _packed(self) -> bool:
        return self.path.lower().endswith(".gz")

    def _format(self) -> str:
        ending = self.path.lower().removesuffix(".gz").rpartition(".")[2]
        return self.format or (ending if ending in FORMATS else "jsonl")

    def _open(self) -> BinaryIO:
        # a buffer of our own on standard input: a thread that waits in sys.stdin's would hang the
        # interpreter's exit
        if self.path == "-":
            return open(0, "rb", closefd=False)
        if not self._packed:
            return Path(self.path).open("rb")
        import gzip

        # its own lines are cut in Python, slowly
        return BufferedReader(cast("RawIOBase", gzip.open(self.path, "rb")))


def _check_standard_input() -> None:
    try:
        os.read(0, 0)
    except OSError as error:
        raise SetupError(
            f"cannot read the tasks from standard input: {error.strerror}; pipe them in, or name a "
            f"file"
        ) from error


def _as_utf8(file: BinaryIO) -> Iterator[bytes]:
    """Its lines, in UTF-8 also where they are UTF-16, as spreadsheets save. Raises EOFError where it is damaged."""
    if cast("BufferedReader", file).peek(2)[:2] not in WIDE_BOMS:
        yield from file
        return
    text = TextIOWrapper(file, "utf-16", newline="\n")
    try:
        for line in text:
            yield line.encode()
    except UnicodeError as error:
        raise EOFError(f"damaged UTF-16 ({error.args[-1]})") from error
    finally:
        if not file.closed:  # who opened the file closes it, perhaps before all of it was read
            text.detach()


class _Counted:
    """Lines, and the number of the newest."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.number = 0
        self._lines = iter(lines)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        line = next(self._lines)
        self.number += 1
        return line
