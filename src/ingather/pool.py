"""The only place where a task waits for permission.

A request needs two things at once: a slot of its executor, and room in its quota's pool. Pools are process-wide, one a
quota, and thread-safe: executors on several event loops may share one. Within an executor the earliest arrival goes
first; executors take turns; a request that does not fit yet is not overtaken within its pool, so a big one is never
starved by small ones.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import math
import os
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING

from ingather.errors import TooBig
from ingather.limits import Limits
from ingather.limits.controller import Controller, Outcome
from ingather.tokens import Cost, TokenEstimator, Tokens

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from ingather.errors import PoolFailure
    from ingather.result import Usage
    from ingather.slots import Slots

logger = logging.getLogger("ingather")

Arrival = tuple[int, ...]
"""A place in the queue, for life. A nested call's place is its parent's with one more number: it goes before whatever
arrived after its parent, so nested work is finished before more is begun."""

_lock = threading.Lock()  # one for all pools, since a slot and a quota are taken together
_FREE = Tokens(0, 0)
_NOTHING = Cost(0.0, 0.0)


class Lease:
    """One request's permission: first waited for, then held, then closed. `limited_by`: what it last waited for."""

    __slots__ = (
        "arrival", "asked_at", "closed", "cost", "error", "estimate", "future", "granted", "granted_at", "lane",
        "limited_by", "loop",
    )  # fmt: skip

    def __init__(self, lane: Lane, arrival: Arrival, estimate: Tokens, loop: AbstractEventLoop) -> None:
        self.lane = lane
        self.arrival = arrival
        self.estimate = estimate
        self.cost = _NOTHING
        self.loop = loop
        self.future: asyncio.Future[None] | None = None
        self.error: Exception | None = None
        self.granted = False
        self.closed = False
        self.limited_by = ""
        self.asked_at = self.granted_at = 0.0

    def __lt__(self, other: Lease) -> bool:
        return self.arrival < other.arrival

    def close(self, outcome: Outcome, usage: Usage | None = None) -> None:
        """Give slot and quota back, settled with what the attempt really took. Closing again does nothing."""
        with _lock:
            if self.closed:
                return
            self.closed = True
            pool, slots, now = self.lane.pool, self.lane.slots, self.loop.time()
            slots.in_use -= 1
            pool.controller.closed(outcome, self.cost, self.granted_at, usage, now)
            if usage is not None and pool.controller.counts_tokens:
                pool.estimator.learn(self.estimate, usage)
            if pool.waiting or slots.waiting:
                _drain(pool, slots, now)

    async def wait(self) -> None:
        """Until it is `granted`, or has failed with its `error`."""
        if self.future is None:
            return
        try:
            await self.future
        except asyncio.CancelledError:
            self._give_up()
            raise

    def _give_up(self) -> None:
        """The waiter was cancelled: leave the queue, or give back what was granted at the same moment."""
        with _lock:
            if self.closed:
                return
            self.closed = True
            pool, slots, now = self.lane.pool, self.lane.slots, self.loop.time()
            if self.granted:
                slots.in_use -= 1
                pool.controller.unsent(self.cost, self.granted_at, now)
            _drain(pool, slots, now)

    def _wake(self) -> None:
        if self.future is None:
            return
        if self.loop is asyncio._get_running_loop():  # noqa: SLF001 - the public form raises where there is none
            _resolve(self.future)
        elif not self.loop.is_closed():
            self.loop.call_soon_threadsafe(_resolve, self.future)


class Lane:
    """One executor's queue at one pool. `failed`: why all its calls fail now."""

    __slots__ = ("__weakref__", "failed", "pool", "queue", "slots")

    def __init__(self, slots: Slots, pool: Pool) -> None:
        self.slots = slots
        self.pool = pool
        self.queue: list[Lease] = []
        self.failed: Exception | None = None
        with _lock:
            pool.lanes.add(self)

    def ask(self, arrival: Arrival, estimate: Tokens = _FREE) -> Lease:
        """A lease on a slot and on the quota: `granted`, or to be waited for, or failed with its `error`.

        Raises `TooBig` for a request that no minute of the quota can hold.
        """
        pool = self.pool
        lease = Lease(self, arrival, estimate, asyncio.get_running_loop())
        with _lock:
            if self.failed is not None:
                lease.error, lease.closed = self.failed, True
                return lease
            if pool.controller.counts_tokens:
                if reason := pool.controller.too_big(estimate):
                    raise TooBig(f"this request {reason}: send less, or raise the limit", model=pool.name)
                lease.cost = pool.estimator.cost(estimate)
            now = lease.asked_at = lease.loop.time()
            if not pool.waiting and self.slots.in_use < self.slots.capacity:
                delay, lease.limited_by = pool.controller.delay(lease.cost, now)
                if delay <= 0:
                    pool.grant(lease, now)
                    return lease
            self._enqueue(lease)
            pool.drain(now)
            if not lease.granted:
                lease.future = lease.loop.create_future()
        return lease

    def head(self) -> Lease | None:
        """The earliest lease that still waits."""
        while self.queue and self.queue[0].closed:
            heapq.heappop(self.queue)
        return self.queue[0] if self.queue else None

    def refuse(self, error: Exception) -> None:
        """Whatever waits in this lane fails with `error`, and so does what comes until a new run begins."""
        with _lock:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.failed = error
        for lease in self.queue:
            if not lease.closed:
                lease.error, lease.closed = error, True
                lease._wake()  # noqa: SLF001
        self.queue.clear()
        if self in self.pool.waiting:
            self.pool._leave(self)  # noqa: SLF001

    def _enqueue(self, lease: Lease) -> None:
        if not self.queue:
            self.pool.waiting.append(self)
            self.slots.waiting.append(self)
        heapq.heappush(self.queue, lease)


