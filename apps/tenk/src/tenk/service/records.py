"""The service's memory: analyses and their filings, in tables of its own in the store's file.

What is awaited is on file. A filing is kept once, whoever sends it, and goes with the last analysis
of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ingather.errors import StoreError
from tenk.errors import TenkError
from tenk.service.state import AnalysisState, Summary, summary_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from ingather import Store

T = TypeVar("T")

# older services made these without a word about their version
_FIRST = """
CREATE TABLE IF NOT EXISTS tenk_filings (
    digest TEXT PRIMARY KEY,  -- SHA-256 of the content
    content BLOB NOT NULL,    -- as it came, deflated
    shown BLOB                -- for display: JSON in gzip
);
CREATE TABLE IF NOT EXISTS tenk_analyses (
    id TEXT PRIMARY KEY, created REAL NOT NULL, status TEXT NOT NULL,
    digest TEXT REFERENCES tenk_filings (digest),
    summary BLOB NOT NULL, state BLOB NOT NULL   -- JSON
);
CREATE INDEX IF NOT EXISTS tenk_by_created ON tenk_analyses (created);
"""
_STEPS = (_FIRST,)
_KEEP = "INSERT OR IGNORE INTO tenk_filings (digest, content) VALUES (?, ?)"
_SAVE = "INSERT OR REPLACE INTO tenk_analyses VALUES (?, ?, ?, ?, ?, ?)"
_UNDER_WAY = "status IN ('waiting', 'reading', 'running')"


class RecordsClosed(TenkError):
    """Something was to be kept or looked up after the records had been closed."""


class Kept(NamedTuple):
    """An analysis as it was last saved, and the digest of its filing, if that is here."""

    state: AnalysisState
    digest: str | None


class Records:
    """In the file of `store`, with which they end. After `close` all else raises `RecordsClosed`."""

    def __init__(self, store: Store) -> None:
        self._tables = store.tables("tenk", _STEPS)
        self._closed = False

    async def keep(self, state: AnalysisState, content: bytes) -> str:
        """Keep an analysis with its filing, both or neither; gives the filing's digest."""
        digest = sha256(content).hexdigest()
        row = _row(state, digest)
        packed = await asyncio.to_thread(zlib.compress, content, 1)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_KEEP, (digest, packed))
            connection.execute(_SAVE, row)

        await self._written(work)
        return digest

    async def filing(self, digest: str) -> bytes:
        """A filing's content; raises `LookupError` where it is not here."""
        row = await self._found("SELECT content FROM tenk_filings WHERE digest = ?", digest)
        if row is None:
            raise LookupError(digest)
        return await asyncio.to_thread(zlib.decompress, row[0])

    async def show(self, digest: str, shown: bytes) -> None:
        """Keep what is displayed of a filing."""
        await self._written(
            lambda c: c.execute(
                "UPDATE tenk_filings SET shown = ? WHERE digest = ?", (shown, digest)
            )
        )

    async def shown(self, analysis: str) -> bytes | None:
        """What is displayed of an analysis' filing, None as long as it has not been read."""
        row = await self._found(
            "SELECT f.shown FROM tenk_analyses a JOIN tenk_filings f ON f.digest = a.digest WHERE "
            "a.id = ?",
            analysis,
        )
        return None if row is None else row[0]

    async def save(self, state: AnalysisState, digest: str | None) -> None:
        """Keep an analysis as it is now."""
        row = _row(state, digest)
        await self._written(lambda c: c.execute(_SAVE, row))

    async def load(self, analysis: str) -> Kept | None:
        """An analysis as it was last saved, None where there is none."""
        row = await self._found("SELECT state, digest FROM tenk_analyses WHERE id = ?", analysis)
        return None if row is None else Kept(AnalysisState.model_validate_json(row[0]), row[1])

    async def recent(self, most: int) -> list[Summary]:
        """The newest analyses first."""
        query = "SELECT summary FROM tenk_analyses ORDER BY created DESC, id LIMIT ?"
        rows = await self._done(lambda c: c.execute(query, (most,)).fetchall())
        return [Summary.model_validate_json(row[0]) for row in rows]

    async def unfinished(self) -> list[Kept]:
        """Those that were under way when they were last saved, the oldest first."""
        query = f"SELECT state, digest FROM tenk_analyses WHERE {_UNDER_WAY} ORDER BY created"  # noqa: S608 - ours
        rows = await self._done(lambda c: c.execute(query).fetchall())
        return [Kept(AnalysisState.model_validate_json(row[0]), row[1]) for row in rows]

    async def forget(self, analysis: str) -> None:
        """Forget an analysis."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM tenk_analyses WHERE id = ?", (analysis,))
            _forget_filings(connection)

        await self._written(work)

    async def prune(self, kept: int) -> None:
        """Forget the oldest that have ended, so that no more than `kept` remain."""
        old = f"NOT {_UNDER_WAY} ORDER BY created DESC LIMIT -1 OFFSET ?"

        def work(connection: sqlite3.Connection) -> None:
            query = (
                f"DELETE FROM tenk_analyses WHERE id IN (SELECT id FROM tenk_analyses WHERE {old})"  # noqa: S608
            )
            if connection.execute(query, (kept,)).rowcount:
                _forget_filings(connection)

        await self._written(work)

    async def close(self) -> None:
        """Nothing more is kept; what waits is on file when this returns."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(StoreError):  # it was closed, and so all is written
                await self._tables.aread(lambda _: None)  # behind all that waits

    async def _found(self, query: str, value: str) -> tuple[bytes, str | None] | None:
        row: tuple[bytes, str | None] | None = await self._done(
            lambda c: c.execute(query, (value,)).fetchone()
        )
        return row

    async def _written(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Have `work` done in a transaction: all of it, or nothing."""
        self._check()
        await self._tables.awrite(work)

    async def _done(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self._check()
        return await self._tables.aread(work)

    def _check(self) -> None:
        if self._closed:
            raise RecordsClosed(
                "the records are closed, and nothing was written: the service is "
                "ending, or has ended"
            )

    def __repr__(self) -> str:
        return f"Records({self._tables!r}{', closed' if self._closed else ''})"


def _row(state: AnalysisState, digest: str | None) -> tuple[object, ...]:
    summary = summary_of(state).model_dump_json().encode()
    return (
        state.id,
        state.created,
        state.status,
        digest,
        summary,
        state.model_dump_json().encode(),
    )


def _forget_filings(connection: sqlite3.Connection) -> None:
    needed = "SELECT digest FROM tenk_analyses WHERE digest IS NOT NULL"
    connection.execute(f"DELETE FROM tenk_filings WHERE digest NOT IN ({needed})")  # noqa: S608 - ours
