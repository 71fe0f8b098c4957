"""Answers in a store: written as JSON, found by key, forgotten when they are old or in the way."""

from __future__ import annotations

import hashlib
import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from ingather import exact_json
from ingather.response import LLMResponse, Usage
from ingather.store.key import id_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from ingather.store.key import Key

logger = logging.getLogger("ingather")

DAY = 86_400.0
_CHUNK = 64  # keys that are looked up at once
_ROOM = 0.9  # how full a file with a cap is after an eviction
_MOST_EVICTED = 2_000  # rows at once, so that nobody waits long

_FIND = "SELECT turn, id, digest, stored, used, answer FROM answers WHERE id IN ({})"
_FINDS = {size: _FIND.format(",".join("?" * size)) for size in (1, 2, 4, 8, 16, 32, _CHUNK)}
_USED = "UPDATE answers SET turn = (SELECT max(turn) + 1 FROM answers), used = ? WHERE id = ?"


class Row(NamedTuple):
    """A stored answer, as it lies in the file."""

    turn: int
    id: int
    digest: bytes
    stored: float
    used: float
    answer: bytes


class Answers:
    """What a store looks for and keeps. Its methods run where the connection is.

    `since`: answers stored before that are not found. `max_age` in seconds, `max_bytes` of the
    whole file.
    """

    def __init__(self, since: float, max_age: float | None, max_bytes: int | None) -> None:
        self.since = since
        self.max_age = max_age
        self.max_bytes = max_bytes
        self._told = False

    def find(
        self, connection: sqlite3.Connection, keys: Sequence[bytes]
    ) -> tuple[list[LLMResponse | None], list[int]]:
        """An answer or None for each key; and the ids whose use is worth a note, since the last one is a day old."""
        now = time.time()
        oldest = self.since if self.max_age is None else max(self.since, now - self.max_age)
        found: list[LLMResponse | None] = []
        stale: list[int] = []
        for start in range(0, len(keys), _CHUNK):
            asked = keys[start : start + _CHUNK]
            rows = _rows(connection, asked)
            for key in asked:
                row = rows.get(id_of(key))
                response = None if row is None or row.stored < oldest else self._read(row, key)
                found.append(response)
                if row is not None and response is not None and row.used < now - DAY:
                    stale.append(row.id)
        return found, stale

    def evict(self, connection: sqlite3.Connection) -> None:
        """Where the file is over its cap, forget what was least recently used, and the oldest attempts with it."""
        if self.max_bytes is None:
            return
        size = live_bytes(connection)
        if size <= self.max_bytes:
            return
        share = 1 - _ROOM * self.max_bytes / size
        for table in ("answers", "attempts"):
            (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - names of ours
            count = min(_MOST_EVICTED, int(rows * share) + 1)
            oldest = f"SELECT rowid FROM {table} ORDER BY rowid LIMIT ?"  # noqa: S608
            connection.execute(f"DELETE FROM {table} WHERE rowid IN ({oldest})", (count,))  # noqa: S608

    def _read(self, row: Row, key: bytes) -> LLMResponse | None:
        response = read(row, key)
        if response is None and not self._told:
            self._told = True
            logger.warning(
                "ignoring row %d of the store, which is unreadable, and all others like it", row.id
            )
        return response


def row_of(key: Key, response: LLMResponse) -> tuple[object, ...]:
    """A row of the table `answers`, but for its turn."""
    now, answer = time.time(), written(response)
    return key.id, _digest(key.hash, answer), now, now, answer, key.asked()


def note_use(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """They were of use today."""
    now = time.time()
    connection.executemany(_USED, [(now, number) for number in numbers])


def live_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of the file that hold something."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * size)


def written(response: LLMResponse) -> bytes:
    """An answer as it is stored: all of it but the quota of its day."""
    usage = response.usage
    said: dict[str, object] = {
        "content": response.content,
        "model": response.model,
        "finish_reason": response.finish_reason,
        "usage": usage and _counts(usage),
        "function_call": response.function_call,
        "tool_calls": response.tool_calls,
        "metadata": response.metadata,
        "created_at": response.created_at,
        "cost_usd": response.cost_usd,
        "request_id": response.request_id,
        "logprobs": response.logprobs,
        "body": response.body and response.body.decode("utf-8", "replace"),
    }
    return exact_json.dumps(
        {name: value for name, value in said.items() if value is not None}, default=repr
    )


def _counts(usage: Usage) -> list[int]:
    counts = [usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.reasoning_tokens]
    written = [usage.cache_written_tokens, usage.cache_written_1h_tokens]
    return counts + written if any(written) else counts


def read(row: Row, key: bytes) -> LLMResponse | None:
    """The answer to what has this key; None for a row that we did not write so."""
    if not isinstance(row.answer, bytes) or row.digest != _digest(key, row.answer):
        return None
    try:
        said = exact_json.loads(row.answer)
        usage, body = said.pop("usage", None), said.pop("body", None)
        response = LLMResponse(
            said.pop("content"), finish_reason=said.pop("finish_reason", None), **said
        )
        response.usage = None if usage is None else Usage(*usage)
        response.body = None if body is None else body.encode()
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return response


def _rows(connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[int, Row]:
    numbers = [id_of(key) for key in keys]
    size = 1 << (len(numbers) - 1).bit_length()
    # few sizes, so that few statements are prepared
    numbers += [numbers[-1]] * (size - len(numbers))
    return {row[1]: Row(*row) for row in connection.execute(_FINDS[size], numbers).fetchall()}


def _digest(key: bytes, answer: bytes) -> bytes:
    return hashlib.sha256(key + answer).digest()[:16]
