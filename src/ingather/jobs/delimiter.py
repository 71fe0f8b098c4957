"""Which sign parts the cells of a table: a comma, or where the header says so a semicolon, a tab or a bar."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SIGNS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_MOST_LINES = 100  # of a record that spans lines


def parted(lines: Iterator[str]) -> tuple[str, int, Iterable[str]]:
    r"""The sign that parts the cells, how many lines only said so, and the lines of the table.

    A first line ``sep=;``, as spreadsheets write it, says it. Otherwise the header does: the sign
    that it has outside quotes; where there are several, the one that parts header and first row
    into equally many cells, the more the likelier; a sign with a space after it is rather part of a
    name. No more lines are read ahead than that takes.

    >>> sign, _, lines = parted(iter(["id;price, net\n", "1;2,50\n"]))
    >>> sign, list(lines)
    (';', ['id;price, net\n', '1;2,50\n'])
    """
    header = _record(lines)
    first = "".join(header).strip().lower()
    if first.startswith("sep=") and len(first) <= len("sep=;"):
        return first.removeprefix("sep=") or "\t", len(header), lines
    counts = {sign: _cells(header, sign) for sign in SIGNS}
    found = [sign for sign, count in counts.items() if count > 1]
    if len(found) < 2:
        return (found or [","])[0], 0, chain(header, lines)
    row = _record(lines)
    fitting = [sign for sign in found if not row or _cells(row, sign) == counts[sign]]
    plain = "".join(header)
    # of equals the first
    sign = max(fitting or [","], key=lambda sign: (counts[sign], f"{sign} " not in plain))
    return sign, 0, chain(header, row, lines)


def _record(lines: Iterator[str]) -> list[str]:
    """The lines of the next record, and blank ones before it: a quoted cell may span several."""
    record: list[str] = []
    quotes = 0
    for line in lines:
        record.append(line)
        quotes += line.count('"')
        if (line.strip() and quotes % 2 == 0) or len(record) >= _MOST_LINES:
            break
    return record


def _cells(record: list[str], sign: str) -> int:
    return _QUOTED.sub("", "".join(record)).count(sign) + 1
