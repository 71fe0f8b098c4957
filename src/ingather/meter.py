"""What an executor's runs have used so far: added up for each loop by itself, and brought together when asked."""

from __future__ import annotations

import threading
import weakref
from asyncio import CancelledError
from typing import TYPE_CHECKING

from ingather.errors import RateLimited
from ingather.limited import Work, what_limited
from ingather.limits import Limits
from ingather.open_runs import OpenRuns
from ingather.stats import Latencies, Stats, Times
from ingather.task import DeterministicTask, ExtractTask

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Mapping

    from ingather.run import Run
    from ingather.tally import Tally
    from ingather.terms import Terms

_SHARE = 8  # of the open runs, one in so many must have ended before all are looked at again
_SUMS = (
    "tasks", "rejected", "others", "hedges", "won", "denied", "total", "others_took", "functions", "slept", "usd",
)  # fmt: skip


class Meter:
    """The figures of one loop's runs, written on that loop only.

    What happens is counted at once, a task's time at its end.
    """

    __slots__ = (
        "denied", "functions", "hedges", "latencies", "others", "others_took", "rejected", "slept", "tasks", "total",
        "unpriced", "usd", "waited", "won",
    )  # fmt: skip

    def __init__(self) -> None:
        self.tasks = self.rejected = self.others = self.hedges = self.won = self.denied = 0
        self.total = self.others_took = self.functions = self.slept = self.usd = 0.0
        self.unpriced = False
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
        if isinstance(error, RateLimited | CancelledError):  # which tells nothing of how long an answer takes
            self.others += 1
            self.others_took += took
            self.rejected += isinstance(error, RateLimited)
        else:
            self.latencies.add(took)

    def waits(self, waited: Mapping[str, float]) -> None:
        """A task has waited, by cause."""
        for by, took in tuple(waited.items()):  # another thread may be adding
            self.waited[by] = self.waited.get(by, 0.0) + took

    def under_way(self, tally: Tally, now: float) -> None:
        """What a task that has not ended is doing by now."""
        if isinstance(tally.task, ExtractTask):  # whose parts are tasks of their own
            return
        self.total += now - tally.since
        doing = tally.doing
        if isinstance(doing, tuple):
            what, since = doing
            if what == "backoff":
                self.slept += now - since
            else:
                self.waits({what: now - since})
        elif doing is None:
            pass
        elif callable(doing):
            self.waits(doing(now))
        elif isinstance(tally.task, DeterministicTask):
            self.functions += now - doing.granted_at
        else:
            self.others += 1
            self.others_took += now - doing.granted_at

    def merge(self, other: Meter) -> None:
        """Another's figures as well."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.unpriced |= other.unpriced
        self.latencies.merge(other.latencies)
        self.waits(other.waited)

    def times(self) -> Times:
        """Where the time went."""
        return Times.of(self.total, self.waited, self.slept, self.wire, self.functions)

    def __repr__(self) -> str:
        return f"Meter({self.tasks} tasks, {self.attempts} attempts, {self.times()})"


class Books:
    """All figures of one executor: of the runs that are over, and of those under way."""

    def __init__(self) -> None:
        self._past = Meter()  # of loops that are no more
        self._meters: dict[weakref.ref[AbstractEventLoop], Meter] = {}
        self._runs = OpenRuns()
        self._began = self._wall = 0.0
        self._ends = 0  # of runs, since the figures were last brought together at one
        self._at_an_end: Stats | None = None
        self._lock = threading.Lock()  # runs may be on several loops

    def opened(self, run: Run) -> Meter:
        """A run begins; gives the meter that counts for it."""
        self._runs.take_dead()  # nobody ended those in order
        this = weakref.ref(run.loop)
        with self._lock:
            for loop in [loop for loop in self._meters if (alive := loop()) is None or alive.is_closed()]:
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
                    self._wall += run.loop.time() - self._began

    def stats_at_end(self, terms: Terms) -> Stats:
        """What there is when a run has ended; the same for a few ends where many others go on.

        All of those are looked at, so that the ends of n runs at once would otherwise cost n².
        """
        with self._lock:
            self._ends += 1
            found = self._at_an_end if self._ends * _SHARE < len(self._runs) else None
            if found is None:
                self._ends = 0
        if found is None:
            found = self._at_an_end = self.stats(terms)
        return found

    def stats(self, terms: Terms) -> Stats:
        """What there is by now."""
        found = Meter()
        with self._lock:
            for meter in (self._past, *self._meters.values()):
                found.merge(meter)
            runs, wall = tuple(self._runs), self._wall
            if runs:
                wall += runs[0].loop.time() - self._began
        for run in runs:
            for call in tuple(run.calling.values()):
                found.under_way(call.tally, run.loop.time())
        return _stats(found, wall, terms)

    def __repr__(self) -> str:
        return f"Books({self._past.tasks} tasks in runs that are over, {len(self._runs)} runs under way)"


def _stats(found: Meter, wall: float, terms: Terms) -> Stats:
    times, latencies = found.times(), found.latencies
    serial, median = times.provider + times.functions, latencies.percentile(0.5)
    peak, idle = min(terms.slots.capacity, found.tasks), max(0.0, wall - serial)
    work = Work(serial, wall, idle, peak, found.tasks, median, latencies.slowest)
    pools = [lane.pool for lane in terms.lanes()]
    learnt = {pool.name: known for pool in pools if (known := pool.learnt()) is not None and str(known)}
    limits = {pool.name: pool.controller.limits for pool in pools if pool.controller.limits != Limits()}
    capped = terms.budget is not None and terms.budget.max_cost_usd is not None
    budget = terms.budget if capped else None
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
        limited_by=what_limited(work, {**found.waited, "backoff": found.slept}),
        learnt=learnt,
        limits=limits,
        full=tuple(pool.name for pool in pools if pool.controller.window.gains_nothing),
        cost_usd=None if found.unpriced else found.usd,
        known_usd=found.usd,
        spent_usd=None if budget is None else budget.spent.usd,
        reserved_usd=None if budget is None else budget.reserved.usd,
        cap_usd=None if budget is None else budget.max_cost_usd,
    )
