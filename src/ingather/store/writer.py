"""The one thread that has a store's connection. It takes all that waits, commits it once, then answers it: no timer."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import sqlite3
import threading
import weakref
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol, TypeVar

from ingather.errors import NotSent, StoreError
from ingather.store.answer_table import note_use
from ingather.store.inserts import insert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ingather.response import LLMResponse
    from ingather.store.answer_table import Answers
    from ingather.store.file import Name

    Work = Callable[[sqlite3.Connection], object]

logger = logging.getLogger("ingather")
T = TypeVar("T")


class Refusing(Protocol):
    """What can be told, from any thread, to send nothing more."""

    def refuse(self, error: Exception) -> None: ...


class Job:
    """What is to be done, and who waits for it, if anybody does.

    One of these: an answer is found by its `key`; a `row` goes into `table`; `work` is done, in the
    transaction where it `writes`. `alone`: what it raises is its own, as it is, and spoils nothing
    of what is written beside it.
    """

    __slots__ = ("alone", "error", "future", "key", "outcome", "row", "table", "work", "writes")

    def __init__(
        self,
        future: asyncio.Future[LLMResponse | None] | asyncio.Future[None] | Future[object] | None,
        *,
        key: bytes = b"",
        table: str = "",
        row: tuple[object, ...] = (),
        work: Work | None = None,
        writes: bool = True,
        alone: bool = False,
    ) -> None:
        self.future = future
        self.key = key
        self.table = table
        self.row = row
        self.work = work
        self.writes = writes and not key
        self.alone = alone
        self.outcome: object = None
        self.error: Exception | None = None


class Writer:
    """Serves one connection from a thread, which begins with the first job and ends with `close`.

    `failed`: why nothing could be written, until a new run begins. `terms`: those of the executors
    that write here.
    """

    def __init__(
        self, connection: sqlite3.Connection, name: Name, answers: Answers, path: Path
    ) -> None:
        self.failed: StoreError | None = None
        self.terms: weakref.WeakSet[Refusing] = weakref.WeakSet()
        self._connection = connection
        self._answers = answers
        self._path = path
        self._name = name
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        # a garbage collection inside may end a call, which notes its attempt
        self._lock = threading.RLock()
        self._closed = False
        self._pid = os.getpid()

    def put(self, job: Job) -> None:
        """Have `job` done. Raises StoreError where the store is closed, or another process's."""
        if self._pid != os.getpid():
            raise StoreError(
                f"the store {self._path} was opened before a fork: open it anew in "
                f"the child process"
            )
        with self._lock:  # or `close` might come between, after which nobody answers
            if self._closed:
                raise StoreError(f"the store {self._path} is closed")
            if self._thread is None:
                thread = threading.Thread(target=self._serve, name="ingather-store", daemon=True)
                thread.start()
                self._thread = thread
            self._jobs.put(job)

    def ask(
        self,
        work: Callable[[sqlite3.Connection], T],
        *,
        writes: bool = False,
        alone: bool = False,
    ) -> T:
        """What `work` gives, waited for: for who has no loop. Raises StoreError."""
        future: Future[T] = Future()
        self.put(Job(future, work=work, writes=writes, alone=alone))  # type: ignore[arg-type]
        return future.result()

    def close(self) -> None:
        """Do what is still to be done, and close the file."""
        thread = self._ended()
        if thread is not None and thread is not threading.current_thread():
            thread.join()  # but where it has found the store as garbage itself

    def _ended(self) -> threading.Thread | None:
        """Take no more jobs; the thread that closes the file when it has done those that it has."""
        if self._pid != os.getpid():
            return None
        with self._lock:
            if self._closed:
                return None
            self._closed = True
            self._jobs.put(None)
        if self._thread is None:
            self._connection.close()
        return self._thread

    def let_go(self) -> None:
        """As `close`, for a store that was dropped: on an event loop nothing may wait for the file."""
        if asyncio._get_running_loop() is None:  # noqa: SLF001 - the public form raises where there is none
            self.close()
        elif (thread := self._ended()) is not None:
            atexit.register(thread.join)  # what waits is written also where the process ends now

    def _serve(self) -> None:
        open_ = True
        while open_:
            batch = [self._jobs.get()]
            while not self._jobs.empty():
                batch.append(self._jobs.get())
            jobs = [job for job in batch if job is not None]
            open_ = len(jobs) == len(batch)
            self._write([job for job in jobs if job.writes])
            self._read([job for job in jobs if not job.writes])
            _answer(jobs)
        self._connection.close()

    def _write(self, jobs: list[Job]) -> None:
        """All of it, or nothing."""
        if not jobs:
            return
        connection = self._connection
        if not self._name.still_holds:
            self._fail("write to", FileNotFoundError(), jobs)
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
            rows: dict[str, list[tuple[object, ...]]] = {}
            for job in jobs:
                if job.alone:
                    _do_alone(job, connection)
                elif job.work is not None:
                    job.outcome = job.work(connection)
                else:
                    rows.setdefault(job.table, []).append(job.row)
            for table, new in rows.items():
                insert(connection, table, new)
            self._answers.evict(connection)
            connection.execute("COMMIT")
        except Exception as error:
            # SQLite has taken it back by itself after most failures
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            self._fail("write to", error, jobs)

    def _fail(self, do: str, error: Exception, jobs: Iterable[Job]) -> None:
        gone = "it was deleted, moved or replaced while it was open; open it anew"
        failure = StoreError(
            f"cannot {do} the store {self._path}: {error if self._name.still_holds else gone}"
        )
        failure.__cause__ = error
        if self.failed is None:
            logger.warning("%s", failure)
        self.failed = failure
        for job in jobs:
            job.error = failure
        for terms in tuple(self.terms):
            terms.refuse(NotSent(f"not sent: {failure}"))

    def _read(self, jobs: list[Job]) -> None:
        lookups = [job for job in jobs if job.key]
        try:
            if lookups:
                self._find(lookups)
        except Exception as error:
            self._fail("read", error, lookups)
        for job in jobs:
            try:
                if job.work is not None:
                    job.outcome = job.work(self._connection)
            except Exception as error:
                job.error = error
                if not job.alone:
                    job.error = StoreError(f"cannot read the store {self._path}: {error}")
                    job.error.__cause__ = error

    def _find(self, lookups: list[Job]) -> None:
        found, stale = self._answers.find(self._connection, [job.key for job in lookups])
        for job, answer in zip(lookups, found, strict=True):
            job.outcome = answer
            if answer is None:  # what could not be stored must not be bought
                job.error = self.failed
        if stale:
            self._jobs.put(Job(None, work=lambda connection: note_use(connection, stale)))

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"failed: {self.failed}" if self.failed else "open"
        return f"Writer({self._path}, {state}, {self._jobs.qsize()} jobs wait)"


def _do_alone(job: Job, connection: sqlite3.Connection) -> None:
    """Its work, taken back where it raises; what makes SQLite take all of it back is everybody's."""
    connection.execute("SAVEPOINT alone")
    try:
        job.outcome = job.work(connection) if job.work is not None else None
    except Exception as error:
        if not connection.in_transaction:
            raise
        connection.execute("ROLLBACK TO alone")
        job.error = error
    connection.execute("RELEASE alone")


def _answer(jobs: Iterable[Job]) -> None:
    """Let those who wait go on, all of a loop's at once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in jobs:
        if isinstance(job.future, Future):
            if not job.future.set_running_or_notify_cancel():
                continue  # who waited has gone
            if job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.outcome)
        elif job.future is not None:
            by_loop.setdefault(job.future.get_loop(), []).append(job)
    for loop, theirs in by_loop.items():
        with contextlib.suppress(RuntimeError):  # it was closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, theirs)


def _settle(jobs: list[Job]) -> None:
    for job in jobs:
        future = job.future
        if future is None or future.done():
            continue
        if job.error is not None:
            future.set_exception(job.error)
        else:
            future.set_result(job.outcome)  # type: ignore[arg-type]
