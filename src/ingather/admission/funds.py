"""Where calls wait for money: in their order, until what others have reserved is settled."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING

from ingather.admission.permit import held_here, lock
from ingather.admission.stopped_loops import StoppedLoops
from ingather.errors import BudgetSpent
from ingather.money.budget import Budget, Room, Spend

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

logger = logging.getLogger("ingather")

_NOTHING = Spend()


class _Queue:
    """Who waits for a budget and who holds some, whichever executor's they are; how much dearer than expected it was.

    It keeps none of those that hold some, nor their loops, from being collected.
    """

    def __init__(self) -> None:
        self.waiting: deque[_Waiter] = deque()
        self.granted: weakref.WeakSet[_Waiter] = weakref.WeakSet()  # who do not know it yet
        self.holds: weakref.WeakSet[Reservation] = weakref.WeakSet()
        self.beyond = _NOTHING


_queues: weakref.WeakKeyDictionary[Budget, _Queue] = weakref.WeakKeyDictionary()


class Funds:
    """A budget, and the queue in front of it: one queue, whoever shares the budget."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._lookout = StoppedLoops(self._look)
        with lock:
            self._queue = _queues.setdefault(budget, _Queue())

    async def hold(self, worst: Spend) -> Reservation:
        """Reserve `worst`, as soon as there is room for it. Raises `BudgetSpent` where there never will be."""
        while True:
            with lock:
                most = worst + self._queue.beyond
                room = self.budget.room_for(most)
                if room is Room.NOW and not self._queue.waiting:
                    return self._reserved(most, asyncio.get_running_loop())
                if room is Room.NEVER:
                    raise self._spent(most)
                waiter = _Waiter(most, asyncio.get_running_loop())
                self._queue.waiting.append(waiter)
                self._lookout.watch(waiter.loop)
            try:
                await waiter.future
            except BaseException:
                self._give_up(waiter)
                raise
            with lock:
                self._queue.granted.discard(waiter)
                if waiter.hold is not None:  # else its loop stood still, and others had their turn
                    return waiter.hold

    def hold_now(self, worst: Spend) -> Reservation | None:
        """Reserve `worst` if there is room for it at once, and nobody waits."""
        with lock:
            worst += self._queue.beyond
            if self._queue.waiting or self.budget.room_for(worst) is not Room.NOW:
                return None
            return self._reserved(worst, asyncio.get_running_loop())

    def settle(self, hold: Reservation, actual: Spend) -> None:
        """What was reserved is spent, or free again: whoever waits may have it."""
        if held_here():
            threading.Thread(target=self.settle, args=(hold, actual)).start()
            return
        with lock:
            self._settle(hold, actual)
            self._serve()

    def _settle(self, hold: Reservation, actual: Spend) -> None:
        self._queue.holds.discard(hold)
        self.budget.settle(hold.reserved, actual - hold.counted)
        hold.reserved, hold.counted = _NOTHING, actual

    def _look(self, loop: AbstractEventLoop) -> bool:
        """What loops hold that have stopped may have been billed: it is spent in full, until they turn again."""
        with lock:
            waiting = self._queue.waiting
            if not any(waiter.loop is loop for waiter in waiting):
                return False
            loops = {each.loop for each in waiting} | {each.loop for each in self._queue.holds}
            stopped = {each for each in loops if self._lookout.has_stopped(each)}
            for waiter in [
                waiter for waiter in (*waiting, *self._queue.granted) if waiter.loop in stopped
            ]:
                self._set_aside(waiter)
            for hold in [hold for hold in self._queue.holds if hold.loop in stopped]:
                self._settle(hold, hold.worst)
            self._serve()
        return True

    def surprised(self, worst: Spend, actual: Spend) -> None:
        """An answer was dearer than it could be, by what was known: from now on so much more is reserved."""
        with lock:
            beyond, queue = actual - worst, self._queue
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
        hold = Reservation(self, worst, loop)
        self._queue.holds.add(hold)
        return hold

    def _give_up(self, waiter: _Waiter) -> None:
        if held_here():  # as for leases: a garbage collection ended it
            threading.Thread(target=self._give_up, args=(waiter,)).start()
            return
        with lock:
            self._set_aside(waiter)
            self._serve()

    def _set_aside(self, waiter: _Waiter) -> None:
        """It waits no more, and what it was granted without knowing is free; if it is still there, it asks again."""
        if waiter in self._queue.waiting:
            self._queue.waiting.remove(waiter)
        elif waiter.hold is not None:
            self._settle(waiter.hold, _NOTHING)
        self._queue.granted.discard(waiter)
        waiter.hold = None
        waiter.wake(None)

    def _serve(self) -> None:
        waiting = self._queue.waiting
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
                waiter.hold = self._reserved(waiter.worst, waiter.loop)
                self._queue.granted.add(waiter)

    def _spent(self, worst: Spend) -> BudgetSpent:
        usd = "" if self.budget.max_cost_usd is None else f"{worst.usd:.6g} USD"
        tokens = "" if self.budget.max_tokens is None else f"{worst.tokens:,.0f} tokens"
        dear = " and ".join(filter(None, (usd, tokens)))
        return BudgetSpent(f"not sent, since it may cost {dear}: {self.budget}")

    def __repr__(self) -> str:
        return f"Purse({self.budget!r}, {len(self._queue.waiting)} wait)"


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

    __slots__ = ("__weakref__", "future", "hold", "loop", "worst")

    def __init__(self, worst: Spend, loop: AbstractEventLoop) -> None:
        self.worst = worst
        self.hold: Reservation | None = None
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


def _start_anew() -> None:
    """In a forked child, where nothing is in flight: nobody would settle what the parent has reserved."""
    for budget in list(_queues):
        budget.reserved = _NOTHING
    _queues.clear()


os.register_at_fork(after_in_child=_start_anew)
