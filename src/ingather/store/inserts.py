"""Many rows in few statements: each statement lets other threads in twice, which costs more than a row."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_CHUNK = 32

COLUMNS = {
    "answers": "id, digest, stored, used, answer, asked",
    "attempts": "run, task, tag, attempt, queued, limited_by, slept, sent, ended, outcome, status, request_id, "
    "input_tokens, output_tokens, cost_usd",
    "requests": "output, id, request",
}


def insert(connection: sqlite3.Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Add `rows`, in place of those with the same key. The statements are few, so that SQLite has them prepared."""
    start = 0
    while start < len(rows):
        size = min(_CHUNK, 1 << ((len(rows) - start).bit_length() - 1))
        connection.execute(
            _statement(table, size), tuple(chain.from_iterable(rows[start : start + size]))
        )
        start += size


def _statement(table: str, size: int) -> str:
    columns = COLUMNS[table]
    row = f"({','.join('?' * (columns.count(',') + 1))})"
    return f"INSERT OR REPLACE INTO {table} ({columns}) VALUES {','.join([row] * size)}"  # noqa: S608 - names of ours
