"""Event loops that have stopped without closing: what they hold goes to those that wait on loops that turn."""

from __future__ import annotations

import contextlib
import heapq
import weakref
from typing import TYPE_CHECKING

from ingather.admission.stopped_loops import StoppedLoops
from ingather.limits.controller import Outcome
from ingather.process.locks import lock

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from ingather.admission.gate import Gate
    from ingather.admission.permit import Permit, Queue


class StrandedPermits:
    """Looks, while somebody waits for a pool, for what is stranded on loops that may never turn again."""

    __slots__ = ("_lookout", "_pool")

    def __init__(self, gate: Gate) -> None:
        self._pool: weakref.ref[Gate] = weakref.ref(gate)
        self._lookout = StoppedLoops(self.look)

    def watch(self, loop: AbstractEventLoop) -> None:
        """Somebody waits on `loop`, which is the running one."""
        self._lookout.watch(loop)

    def look(self, loop: AbstractEventLoop) -> bool:
        """Free what is stranded; gives whether somebody still waits on `loop`."""
        with lock:
            gate = self._pool()
            if gate is None or not any(
                permit.loop is loop for queue in gate.waiting for permit in queue.heap
            ):
                return False
            now = loop.time()
            permits = [
                permit for queue in gate.queues for permit in (*queue.heap, *queue.slots.held)
            ]
            stopped = {
                loop
                for loop in {permit.loop for permit in permits}
                if self._lookout.has_stopped(loop)
            }
            in_flight = (
                {permit for queue in gate.queues for permit in _set_aside(queue, stopped, now)}
                if stopped
                else set()
            )
            gate.drain(now)
        for permit in in_flight:
            permit.close(Outcome.DROPPED)
        return True

    def __repr__(self) -> str:
        return f"Stranded({self._lookout!r})"


def _set_aside(queue: Queue, stopped: set[AbstractEventLoop], now: float) -> list[Permit]:
    """What waits in `queue` on `stopped` loops waits apart until those turn again; gives what is in flight there."""
    aside = [permit for permit in queue.heap if permit.loop in stopped]
    if aside:
        queue.heap = [permit for permit in queue.heap if permit.loop not in stopped]
        heapq.heapify(queue.heap)
    held = [permit for permit in queue.slots.held if permit.loop in stopped]
    for permit in held:
        # granted, and its waiter does not know yet
        if permit.future is not None and not permit.future.done():
            _take_back(permit, now)
            aside.append(permit)
    for permit in aside:
        with contextlib.suppress(RuntimeError):  # it was closed meanwhile
            permit.loop.call_soon_threadsafe(_queue_again, permit)
    return [permit for permit in held if permit.granted]


def _take_back(permit: Permit, now: float) -> None:
    if permit.sent is not None:
        permit.queue.slots.free(permit)
        permit.queue.gate.controller.unsent(permit.sent, now)
    permit.granted, permit.sent = False, None


def _queue_again(permit: Permit) -> None:
    """Its loop turns again."""
    with lock:
        if not permit.closed:
            now = permit.loop.time()
            permit.queue.enqueue(permit, now)
            permit.queue.gate.drain(now)
