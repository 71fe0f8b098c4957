"""Where calls wait for money: in their order, until what others have reserved is settled."""

from __future__ import annotations

import asyncio
import logging
import os
import weakref
from collections import deque
from typing import TYPE_CHECKING

from ingather.admission.stopped_loops import StoppedLoops
from ingather.errors import BudgetSpent
from ingather.money.budget import Budget, Room, Spend
from ingather.process.locks import held_here, later, lock

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

logger = logging.getLogger("ingather")

_NOTHING = Spend()


class _Line:
    """Who waits for a budget and who holds some, whichever executor's they are; how much dearer than expected it was.

    It keeps none of those that reservation some, nor their loops, from being collected.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.waiting: deque[_Waiter] = deque()
        self.granted: weakref.WeakSet[_Waiter] = weakref.WeakSet()  # who do not know it yet
        self.holds: weakref.WeakSet[Reservation] = weakref.WeakSet()
        self.beyond = _NOTHING


class Funds:
    """A budget, and the queue in front of it: one queue, whoever shares the budget."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._lookout = StoppedLoops(self._look)
        with lock:
            self._line = _line_of(budget)

    async def reserve(self, worst: Spend) -> Reservation:
        """Reserve `worst`, as soon as there is room for it. Raises `BudgetSpent` where there never will be."""
        while True:
            with lock:
                most = worst + self._line.beyond
                room = self.budget.room_for(most)
                if room is Room.NOW and not self._line.waiting:
                    return self._reserved(most, asyncio.get_running_loop())
                if room is Room.NEVER:
                    raise self._spent(most)
                waiter = _Waiter(most, asyncio.get_running_loop())
                self._line.waiting.append(waiter)
                self._lookout.watch(waiter.loop)
            try:
                await waiter.future
            except BaseException:
                self._give_up(waiter)
                raise
            with lock:
                self._line.granted.discard(waiter)
                if (
                    waiter.reservation is not None
                ):  # else its loop stood still, and others had their turn
                    return waiter.reservation

    def reserve_now(self, worst: Spend) -> Reservation | None:
        """Reserve `worst` if there is room for it at once, and nobody waits."""
        with lock:
            worst += self._line.beyond
            if self._line.waiting or self.budget.room_for(worst) is not Room.NOW:
                return None
            return self._reserved(worst, asyncio.get_running_loop())

    def settle(self, reservation: Reservation, actual: Spend) -> None:
        """What was reserved is spent, or free again: whoever waits may have it."""
        if held_here():
            later(self.settle, reservation, actual)
            return
        with lock:
            self._settle(reservation, actual)
            self._serve()

    def _settle(self, reservation: Reservation, actual: Spend) -> None:
        self._line.holds.discard(reservation)
        self.budget.settle(reservation.reserved, actual - reservation.counted)
        reservation.reserved, reservation.counted = _NOTHING, actual

    def _look(self, loop: AbstractEventLoop) -> bool:
        """What loops reservation that have stopped may have been billed: it is spent in full, until they turn again."""
        with lock:
            waiting = self._line.waiting
            if not any(waiter.loop is loop for waiter in waiting):
                return False
            loops = {each.loop for each in waiting} | {each.loop for each in self._line.holds}
            stopped = {each for each in loops if self._lookout.has_stopped(each)}
            for waiter in [
                waiter for waiter in (*waiting, *self._line.granted) if waiter.loop in stopped
            ]:
                self._set_aside(waiter)
            for reservation in [
                reservation for reservation in self._line.holds if reservation.loop in stopped
            ]:
                self._settle(reservation, reservation.worst)
            self._serve()
        return True

    def surprised(self, worst: Spend, actual: Spend) -> None:
        """An answer was dearer than it could be, by what was known: from now on so much more is reserved."""
        with lock:
            beyond, queue = actual - worst, self._line
            if beyond.usd <= queue.beyond.usd and beyond.tokens <= queue.beyond.tokens:
                return
            first = queue.beyond == _NOTHING
            queue.beyond = Spend(
                max(beyond.usd, queue.beyond.usd), max(beyond.tokens, queue.beyond.tokens)
            )
        if first:
            logger.warning(
                "a provider counted %.0f tokens where at most %.0f were asked for; from now on "
                "more is reserved",
                actual.tokens,
                worst.tokens,
            )

    def _reserved(self, worst: Spend, loop: AbstractEventLoop) -> Reservation:
        self.budget.reserve(worst)
        reservation = Reservation(self, worst, loop)
        self._line.holds.add(reservation)
        return reservation

    def _give_up(self, waiter: _Waiter) -> None:
        if held_here():
            later(self._give_up, waiter)
            return
        with lock:
            self._set_aside(waiter)
            self._serve()

    def _set_aside(self, waiter: _Waiter) -> None:
        """It waits no more, and what it was granted without knowing is free; if it is still there, it asks again."""
        if waiter in self._line.waiting:
            self._line.waiting.remove(waiter)
        elif waiter.reservation is not None:
            self._settle(waiter.reservation, _NOTHING)
        self._line.granted.discard(waiter)
        waiter.reservation = None
        waiter.wake(None)

    def _serve(self) -> None:
        waiting = self._line.waiting
        while waiting:
            waiter = waiting[0]
            room = self.budget.room_for(waiter.worst)
            if room is Room.LATER:
                return
            waiting.popleft()
            if (
                waiter.wake(None if room is Room.NOW else self._spent(waiter.worst))
                and room is Room.NOW
            ):
                waiter.reservation = self._reserved(waiter.worst, waiter.loop)
                self._line.granted.add(waiter)

    def _spent(self, worst: Spend) -> BudgetSpent:
        usd = "" if self.budget.max_cost_usd is None else f"{worst.usd:.6g} USD"
        tokens = "" if self.budget.max_tokens is None else f"{worst.tokens:,.0f} tokens"
        dear = " and ".join(filter(None, (usd, tokens)))
        return BudgetSpent(f"not sent, since it may cost {dear}: {self.budget}")

    def __repr__(self) -> str:
        return f"Purse({self.budget!r}, {len(self._line.waiting)} wait)"


