"""The file that answers are appended to, each whole the moment it is there."""

from __future__ import annotations

import contextlib
import gzip
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ingather.errors import SetupError
from ingather.jobs.owner import take
from ingather.jobs.place import FLAGS, created, make_alike, opened, place_of
from ingather.jobs.rescue import (
    Spare,
    append,
    beside,
    copy_range,
    fate,
    free_name,
    pieces_of,
    written_again,
)
from ingather.jobs.written import whole_bytes
from ingather.stats import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ingather.jobs.owner import Owner

_LOOK = 1.0  # seconds from one look at the file's name to the next


class OutputFailed(SetupError):
    """An answer cannot be written: the disk is full, or the reader has gone."""


class AnswerFile:
    """Where answers go: a file that is appended to, or ``"-"`` for standard output.

    Each line is one write on a descriptor in append mode, so a crash leaves whole lines; only a
    ``kill -9`` amid a write may tear the last one, which resuming takes out. Where `path` ends in
    ``.gz``, each is a gzip member of its own, of which a file may have any number.
    One process at a time has it.

    With `overwrite`, a file that holds something is left as it is: answers go to ``PATH.part``
    beside it, and `replace` puts that in its place. With `resume` such a part is gone on with.
    Raises SetupError where the file cannot be written, is another's, has a name that says another
    format, or holds something that may be neither replaced nor gone on with. Nothing is emptied
    before `begin`.

    `trouble`: what others did to the file while it was written, in words. `is_whole`: all that was
    written is where it should be, in spite of that.
    """

    def __init__(self, path: str, *, overwrite: bool = False, resume: bool = False) -> None:
        self.path = path
        self.written = 0
        self.trouble: list[str] = []
        self.is_whole = True
        self.place = place_of(path, overwrite=overwrite, resume=resume)
        self.file = self.place.file
        self._anew = overwrite
        self._packed = path.lower().endswith(".gz")
        self._before: list[int] = []  # descriptors of the files that it was: they hold its locks
        self._descriptor, self._is_new = opened(self.place)
        self._size = 0
        self._spare: Spare | None = None
        self._empty_first = False
        self._next_look = 0.0
        here = os.fstat(self._descriptor)
        self.regular = stat.S_ISREG(here.st_mode)
        self._had_name = here.st_nlink > 0  # standard output may be a file that never has one
        self._is_linked = self.place.is_file and Path(path).absolute() != self.place.target
        self._leads_there = True

    def __repr__(self) -> str:
        return f"AnswerFile({self.path!r}, {self.written} answers)"

    @property
    def name(self) -> str:
        """How messages call the place where the answers are."""
        if self.path == "-":
            return "standard output"
        if not self.place.is_file or (self.file == self.place.target and self._leads_there):
            return self.path
        return f"{self.path}{self.file.suffix}" if self.file == self.place.part else str(self.file)

    @property
    def is_elsewhere(self) -> bool:
        """Whether the answers had to be put where nobody asked for them."""
        return self.place.is_file and self.file not in (self.place.target, self.place.part)

    def lock(self, owner_before: Owner | None = None) -> None:
        """Have it alone until it is closed. Raises SetupError where another process has it."""
        if not self.place.is_file:
            return
        try:
            take(self._descriptor, self.path, owner_before)
            if self.place.replaces and not self._before:  # only who has the one makes the other
                self._before.append(self._descriptor)
                self._descriptor, self._is_new = created(self.file)
                take(self._descriptor, self.name, owner_before)
        except SetupError:
            self._is_new = False  # it is the other's, who may have made it in this very moment
            raise

    def begin(self, kept: int = 0, *, spare: bool = False) -> None:
        """Now the run starts: the first `kept` bytes of the file stay, the rest is a torn line.

        What an earlier run began to replace the file with, and this one begins anew, stays until
        the first answer. `spare`: the answers are nowhere else, so a second copy is kept as long as
        they are written.
        """
        if not self.place.is_file:
            return
        self.lock()
        try:
            self._empty_first = self._anew and self.place.replaces
            if not self._empty_first:
                self._cut(kept)
        except OSError as error:
            raise SetupError(
                f"cannot write to {self.name}: {error.strerror}; it is as it was"
            ) from error
        if spare:
            self._spare = Spare(self.file.parent, self._size)

    def write(self, line: bytes) -> None:
        """Append one whole line. Raises OutputFailed where the disk is full or the reader has gone."""
        whole = gzip.compress(line, mtime=0) if self._packed else line
        if self.place.is_file:
            self._prepare()
        before = os.fstat(self._descriptor).st_size
        try:
            append(self._descriptor, whole)
        except OSError as error:
            if self.regular:  # half a line would spoil the file for its readers
                # the error that brought us here is the one to report
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, before)
            if self._spare is not None and self._spare.is_whole:
                self._spare.close()  # its room may be just what is missing
                self.write(line)
                return
            so_far = f"{counted(self.written, 'answer is', 'answers are')} in it"
            raise OutputFailed(
                f"cannot write to {self.name}: {error.strerror}; {so_far}"
            ) from error
        self._size = before + len(whole)
        if self._spare is not None:
            self._spare.add(whole)
        self.written += 1

    def look(self) -> None:
        """See that the answers are where they should be, and put them there again where they are not."""
        if not self.place.is_file:
            if self.regular and self._had_name and not os.fstat(self._descriptor).st_nlink:
                self.trouble.append(
                    f"{self.name} is a file that was deleted meanwhile: its answers are gone"
                )
                self.is_whole = False
            return
        if self._empty_first:
            return
        found = fate(self._descriptor, self.file, self._size)
        if found == "cut":
            self._mend()
        elif found == "gone":
            self._rescue(f"{self.name} was deleted or moved while it was written", self._content())
        elif found == "another":
            self._rescue(
                f"another program has put a file of its own at {self.name}",
                self._content(),
                taken=True,
            )
        elif found == "grown":
            self._size = os.fstat(self._descriptor).st_size
            self.trouble.append(
                f"another program has written to {self.name} too: it holds more than the answers"
            )
        if (
            self._is_linked
            and self._leads_there
            and os.path.realpath(self.path) != str(self.place.target)
        ):
            self._leads_there = False
            self.trouble.append(
                f"{self.path} was deleted or moved: it was a link to the file with the answers"
            )

    def rearrange(self, pieces: Sequence[tuple[int, int]]) -> None:
        """Of what the file holds, only these pieces stay, from where to where, in this order.

        In a new file that takes the place of this one when it is whole: a crash leaves the one or
        the other. Raises OSError; the file is as it was then.
        """
        # one that a crash left is taken: we have the lock
        draft = self.file.with_name(f".{self.file.name}.draft")
        descriptor = os.open(draft, os.O_RDWR | FLAGS | os.O_TRUNC, 0o600)
        try:
            take(descriptor, self.name, None)
            with self.file.open("rb") as old, os.fdopen(os.dup(descriptor), "ab") as new:
                for start, end in pieces:
                    copy_range(old, new, start, end)
            make_alike(descriptor, self._descriptor)
            os.fsync(descriptor)
            draft.replace(self.file)
        except BaseException:
            os.close(descriptor)
            draft.unlink(missing_ok=True)
            raise
        self._become(descriptor, self.file)

    def replace(self, *, keep_old: bool) -> Path | None:
        """The new answers take the place of what was there. `keep_old`: that stays beside them, at the path given back.

        Raises OSError where that cannot be: then both files are as they were.
        """
        target, old = self.place.target, None
        if target.exists():
            make_alike(self._descriptor, self._before[0])
            if keep_old:
                old = free_name(target.with_name(target.name + ".old"))
                os.link(target, old)
        os.fsync(self._descriptor)
        try:
            self.file.replace(target)
        except (
            OSError
        ):  # such as a file that is a mount: its content can be replaced, now that all is on disk
            with self.file.open("rb") as new, target.open("r+b") as there:
                copy_range(new, there, 0, self._size)
                there.truncate()
                os.fsync(there.fileno())
            self.file.unlink()
            self._become(os.open(target, os.O_RDWR | FLAGS), target)
        self.file = target
        return old

    def close(self) -> None:
        """Close the file."""
        if self._spare is not None:
            self._spare.close()
        if self.path != "-":
            for descriptor in (self._descriptor, *self._before):
                os.close(descriptor)

    def discard(self) -> None:
        """Close it before anything was written: a file that was not there before is not there after."""
        if self._is_new and not self.written and fate(self._descriptor, self.file, 0) == "there":
            self.file.unlink(missing_ok=True)
        self.close()

    def _become(self, descriptor: int, path: Path) -> None:
        self._before.append(self._descriptor)
        self._descriptor, self.file = descriptor, path
        self._size = os.fstat(descriptor).st_size

    def _cut(self, kept: int) -> None:
        os.ftruncate(self._descriptor, kept)
        if kept and not self._packed and os.pread(self._descriptor, 1, kept - 1) != b"\n":
            append(self._descriptor, b"\n")  # a whole line that only lacks its end
        self._size = os.fstat(self._descriptor).st_size

    def _prepare(self) -> None:
        """Before a line is written: all that was written before is still there."""
        if self._empty_first:
            self._empty_first = False
            self._cut(0)
        now = time.monotonic()
        if now >= self._next_look or os.fstat(self._descriptor).st_size != self._size:
            self._next_look = now + _LOOK
            self.look()

    def _rescue(self, why: str, content: Iterable[bytes], *, taken: bool = False) -> None:
        """The name is gone, or `taken`: the content is written again, under a name of its own then."""
        to = free_name(beside(self.file, ".rescued")) if taken else self.file
        try:
            descriptor, there = written_again(content, to)
        except OSError as error:
            if self.is_whole:
                self.trouble.append(f"{why}, and cannot be made again: {error}")
            self.is_whole = False
            return
        with contextlib.suppress(SetupError):
            take(descriptor, self.name, None)
        self._become(descriptor, there)
        self.is_whole = self.is_whole and there == to and not taken
        if taken:
            self.trouble.append(f"{why}, which is left as it is")
        elif there == to:
            self.trouble.append(f"{why}; all of it has been written again")
        else:
            self.trouble.append(f"{why}, and cannot be made again")

    def _content(self) -> Iterable[bytes]:
        try:
            yield from pieces_of(self._descriptor)
        except OSError:
            if self._spare is None or self._spare.start:
                raise
            yield from self._spare.since(0)

    def _mend(self) -> None:
        """Somebody has cut the file: what is missing is written again, as far as there is a second copy of it."""
        left = os.fstat(self._descriptor).st_size
        spare = self._spare if self._spare is not None and self._spare.is_whole else None
        said = f"{self.name} was cut by another program while it was written"
        if spare is not None and spare.start <= left and not spare.agrees(self._descriptor, left):
            said = f"another program has written something else to {self.name}"
            self._rescue(said, spare.since(spare.start), taken=True)
        elif spare is not None and spare.start <= left:
            self.trouble.append(f"{said}; what was missing has been written again")
            self._append(spare.since(left))
        else:
            self.is_whole = False
            os.ftruncate(self._descriptor, whole_bytes(self.file))
            kept = (
                "only answers of this run are written again"
                if spare is not None
                else "answers are missing in it"
            )
            self.trouble.append(f"{said}: {kept}")
            self._append(() if spare is None else spare.since(spare.start))
        if spare is not None and not self.is_whole:
            self._spare = None  # what it says of places in the file does not hold any more
            spare.close()

    def _append(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            append(self._descriptor, piece)
        self._size = os.fstat(self._descriptor).st_size
