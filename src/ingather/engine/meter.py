"""What an executor's runs have used so far: added up for each loop by itself, and brought together when asked."""

from __future__ import annotations

import math
import threading
import weakref
from asyncio import CancelledError
from typing import TYPE_CHECKING

from ingather.engine.open_runs import OpenRuns
from ingather.errors import RateLimited
from ingather.limits import Limits
from ingather.stats import Latencies, Stats, Times
from ingather.stats.bottleneck import Work, what_limited
from ingather.stats.contention import Held
from ingather.task import DeterministicTask, ExtractTask

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Mapping

    from ingather.engine.context import Context
    from ingather.engine.record import Record
    from ingather.engine.run import Run

_SHARE = 8  # of the open runs, one in so many must have ended before all are looked at again
_SUMS = (
    "tasks", "rejected", "others", "hedges", "won", "denied", "total", "others_took", "functions", "slept", "untaken",
    "usd",
)  # fmt: skip


class Meter:
    """The figures of one loop's runs, written on that loop only.

    What happens is counted at once, a task's time at its end.
    """

    __slots__ = (
        "denied", "functions", "hedges", "held", "last_sent", "latencies", "others", "others_took", "rejected", "slept",
        "tasks", "total", "unpriced", "untaken", "usd", "waited", "won",
    )  # fmt: skip

    def __init__(self) -> None:
        self.tasks = self.rejected = self.others = self.hedges = self.won = self.denied = 0
        self.total = self.others_took = self.functions = self.slept = self.usd = 0.0
        self.unpriced = False
        self.untaken = 0.0  # seconds in which nothing was pulled because results had not been taken
        self.last_sent = -math.inf
        self.held = Held()
        self.waited: dict[str, float] = {}
        self.latencies = Latencies()

    @property
    def attempts(self) -> int:
        """That have come back."""
        return self.latencies.count + self.others

    @property
    def wire(self) -> float:
        """Seconds of tasks with a request on the wire."""
        return self.latencies.total + self.others_took

    def failed(self, error: BaseException, took: float) -> None:
        """An attempt came back without an answer."""
        # which tells nothing of how long an answer takes
        if isinstance(error, RateLimited | CancelledError):
            self.others += 1
            self.others_took += took
            self.rejected += isinstance(error, RateLimited)
        else:
            self.latencies.add(took)

    def waits(self, waited: Mapping[str, float]) -> None:
        """A task has waited, by cause."""
        for by, took in tuple(waited.items()):  # another thread may be adding
            self.waited[by] = self.waited.get(by, 0.0) + took

    def under_way(self, record: Record, now: float) -> None:
        """What a task that has not ended is doing by now."""
        if isinstance(record.task, ExtractTask):  # whose parts are tasks of their own
            return
        self.total += now - record.since
        doing = record.doing
        if isinstance(doing, tuple):
            what, since = doing
            if what == "backoff":
                self.slept += now - since
            else:
                self.waits({what: now - since})
        elif doing is None:
            pass
        elif not doing.granted:
            self.waits(doing.waited_by(now))
        elif isinstance(record.task, DeterministicTask):
            self.functions += now - doing.granted_at
        else:
            self.others += 1
            self.others_took += now - doing.granted_at

    def merge(self, other: Meter) -> None:
        """Another's figures as well."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.unpriced |= other.unpriced
        self.last_sent = max(self.last_sent, other.last_sent)
        self.held.add(other.held)
        self.latencies.merge(other.latencies)
        self.waits(other.waited)

    def times(self) -> Times:
        """Where the time went."""
        return Times.of(self.total, self.waited, self.slept, self.wire, self.functions)

    def __repr__(self) -> str:
        return f"Meter({self.tasks} tasks, {self.attempts} attempts, {self.times()})"


class Meters:
    """All figures of one executor: of the runs that are over, and of those under way."""

    def __init__(self) -> None:
        self._past = Meter()  # of loops that are no more
        self._meters: dict[weakref.ref[AbstractEventLoop], Meter] = {}
        self._runs = OpenRuns()
        self._began = self._ended = self._wall = 0.0
        self._ends = 0  # of runs, since the figures were last brought together at one
        self._at_an_end: Stats | None = None
        self._lock = threading.Lock()  # runs may be on several loops

    def opened(self, run: Run) -> Meter:
        """A run begins; gives the meter that counts for it."""
        self._runs.take_dead()  # nobody ended those in order
        this = weakref.ref(run.loop)
        with self._lock:
            for loop in [
                loop for loop in self._meters if (alive := loop()) is None or alive.is_closed()
            ]:
                self._past.merge(self._meters.pop(loop))
            if not self._runs:
                self._began = run.loop.time()
            self._runs.add(run)
            meter = self._meters.get(this)
            if meter is None:
                meter = self._meters[this] = Meter()
            return meter

    def closed(self, run: Run) -> None:
        """It is over."""
        with self._lock:
            if run in self._runs:
                self._runs.discard(run)
                if not self._runs:
                    self._ended = run.loop.time()
                    self._wall += self._ended - self._began

    def stats_at_end(self, context: Context) -> Stats:
        """What there is when a run has ended; the same for a few ends where many others go on.

        All of those are looked at, so that the ends of n runs at once would otherwise cost n².
        """
        with self._lock:
            self._ends += 1
            found = self._at_an_end if self._ends * _SHARE < len(self._runs) else None
            if found is None:
                self._ends = 0
        if found is None:
            found = self._at_an_end = self.stats(context)
        return found

    def stats(self, context: Context) -> Stats:
        """What there is by now."""
        found = Meter()
        with self._lock:
            for meter in (self._past, *self._meters.values()):
                found.merge(meter)
            runs, wall, until = tuple(self._runs), self._wall, self._ended
            if runs:
                until = runs[0].loop.time()
                wall += until - self._began
        for run in runs:
            for call in tuple(run.calling.values()):
                found.under_way(call.record, run.loop.time())
        return _stats(found, wall, until, context)

    def __repr__(self) -> str:
        return f"Books({self._past.tasks} tasks in runs that are over, {len(self._runs)} runs under way)"


def _work(found: Meter, wall: float, until: float, capacity: float) -> Work:
    times = found.times()
    busy = times.provider + times.functions
    idle = max(0.0, wall - busy)  # at least: calls may have been beside each other
    return Work(
        busy,
        wall,
        idle,
        min(capacity, found.tasks),
        found.tasks,
        found.latencies.percentile(0.5),
        found.latencies.slowest,
        tail=min(wall, max(0.0, until - found.last_sent)),
        functions=times.functions,
        asleep=min(times.backoff, idle),
        untaken=min(found.untaken, wall),
    )


def _stats(found: Meter, wall: float, until: float, context: Context) -> Stats:
    times, latencies, median = found.times(), found.latencies, found.latencies.percentile(0.5)
    gates = [queue.gate for queue in context.queues()]
    learnt = {
        gate.name: known for gate in gates if (known := gate.learnt()) is not None and str(known)
    }
    limits = {
        gate.name: gate.controller.limits for gate in gates if gate.controller.limits != Limits()
    }
    capped = context.budget is not None and context.budget.max_cost_usd is not None
    budget = context.budget if capped else None
    return Stats(
        tasks=found.tasks,
        attempts=found.attempts,
        rejected=found.rejected,
        hedges=found.hedges,
        hedges_won=found.won,
        retries_denied=found.denied,
        wall=wall,
        times=times,
        waited=found.waited,
        median=median,
        p95=latencies.percentile(0.95),
        p99=latencies.percentile(0.99),
        slowest=latencies.slowest,
        limited_by=what_limited(_work(found, wall, until, context.slots.capacity), found.held.by),
        learnt=learnt,
        limits=limits,
        full=tuple(gate.name for gate in gates if gate.controller.window.gains_nothing),
        cost_usd=None if found.unpriced else found.usd,
        known_usd=found.usd,
        spent_usd=None if budget is None else budget.spent.usd,
        reserved_usd=None if budget is None else budget.reserved.usd,
        cap_usd=None if budget is None else budget.max_cost_usd,
    )
