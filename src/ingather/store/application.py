"""Tables that an application keeps in a store's file, beside the answers."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ingather.errors import StoreUnusable
from ingather.store.migration import kept_while, take
from ingather.store.writer import Job

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from ingather.store import Store
    from ingather.store.schema import Step
    from ingather.store.writer import Writer

T = TypeVar("T")

_NAME = re.compile(r"[a-z][a-z0-9]*")
_OURS = {"answers", "runs", "attempts", "outputs", "requests", "applications", "sqlite"}


class ApplicationTables:
    """Tables of an application in a store's file: made by `Store.tables`, with which they close.

    What is to be done is a function of a `sqlite3.Connection` to the file. It runs in a thread of
    its own, one after another, so it is safe to ask for from any thread and any loop; it should be
    quick, since answers are not written meanwhile where it writes, and it neither commits nor keeps
    the connection. What it returns is returned, and what it raises is raised, as it is.
    `StoreError` is raised where the file cannot be written or was closed.

    >>> from tempfile import TemporaryDirectory
    >>> from ingather import Store
    >>> steps = ["CREATE TABLE notes_pages (title TEXT PRIMARY KEY, text TEXT)"]
    >>> with TemporaryDirectory() as folder, Store(f"{folder}/run.db") as store:
    ...     notes = store.tables("notes", steps)
    ...     _ = notes.write(lambda db: db.execute("INSERT INTO notes_pages VALUES ('a', 'text')"))
    ...     notes.read(lambda db: db.execute("SELECT title FROM notes_pages").fetchall())
    [('a',)]
    """

    def __init__(self, store: Store, writer: Writer, name: str) -> None:
        self.name = name
        self._store = store  # which would close them, were it dropped
        self._writer = writer

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` finds. Waits for the file."""
        return self._writer.ask(work, alone=True)

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in a transaction: all of it or nothing. It is on file when this returns."""
        return self._writer.ask(work, writes=True, alone=True)

    async def aread(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Async version of `read`."""
        return await self._done(work, writes=False)

    async def awrite(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Async version of `write`. Once it is begun it is done, also where the caller is cancelled."""
        return await self._done(work, writes=True)

    async def _done(self, work: Callable[[sqlite3.Connection], T], *, writes: bool) -> T:
        future: Future[T] = Future()
        self._writer.put(Job(future, work=work, writes=writes, alone=True))  # type: ignore[arg-type]
        return await asyncio.wrap_future(future)

    def __repr__(self) -> str:
        return f"ApplicationTables({self.name!r})"


def open_tables(
    store: Store, writer: Writer, name: str, steps: Sequence[Step]
) -> ApplicationTables:
    """The tables of the application `name`, brought to the version that `steps` lead to."""
    path = store.path
    if _NAME.fullmatch(name) is None or name in _OURS:
        raise ValueError(
            f"the name of an application is lower-case letters and digits, and none of "
            f"{', '.join(sorted(_OURS))}: not {name!r}"
        )
    tables = ApplicationTables(store, writer, name)
    version = tables.read(partial(_version, name=name))
    if version < len(steps) and store.read_only:
        raise StoreUnusable(
            f"the tables of {name} in {path} have version {version}, older than {len(steps)}: open "
            f"the store once where it may be written"
        )
    if version < len(steps):
        begun = bool(version) or tables.read(partial(_has_any, name=name))
        with kept_while(path, version, is_needed=begun):
            version = tables.write(partial(_bring_up, name=name, steps=steps))
    if version > len(steps):
        raise StoreUnusable(
            f"the tables of {name} in {path} were made by a newer {name}: they have version "
            f"{version}, and this one knows those up to {len(steps)}. Upgrade {name}"
        )
    return tables


def _version(connection: sqlite3.Connection, name: str) -> int:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'applications'").fetchone():
        return 0  # a store of an older version, which is only read
    row = connection.execute("SELECT version FROM applications WHERE name = ?", (name,)).fetchone()
    return 0 if row is None else int(row[0])


def _bring_up(connection: sqlite3.Connection, name: str, steps: Sequence[Step]) -> int:
    version = _version(connection, name)  # another process may have done it meanwhile
    if version >= len(steps):
        return version
    others = _of_others(connection, name)
    for step in steps[version:]:
        take(step, connection)
    if _of_others(connection, name) != others:
        raise ValueError(f"whatever the steps of {name} make is to be named {name}_…, and no more")
    connection.execute("INSERT OR REPLACE INTO applications VALUES (?, ?)", (name, len(steps)))
    return len(steps)


def _of_others(connection: sqlite3.Connection, name: str) -> set[tuple[str, str, str | None]]:
    """All that is in the file but its own tables and what belongs to them, and how it was made."""
    rows = connection.execute("SELECT name, tbl_name, sql FROM sqlite_master").fetchall()
    return {row for row in rows if not _is_own(row[1], name)}


def _is_own(thing: str, name: str) -> bool:
    return thing.startswith(f"{name}_")


def _has_any(connection: sqlite3.Connection, name: str) -> bool:
    names = connection.execute("SELECT name FROM sqlite_master").fetchall()
    return any(_is_own(thing, name) for (thing,) in names)
