"""The only place where a task waits for permission.

A request needs two things at once: a slot of its executor, and room in its quota's pool. Pools are
process-wide, one a quota, and thread-safe: executors on several event loops may share one. Within
an executor the earliest arrival goes first; executors take turns; a request that does not fit yet
is not overtaken within its pool, so a big one is never starved by small ones.
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

from ingather.admission.stranded import StrandedPermits
from ingather.errors import ConnectFailed, ModelNotFound, Overloaded, PoolFailure, TransientError
from ingather.limits import Limits
from ingather.limits.acceptance import is_certain
from ingather.limits.controller import Controller
from ingather.limits.retry_budget import RetryBudget
from ingather.limits.sent import REQUESTS
from ingather.limits.tokens import UNCOUNTED, TokenEstimator
from ingather.process.locks import lock

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Coroutine

    from ingather.admission.permit import Arrival, Permit, Queue, Slots
    from ingather.errors import RateLimited
    from ingather.limits.snapshot import Learnt

logger = logging.getLogger("ingather")

# seconds between two calls that find out whether the key is good again: least and most
_PROBES = 60.0, 600.0
_SOON = 1.5  # seconds to the next call to a provider that is away, at least


class Gate:
    """One quota: what it allows, and which executors wait for it. `learns`: False where no provider is behind it."""

    __slots__ = (
        "__weakref__",
        "_asking",
        "_bounds",
        "_gone",
        "_shut",
        "_timers",
        "_told",
        "controller",
        "estimator",
        "name",
        "queues",
        "retries",
        "stranded",
        "waiting",
    )  # fmt: skip

    def __init__(self, name: str, limits: Limits | None = None, *, learns: bool = True) -> None:
        self.name = name
        self.controller = Controller(limits or Limits(), random.random, learns=learns)
        self.estimator = TokenEstimator()
        self.retries = RetryBudget()
        self.queues: weakref.WeakSet[Queue] = weakref.WeakSet()
        self._bounds = 0.0  # of the executors that draw on it
        self._gone: deque[float] = deque()  # those that are none any more, to be taken off
        self.waiting: deque[Queue] = deque()
        self._timers: weakref.WeakKeyDictionary[AbstractEventLoop, float] = (
            weakref.WeakKeyDictionary()
        )
        self._told: Limits | None = None
        self._asking: asyncio.Task[None] | None = None
        self._shut = -math.inf, -math.inf
        self.stranded = StrandedPermits(self)

    @property
    def counts_tokens(self) -> bool:
        """Whether tokens matter: there are limits, or its answers tell how many they took."""
        return self.controller.caps.any or self.estimator.mean_output is not None

    def learnt(self) -> Learnt | None:
        """What is known of its limits by now; None after too few requests."""
        with lock:
            return self.controller.learnt()

    def attach(self, queue: Queue) -> None:
        """An executor draws on it: a bound of its own is word of what is right."""
        self.queues.add(queue)
        if not queue.slots.is_adaptive:
            self._bounds += queue.slots.capacity
            # where no lock may be waited for
            left = weakref.finalize(queue, self._gone.append, queue.slots.capacity)
            left.atexit = False
        while self._gone:
            self._bounds -= self._gone.popleft()
        self.controller.window.expect(self._bounds)

    def throttled(self, permit: Permit, error: RateLimited, most: float) -> float:
        """A 429 came back for `permit`: pause, for `most` seconds unless it asks for more; gives the seconds."""
        if permit.sent is None:
            return 0.0
        with lock:
            now = permit.loop.time()
            hint, told, limit = error.retry_after, error.rate_limits, error.limit
            return self.controller.throttled(hint, permit.sent, now, told, limit, most=most)

    def has_let_in(self, permit: Permit, since: float) -> bool:
        """Whether a request is known to have been let in that was sent between `since` and `permit`'s."""
        with lock:
            return permit.sent is not None and self.controller.ceilings.let_in(
                since, permit.sent.at
            )

    def shut(self, permit: Permit, since: float | None) -> None:
        """`permit` has waited for too long, and nothing was let in `since`: the next of those that wait decides."""
        self._shut = permit.loop.time() if since is None else since, permit.loop.time()

    def is_shut_to(self, permit: Permit) -> bool:
        """Whether a 429 for `permit`, which waited when another had done so for too long, shows that all is in vain."""
        since, at = self._shut
        return permit.asked_at <= at and not self.has_let_in(permit, since)

    def ask_server(
        self, count: Callable[[], Coroutine[object, object, int | None]], loop: AbstractEventLoop
    ) -> None:
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
        error.add_note(
            "not tried again: too many calls of this quota have failed, and few were answered"
        )
        return False

    def is_waited_for(self, error: Exception) -> bool:
        """Whether `error` is of an outage of a provider that was there before: its end is waited for, by single probes.

        So nothing is multiplied, and `outage` says when it has lasted too long.
        """
        if not isinstance(error, Overloaded | ConnectFailed) or error.is_replayed:
            return False
        return self.controller.outage.since is not None and self.controller.is_known

    def refused(self, permit: Permit, error: PoolFailure) -> None:
        """`permit` came back with `error`: it fails alone, or whatever waits in its lane does, or in the whole pool."""
        queue = permit.queue
        if error.alone:
            return
        if is_certain(error):
            self.fail(error, permit.loop.time())
            return
        known = queue.model if isinstance(error, ModelNotFound) else queue.key
        with lock:
            others = (
                other for other in queue.slots.held if other.queue is queue and other is not permit
            )
            if known.concerns_all(_number(permit), map(_number, others)):
                queue.fail(error, now := permit.loop.time(), self._pause_after(error, now))
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
            for queue in self.queues:
                queue.fail(error, now, pause)

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
            logger.warning(
                "%s has two sets of limits: the tighter of each holds, %s", self.name, tightest
            )

    def grant(self, permit: Permit, now: float) -> None:
        permit.granted = True
        permit.granted_at = now
        permit.queue.slots.take(permit)
        permit.sent = self.controller.sent(permit.cost, now)

    def drain(self, now: float) -> None:
        """Grant whatever may go, executors in turn."""
        full = 0  # lanes in a row whose executor has no free slot
        while full < len(self.waiting):
            queue = self.waiting[0]
            permit = queue.head()
            if permit is None:
                self.leave(queue)
            elif queue.slots.in_use >= queue.slots.capacity:
                queue.hold("slots", now)
                self.waiting.rotate(-1)
                full += 1
            else:
                # answers that came meanwhile have taught better
                if permit.estimate is not UNCOUNTED:
                    permit.cost = self.estimator.cost(permit.estimate)
                delay, by = self.controller.delay(permit.cost, now)
                if delay > 0:
                    self._hold(by, now)
                    self._arm(delay, now)
                    return
                heapq.heappop(queue.heap)
                permit.record_wait(now)
                self.grant(permit, now)
                permit.wake()
                self.waiting.rotate(-1)
                if not queue.heap:
                    self.leave(queue)
                full = 0

    def _hold(self, by: str, now: float) -> None:
        """The quota holds up whoever waits, but for those whose executor has no free slot either."""
        for queue in self.waiting:
            queue.hold("slots" if queue.slots.in_use >= queue.slots.capacity else by, now)

    def came_free(self, slots: Slots, now: float) -> None:
        """A slot of `slots` and a place in this quota came free: that executor's earliest waiter goes first."""
        if len(slots.waiting) > 1:
            for queue in sorted(slots.waiting, key=_head_arrival):
                queue.gate.drain(now)
        elif slots.waiting and slots.waiting[0].gate is not self:
            slots.waiting[0].gate.drain(now)
        self.drain(now)

    def leave(self, queue: Queue) -> None:
        """Nothing waits in `queue` any more."""
        queue.standing = False
        self.waiting.remove(queue)
        queue.slots.waiting.remove(queue)

    def _arm(self, delay: float, now: float) -> None:
        """See to it that `drain` runs in `delay` seconds: on each loop where somebody waits, since any may end."""
        if delay == math.inf:
            return
        here = asyncio._get_running_loop()  # noqa: SLF001 - the public form raises where there is none
        for loop in {queue.heap[0].loop for queue in self.waiting if queue.heap}:
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
        return f"Pool({self.name}: {self.controller!r}, {sum(len(queue.heap) for queue in self.waiting)} waiting)"


def _number(permit: Permit) -> float:
    """Of all requests that were sent to its quota."""
    return permit.sent.total[REQUESTS] if permit.sent is not None else 0.0


def _head_arrival(queue: Queue) -> Arrival:
    head = queue.head()
    return head.arrival if head is not None else ()
