"""Files that are written at the end: checked before the first call, and replaced only by what is whole."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from tenk.errors import TenkError

_KNOWN = {
    ".json",
    ".jsonl",
    ".ndjson",
    ".csv",
    ".tsv",
    ".xlsx",
    ".parquet",
    ".html",
    ".htm",
    ".pdf",
    ".docx",
    ".gz",
}
_KNOWN |= {".md", ".markdown", ".txt", ".zip", ".db", ".sqlite", ".xml", ".yaml", ".yml"}


def check_writable(path: Path, source: str, endings: tuple[str, ...]) -> None:
    """Raises `TenkError` where `path` cannot be written, is what is read (`source`), or has another format's ending."""
    if (
        path.is_dir()
        or not path.parent.is_dir()
        or not os.access(path if path.exists() else path.parent, os.W_OK)
    ):
        raise TenkError(
            f"{str(path)!r} cannot be written: name a file in a folder that is there "
            f"and yours to write"
        )
    if path.suffix.lower() in _KNOWN and path.suffix.lower() not in endings:
        raise TenkError(
            f"{str(path)!r} says another format than is written: name it "
            f"{path.with_suffix(endings[0])}"
        )
    is_read = False
    with contextlib.suppress(OSError, ValueError):  # a source that is no file is not overwritten
        is_read = path.samefile(source)
    if is_read:
        raise TenkError(f"{str(path)!r} is the filing that is read: name another file")


def save(path: Path, text: str) -> None:
    """Write a file whole, or leave what was there as it is. Raises `TenkError`."""
    try:
        _save(path, text.encode())
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise TenkError(f"cannot write {path}: {reason}") from error


def _save(path: Path, content: bytes) -> None:
    target = Path(os.path.realpath(path))
    there = target.stat() if target.exists() else None
    if there is None or not stat.S_ISREG(there.st_mode) or not os.access(target.parent, os.W_OK):
        path.write_bytes(content)  # nothing to lose, a pipe or a device, or no room beside it
        return
    descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).chmod(stat.S_IMODE(there.st_mode))
        with contextlib.suppress(OSError):
            os.chown(draft, there.st_uid, there.st_gid)
        Path(draft).replace(target)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
