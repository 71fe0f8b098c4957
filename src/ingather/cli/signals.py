"""Ctrl-C and SIGTERM: the first asks the run to stop, the second ends the process at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Self

from ingather.cli.streams import was_interrupted

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


class Interrupts:
    """Listens while it is open. For the main thread, inside a running loop.

    The first signal calls `stop(exit code)` on the loop (130 for Ctrl-C, 143 for SIGTERM); the
    second exits with that code, calls in flight or not.
    """

    def __init__(self, stop: Callable[[int], None]) -> None:
        self._stop = stop
        self._loop = asyncio.get_running_loop()
        self._seen = False
        self._before: dict[int, object] = {}

    def __repr__(self) -> str:
        return f"Interrupts({'interrupted' if self._seen else 'listening'})"

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._arrived)
        if was_interrupted():  # and that got lost
            self._arrived(signal.SIGINT, None)
        return self

    def __exit__(self, *failure: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]

    def _arrived(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a signal's function
        code = 128 + number
        if self._seen:
            if sys.stderr.isatty():
                os.write(2, b"\n")  # the line that is drawn again has no end yet
            os._exit(code)  # every answer that came is on file already
        self._seen = True
        self._loop.call_soon_threadsafe(self._stop, code)
