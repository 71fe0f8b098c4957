"""The first thing that a program does: see to Ctrl-C, which until then makes a traceback. Imports next to nothing."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal without its enums, which take longest to import
import os
import sys

TYPE_CHECKING = False  # the import of typing takes longer than all else here
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

INTERRUPTED = 130


def start(program: str, act: Callable[[list[str]], None], arguments: list[str] | None) -> None:
    """Call `act` with `arguments`; where there are none, with those of the process, whose streams are seen to first."""
    if arguments is not None:
        act(arguments)
        return
    end_at_once()  # as long as it starts
    from ingather.cli.streams import standard_streams

    with standard_streams(program):
        act(sys.argv[1:])


def end_at_once() -> None:
    """Have Ctrl-C end the process at once: while it starts, or at its very end, there is nothing to lose."""
    if _signal.getsignal(_signal.SIGINT) == _signal.SIG_IGN:
        return
    try:
        _signal.signal(_signal.SIGINT, end)
    except ValueError:  # not in the main thread, which is whom Ctrl-C interrupts
        return


def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a signal's function
    """What Ctrl-C does then."""
    os._exit(INTERRUPTED)
