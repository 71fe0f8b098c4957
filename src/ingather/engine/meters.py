"""All figures of one executor: of the runs that are over, and of those under way."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

from ingather.engine.by_loop import ByLoop
from ingather.engine.meter import Meter
from ingather.limits import Limits
from ingather.stats import Stats
from ingather.stats.bottleneck import Work, what_limited

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Iterable

    from ingather.admission.gate import Gate
    from ingather.engine.telemetry import Telemetry
    from ingather.money.budget import Budget

_SHARE = 8  # of the open runs, one in so many must have ended before all are added up again


class Meters:
    """A meter for each loop, brought together when asked.

    `gates`: gives those of the quotas drawn on so far.
    """

    def __init__(self, budget: Budget | None, gates: Callable[[], Iterable[Gate]]) -> None:
        self._budget = budget
        self._gates = gates
        self._past = Meter()  # of loops that are no more
        self._meters: dict[weakref.ref[AbstractEventLoop], Meter] = {}
        self._runs: ByLoop[Telemetry] = ByLoop()
        self._began = self._ended = self._wall = 0.0
        self._ends = 0  # of runs, since the figures were last brought together at one
        self._at_an_end: Stats | None = None
        self._lock = threading.Lock()  # runs may be on several loops

    def opened(self, run: Telemetry) -> Meter:
        """The meter that counts for a run which begins."""
        self._runs.take_dead()  # nobody ended those in order
        this = weakref.ref(run.loop)
        with self._lock:
            for loop in [each for each in self._meters if _is_gone(each)]:
                self._past.merge(self._meters.pop(loop))
            if not self._runs:
                self._began = run.loop.time()
            self._runs.add(run)
            meter = self._meters.get(this)
            if meter is None:
                meter = self._meters[this] = Meter()
            return meter

    def closed(self, run: Telemetry) -> None:
        """A run is over."""
        with self._lock:
            if run in self._runs:
                self._runs.discard(run)
                if not self._runs:
                    self._ended = run.loop.time()
                    self._wall += self._ended - self._began

    def stats_at_end(self) -> Stats:
        """The stats when a run has ended; the same for a few ends where many other runs go on.

        All open runs are looked at, so that the ends of n runs at once would otherwise cost n².
        """
        with self._lock:
            self._ends += 1
            found = self._at_an_end if self._ends * _SHARE < len(self._runs) else None
            if found is None:
                self._ends = 0
        if found is None:
            found = self._at_an_end = self.stats()
        return found

    def stats(self) -> Stats:
        """The stats by now."""
        found = Meter()
        with self._lock:
            for meter in (self._past, *self._meters.values()):
                found.merge(meter)
            runs, wall, until = tuple(self._runs), self._wall, self._ended
            if runs:
                until = runs[0].loop.time()
                wall += until - self._began
        for run in runs:
            for record in tuple(run.records.values()):
                record.add_to(found, run.loop.time())
        return self._stats(found, wall, until)

    def _stats(self, found: Meter, wall: float, until: float) -> Stats:
        latencies, gates = found.latencies, list(self._gates())
        known = {gate.name: learnt for gate in gates if (learnt := gate.learnt()) is not None}
        limits = {gate.name: gate.controller.limits for gate in gates}
        budget = self._budget
        if budget is not None and budget.max_cost_usd is None:
            budget = None
        return Stats(
            tasks=found.tasks,
            attempts=found.attempts,
            rejected=found.rejected,
            hedges=found.hedges,
            hedges_won=found.won,
            retries_denied=found.denied,
            wall=wall,
            times=found.times(),
            waited=found.waited,
            median=latencies.percentile(0.5),
            p95=latencies.percentile(0.95),
            p99=latencies.percentile(0.99),
            slowest=latencies.slowest,
            limited_by=what_limited(_work(found, wall, until), found.held.by),
            learnt={name: learnt for name, learnt in known.items() if str(learnt)},
            limits={name: each for name, each in limits.items() if each != Limits()},
            full=tuple(gate.name for gate in gates if gate.controller.window.gains_nothing),
            cost_usd=None if found.unpriced else found.usd,
            known_usd=found.usd,
            spent_usd=None if budget is None else budget.spent.usd,
            reserved_usd=None if budget is None else budget.reserved.usd,
            cap_usd=None if budget is None else budget.max_cost_usd,
        )

    def __repr__(self) -> str:
        return f"Meters({self._past.tasks} tasks in runs that are over, {len(self._runs)} runs)"


def _is_gone(loop: weakref.ref[AbstractEventLoop]) -> bool:
    alive = loop()
    return alive is None or alive.is_closed()


def _work(found: Meter, wall: float, until: float) -> Work:
    times = found.times()
    busy = times.provider + times.functions
    idle = max(0.0, wall - busy)  # at least: calls may have been beside each other
    return Work(
        busy,
        wall,
        idle,
        found.load.peak,
        found.sent,
        found.latencies.percentile(0.5),
        found.latencies.slowest,
        tail=min(wall, max(0.0, until - found.last_sent)),
        functions=times.functions,
        asleep=min(times.backoff, idle),
        untaken=min(found.untaken, wall),
        slows=found.load.slows,
    )
