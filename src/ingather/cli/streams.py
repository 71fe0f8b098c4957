"""The standard streams of a program as they really are: closed, full, or with a reader that has left."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from ingather.cli.start import INTERRUPTED, end, end_at_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_LOST = 2  # exit code: what was asked for could not be written


@contextlib.contextmanager
def standard_streams(program: str) -> Iterator[None]:
    """Within it, standard error fails nobody, and standard output that cannot be written ends `program` with code 2.

    A reader who leaves, as ``head`` does, has seen enough: then the code is 0. Descriptors 0 to 2
    that were closed are taken, so that no file which is opened later gets one of them, and with it
    what is printed.
    """
    for descriptor in (0, 1, 2):
        _hold(descriptor)
    sys.stderr = _text(_Descriptor(2, "wb", closefd=False), sys.stderr, by_line=True)
    output = _Output(1, program)
    sys.stdout = _text(output, sys.stdout, by_line=output.isatty())
    with _quietly_interrupted():
        try:
            yield
        except SystemExit as ending:
            output.is_needed = output.is_needed and not ending.code
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()


def nobody_has_to_read() -> None:
    """From here on what is printed is a comfort: a service runs on where nobody can see it."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if isinstance(raw, _Output):
        raw.is_needed = False


class _Descriptor(io.FileIO):
    """A standard stream's, which goes on in nothing once it cannot be written."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            nothing = os.open(os.devnull, os.O_WRONLY)
            # where what is still buffered goes, now or at the end of the process
            os.dup2(nothing, self.fileno())
            os.close(nothing)
            self._lost(error)
            return memoryview(data).nbytes

    def _lost(self, error: OSError) -> None:
        """Nobody has to know."""


class _Output(_Descriptor):
    def __init__(self, descriptor: int, program: str) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self._program = program
        self.is_needed = True

    def _lost(self, error: OSError) -> None:
        if not self.is_needed:
            return
        if isinstance(error, BrokenPipeError):
            raise SystemExit(0)
        why = "it is closed" if error.errno == errno.EBADF else error.strerror
        print(f"{self._program}: cannot write to standard output: {why}", file=sys.stderr)
        raise SystemExit(_LOST)


def _text(descriptor: _Descriptor, before: object, *, by_line: bool) -> io.TextIOWrapper:
    """A text stream to `descriptor` in place of the one that was there `before`."""
    encoding, errors = getattr(before, "encoding", None), getattr(before, "errors", None)
    if isinstance(before, io.TextIOWrapper):
        before.detach()
    return io.TextIOWrapper(io.BufferedWriter(descriptor), encoding, errors, line_buffering=by_line)


def _hold(descriptor: int) -> None:
    """Where `descriptor` is closed, open it on nothing; reading from input or writing to output still fails."""
    try:
        os.fstat(descriptor)
    except OSError:
        nothing = os.open(os.devnull, os.O_RDONLY if descriptor == 1 else os.O_WRONLY)
        if nothing != descriptor:
            os.dup2(nothing, descriptor)
            os.close(nothing)
        os.set_inheritable(descriptor, True)


@contextlib.contextmanager
def _quietly_interrupted() -> Iterator[None]:
    """Ctrl-C that nobody else listens for ends the process without a traceback."""
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    finally:
        end_at_once()


def raise_again() -> None:
    """Have Ctrl-C raise KeyboardInterrupt, after `end_at_once`; `check_interrupted` tells of one that got lost."""
    if signal.getsignal(signal.SIGINT) is end:
        signal.signal(signal.SIGINT, _raise)
        sys.unraisablehook = _but_interrupts


def was_interrupted() -> bool:
    """Whether Ctrl-C has raised KeyboardInterrupt since `raise_again`."""
    return _was_interrupted


def check_interrupted() -> None:
    """Raise KeyboardInterrupt where Ctrl-C did: an import may have made another error of it, a finalizer nothing."""
    if _was_interrupted:
        raise KeyboardInterrupt


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Ctrl-C waits for the end of the block, so that what is made in it is also noted: for what takes no time."""
    global _held  # noqa: PLW0603 - there is one process to interrupt
    _held = True
    try:
        yield
    finally:
        _held = False
    check_interrupted()


def load_json() -> None:
    """Import orjson whole: where its import is interrupted, it crashes the process."""
    with interrupts_held():
        import orjson  # noqa: F401 - for that alone


_was_interrupted = _held = False


def _raise(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a signal's function
    global _was_interrupted  # noqa: PLW0603 - there is one process to interrupt
    _was_interrupted = True
    if not _held:
        raise KeyboardInterrupt


def _but_interrupts(lost: sys.UnraisableHookArgs) -> None:
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
