"""The only place where a task waits for permission.

A request needs two things at once: a slot of its executor, and room in its quota's pool. Pools are process-wide, one a
quota, and thread-safe: executors on several event loops may share one. Within an executor the earliest arrival goes
first; executors take turns; a request that does not fit yet is not overtaken within its pool, so a big one is never
starved by small ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
import math
import random
import weakref
from collections import deque
from contextvars import Context
from typing import TYPE_CHECKING

from ingather.errors import ConnectFailed, ModelNotFound, Overloaded, PoolFailure, TransientError
from ingather.lease import Lane, lock
from ingather.limits import Limits
from ingather.limits.acceptance import is_certain
from ingather.limits.controller import Controller
from ingather.limits.retries import RetryBudget
from ingather.limits.sent import REQUESTS
from ingather.stranded import Stranded
from ingather.tokens import UNCOUNTED, TokenEstimator

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Coroutine

    from ingather.errors import RateLimited
    from ingather.lease import Arrival, Lease
    from ingather.limits.learnt import Learnt
    from ingather.slots import Slots

logger = logging.getLogger("ingather")

_PROBES = 60.0, 600.0  # seconds between two calls that find out whether the key is good again: least and most
_SOON = 1.5  # seconds to the next call to a provider that is away, at least


class Pool:
    """One quota: what it allows, and which executors wait for it. `learns`: False where no provider is behind it."""

    __slots__ = (
        "__weakref__", "_asking", "_bounds", "_gone", "_shut", "_timers", "_told", "controller", "estimator", "lanes",
        "name", "retries", "stranded", "waiting",
    )  # fmt: skip

    def __init__(self, name: str, limits: Limits | None = None, *, learns: bool = True) -> None:
        self.name = name
        self.controller = Controller(limits or Limits(), random.random, learns=learns)
        self.estimator = TokenEstimator()
        self.retries = RetryBudget()
        self.lanes: weakref.WeakSet[Lane] = weakref.WeakSet()
        self._bounds = 0.0  # of the executors that draw on it
        self._gone: deque[float] = deque()  # those that are none any more, to be taken off
        self.waiting: deque[Lane] = deque()
        self._timers: weakref.WeakKeyDictionary[AbstractEventLoop, float] = weakref.WeakKeyDictionary()
        self._told: Limits | None = None
        self._asking: asyncio.Task[None] | None = None
        self._shut = -math.inf, -math.inf
        self.stranded = Stranded(self)

    @property
    def counts_tokens(self) -> bool:
        """Whether tokens matter: there are limits, or its answers tell how many they took."""
        return self.controller.caps.any or self.estimator.mean_output is not None

    def learnt(self) -> Learnt | None:
        """What is known of its limits by now; None after too few requests."""
        with lock:
            return self.controller.learnt()

    def joined_by(self, lane: Lane) -> None:
        """An executor draws on it: a bound of its own is word of what is right."""
        self.lanes.add(lane)
        if not lane.slots.is_adaptive:
            self._bounds += lane.slots.capacity
            left = weakref.finalize(lane, self._gone.append, lane.slots.capacity)  # where no lock may be waited for
            left.atexit = False
        while self._gone:
            self._bounds -= self._gone.popleft()
        self.controller.window.expect(self._bounds)

    def throttled(self, lease: Lease, error: RateLimited, most: float) -> float:
        """A 429 came back for `lease`: pause, for `most` seconds unless it asks for more; gives the seconds."""
        if lease.sent is None:
            return 0.0
        with lock:
            now = lease.loop.time()
            hint, told, limit = error.retry_after, error.rate_limits, error.limit
            return self.controller.throttled(hint, lease.sent, now, told, limit, most=most)

    def has_let_in(self, lease: Lease, since: float) -> bool:
        """Whether, as far as is known, a request was let in that was sent after `since`, and before that of `lease`."""
        with lock:
            return lease.sent is not None and self.controller.ceilings.let_in(since, lease.sent.at)

    def shut(self, lease: Lease, since: float | None) -> None:
        """`lease` has waited for too long, and nothing was let in `since`: the next of those that wait decides."""
        self._shut = lease.loop.time() if since is None else since, lease.loop.time()

    def is_shut_to(self, lease: Lease) -> bool:
        """Whether a 429 for `lease`, which waited when another had done so for too long, shows that all is in vain."""
        since, at = self._shut
        return lease.asked_at <= at and not self.has_let_in(lease, since)

    def ask_server(self, count: Callable[[], Coroutine[object, object, int | None]], loop: AbstractEventLoop) -> None:
        """By `count`, once and beside all else, how many calls at once are right: what it tells is a cap."""
        window = self.controller.window
        if window.is_asked or loop is not asyncio._get_running_loop():  # noqa: SLF001 - as below
            return
        window.is_asked = True
        self._asking = loop.create_task(self._asked(count), context=Context())
        self._asking._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - nobody misses it

    async def _asked(self, count: Callable[[], Coroutine[object, object, int | None]]) -> None:
        window = self.controller.window
        try:
            slots = await count()
        except asyncio.CancelledError:  # its loop ends: the next one asks again
            window.is_asked = False
            raise
        if slots is not None:
            with lock:
                window.told(slots)

    def may_retry(self, error: Exception) -> bool:
        """Whether another attempt may be made after `error`: of those after faults there are only so many."""
        if not isinstance(error, TransientError) or error.is_replayed or self.retries.take():
            return True
        error.add_note("not tried again: too many calls of this quota have failed, and few were answered")
        return False

    def is_waited_for(self, error: Exception) -> bool:
        """Whether `error` is of an outage of a provider that was there before: its end is waited for, by single probes.

        So nothing is multiplied, and `outage` says when it has lasted too long.
        """
        if not isinstance(error, Overloaded | ConnectFailed) or error.is_replayed:
            return False
        return self.controller.outage.since is not None and self.controller.is_known

    def refused(self, lease: Lease, error: PoolFailure) -> None:
        """`lease` came back with `error`: it fails alone, or whatever waits in its lane does, or in the whole pool."""
        lane = lease.lane
        if error.alone:
            return
        if is_certain(error):
            self.fail(error, lease.loop.time())
            return
        known = lane.model if isinstance(error, ModelNotFound) else lane.key
        with lock:
            others = (other for other in lane.slots.held if other.lane is lane and other is not lease)
            if known.concerns_all(_number(lease), map(_number, others)):
                lane.fail(error, now := lease.loop.time(), self._pause_after(error, now))
            else:
                error.alone = True

    def away(self, error: Exception, now: float) -> None:
        """The provider was not there for `error`: where it has been away for too long, nobody waits any more."""
        since = self.controller.outage.since
        if since is not None and now - since > self.controller.limits.max_wait:
            self.fail(error, now)  # as after a hint that is too long

    def fail(self, error: Exception, now: float) -> None:
        """No call can succeed now: whatever waits fails with `error`, and so does what comes, but for single probes.

        They end it with the first answer; a new run of an executor is not bound by it.
        """
        with lock:
            pause = self._pause_after(error, now)
            for lane in self.lanes:
                lane.fail(error, now, pause)

    def _pause_after(self, error: Exception, now: float) -> float:
        """Seconds until the next probe."""
        if isinstance(error, PoolFailure):
            least, most = _PROBES
            return min(most, max(least, error.retry_after or 0.0))
        return max(_SOON, self.controller.paused_until - now)

    def tighten(self, limits: Limits | None) -> None:
        """Another provider on the same quota brings its limits: the tighter of each holds, and that is said once."""
        if limits is None:
            return
        with lock:
            mine = self.controller.limits
            tightest = limits if mine == Limits() else mine.tightest(limits)
            if tightest != mine:
                self.controller.caps.set(tightest)
            news = Limits() not in (limits, mine) and limits != mine and tightest != self._told
            if news:
                self._told = tightest
        if news:
            logger.warning("%s has two sets of limits: the tighter of each holds, %s", self.name, tightest)

    def grant(self, lease: Lease, now: float) -> None:
        lease.granted = True
        lease.granted_at = now
        lease.lane.slots.take(lease)
        lease.sent = self.controller.sent(lease.cost, now)

    def drain(self, now: float) -> None:
        """Grant whatever may go, executors in turn."""
        full = 0  # lanes in a row whose executor has no free slot
        while full < len(self.waiting):
            lane = self.waiting[0]
            lease = lane.head()
            if lease is None:
                self.leave(lane)
            elif lane.slots.in_use >= lane.slots.capacity:
                lane.hold("slots", now)
                self.waiting.rotate(-1)
                full += 1
            else:
                if lease.estimate is not UNCOUNTED:  # answers that came meanwhile have taught better
                    lease.cost = self.estimator.cost(lease.estimate)
                delay, by = self.controller.delay(lease.cost, now)
                if delay > 0:
                    self._hold(by, now)
                    self._arm(delay, now)
                    return
                heapq.heappop(lane.queue)
                lease.waits_no_more(now)
                self.grant(lease, now)
                lease.wake()
                self.waiting.rotate(-1)
                if not lane.queue:
                    self.leave(lane)
                full = 0

    def _hold(self, by: str, now: float) -> None:
        """The quota holds up whoever waits, but for those whose executor has no free slot either."""
        for lane in self.waiting:
            lane.hold("slots" if lane.slots.in_use >= lane.slots.capacity else by, now)

    def came_free(self, slots: Slots, now: float) -> None:
        """A slot of `slots` and a place in this quota came free: that executor's earliest waiter goes first."""
        if len(slots.waiting) > 1:
            for lane in sorted(slots.waiting, key=_head_arrival):
                lane.pool.drain(now)
        elif slots.waiting and slots.waiting[0].pool is not self:
            slots.waiting[0].pool.drain(now)
        self.drain(now)

    def leave(self, lane: Lane) -> None:
        """Nothing waits in `lane` any more."""
        lane.standing = False
        self.waiting.remove(lane)
        lane.slots.waiting.remove(lane)

    def _arm(self, delay: float, now: float) -> None:
        """See to it that `drain` runs in `delay` seconds: on each loop where somebody waits, since any may end."""
        if delay == math.inf:
            return
        here = asyncio._get_running_loop()  # noqa: SLF001 - the public form raises where there is none
        for loop in {lane.queue[0].loop for lane in self.waiting if lane.queue}:
            if self._timers.get(loop, math.inf) <= now + delay or loop.is_closed():
                continue
            self._timers[loop] = now + delay
            if loop is here:
                loop.call_at(now + delay, self._ring, loop)
            else:
                with contextlib.suppress(RuntimeError):  # it was closed meanwhile
                    loop.call_soon_threadsafe(loop.call_at, now + delay, self._ring, loop)

    def _ring(self, loop: AbstractEventLoop) -> None:
        with lock:
            self._timers.pop(loop, None)
            self.drain(loop.time())

    def __repr__(self) -> str:
        return f"Pool({self.name}: {self.controller!r}, {sum(len(lane.queue) for lane in self.waiting)} waiting)"


def _number(lease: Lease) -> float:
    """Of all requests that were sent to its quota."""
    return lease.sent.total[REQUESTS] if lease.sent is not None else 0.0


def _head_arrival(lane: Lane) -> Arrival:
    head = lane.head()
    return head.arrival if head is not None else ()
