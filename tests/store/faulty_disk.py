"""A disk that fails: SQLite's own writes, each counted, and made to fail by the system's error when their turn comes.

SQLite reaches the system through a table of calls that may be replaced; it is there for tests such
as these. What is replaced is `pwrite` itself, so that all of SQLite, and all of ours above it,
meets the failure as a full disk gives it.
"""

import ctypes
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_PWRITE = ctypes.CFUNCTYPE(
    ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long, use_errno=True
)


class _Vfs(ctypes.Structure):
    """SQLite's `sqlite3_vfs`, of which only the table of system calls is used here."""


_SET = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Vfs), ctypes.c_char_p, ctypes.c_void_p)
_UNUSED = (
    "xOpen xDelete xAccess xFullPathname xDlOpen xDlError xDlSym xDlClose xRandomness xSleep xCurrentTime "
    "xGetLastError xCurrentTimeInt64"
)
_Vfs._fields_ = [
    ("iVersion", ctypes.c_int),
    ("szOsFile", ctypes.c_int),
    ("mxPathname", ctypes.c_int),
    ("pNext", ctypes.c_void_p),
    ("zName", ctypes.c_char_p),
    ("pAppData", ctypes.c_void_p),
    *((name, ctypes.c_void_p) for name in _UNUSED.split()),
    ("xSetSystemCall", _SET),
]


@dataclass
class Disk:
    """`writes`: how many there were. From the `fails_at`-th on, `lasts` of them fail with `error`, an errno."""

    fails_at: int
    error: int
    lasts: int = 1
    writes: int = 0


@contextmanager
def failing(fails_at: int, error: int, lasts: int = 1) -> Iterator[Disk]:
    """All of this process's SQLite writes fail from the `fails_at`-th on (the first is 1), `lasts` of them."""
    library = _library()
    library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    vfs = library.sqlite3_vfs_find(None)
    disk = Disk(fails_at, error, lasts)

    def pwrite(descriptor, data, size, offset):
        disk.writes += 1
        if disk.fails_at <= disk.writes < disk.fails_at + disk.lasts:
            ctypes.set_errno(disk.error)
            return -1
        return os.pwrite(descriptor, ctypes.string_at(data, size), offset)

    ours = _PWRITE(pwrite)
    names = (b"pwrite", b"pwrite64")  # which of them is used was decided when SQLite was built
    for name in names:
        vfs.contents.xSetSystemCall(vfs, name, ctypes.cast(ours, ctypes.c_void_p))
    try:
        yield disk
    finally:
        for name in names:
            vfs.contents.xSetSystemCall(vfs, name, None)


def _library() -> ctypes.CDLL:
    """The very SQLite that Python's module uses: the one that is loaded already."""
    connection = sqlite3.connect(":memory:")
    connection.close()
    try:
        maps = Path("/proc/self/maps").read_text()
        loaded = {line.split()[-1] for line in maps.splitlines() if "libsqlite3" in line}
    except OSError:
        loaded = set()
    if not loaded:
        pytest.skip("this Python has SQLite built in, where its system calls cannot be replaced")
    return ctypes.CDLL(loaded.pop())
