"""Event loops that have stopped without closing: what they hold goes to those that wait on loops that turn."""

from __future__ import annotations

import contextlib
import heapq
import weakref
from typing import TYPE_CHECKING

from ingather.lease import lock
from ingather.limits.controller import Outcome
from ingather.lookout import Lookout

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from ingather.lease import Lane, Lease
    from ingather.pool import Pool


class Stranded:
    """Looks, while somebody waits for a pool, for what is stranded on loops that may never turn again."""

    __slots__ = ("_lookout", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool: weakref.ref[Pool] = weakref.ref(pool)
        self._lookout = Lookout(self.look)

    def watch(self, loop: AbstractEventLoop) -> None:
        """Somebody waits on `loop`, which is the running one."""
        self._lookout.watch(loop)

    def look(self, loop: AbstractEventLoop) -> bool:
        """Free what is stranded; gives whether somebody still waits on `loop`."""
        with lock:
            pool = self._pool()
            if pool is None or not any(lease.loop is loop for lane in pool.waiting for lease in lane.queue):
                return False
            now = loop.time()
            leases = [lease for lane in pool.lanes for lease in (*lane.queue, *lane.slots.held)]
            stopped = {loop for loop in {lease.loop for lease in leases} if self._lookout.has_stopped(loop)}
            in_flight = {lease for lane in pool.lanes for lease in _set_aside(lane, stopped, now)} if stopped else set()
            pool.drain(now)
        for lease in in_flight:
            lease.close(Outcome.DROPPED)
        return True

    def __repr__(self) -> str:
        return f"Stranded({self._lookout!r})"


def _set_aside(lane: Lane, stopped: set[AbstractEventLoop], now: float) -> list[Lease]:
    """What waits in `lane` on `stopped` loops waits apart until those turn again; gives what is in flight there."""
    aside = [lease for lease in lane.queue if lease.loop in stopped]
    if aside:
        lane.queue = [lease for lease in lane.queue if lease.loop not in stopped]
        heapq.heapify(lane.queue)
    held = [lease for lease in lane.slots.held if lease.loop in stopped]
    for lease in held:
        if lease.future is not None and not lease.future.done():  # granted, and its waiter does not know yet
            _take_back(lease, now)
            aside.append(lease)
    for lease in aside:
        with contextlib.suppress(RuntimeError):  # it was closed meanwhile
            lease.loop.call_soon_threadsafe(_queue_again, lease)
    return [lease for lease in held if lease.granted]


def _take_back(lease: Lease, now: float) -> None:
    if lease.sent is not None:
        lease.lane.slots.free(lease)
        lease.lane.pool.controller.unsent(lease.sent, now)
    lease.granted, lease.sent = False, None


def _queue_again(lease: Lease) -> None:
    """Its loop turns again."""
    with lock:
        if not lease.closed:
            now = lease.loop.time()
            lease.lane.enqueue(lease, now)
            lease.lane.pool.drain(now)
