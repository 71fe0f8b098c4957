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
from ingather.store.migration import kept_while, take
from ingather.store.schema import APPLICATION, READABLE, STEPS, VERSION

_BUSY = 30.0  # seconds to wait while another process writes
_MIGRATING = (
    3600.0  # seconds to wait while another process migrates the file, which it copies first
)
_LOOK_AGAIN = 0.01  # seconds


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
        if version_of(connection, path) < VERSION:
            _patiently(connection, "PRAGMA journal_mode = WAL")
            _bring_up(connection, path)
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _patiently(connection: sqlite3.Connection, statement: str, seconds: float = _BUSY) -> None:
    """Execute it, also where another process begins with the same file.

    For a new journal mode SQLite itself does not wait.
    """
    end = time.monotonic() + seconds
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
            if version_of(connection, path) >= READABLE:
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


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The version of its tables; 0 for an empty file. Raises StoreUnusable for what else it may be."""
    if connection.in_transaction:
        return _look(connection, path)
    # so that all is seen at one moment: another process may be making it
    _patiently(connection, "BEGIN")
    try:
        return _look(connection, path)
    finally:
        connection.execute("ROLLBACK")


def _look(connection: sqlite3.Connection, path: Path) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application == APPLICATION and 0 < version <= VERSION:
        return int(version)
    if application == APPLICATION:
        raise StoreUnusable(
            f"{path} was made by a newer ingather: its tables have version {version}, and this "
            f"one knows those up to {VERSION}. Upgrade ingather"
        )
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables or version or application:
        raise StoreUnusable(f"{path} is a database of something else; name another file")
    return 0


def _bring_up(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables, or bring them to our version: all of it, or nothing."""
    _patiently(connection, "BEGIN IMMEDIATE", _MIGRATING)
    version = 0
    try:
        version = version_of(connection, path)  # another process may have done it meanwhile
        with kept_while(path, version, is_needed=0 < version < VERSION):
            for step in STEPS[version:]:
                take(step, connection)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
    except BaseException as error:
        # the error that brought us here is the one to report
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        if version and isinstance(error, sqlite3.Error):
            raise StoreUnusable(
                f"the store {path} could not be migrated from version {version} to {VERSION}: "
                f"{error}. It is as it was"
            ) from error
        raise