class Reservation:
    """What one call has reserved, from before it is sent until it is settled.

    `counted`: what is spent of it already.
    """

    __slots__ = ("__weakref__", "_actual", "_funds", "counted", "loop", "reserved", "worst")

    def __init__(self, funds: Funds, worst: Spend, loop: AbstractEventLoop) -> None:
        self._funds = funds
        self.worst = self.reserved = worst
        self.loop = loop
        self.counted = _NOTHING
        self._actual = _NOTHING  # until it is sent

    def took(self, actual: Spend) -> None:
        """An attempt took so much; there may be several, one after another."""
        self._actual += actual
        if actual.usd > self.worst.usd or actual.tokens > self.worst.tokens:
            self._funds.surprised(self.worst, actual)

    def close(self) -> None:
        """Settle it."""
        self._funds.settle(self, self._actual)

    def __repr__(self) -> str:
        return f"Hold({self.worst!r}, {self._actual!r} taken)"


class _Waiter:
    """A call that waits for money."""

    __slots__ = ("__weakref__", "future", "loop", "reservation", "worst")

    def __init__(self, worst: Spend, loop: AbstractEventLoop) -> None:
        self.worst = worst
        self.reservation: Reservation | None = None
        self.future: asyncio.Future[None] = loop.create_future()
        self.loop = loop

    def wake(self, error: BudgetSpent | None) -> bool:
        """Let it go on, or fail, on its own loop; False where that was closed meanwhile."""
        try:
            self.loop.call_soon_threadsafe(_resolve, self.future, error)
        except RuntimeError:
            return False
        return True


def _resolve(future: asyncio.Future[None], error: BudgetSpent | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


def _line_of(budget: Budget) -> _Line:
    """The one line in front of a budget. The lock must be held."""
    line = budget.line
    if not isinstance(line, _Line):
        line = budget.line = _Line()
    elif line.pid != os.getpid():
        # in a forked child nothing is in flight: nobody would settle what the parent has reserved
        budget.reserved = _NOTHING
        line = budget.line = _Line()
    return line
