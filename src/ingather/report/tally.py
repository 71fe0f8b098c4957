"""Adding events up. Arithmetic only; what is kept does not grow with the number of tasks."""

from __future__ import annotations

import math
from asyncio import CancelledError
from dataclasses import replace
from typing import TYPE_CHECKING

from ingather.errors import BudgetSpent, Cancelled, NotSent, RateLimited
from ingather.events import (
    AttemptEnded,
    AttemptStarted,
    BackedOff,
    Hedged,
    PoolPaused,
    ReAsked,
    RunEnded,
    RunStarted,
    TaskEnded,
)
from ingather.limited import Work, what_limited
from ingather.report.summary import ErrorGroup, Summary
from ingather.stats import Latencies
from ingather.task import DeterministicTask, ExtractTask

if TYPE_CHECKING:
    from ingather.events import Event
    from ingather.result import TaskResult


class Report:
    """Subscribe it (``on_event=report``) and ask for its `summary`, at any time and from any thread.

    `total`: how many tasks there will be, where the executor cannot know.

    >>> Report(total=10).summary().total
    10
    """

    def __init__(self, total: int | None = None) -> None:
        self._sum = Summary(total=total)
        self._total_is_given = total is not None
        self._has_run = False
        self._open_runs = 0
        self._overlap = False  # runs within runs: a function's time is then its calls' time as well
        self._at = 0.0  # the newest event
        self._began = 0.0
        self._idle = 0.0  # seconds with nothing in flight
        self._in_functions = 0.0
        self._part_runs = set[int]()  # runs of an extraction's parts, which are no tasks of their own
        self._flying: dict[tuple[int, int], int] = {}  # attempts in the air of each task
        self._spent: dict[tuple[int, int], float] = {}  # seconds of attempts so far of each task under way
        self._latencies = Latencies()
        self._cost: float | None = 0.0
        self._pause_ends = -math.inf

    def __repr__(self) -> str:
        now = self._sum
        return f"Report({now.succeeded} succeeded, {now.failed} failed, {now.in_flight} in flight)"

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        if self._open_runs and not self._sum.in_flight:
            self._idle += event.at - self._at
        self._at = event.at
        match event:
            case AttemptStarted():
                self._attempt_started(event)
            case AttemptEnded():
                self._attempt_ended(event)
            case TaskEnded():
                self._task_ended((event.run, event.result.index), event.result)
                if event.times is not None:
                    self._sum.times += event.times
            case RunStarted():
                self._run_started(event)
            case RunEnded():
                self._run_ended(event)
            case BackedOff():
                self._sum.backoffs += 1
                self._sum.backoff += event.delay
            case PoolPaused():
                self._paused(event)
            case Hedged():
                self._sum.hedges += 1
            case ReAsked():
                self._sum.reasked += 1
            case _:  # a task was pulled: it counts when it ends
                pass

    def summary(self, now: float | None = None) -> Summary:
        """The figures as they are at `now` (seconds of the monotonic clock; None: at the last event). A copy."""
        found = replace(self._sum, waited=dict(self._sum.waited), errors=dict(self._sum.errors))
        if self._open_runs:
            until = self._at if now is None else now
            found.wall += max(0.0, until - self._began)
            found.pause_left = max(0.0, self._pause_ends - until)
        if not self._overlap:
            found.serial += self._in_functions
        found.cost_usd = self._cost if found.attempts else None
        latencies = Latencies()
        latencies.merge(self._latencies)
        found.median, found.p95, found.p99 = (latencies.percentile(share) for share in (0.5, 0.95, 0.99))
        found.slowest = latencies.slowest
        speed = Work(found.serial, found.wall, self._idle, found.peak, found.done, found.median, found.slowest)
        found.limited_by = what_limited(speed, {**found.waited, "backoff": found.backoff})
        return found

    def _run_started(self, event: RunStarted) -> None:
        if event.parent is not None:
            self._part_runs.add(event.run)
            self._open_runs += 1
            return
        if not self._total_is_given:
            before = self._sum.total if self._has_run else 0
            self._sum.total = None if event.total is None or before is None else before + event.total
        self._has_run = True
        if self._open_runs == 0:
            self._began = event.at
        else:
            self._overlap = True
        self._open_runs += 1

    def _run_ended(self, event: RunEnded) -> None:
        self._open_runs -= 1
        self._sum.stats = event.stats
        self._part_runs.discard(event.run)
        if self._open_runs == 0:
            self._sum.wall += event.at - self._began
            self._sum.in_flight = 0
            self._flying.clear()
            self._spent.clear()

    def _attempt_started(self, event: AttemptStarted) -> None:
        key = (event.run, event.index)
        total = self._sum
        self._flying[key] = self._flying.get(key, 0) + 1
        total.in_flight += 1
        total.peak = max(total.peak, total.in_flight)
        for by, took in event.waited.items():
            total.waited[by] = total.waited.get(by, 0.0) + took

    def _attempt_ended(self, event: AttemptEnded) -> None:
        key = (event.run, event.index)
        if self._flying.get(key, 0):
            self._flying[key] -= 1
            self._sum.in_flight -= 1
        self._sum.calls += 1
        if isinstance(event.error, RateLimited):
            self._sum.rejected += 1
            return  # one after another there would have been none
        self._spent[key] = self._spent.get(key, 0.0) + event.duration
        if event.attempt and not isinstance(event.error, CancelledError):  # a function has no attempts
            self._latencies.add(event.duration)

    def _task_ended(self, key: tuple[int, int], result: TaskResult) -> None:
        total = self._sum
        if not isinstance(result.task, ExtractTask):  # whose parts have been counted, each as it ended
            self._count_calls(key, result)
        if key[0] in self._part_runs:
            return
        if result.success:
            total.succeeded += 1
            total.cached += result.cached
        elif isinstance(result.error, NotSent | BudgetSpent):
            total.not_sent += 1
        elif isinstance(result.error, Cancelled):
            total.cancelled += 1
        elif result.error is not None:
            total.failed += 1
            group = total.errors.setdefault(type(result.error).__name__, ErrorGroup(0, result.error))
            group.count += 1

    def _count_calls(self, key: tuple[int, int], result: TaskResult) -> None:
        total = self._sum
        total.in_flight -= self._flying.pop(key, 0)
        total.attempts += result.attempts
        spent = self._spent.pop(key, 0.0)
        if isinstance(result.task, DeterministicTask):
            self._in_functions += spent
        else:
            total.serial += spent
            self._bill(result)

    def _bill(self, result: TaskResult) -> None:
        if result.usage is not None:
            self._sum.input_tokens += result.usage.input_tokens
            self._sum.output_tokens += result.usage.output_tokens
        elif result.response is not None:
            self._sum.unmetered += 1
        if result.attempts > result.rejected and not result.cached:
            self._cost = None if self._cost is None or result.cost_usd is None else self._cost + result.cost_usd

    def _paused(self, event: PoolPaused) -> None:
        ends = event.at + event.delay
        self._sum.pauses += 1
        self._sum.paused += max(0.0, ends - max(event.at, self._pause_ends))  # pauses may overlap
        self._pause_ends = max(self._pause_ends, ends)
