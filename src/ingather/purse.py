"""Where calls wait for money: in their order, until what others have reserved is settled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING

from ingather.budget import Budget, Room, Spend
from ingather.errors import BudgetSpent
from ingather.lease import lock
from ingather.limits.controller import Outcome

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from ingather.pricing import Price
    from ingather.result import Usage

_NOTHING = Spend()
_queues: weakref.WeakKeyDictionary[Budget, deque[_Waiter]] = weakref.WeakKeyDictionary()


class Purse:
    """A budget, and the queue in front of it: one queue, whoever shares the budget."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        with lock:
            self._waiting = _queues.setdefault(budget, deque())

    async def hold(self, worst: Spend) -> None:
        """Reserve `worst`, as soon as there is room for it. Raises `BudgetSpent` where there never will be."""
        with lock:
            room = self.budget.room_for(worst)
            if room is Room.NOW and not self._waiting:
                self.budget.reserve(worst)
                return
            if room is Room.NEVER:
                raise self._spent(worst)
            waiter = _Waiter(worst, asyncio.get_running_loop())
            self._waiting.append(waiter)
        try:
            await waiter.future
        except BaseException:
            self._give_up(waiter)
            raise

    def _give_up(self, waiter: _Waiter) -> None:
        if lock.held_here():  # as for leases: a garbage collection ended it
            threading.Thread(target=self._give_up, args=(waiter,)).start()
            return
        with lock:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            elif waiter.granted:  # at the same moment
                self.budget.settle(waiter.worst, _NOTHING)
            self._serve()

    def settle(self, worst: Spend, actual: Spend) -> None:
        """What was reserved is spent, or free again: whoever waits may have it."""
        if lock.held_here():
            threading.Thread(target=self.settle, args=(worst, actual)).start()
            return
        with lock:
            self.budget.settle(worst, actual)
            self._serve()

    def is_free_for(self, worst: Spend) -> bool:
        """Reserve `worst` if there is room for it at once."""
        with lock:
            if self._waiting or self.budget.room_for(worst) is not Room.NOW:
                return False
            self.budget.reserve(worst)
            return True

    def _serve(self) -> None:
        while self._waiting:
            waiter = self._waiting[0]
            room = self.budget.room_for(waiter.worst)
            if room is Room.LATER:
                return
            self._waiting.popleft()
            if room is Room.NOW:
                self.budget.reserve(waiter.worst)
                waiter.granted = True
            waiter.wake(None if room is Room.NOW else self._spent(waiter.worst))

    def _spent(self, worst: Spend) -> BudgetSpent:
        usd = "" if self.budget.max_cost_usd is None else f" ({worst.usd:.4f} USD)"
        return BudgetSpent(f"not sent: {self.budget!r}, which leaves no room for the most that this call may cost{usd}")


class Hold:
    """What one call has reserved, from before it is sent until it is settled."""

    __slots__ = ("_actual", "_price", "_purse", "_worst")

    def __init__(self, purse: Purse, worst: Spend, price: Price | None) -> None:
        self._purse = purse
        self._worst = worst
        self._price = price
        self._actual = _NOTHING  # until it is sent

    def attempted(self, outcome: Outcome, usage: Usage | None) -> None:
        """It was on the wire, and ended so: where nobody knows what that cost, it counts in full."""
        if outcome in (Outcome.IGNORED, Outcome.AWAY):
            self._actual = _NOTHING
        elif outcome is Outcome.DROPPED or usage is None:
            self._actual = self._worst
        else:
            price = self._price
            usd = 0.0 if price is None else price.of(usage.input_tokens, usage.output_tokens, usage.cached_tokens)
            self._actual = Spend(usd, usage.total_tokens)

    def close(self) -> None:
        """Settle it."""
        self._purse.settle(self._worst, self._actual)


class _Waiter:
    """A call that waits for money."""

    __slots__ = ("_loop", "future", "granted", "worst")

    def __init__(self, worst: Spend, loop: AbstractEventLoop) -> None:
        self.worst = worst
        self.granted = False
        self.future: asyncio.Future[None] = loop.create_future()
        self._loop = loop

    def wake(self, error: BudgetSpent | None) -> None:
        """Let it go on, or fail, on its own loop."""
        with contextlib.suppress(RuntimeError):  # its loop was closed meanwhile
            self._loop.call_soon_threadsafe(_resolve, self.future, error)


def _resolve(future: asyncio.Future[None], error: BudgetSpent | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


os.register_at_fork(after_in_child=_queues.clear)
