"""Where answers go: the file that a name stands for, what its ending promises, and the part file beside it."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from ingather.errors import SetupError
from ingather.jobs.file_types import check_output

PART = ".part"
FLAGS = os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, slots=True)
class Place:
    """`path`: as it was written. `target`: the file that it stands for, without symbolic links.

    `is_file`: a file of its own, rather than a stream or a device. `replaces`: the target holds
    something that stays until what replaces it is complete, and answers go to `part` until then.
    """

    path: str
    target: Path
    is_file: bool
    replaces: bool = False

    @property
    def part(self) -> Path:
        """The file beside the target in which its replacement grows."""
        return self.target.with_name(self.target.name + PART)

    @property
    def file(self) -> Path:
        """Where answers are written."""
        return self.part if self.replaces else self.target


def place_of(path: str, *, overwrite: bool = False, resume: bool = False) -> Place:
    """Where the answers go that are to be in `path`. Nothing is changed.

    Raises SetupError where they cannot go there: a folder, no folder, a name that says another
    format, a file that holds something, unless it may be replaced (`overwrite`) or gone on with
    (`resume`).
    """
    if path == "-":
        return Place(path, Path(path), is_file=False)
    try:
        return _place(path, overwrite=overwrite, resume=resume)
    except (OSError, ValueError) as error:
        if isinstance(error, SetupError):
            raise
        raise SetupError(f"cannot write {path}: {getattr(error, 'strerror', error)}") from error


def is_stream(path: str) -> bool:
    """Whether what is written there goes somewhere else at once: a pipe, a device, standard output by its name."""
    if Path(path).absolute().parts[:2] in {("/", "dev"), ("/", "proc")}:
        return True
    try:
        return not stat.S_ISREG(Path(path).stat().st_mode)
    except FileNotFoundError:
        return False


def _place(path: str, *, overwrite: bool, resume: bool) -> Place:
    if Path(path).is_dir():
        raise SetupError(f"{path} is a folder; name the file that the answers go to")
    if is_stream(path):
        return Place(path, Path(path), is_file=False)
    check_output(path)
    place = Place(path, Path(os.path.realpath(path)), is_file=True)
    if not place.target.parent.is_dir():
        folder = place.target.parent if Path(path).is_symlink() else Path(path).parent
        raise SetupError(f"cannot write {path}: there is no folder {folder}; make it first")
    is_full = place.target.exists() and place.target.stat().st_size > 0
    unfinished = place.part.is_file()
    if (resume and unfinished) or (overwrite and (is_full or unfinished)):
        _check_replaceable(place)
        return Place(path, place.target, is_file=True, replaces=True)
    if is_full and not resume and not overwrite:
        raise SetupError(
            f"{path} already exists and is not empty: --resume goes on with it, --overwrite "
            f"replaces it once the new "
            "answers are there, another -o leaves it as it is"
        )
    if unfinished and not resume:
        raise SetupError(
            f"{path}{PART} is there, in which an earlier run began to replace {path}: --resume "
            f"goes on with it, "
            "--overwrite begins anew"
        )
    return place


def _check_replaceable(place: Place) -> None:
    """Before the first call: in the end one file is to take the place of the other."""
    if place.target.exists() and not os.access(place.target, os.W_OK):
        raise SetupError(f"cannot write {place.path}: Permission denied")
    if not os.access(place.target.parent, os.W_OK | os.X_OK):
        raise SetupError(
            f"cannot replace {place.path}: its folder is not writable, so the new answers have no "
            f"place beside the old "
            "ones; give another -o"
        )


def opened(place: Place) -> tuple[int, bool]:
    """The descriptor of what stands there, and whether it was made for it. What is to be replaced is only read.

    Raises SetupError.
    """
    if place.path == "-":
        return 1, False
    try:
        if not place.is_file:
            return os.open(place.path, os.O_WRONLY | FLAGS, 0o666), False
        if place.replaces and place.target.exists():
            return os.open(place.target, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0)), False
        return created(place.file)
    except OSError as error:
        raise SetupError(f"cannot write {place.path}: {error.strerror}") from error


def created(path: Path) -> tuple[int, bool]:
    """A descriptor that appends to `path`, and whether the file was made for it. Raises OSError."""
    with contextlib.suppress(FileExistsError):
        return os.open(path, os.O_RDWR | FLAGS | os.O_EXCL, 0o666), True
    try:
        return os.open(path, os.O_RDWR | FLAGS, 0o666), False
    except PermissionError:  # it may be written, and not be read
        return os.open(path, os.O_WRONLY | FLAGS, 0o666), False


def make_alike(descriptor: int, other: int) -> None:
    """Give an open file the permissions and, where that is allowed, the owner of another one."""
    of = os.fstat(other)
    os.fchmod(descriptor, stat.S_IMODE(of.st_mode))
    with contextlib.suppress(OSError):
        os.fchown(descriptor, of.st_uid, of.st_gid)
