"""Timeouts that take what has arrived before they say that nothing did."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

# seconds: a timer that rings later than this was held up, and so was all that arrived meanwhile
_LATE = 0.05
_TURNS = 3  # of the loop: data is read, wakes its reader, who goes on
_TURNS_WHEN_LATE = 100  # in each the loop reads up to 256 KiB from each connection


class Deadline:
    """``async with Deadline(loop.time() + 5):`` raises TimeoutError like `asyncio.timeout_at`, but not at once.

    A process that was stopped, a suspended laptop or a loop that was blocked finds its timers due
    and the answers waiting in their sockets: the loop has a few turns to take those first. In
    virtual and in real time those take none.

    >>> async def quick():
    ...     async with Deadline(asyncio.get_running_loop().time() + 5):
    ...         return "in time"
    >>> asyncio.run(quick())
    'in time'
    """

    __slots__ = ("_clock", "_handle", "_loop", "_turns", "_when")

    def __init__(self, when: float) -> None:
        self._when = when
        self._turns = 0

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        is_over = self._when <= self._loop.time()
        self._clock = asyncio.timeout_at(self._when if is_over else None)
        self._handle: asyncio.Handle | None = (
            None if is_over else self._loop.call_at(self._when, self._ring)
        )
        await self._clock.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if self._handle is not None:
            self._handle.cancel()
        await self._clock.__aexit__(kind, error, where)

    def expired(self) -> bool:
        """Whether it has ended what was going on."""
        return self._clock.expired()

    def _ring(self) -> None:
        self._turns = _turns(self._loop.time() - self._when)
        self._wait()

    def _wait(self) -> None:
        if self._turns:
            self._turns -= 1
            self._handle = self._loop.call_soon(self._wait)
        else:
            self._handle = None
            self._clock.reschedule(self._when)

    def __repr__(self) -> str:
        return f"Deadline({self._when:g})"


async def arrivals(late: float) -> None:
    """Let the loop take what has arrived, where a timer rang `late` seconds after its time.

    >>> asyncio.run(arrivals(0.0))
    """
    for _ in range(_turns(late)):
        await asyncio.sleep(0)


def _turns(late: float) -> int:
    return _TURNS_WHEN_LATE if late > _LATE else _TURNS
