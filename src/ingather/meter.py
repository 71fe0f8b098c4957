"""What an executor's runs have used so far: added up by each run for itself, and brought together when asked."""

from __future__ import annotations

import threading
from asyncio import CancelledError
from typing import TYPE_CHECKING

from ingather.errors import RateLimited
from ingather.limited import Work, what_limited
from ingather.limits import Limits
from ingather.stats import Latencies, Stats, Times
from ingather.task import DeterministicTask, ExtractTask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.run import Run
    from ingather.tally import Tally
    from ingather.terms import Terms

_SUMS = (
    "tasks", "rejected", "others", "hedges", "won", "denied", "total", "others_took", "functions", "slept", "usd",
)  # fmt: skip


class Meter:
    """One run's figures; written on its own loop only. What happens is counted at once, a task's time at its end."""

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
        """Another run's figures as well."""
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
        self._past = Meter()
        self._runs: set[Run] = set()
        self._began = self._wall = 0.0
        self._lock = threading.Lock()  # runs may be on several loops

    def opened(self, run: Run) -> None:
        """A run begins."""
        for dead in [other for other in self._runs if other.loop.is_closed()]:  # nobody ended those in order
            self.closed(dead)
        with self._lock:
            if not self._runs:
                self._began = run.loop.time()
            self._runs.add(run)

    def closed(self, run: Run) -> None:
        """It is over; whatever it counts from now on counts here."""
        with self._lock:
            if run not in self._runs:
                return
            self._runs.discard(run)
            self._past.merge(run.meter)
            run.meter = self._past
            if not self._runs:
                self._wall += run.loop.time() - self._began

    def stats(self, terms: Terms) -> Stats:
        """What there is by now."""
        found = Meter()
        with self._lock:
            found.merge(self._past)
            runs, wall = tuple(self._runs), self._wall
            if runs:
                wall += runs[0].loop.time() - self._began
            for run in runs:
                found.merge(run.meter)
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
    learnt = {pool.name: known for pool in pools if (known := pool.controller.learnt()) is not None and str(known)}
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
        cost_usd=None if found.unpriced else found.usd,
        known_usd=found.usd,
        spent_usd=None if budget is None else budget.spent.usd,
        reserved_usd=None if budget is None else budget.reserved.usd,
        cap_usd=None if budget is None else budget.max_cost_usd,
    )