class Pool:
    """One quota: what it allows, and which executors wait for it."""

    __slots__ = ("__weakref__", "_timer", "controller", "estimator", "lanes", "name", "waiting")

    def __init__(self, name: str, limits: Limits | None = None) -> None:
        self.name = name
        self.controller = Controller(limits or Limits())
        self.estimator = TokenEstimator()
        self.lanes: weakref.WeakSet[Lane] = weakref.WeakSet()
        self.waiting: deque[Lane] = deque()
        self._timer: tuple[AbstractEventLoop, float] | None = None

    def throttled(self, lease: Lease, hint: float | None) -> float:
        """A 429 came back for `lease`: pause; gives the seconds."""
        with _lock:
            return self.controller.throttled(hint, lease.granted_at, lease.loop.time())

    def fail(self, error: PoolFailure) -> None:
        """No call can succeed now: whatever waits fails with `error`, and so does what comes until a new run begins."""
        with _lock:
            for lane in self.lanes:
                lane._fail(error)  # noqa: SLF001 - a pool and its lanes are one thing

    def tighten(self, limits: Limits | None) -> None:
        """Another provider on the same quota brings its limits: the tighter of each holds, and that is said once."""
        if limits is None:
            return
        with _lock:
            mine = self.controller.limits
            tightest = limits if mine == Limits() else mine.tightest(limits)
            if tightest == mine:
                return
            self.controller.limit(tightest)
        if mine != Limits():
            logger.warning("%s has two sets of limits: the tighter of each holds, %s", self.name, tightest)

    def grant(self, lease: Lease, now: float) -> None:
        lease.granted = True
        lease.granted_at = now
        lease.lane.slots.in_use += 1
        self.controller.sent(lease.cost, now)

    def drain(self, now: float) -> None:
        """Grant whatever may go, executors in turn."""
        full = 0  # lanes in a row whose executor has no free slot
        while full < len(self.waiting):
            lane = self.waiting[0]
            lease = lane.head()
            if lease is None:
                self._leave(lane)
            elif lane.slots.in_use >= lane.slots.capacity:
                lease.limited_by = "slots"
                self.waiting.rotate(-1)
                full += 1
            else:
                delay, by = self.controller.delay(lease.cost, now)
                if delay > 0:
                    lease.limited_by = by
                    self._arm(delay, now, lease.loop)
                    return
                heapq.heappop(lane.queue)
                self.grant(lease, now)
                lease._wake()  # noqa: SLF001
                self.waiting.rotate(-1)
                if not lane.queue:
                    self._leave(lane)
                full = 0

    def _leave(self, lane: Lane) -> None:
        self.waiting.remove(lane)
        lane.slots.waiting.remove(lane)

    def _arm(self, delay: float, now: float, loop: AbstractEventLoop) -> None:
        """See to it that `drain` runs in `delay` seconds, on the loop of the one who waits: that one is alive."""
        armed = self._timer is not None and self._timer[0] is loop and self._timer[1] <= now + delay
        if armed or delay == math.inf:
            return
        self._timer = (loop, now + delay)
        if loop is asyncio._get_running_loop():  # noqa: SLF001 - the public form raises where there is none
            loop.call_at(now + delay, self._ring, loop)
        elif not loop.is_closed():
            loop.call_soon_threadsafe(loop.call_at, now + delay, self._ring, loop)

    def _ring(self, loop: AbstractEventLoop) -> None:
        with _lock:
            self._timer = None
            self.drain(loop.time())

    def __repr__(self) -> str:
        return f"Pool({self.name}: {self.controller!r}, {sum(len(lane.queue) for lane in self.waiting)} waiting)"


def _drain(pool: Pool, slots: Slots, now: float) -> None:
    """After a slot of `slots` and a place in `pool` came free: the executor's earliest waiter goes first."""
    if len(slots.waiting) > 1:
        for lane in sorted(slots.waiting, key=_head_arrival):
            lane.pool.drain(now)
    elif slots.waiting and slots.waiting[0].pool is not pool:
        slots.waiting[0].pool.drain(now)
    pool.drain(now)


def _head_arrival(lane: Lane) -> Arrival:
    head = lane.head()
    return head.arrival if head is not None else ()


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _forget() -> None:
    """In a forked child: the lock may have been held at the fork, by a thread that is not there."""
    global _lock  # noqa: PLW0603 - such a lock can only be replaced
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget)
