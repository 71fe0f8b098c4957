"""Answers: one JSON line for each result, appended whole the moment it is there."""

from __future__ import annotations

import contextlib
import gzip
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ingather.errors import SetupError
from ingather.jobs.encoding import encoded
from ingather.jobs.owner import take
from ingather.result import LLMResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ingather.jobs.owner import Owner
    from ingather.result import TaskResult

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
_PIECE = 1 << 20


def answer_line(
    result: TaskResult,
    key: str | int,
    metadata: Mapping[str, object] | None = None,
    dump: Callable[[object], object] | None = None,
) -> bytes:
    """The line, newline included, that says what became of one task. `dump` makes JSON values of an answer's instance.

    >>> from ingather import TaskResult
    >>> answer_line(TaskResult("a", True, LLMResponse("Paris")), "a")[:51]
    b'{"id":"a","index":0,"success":true,"value":"Paris",'
    """
    line = {
        "id": key,
        "index": result.index,
        "success": result.success,
        "value": _value(result.value, dump) if result.success else None,
        "error": _error(result),
        "usage": None if result.usage is None else _usage(result),
        "cost_usd": result.cost_usd,
        "attempts": result.attempts,
        "rejected": result.rejected,
        "duration_ms": round(result.duration_ms, 1),
        "cached": result.cached,
        "metadata": metadata,
    }
    return encoded(line | {"unsaved": True} if result.unsaved else line)


class AnswerFile:
    """Where answers go: a file that is appended to, or ``"-"`` for standard output.

    Each line is one write on a descriptor in append mode, so a crash leaves whole lines; where `path` ends in ``.gz``,
    each is a gzip member of its own, of which a file may have any number. One process at a time has it. Raises
    SetupError where the file cannot be written, is another's, is named as a table, or is there already and not empty,
    unless it may be replaced (`overwrite`) or gone on with (`resume`). Nothing is emptied before `begin`.
    """

    def __init__(self, path: str, *, overwrite: bool = False, resume: bool = False) -> None:
        self.path = path
        self.written = 0
        self._packed = path.lower().endswith(".gz")
        self._is_new = path != "-" and not Path(path).exists()
        self._descriptor = 1 if path == "-" else _opened(path, may_be_full=overwrite or resume)
        self._before: list[int] = []  # descriptors of the file that it was: they hold its lock
        self.regular = stat.S_ISREG(os.fstat(self._descriptor).st_mode)

    def __repr__(self) -> str:
        return f"AnswerFile({self.path!r}, {self.written} answers)"

    @property
    def name(self) -> str:
        """How messages call it."""
        return "standard output" if self.path == "-" else self.path

    def lock(self, owner_before: Owner | None = None) -> None:
        """Have it alone until it is closed. Raises SetupError where another process has it."""
        if not self.regular or self.path == "-":
            return
        try:
            take(self._descriptor, self.name, owner_before)
        except SetupError:
            self._is_new = False  # it is the other's, who may have made it in this very moment
            raise

    def begin(self, kept: int = 0, without: Sequence[tuple[int, int]] = ()) -> None:
        """Now the run starts: of what the file holds its first `kept` bytes stay, but for the pieces in `without`."""
        if not self.regular or self.path == "-":
            return
        try:
            if without:
                self._rewrite(kept, without)
            else:
                os.ftruncate(self._descriptor, kept)
        except OSError as error:
            raise SetupError(f"cannot write to {self.name}: {error.strerror}; it is as it was") from error

    def write(self, line: bytes) -> None:
        """Append one whole line. Raises SetupError where the disk is full or the reader has gone: then stop paying."""
        whole = gzip.compress(line, mtime=0) if self._packed else line
        rest = memoryview(whole)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            self._take_back(len(whole) - len(rest))
            so_far = f"{self.written:,} answers are in it"
            raise SetupError(f"cannot write to {self.name}: {error.strerror}; {so_far}") from error
        self.written += 1

    def close(self) -> None:
        """Close the file."""
        if self.path != "-":
            for descriptor in (self._descriptor, *self._before):
                os.close(descriptor)

    def discard(self) -> None:
        """Close it before anything was written: a file that was not there before is not there after."""
        if self._is_new and not self.written:
            Path(self.path).unlink(missing_ok=True)
        self.close()

    def _rewrite(self, kept: int, without: Sequence[tuple[int, int]]) -> None:
        """In a new file that takes the place of this one when it is whole: a crash leaves the one or the other."""
        target = Path(os.path.realpath(self.path))
        draft = target.with_name(f".{target.name}.draft")  # one that a crash left is taken: we have the lock
        descriptor = os.open(draft, _FLAGS | os.O_TRUNC, stat.S_IMODE(os.fstat(self._descriptor).st_mode))
        try:
            take(descriptor, self.name, None)
            with target.open("rb") as old, os.fdopen(os.dup(descriptor), "ab") as new:
                for start, end in (*without, (kept, kept)):
                    _copy(old, new, start - old.tell())
                    old.seek(end)
                new.flush()
                os.fsync(new.fileno())
            draft.replace(target)
        except BaseException:
            os.close(descriptor)
            draft.unlink(missing_ok=True)
            raise
        self._before.append(self._descriptor)
        self._descriptor = descriptor

    def _take_back(self, written: int) -> None:
        if written and self.regular:  # half a line would spoil the file for its readers
            with contextlib.suppress(OSError):  # the error that brought us here is the one to report
                os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - written)


def _copy(old: BinaryIO, new: BinaryIO, size: int) -> None:
    while size > 0:
        piece = old.read(min(size, _PIECE))
        new.write(piece)
        size -= len(piece) or size


def _opened(path: str, *, may_be_full: bool) -> int:
    target = Path(path)
    if path.lower().removesuffix(".gz").endswith((".csv", ".tsv")):
        raise SetupError(f"answers are JSON lines, which {path} does not say: name it .jsonl or .jsonl.gz")
    try:
        if target.is_dir():
            raise SetupError(f"{path} is a folder; name the file that the answers go to")
        if target.is_file() and target.stat().st_size and not may_be_full:
            raise SetupError(
                f"{path} is there already and not empty; give another -o, --overwrite to replace it, or a --store from "
                "the start to go on with it"
            )
        if not target.parent.is_dir():
            raise SetupError(f"cannot write {path}: there is no folder {target.parent}; make it first")
        return os.open(target, _FLAGS, 0o666)
    except (OSError, ValueError) as error:
        if isinstance(error, SetupError):
            raise
        raise SetupError(f"cannot write {path}: {getattr(error, 'strerror', error)}") from error


def _value(value: Any, dump: Callable[[object], object] | None) -> object:
    if isinstance(value, LLMResponse):
        if value.tool_calls:
            return {"content": value.content, "tool_calls": value.tool_calls}
        return value.content
    return value if dump is None else dump(value)


def _error(result: TaskResult) -> dict[str, object] | None:
    if result.error is None:
        return None
    told: dict[str, object] = {"type": type(result.error).__name__, "message": str(result.error)}
    if result.response is not None and result.response.content:
        told["answer"] = result.response.content  # it was paid for, so it is kept
    return told


def _usage(result: TaskResult) -> dict[str, int]:
    usage = result.usage
    assert usage is not None  # noqa: S101 - the caller looked
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }
