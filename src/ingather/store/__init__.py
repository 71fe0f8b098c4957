"""One SQLite file that remembers answers, and tells what became of each attempt."""

from __future__ import annotations

import asyncio
import contextlib
import time
import weakref
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from ingather.errors import StoreError
from ingather.process.threads import run_in_thread
from ingather.store.answer_table import Answers, live_bytes, row_of
from ingather.store.application import ApplicationTables, open_tables
from ingather.store.file import open_file
from ingather.store.journal import Journal
from ingather.store.writer import Job, Writer

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import Callable, Sequence

    from ingather.response import LLMResponse
    from ingather.store.key import Key
    from ingather.store.schema import Step
    from ingather.store.writer import Refusing

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoreStats:
    """What a store holds. `bytes`: of the file; `oldest` and `newest`: when answers were stored, seconds since 1970."""

    answers: int
    runs: int
    attempts: int
    bytes: int
    oldest: float | None
    newest: float | None


class Store:
    """Answers on disk: a call whose answer is there is not sent again, after any end of the process.

    Give it to an executor (``store=Store(…)``, or just the path). Only complete answers are kept
    that fit what was asked for, under a hash of the very bytes that go on the wire and of the
    task's `sample`. Several executors and processes may share one. What a result of an executor
    holds is in the file before it is handed out.

    `path`: the file, made if it is not there, readable by you alone. `max_age`: seconds after which
    an answer does not count any more. `max_bytes`: of the file; above it the answers go that were
    least recently used (their use is noted at most daily), and the oldest attempts. `read_only`:
    answers are found, and nothing is written. `refresh`: answers stored before now do not count,
    and are replaced.

    A file of an older version is migrated when it is opened, while a copy of it is kept beside it.

    Raises `StoreUnusable` for a file that cannot be opened, is not a store, or was made by a newer
    version. Opening takes a few milliseconds, for which it blocks an event loop.

    >>> from tempfile import TemporaryDirectory
    >>> from ingather import Store
    >>> with TemporaryDirectory() as folder, Store(f"{folder}/run.db") as store:
    ...     store.stats().answers
    0
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_age: float | None = None,
        max_bytes: int | None = None,
        read_only: bool = False,
        refresh: bool = False,
    ) -> None:
        for name, value in (("max_age", max_age), ("max_bytes", max_bytes)):
            if value is not None and not value > 0:
                raise ValueError(f"{name} is a positive number or None, not {value!r}")
        self.path = Path(path)
        self.read_only = read_only
        self._answers = Answers(time.time() if refresh else 0.0, max_age, max_bytes)
        self._writer = Writer(*open_file(self.path, read_only=read_only), self._answers, self.path)
        # also at exit: what waits is written
        self._finalizers = [weakref.finalize(self, self._writer.let_go)]
        self._writers = [self._writer]

    def stats(self) -> StoreStats:
        """How much it holds. Waits for the file."""
        return self._writer.ask(_stats)

    def clear(self, *, older_than: float = 0.0) -> int:
        """Forget the answers and attempts that are older than so many seconds, and give their room back.

        Gives how many answers went. Waits for the file.
        """
        gone = self._writer.ask(partial(_clear, before=time.time() - older_than), writes=True)
        self._writer.ask(lambda connection: connection.execute("VACUUM"))
        return gone

    @property
    def since(self) -> float:
        """Answers stored before that do not count; seconds since 1970."""
        return self._answers.since

    @since.setter
    def since(self, moment: float) -> None:
        self._answers.since = moment

    def tables(self, name: str, steps: Sequence[Step]) -> ApplicationTables:
        """Tables of your own application in this file.

        `name`: of the application, in lower-case letters and digits; all that is made is named
        ``NAME_…``. `steps`: from nothing to the tables as they are now, one for each version that
        was ever released, SQL or a function of the connection. Those that the file lacks are taken
        in one transaction, while a copy of the file is kept beside it. Waits for the file; closed
        with the store.

        Raises `StoreUnusable` where the tables were made by a newer version of the application, or
        cannot be made, and what a step raises: then the file is as it was.
        """
        # a connection and a thread of their own: no answer waits for what an application writes
        writer = Writer(
            *open_file(self.path, read_only=self.read_only), Answers(0.0, None, None), self.path
        )
        try:
            tables = open_tables(self, writer, name, steps)
        except BaseException:
            writer.close()
            raise
        self._finalizers.append(weakref.finalize(self, writer.let_go))
        self._writers.append(writer)
        return tables

    def close(self) -> None:
        """Write what waits, and close the file. Closing again does nothing."""
        for finalizer in self._finalizers:
            finalizer.detach()
        for writer in self._writers:
            writer.close()

    async def aclose(self) -> None:
        """Async version of `close`."""
        await run_in_thread(self.close, "closing the store")

    # -- for executors

    @property
    def failure(self) -> StoreError | None:
        """Why nothing can be written now."""
        return self._writer.failed

    def forgive(self) -> None:
        """A new run begins: what failed may have been mended since. Its first row will show it."""
        self._writer.failed = None

    def journal(self, what: str, terms: Refusing) -> Journal | None:
        """For one executor: a subscriber that writes a row for each run and each attempt.

        `what`: who is asked, without a key. `terms`: are told to send nothing more, where something
        cannot be written.
        """
        if self.read_only:
            return None
        self._writer.terms.add(terms)
        return Journal(self._note, what)

    async def find(self, key: Key) -> LLMResponse | None:
        """The answer to what has this key. Raises StoreError where there is none and none could be stored."""
        future: asyncio.Future[LLMResponse | None] = asyncio.get_running_loop().create_future()
        self._writer.put(Job(future, key=key.hash))
        return await future

    async def keep(self, key: Key, response: LLMResponse) -> None:
        """Store an answer; it is on file when this returns. Raises StoreError where it cannot be."""
        if not self.read_only:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._writer.put(Job(future, table="answers", row=row_of(key, response)))
            await future

    async def write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Have `work` done in the next transaction, and wait until that is on file. Raises StoreError."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writer.put(Job(future, work=work))
        await future

    def ask(self, work: Callable[[sqlite3.Connection], T], *, writes: bool = False) -> T:
        """What `work` gives, waited for: for who has no loop. Raises StoreError."""
        return self._writer.ask(work, writes=writes)

    def _note(self, job: Job) -> None:
        # it was closed meanwhile: who waits for an answer is told
        with contextlib.suppress(StoreError):
            self._writer.put(job)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        mode = ", read only" if self.read_only else ""
        return f"Store({str(self.path)!r}{mode}, {self._writer!r})"


def _stats(connection: sqlite3.Connection) -> StoreStats:
    (answers, oldest, newest) = connection.execute(
        "SELECT count(*), min(stored), max(stored) FROM answers"
    ).fetchone()
    (runs,) = connection.execute("SELECT count(*) FROM runs").fetchone()
    (attempts,) = connection.execute("SELECT count(*) FROM attempts").fetchone()
    return StoreStats(answers, runs, attempts, live_bytes(connection), oldest, newest)


def _clear(connection: sqlite3.Connection, before: float) -> int:
    gone = connection.execute("DELETE FROM answers WHERE stored <= ?", (before,)).rowcount
    connection.execute("DELETE FROM attempts WHERE ended <= ?", (before,))
    connection.execute("DELETE FROM runs WHERE ended <= ?", (before,))
    return gone
