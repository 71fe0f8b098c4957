"""The file of a store: its tables, who may read it, and what is not opened."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import time
from pathlib import Path
from urllib.parse import quote

from ingather.errors import StoreUnusable

APPLICATION = 0x696E6761  # "inga", which tells our files from all others
VERSION = 1
_BUSY = 30.0  # seconds to wait while another process writes
_LOOK_AGAIN = 0.01  # seconds

_TABLES = """
CREATE TABLE answers (
    turn INTEGER PRIMARY KEY, -- the higher, the more recently used, noted at most daily
    id INTEGER NOT NULL UNIQUE, -- the first 63 bits of the key, which is a SHA-256 of all that decides the answer
    digest BLOB NOT NULL,     -- of the whole key and the answer: a row that does not fit it is no answer
    stored REAL NOT NULL,     -- seconds since 1970, as all times here
    used REAL NOT NULL,
    answer BLOB NOT NULL,     -- JSON
    asked BLOB NOT NULL       -- JSON: what the key was made from, long requests as hashes of their parts
);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, started REAL NOT NULL, ended REAL, total INTEGER, succeeded INTEGER, failed INTEGER,
    what TEXT NOT NULL        -- who was asked, without a key
);
CREATE TABLE attempts (
    run INTEGER NOT NULL, task INTEGER NOT NULL, tag TEXT NOT NULL, attempt INTEGER NOT NULL,
    queued REAL NOT NULL,     -- when it began to wait for its turn
    limited_by TEXT NOT NULL, -- what it waited for longest: "pause" after a 429
    slept REAL NOT NULL,      -- seconds that its task had slept by then, after faults
    sent REAL NOT NULL,
    ended REAL NOT NULL,
    outcome TEXT NOT NULL,    -- "answered", or the class of the error
    status INTEGER, request_id TEXT, input_tokens INTEGER, output_tokens INTEGER, cost_usd REAL
);
CREATE INDEX attempts_by_run ON attempts (run);
CREATE TABLE outputs (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE,  -- seen from the store's folder
    since REAL NOT NULL,      -- older answers are not for it
    owner TEXT NOT NULL       -- who wrote it last
);
CREATE TABLE requests (
    output INTEGER NOT NULL, id TEXT NOT NULL, request BLOB NOT NULL, PRIMARY KEY (output, id)
) WITHOUT ROWID;
"""


class Name:
    """The name of the file that is there now, whatever folder the process changes to."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._file = path.stat()

    @property
    def still_holds(self) -> bool:
        """Whether it is still that file's. If not, what is written to the open file is not found again."""
        try:
            return os.path.samestat(self._path.stat(), self._file)
        except OSError:
            return False

    def __repr__(self) -> str:
        return f"Name({self._path})"


def open_file(path: Path, *, read_only: bool) -> tuple[sqlite3.Connection, Name]:
    """A connection to the store at `path`, made where it is not there. Raises StoreUnusable that says what to do."""
    try:
        connection = _read_only(path) if read_only else _writable(path)
        name = Name(path)
    except StoreUnusable:
        raise
    except (OSError, ValueError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise StoreUnusable(f"cannot open the store {path}: {reason}") from error
    return connection, name


def _writable(path: Path) -> sqlite3.Connection:
    if not path.parent.is_dir():
        raise StoreUnusable(
            f"cannot open the store {path}: there is no folder {path.parent}; make it first"
        )
    # it holds what was said; SQLite's own files beside it too
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    if not os.access(path, os.R_OK | os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    connection = _connected(path, "rw")
    try:
        if not _is_ours(connection, path):
            _patiently(connection, "PRAGMA journal_mode = WAL")
            _make(connection, path)
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _patiently(connection: sqlite3.Connection, statement: str) -> None:
    """Execute it, also where another process begins with the same file: for a new mode SQLite itself does not wait."""
    end = time.monotonic() + _BUSY
    while True:
        try:
            connection.execute(statement).fetchone()
        except sqlite3.OperationalError as error:
            is_busy = (error.sqlite_errorcode & 0xFF) in (
                sqlite3.SQLITE_BUSY,
                sqlite3.SQLITE_LOCKED,
            )
            if not is_busy or time.monotonic() > end:
                raise
            time.sleep(_LOOK_AGAIN)
        else:
            return


def _read_only(path: Path) -> sqlite3.Connection:
    # in a folder that is read-only too, SQLite has no room for what it shares
    for mode in ("ro", "ro&immutable=1"):
        connection = _connected(path, mode)
        try:
            if _is_ours(connection, path):
                return connection
        except sqlite3.OperationalError:
            connection.close()
            if Path(f"{path}-wal").exists() or mode != "ro":
                raise
        except BaseException:
            connection.close()
            raise
        else:
            connection.close()
            break
    raise StoreUnusable(f"{path} is empty, and a read-only store is not made")


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    address = f"file:{quote(str(path.absolute()))}?mode={mode}"
    connection = sqlite3.connect(
        address,
        uri=True,
        timeout=_BUSY,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=64,
    )
    connection.execute("PRAGMA cache_size = -32000")
    return connection


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether it holds our tables already, rather than nothing. Raises StoreUnusable for what else it may be."""
    if connection.in_transaction:
        return _look(connection, path)
    # so that all is seen at one moment: another process may be making it
    _patiently(connection, "BEGIN")
    try:
        return _look(connection, path)
    finally:
        connection.execute("ROLLBACK")


def _look(connection: sqlite3.Connection, path: Path) -> bool:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == APPLICATION and version == VERSION:
        return True
    if application == APPLICATION:
        raise StoreUnusable(
            f"{path} was made by a newer ingather (its version {version}, ours {VERSION}): upgrade"
        )
    if tables or version or application:
        raise StoreUnusable(f"{path} is a database of something else; name another file")
    return False


def _make(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _is_ours(connection, path):  # another process may have made it meanwhile
            for statement in _TABLES.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        # the error that brought us here is the one to report
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
