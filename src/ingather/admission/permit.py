"""A request's permit, the queue of an executor at one gate, and the executor's slots."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import math
import weakref
from types import MappingProxyType
from typing import TYPE_CHECKING

from ingather.errors import TooBig
from ingather.limits.acceptance import Acceptance
from ingather.limits.controller import Outcome
from ingather.limits.sent import ONE
from ingather.limits.tokens import UNCOUNTED
from ingather.process.locks import held_here, later, lock

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Coroutine, Mapping

    from ingather.admission.gate import Gate
    from ingather.limits.sent import Sent
    from ingather.limits.tokens import Tokens
    from ingather.response import RateLimits, Usage

Arrival = tuple[int, ...]
"""A place in the queue, for life. A nested call's place is its parent's with one more number: it goes before whatever
arrived after its parent, so nested work is finished before more is begun.
"""

_NOT_AT_ALL: Mapping[str, float] = MappingProxyType({})


class Permit:
    """One request's permission: first waited for, then held, then closed.

    `waited`: seconds that it waited, by cause, once that is over. `outcome`, `usage`: how it ended,
    once it has.
    """

    __slots__ = (
        "__weakref__",
        "arrival",
        "asked_at",
        "closed",
        "cost",
        "error",
        "estimate",
        "future",
        "granted",
        "granted_at",
        "loop",
        "outcome",
        "queue",
        "sent",
        "usage",
        "waited",
    )  # fmt: skip

    def __init__(
        self, queue: Queue, arrival: Arrival, estimate: Tokens, loop: AbstractEventLoop
    ) -> None:
        self.queue = queue
        self.arrival = arrival
        self.estimate = estimate
        self.cost = ONE
        self.loop = loop
        self.future: asyncio.Future[None] | None = None
        self.error: Exception | None = None
        self.granted = False
        self.closed = False
        self.waited = _NOT_AT_ALL  # in the queue: the lane's clocks as they were when it came
        self.sent: Sent | None = None
        self.outcome = Outcome.IGNORED
        self.usage: Usage | None = None
        self.asked_at = self.granted_at = 0.0

    @property
    def limited_by(self) -> str:
        """What it waited for longest, ``""`` where it did not wait."""
        return max(self.waited, key=self.waited.__getitem__) if self.waited else ""

    def __lt__(self, other: Permit) -> bool:
        return self.arrival < other.arrival

    def close(
        self, outcome: Outcome, usage: Usage | None = None, told: RateLimits | None = None
    ) -> None:
        """Give slot and quota back, settled with what the attempt really took. Closing again does nothing.

        `told`: the quota as the answer's headers tell it.
        """
        if held_here():
            later(self.close, outcome, usage, told)
            return
        # a bare provider may give its slot back before it answers
        if not self.closed or outcome is Outcome.SUCCESS:
            self.outcome, self.usage = outcome, usage
        with lock:
            if self.closed or self.sent is None:
                return
            self.closed = True
            gate, slots, now = self.queue.gate, self.queue.slots, self.loop.time()
            slots.free(self)
            gate.controller.closed(outcome, self.sent, usage, now, told)
            if outcome is Outcome.SUCCESS:
                gate.retries.answered()
                self.queue.answered(self)
            if usage is not None:
                gate.estimator.learn(self.estimate, usage)
            if gate.waiting or slots.waiting:
                gate.came_free(slots, now)

    async def wait(self) -> None:
        """Wait until it is granted. Raises what its queue fails with."""
        while self.future is not None and not self.granted and self.error is None:
            try:
                await self.future
            except BaseException:  # cancelled, or collected with its loop, which was never ended
                self.give_up()
                raise
            with lock:
                if not self.granted:  # it was taken back while its loop stood still
                    self.future = self.loop.create_future()
        if self.error is None and self.queue.has_failed_since(self.asked_at):
            self.error = self.queue.failed  # at the moment when this was granted
            self.give_up()
        if self.error is not None:
            # shared by all who waited: its traceback must not grow with each
            raise self.error.with_traceback(None)

    def waited_by(self, now: float) -> Mapping[str, float]:
        """Seconds that it has waited by now, by cause."""
        with lock:
            over = self.granted or self.closed or self.future is None
            return self.waited if over else self.queue.waited_since(self.waited, now)

    def record_wait(self, now: float) -> None:
        """It has been granted, or has failed, or its waiter is gone."""
        self.waited = self.queue.waited_since(self.waited, now)

    def give_up(self) -> None:
        """The waiter is gone: leave the queue, or give back what was granted at the same moment."""
        if held_here():
            later(self.give_up)
            return
        with lock:
            if self.closed:
                return
            self.closed = True
            gate, slots, now = self.queue.gate, self.queue.slots, self.loop.time()
            if self.sent is None:
                self.record_wait(now)
            else:
                slots.free(self)
                gate.controller.unsent(self.sent, now)
            gate.came_free(slots, now)

    def wake(self) -> None:
        """Let the waiter go on."""
        if self.future is None:
            return
        if self.loop is asyncio._get_running_loop():  # noqa: SLF001 - the public form raises where there is none
            _resolve(self.future)
        else:
            with contextlib.suppress(RuntimeError):  # its loop was closed meanwhile
                self.loop.call_soon_threadsafe(_resolve, self.future)


class Queue:
    """One executor's queue at one pool.

    `failed`: why all its calls fail now, but for a probe from time to time. `standing`: whether it
    is among the waiting lanes of its pool and executor. `held_by`: what its first call waits for,
    and so all the others. `key`, `model`: whether they were answered in this run. `count`: asks the
    server how many calls at once are right.
    """

    __slots__ = (
        "__weakref__",
        "_clocks",
        "_failed_at",
        "_held_since",
        "_pause",
        "_probe_at",
        "count",
        "failed",
        "gate",
        "heap",
        "held_by",
        "key",
        "model",
        "slots",
        "standing",
    )  # fmt: skip

    def __init__(self, slots: Slots, gate: Gate, key: Acceptance | None = None) -> None:
        self.slots = slots
        self.gate = gate
        self.count: Callable[[], Coroutine[object, object, int | None]] | None = None
        self.heap: list[Permit] = []
        self.key, self.model = key or Acceptance(), Acceptance()
        self.failed: Exception | None = None
        self._failed_at = self._pause = self._probe_at = 0.0
        self.standing = False
        self.held_by, self._held_since = "", 0.0
        self._clocks: dict[str, float] = {}
        with lock:
            gate.attach(self)

    def ask(self, arrival: Arrival, estimate: Tokens = UNCOUNTED) -> Permit:
        """A lease on a slot and on the quota: `granted`, or to be waited for, or failed with its `error`.

        Raises `TooBig` for a request that no minute of the quota can hold.
        """
        gate = self.gate
        permit = Permit(self, arrival, estimate, asyncio.get_running_loop())
        with lock:
            if self.failed is not None and not self._is_probe(permit.loop.time()):
                permit.error, permit.closed = self.failed, True
                return permit
            if estimate is not UNCOUNTED:
                caps = gate.controller.caps
                if caps.any and (reason := caps.too_big(estimate)):
                    raise TooBig(
                        f"this request {reason}: send less, or raise the limit", model=gate.name
                    )
                permit.cost = gate.estimator.cost(estimate)
            now = permit.asked_at = permit.loop.time()
            if not gate.waiting and self.slots.in_use < self.slots.capacity:
                delay, _ = gate.controller.delay(permit.cost, now)
                if delay <= 0:
                    gate.grant(permit, now)
                    return permit
            self.enqueue(permit, now)
            gate.drain(now)
            if not permit.granted:
                permit.future = permit.loop.create_future()
                gate.stranded.watch(permit.loop)
        return permit

    def ask_free(self, arrival: Arrival, estimate: Tokens) -> Permit | None:
        """A lease, if one is to be had at once, nobody waits, and the quota is under no pressure."""
        gate, slots = self.gate, self.slots
        permit = Permit(self, arrival, estimate, asyncio.get_running_loop())
        with lock:
            now = permit.asked_at = permit.loop.time()
            if (
                self.failed is not None
                or gate.waiting
                or slots.waiting
                or slots.in_use >= slots.capacity
            ):
                return None
            permit.cost = gate.estimator.cost(estimate)
            if not gate.controller.is_calm(now) or gate.controller.delay(permit.cost, now)[0] > 0:
                return None
            gate.grant(permit, now)
        return permit

    def head(self) -> Permit | None:
        """The earliest lease that still waits."""
        while self.heap and (self.heap[0].closed or self.heap[0].loop.is_closed()):
            heapq.heappop(self.heap)
        return self.heap[0] if self.heap else None

    def refuse(self, error: Exception) -> None:
        """Whatever waits in this lane fails with `error`, and so does what comes until a new run begins."""
        with lock:
            self.fail(error, math.inf, math.inf)

    def fail(self, error: Exception, now: float, pause: float) -> None:
        """Caller must hold the lock. Each `pause` seconds one call is tried; the first answer ends it."""
        self.failed = error
        self._failed_at, self._pause, self._probe_at = now, pause, now + pause
        for permit in self.heap:
            if not permit.closed:
                permit.record_wait(permit.loop.time())
                permit.error, permit.closed = error, True
                permit.wake()
        self.heap.clear()
        if self.standing:
            self.gate.leave(self)

    def answered(self, permit: Permit) -> None:
        """There was an answer to `permit`: the key is good, and whatever failed before it was sent is over."""
        self.key.answered = self.model.answered = True
        if (
            self.failed is not None
            and self._pause < math.inf
            and permit.granted_at > self._failed_at
        ):
            self.failed = None
        if self.count is not None and self.gate.waiting:
            self.gate.ask_server(self.count, permit.loop)

    def has_failed_since(self, moment: float) -> bool:
        """Whether what was asked for then is in vain by now."""
        return self.failed is not None and self._failed_at >= moment

    def _is_probe(self, now: float) -> bool:
        """Whether the next call is the one that finds out whether it still fails."""
        if now < self._probe_at:
            return False
        self._probe_at = now + self._pause
        return True

    def hold(self, by: str, now: float) -> None:
        """From now on `by` holds up whatever waits."""
        if self.held_by and now > self._held_since:
            self._clocks[self.held_by] = (
                self._clocks.get(self.held_by, 0.0) + now - self._held_since
            )
        self.held_by, self._held_since = by, now

    def waited_since(self, clocks: Mapping[str, float], now: float) -> dict[str, float]:
        """Seconds, by cause, since its clocks stood so."""
        self.hold(self.held_by, now)
        return {
            by: took
            for by, total in self._clocks.items()
            if (took := total - clocks.get(by, 0.0)) > 0
        }

    def enqueue(self, permit: Permit, now: float) -> None:
        self.hold(self.held_by if self.standing else "", now)
        permit.waited = self._clocks.copy()
        if not self.standing:
            self.standing = True
            self.gate.waiting.append(self)
            self.slots.waiting.append(self)
        heapq.heappush(self.heap, permit)


class Slots:
    """An executor's bound on requests on the wire and running functions, over all nesting levels.

    `is_adaptive`: nobody has set it, so that the quota alone says how many calls are right.
    """

    __slots__ = ("_held", "capacity", "in_use", "is_adaptive", "waiting")

    def __init__(self, capacity: float, *, is_adaptive: bool = False) -> None:
        self.capacity = capacity
        self.is_adaptive = is_adaptive
        self.in_use = 0
        # weakly, so that neither permits nor their loops are kept from being collected; by id, which
        # is cheaper than a WeakSet
        self._held: dict[int, weakref.ref[Permit]] = {}
        self.waiting: list[Queue] = []

    @property
    def held(self) -> list[Permit]:
        """The permits in use."""
        return [permit for held in tuple(self._held.values()) if (permit := held()) is not None]

    @property
    def is_full(self) -> bool:
        """Whether all are in use."""
        return self.in_use >= self.capacity

    def take(self, permit: Permit) -> None:
        """One more is in use."""
        self.in_use += 1
        self._held[id(permit)] = weakref.ref(permit)

    def free(self, permit: Permit) -> None:
        """One less is."""
        self.in_use -= 1
        self._held.pop(id(permit), None)

    def __repr__(self) -> str:
        waiting = sum(len(queue.heap) for queue in self.waiting)
        return f"Slots({self.in_use} of {self.capacity} in use, {waiting} waiting)"


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
