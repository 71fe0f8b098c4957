"""Which request each row of an answer file was asked with: what makes it safe to go on with that file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ingather.store.file import open_file
from ingather.store.inserts import insert

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from ingather.store import Store


class Known(NamedTuple):
    """An answer file that the store has seen. `since`: older answers are not for it. `owner`: who last wrote it."""

    number: int
    since: float
    owner: str


class OutputRows:
    """The rows of one answer file, by their ids. Its methods wait for the file: not to be called on a loop.

    The file is known by its path as seen from the store's folder, so that both may be moved
    together.
    """

    def __init__(self, store: Store, path: str) -> None:
        self.store = store
        self.path = _seen_from(store.path, path)
        self.known = store.ask(self._look)
        self._reading: sqlite3.Connection | None = None

    def begin(self, owner: str, *, since: float | None, anew: bool) -> None:
        """A run on it begins. `since`: seconds since 1970, None: as before. `anew`: nothing is known of its rows."""

        def work(connection: sqlite3.Connection) -> Known | None:
            connection.execute(
                "INSERT INTO outputs (path, since, owner) VALUES (?, ?, ?) ON CONFLICT (path) DO "
                "UPDATE "
                "SET owner = excluded.owner",
                (self.path, since or 0.0, owner),
            )
            known = self._look(connection)
            if known is not None and since is not None:
                connection.execute(
                    "UPDATE outputs SET since = ? WHERE id = ?", (since, known.number)
                )
            if known is not None and anew:
                connection.execute("DELETE FROM requests WHERE output = ?", (known.number,))
            return self._look(connection)

        self.known = self.store.ask(work, writes=True)

    def becomes(self, path: str) -> None:
        """The file has taken the place of the one at `path`: what was known of that is forgotten. Raises StoreError."""
        place = _seen_from(self.store.path, path)

        def work(connection: sqlite3.Connection) -> None:
            old = connection.execute("SELECT id FROM outputs WHERE path = ?", (place,)).fetchone()
            if old is not None:
                connection.execute("DELETE FROM requests WHERE output = ?", old)
                connection.execute("DELETE FROM outputs WHERE id = ?", old)
            connection.execute("UPDATE outputs SET path = ? WHERE path = ?", (place, self.path))

        self.store.ask(work, writes=True)
        self.path = place

    def note(self, requests: Sequence[tuple[str, bytes]]) -> None:
        """These rows, id and request, are about to be asked. On file when this returns. Raises StoreError."""
        if self.known is None or not requests:
            return
        number = self.known.number
        rows = [(number, key, request) for key, request in requests]
        self.store.ask(lambda connection: insert(connection, "requests", rows), writes=True)

    def request_of(self, key: str) -> bytes | None:
        """What the row with this id was asked with; None where that is not known."""
        if self.known is None:
            return None
        if self._reading is None:
            self._reading, _ = open_file(self.store.path, read_only=True)
        found = self._reading.execute(
            "SELECT request FROM requests WHERE output = ? AND id = ?", (self.known.number, key)
        ).fetchone()
        return None if found is None else bytes(found[0])

    def read(self) -> None:
        """Reading is over for now."""
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    def _look(self, connection: sqlite3.Connection) -> Known | None:
        found = connection.execute(
            "SELECT id, since, owner FROM outputs WHERE path = ?", (self.path,)
        ).fetchone()
        return None if found is None else Known(*found)

    def __repr__(self) -> str:
        return f"OutputRows({self.path!r}, {'known' if self.known else 'not known'})"


def _seen_from(store: Path, path: str) -> str:
    whole = os.path.realpath(path)
    try:
        return os.path.relpath(whole, Path(os.path.realpath(store)).parent)
    except ValueError:  # another drive
        return whole
