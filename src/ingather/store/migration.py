"""From one version of tables to the next, with a copy of the file beside it until that is done."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING
from urllib.parse import quote

from ingather.errors import StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ingather.store.schema import Step


def take(step: Step, connection: sqlite3.Connection) -> None:
    """Take one step, in the transaction that is open."""
    if not isinstance(step, str):
        step(connection)
        return
    statement = ""
    for line in step.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
    if statement.strip():  # the last one may lack its semicolon
        connection.execute(statement)


@contextlib.contextmanager
def kept_while(path: Path, version: int, *, is_needed: bool) -> Iterator[None]:
    """Keep a copy of the store at `path` beside it during the block, which migrates it in one transaction.

    Whatever happens, SQLite leaves the store as it was or migrated whole: the copy is for what
    nobody foresaw, and stays where the process is killed meanwhile. Raises StoreUnusable where
    there is no room for it.
    """
    if not is_needed:
        yield
        return
    backup = backup_of(path, version)
    _copy(path, backup)
    try:
        yield
    finally:
        backup.unlink(missing_ok=True)


def backup_of(path: Path, version: int) -> Path:
    """Where the copy is."""
    return path.with_name(f"{path.name}.version-{version}.backup")


def _copy(path: Path, backup: Path) -> None:
    draft = backup.with_name(f"{backup.name}.part")
    try:
        draft.unlink(missing_ok=True)
        # it holds what was said, and is nobody else's business either
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        source = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)
        target = sqlite3.connect(draft)
        with contextlib.closing(source), contextlib.closing(target):
            source.backup(target)
        draft.replace(backup)
    except (OSError, sqlite3.Error) as error:
        draft.unlink(missing_ok=True)
        size = path.stat().st_size / 2**20
        raise StoreUnusable(
            f"the store {path} is of an older version, and could not be copied before it is "
            f"migrated: {error}. It is as it was. Its folder must be writable, with "
            f"{size:,.1f} MiB of room"
        ) from error
