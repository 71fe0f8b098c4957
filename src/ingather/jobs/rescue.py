"""Answers that others take away while they are written: how that is noticed, and what brings them back."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

_PIECE = 1 << 20

Fate = Literal["there", "gone", "another", "cut", "grown"]


def fate(descriptor: int, path: Path, size: int) -> Fate:
    """What became of the open file that `path` was the name of, when it had `size` bytes.

    ``"gone"``: the name is gone. ``"another"``: it is another file's now. ``"cut"``: bytes are
    missing. ``"grown"``: others have written to it as well.
    """
    here = os.fstat(descriptor)
    try:
        there = path.stat()
    except OSError:
        return "gone"
    if not os.path.samestat(here, there):
        return "another"
    if here.st_size == size:
        return "there"
    return "cut" if here.st_size < size else "grown"


def written_again(content: Iterable[bytes], path: Path) -> tuple[int, Path]:
    """A new file with `content`: at `path`, whose folder is made if need be, else in the folder for temporary files.

    Gives its descriptor, to append with, and where it is. Raises OSError where it can be nowhere.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, flags, 0o666)
    except OSError:
        path = free_name(Path(tempfile.gettempdir()) / path.name)
        descriptor = os.open(path, flags, 0o600)
    for piece in content:
        append(descriptor, piece)
    return descriptor, path


def free_name(path: Path) -> Path:
    """`path`, or the first of `path`-2, -3, … that is not there."""
    number, free = 1, path
    while os.path.lexists(free):
        number += 1
        free = beside(path, f"-{number}")
    return free


def beside(path: Path, ending: str) -> Path:
    """`path` with `ending`, before a ``.gz``, which says how to read it.

    >>> beside(Path("a.jsonl.gz"), ".rescued").name
    'a.jsonl.rescued.gz'
    """
    packed = path.suffix if path.suffix.lower() == ".gz" else ""
    return path.with_name(f"{path.name.removesuffix(packed)}{ending}{packed}")


def append(descriptor: int, data: bytes) -> None:
    """All of `data`, however often the system has to be asked."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def pieces_of(descriptor: int) -> Iterable[bytes]:
    """What an open file holds, wherever its name has gone. Raises OSError where it may not be read."""
    at = 0
    while piece := os.pread(descriptor, _PIECE, at):
        yield piece
        at += len(piece)


def copy_range(old: BinaryIO, new: BinaryIO, start: int, end: int) -> None:
    """The bytes of `old` from `start` to `end`, appended to `new`."""
    old.seek(start)
    size = end - start
    while size > 0 and (piece := old.read(min(size, _PIECE))):
        new.write(piece)
        size -= len(piece)


class Spare:
    """A second copy of what is written, in a file without a name that goes with this process.

    It never stands in the way: where it cannot be made or written, there is none.
    """

    def __init__(self, folder: Path, start: int) -> None:
        self.start = start  # the offset in the first copy where this one begins
        self._file: IO[bytes] | None = None
        with contextlib.suppress(OSError):
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - closed by `close`

    @property
    def is_whole(self) -> bool:
        """Whether it has all that was added."""
        return self._file is not None

    def add(self, data: bytes) -> None:
        if self._file is None:
            return
        try:
            append(self._file.fileno(), data)
        except OSError:
            self.close()

    def agrees(self, descriptor: int, end: int) -> bool:
        """Whether an open file of `end` bytes has from `start` on what this copy begins with."""
        at = self.start
        with contextlib.suppress(OSError):  # it may be written, and not be read
            for piece in self.since(at):
                there = os.pread(descriptor, len(piece), at)
                if there != piece[: len(there)]:
                    return False
                at += len(there)
                if len(there) < len(piece):
                    break
        return self.is_whole and at == end

    def since(self, offset: int) -> Iterable[bytes]:
        """What it has from `offset` of the first copy on."""
        if self._file is not None:
            at = offset - self.start
            while piece := os.pread(self._file.fileno(), _PIECE, at):
                yield piece
                at += len(piece)

    def close(self) -> None:
        """Give its room back."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __repr__(self) -> str:
        return f"Spare(from {self.start}{'' if self.is_whole else ', closed'})"
