"""Which event loops have stopped without closing, as far as somebody who waits on another one has to know."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from ingather.process.locks import lock

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

LOOK_AGAIN = 1.0  # seconds


class StoppedLoops:
    """Calls `look(loop)` on `loop` every second from `watch(loop)` on, as long as it gives True: somebody waits there.

    It may then ask, holding the `lock`, which loops have stopped.
    """

    __slots__ = ("_look", "_silent", "_watching")

    def __init__(self, look: Callable[[AbstractEventLoop], bool]) -> None:
        self._look = look
        self._watching: weakref.WeakSet[AbstractEventLoop] = weakref.WeakSet()
        # asked for a sign, and have given none
        self._silent: weakref.WeakSet[AbstractEventLoop] = weakref.WeakSet()

    def watch(self, loop: AbstractEventLoop) -> None:
        """Somebody waits on `loop`, which is the running one. For who holds the `lock`."""
        if loop not in self._watching:
            self._watching.add(loop)
            loop.call_later(LOOK_AGAIN, self._ring, loop)

    def _ring(self, loop: AbstractEventLoop) -> None:
        with lock:
            self._watching.discard(loop)
        if self._look(loop):
            with lock:
                self.watch(loop)

    def has_stopped(self, loop: AbstractEventLoop) -> bool:
        """Whether it neither runs nor has turned since the last look: some loops are turned by hand, now and then."""
        # what a closed one holds comes back when it is collected
        if loop.is_running() or loop.is_closed():
            return False
        if loop in self._silent:
            return True
        self._silent.add(loop)
        loop.call_soon_threadsafe(self._silent.discard, loop)
        return False

    def __repr__(self) -> str:
        return f"Lookout({len(self._watching)} loops watched)"
