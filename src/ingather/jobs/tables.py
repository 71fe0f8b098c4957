"""Rows of CSV and TSV: a header line, then a row each, with fields in quotes where they need them."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from ingather.jobs.delimiter import SIGNS, parted
from ingather.jobs.rows import BOM, BadLine, Row, encoding_problem
from ingather.stats import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# characters of a field: a whole document, but not the rest of a file after a stray quote
_LARGEST = 64 * 1024 * 1024


def read_csv(lines: Iterable[bytes], name: str) -> Iterator[Row | BadLine]:
    """Rows of a table whose cells are parted by commas, or by what its header says; quoted ones may span lines.

    All values are text. A column without a name, as pandas writes its index, is ``column 1``, or
    where it stands.
    """
    return _read(lines, name, None)


def read_tsv(lines: Iterable[bytes], name: str) -> Iterator[Row | BadLine]:
    """Rows of a table whose cells are parted by tabs, quoted as in CSV."""
    return _read(lines, name, "\t")


def _read(lines: Iterable[bytes], name: str, delimiter: str | None) -> Iterator[Row | BadLine]:
    csv.field_size_limit(max(csv.field_size_limit(), _LARGEST))
    decoded = _Decoded(lines)
    text: Iterable[str] = decoded
    skipped = 0
    try:
        if delimiter is None:
            delimiter, skipped, text = parted(decoded)
    except UnicodeDecodeError as error:
        yield BadLine(name, decoded.number, encoding_problem(error))
        return
    table = csv.reader(text, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        line = skipped + table.line_num + 1
        try:
            cells = next(table, None)
        except UnicodeDecodeError as error:
            yield BadLine(name, decoded.number, encoding_problem(error))
            return  # the reader may stand inside a quoted field: what follows cannot be told apart
        except csv.Error as error:
            yield BadLine(name, line, f"no row: {_csv_problem(error)}")
            continue
        if cells is None:
            return
        if not cells:
            continue
        if header is None:
            header = [cell if cell.strip() else f"column {at}" for at, cell in enumerate(cells, 1)]
            if problem := _header_problem(header):
                yield BadLine(name, line, problem)
                return
        elif len(cells) != len(header):
            sign = SIGNS.get(delimiter, repr(delimiter))
            said = f"{counted(len(cells), 'cell')} where the header has {len(header)}; a {sign} or quote too many?"
            yield BadLine(name, line, said)
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
        return (raw.removeprefix(BOM) if self.number == 1 else raw).decode("utf-8", "strict")


def _csv_problem(error: csv.Error) -> str:
    if "new-line character" in str(error):  # what Python says of it is about its own use
        return "a carriage return without a line feed; put that field in quotes, or save the file with usual line ends"
    return f"{error}; a quote inside a quoted field is written twice"


def _header_problem(cells: list[str]) -> str:
    twice = sorted({cell for cell in cells if cells.count(cell) > 1})
    if twice:
        return f"the header names {twice[0]!r} twice; give each column a name of its own"
    return ""
