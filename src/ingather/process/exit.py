"""The event loops that calls ran on, ended with the process in the order that their owners did not keep."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import weakref
from typing import TYPE_CHECKING

from ingather.process.fork import renew_in_child

if TYPE_CHECKING:
    from collections.abc import Callable

LAST_SECONDS = 2.0  # that the end of the process gives a loop

_loops: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
_last: list[Callable[[], None]] = []


def used(loop: asyncio.AbstractEventLoop) -> None:
    """Something of ours is open on `loop`.

    >>> loop = asyncio.new_event_loop()
    >>> used(loop)
    >>> loop.close()
    """
    _loops.add(loop)


def at_the_end(close: Callable[[], None]) -> None:
    """Have `close` called at the end of the process, when all loops have ended that can."""
    _last.append(close)


async def clear() -> None:
    """Cancel all other tasks of this loop, wait for them as long as it may take, and close its generators.

    >>> asyncio.run(clear())
    """
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        done, _ = await asyncio.wait(left, timeout=LAST_SECONDS / 2)
        for task in done:
            if not task.cancelled():
                task.exception()  # nobody is left to be told
    await asyncio.get_running_loop().shutdown_asyncgens()


def _end() -> None:
    """Loops in other threads go on until the process is gone; those that have stopped are ended as `asyncio.run` would.

    A loop that was closed over its tasks can end nothing: they are dropped in silence.
    """
    for loop in tuple(_loops):
        if loop.is_running():
            continue
        if not loop.is_closed():
            with contextlib.suppress(SystemExit, KeyboardInterrupt, RuntimeError):
                loop.run_until_complete(clear())
            loop.close()
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - as asyncio's own gather
    for close in _last:
        close()


# they are the parent's, and share their sockets with it
renew_in_child(_loops.clear)
atexit.register(_end)
