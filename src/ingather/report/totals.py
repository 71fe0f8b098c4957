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
from ingather.extract_task import ExtractTask
from ingather.report.summary import ErrorGroup, Summary
from ingather.stats import Latencies
from ingather.stats.bottleneck import Work, what_limited
from ingather.stats.contention import Held, Load
from ingather.task import DeterministicTask

if TYPE_CHECKING:
    from ingather.events import Event
    from ingather.result import TaskResult


class Report:
    """Subscribe it (``on_event=report``) and ask for its `summary`, at any time and from any thread.

    `total`: how many tasks there will be, where the executor cannot know.

    >>> from ingather.report import Report
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
        self._began = self._ended = 0.0
        self._idle = 0.0  # seconds with nothing in flight
        self._last_sent = 0.0
        self._asleep_until, self._asleep, self._untaken = 0.0, 0.0, 0.0
        self._held = Held()
        self._calls, self._functions = Load(), Load()
        # runs of an extraction's parts, which are no tasks of their own
        self._part_runs = set[int]()
        self._flying: dict[tuple[int, int], int] = {}  # attempts in the air of each task
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
                self._task_ended((event.run, event.result.index), event)
                if event.times is not None:
                    self._sum.times += event.times
            case RunStarted():
                self._run_started(event)
            case RunEnded():
                self._run_ended(event)
            case BackedOff():
                self._sum.backoffs += 1
                self._sum.backoff += event.delay
                until = event.at + event.delay
                # many may sleep at once
                self._asleep += max(0.0, until - max(event.at, self._asleep_until))
                self._asleep_until = max(self._asleep_until, until)
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
        found.cost_usd = self._cost if found.attempts else None
        latencies = Latencies()
        latencies.merge(self._latencies)
        found.median, found.p95, found.p99 = (
            latencies.percentile(share) for share in (0.5, 0.95, 0.99)
        )
        found.slowest = latencies.slowest
        found.serial = self._serial()
        found.limited_by = what_limited(
            self._work(found, self._at if now is None else now), self._held.by
        )
        return found

    def _serial(self) -> float | None:
        """What the calls would have taken one after another; None where nothing tells how long one takes alone."""
        loads = [self._calls] if self._overlap else [self._calls, self._functions]
        seconds = 0.0
        for load in loads:
            alone = load.alone
            if load.count and alone is None:
                return None
            seconds += load.count * (alone or 0.0)
        return seconds

    def _work(self, found: Summary, now: float) -> Work:
        functions = 0.0 if self._overlap else self._functions.total
        return Work(
            self._calls.total + functions,
            found.wall,
            self._idle,
            found.peak,
            found.done - found.cached - found.not_sent,
            found.median,
            found.slowest,
            tail=max(
                0.0, min(found.wall, (now if self._open_runs else self._ended) - self._last_sent)
            ),
            functions=functions,
            asleep=self._asleep,
            untaken=self._untaken,
            slows=self._calls.slows,
        )

    def _run_started(self, event: RunStarted) -> None:
        if event.is_parts:
            self._part_runs.add(event.run)
            self._open_runs += 1
            return
        if not self._total_is_given:
            before = self._sum.total if self._has_run else 0
            self._sum.total = (
                None if event.total is None or before is None else before + event.total
            )
        self._has_run = True
        if self._open_runs == 0:
            self._began = event.at
        else:
            self._overlap = True
        self._open_runs += 1

    def _run_ended(self, event: RunEnded) -> None:
        self._open_runs -= 1
        self._sum.stats = event.stats
        self._untaken += event.untaken
        self._ended = event.at
        self._part_runs.discard(event.run)
        if self._open_runs == 0:
            self._sum.wall += event.at - self._began
            self._sum.in_flight = 0
            self._flying.clear()
            self._calls.clear()
            self._functions.clear()

    def _attempt_started(self, event: AttemptStarted) -> None:
        key = (event.run, event.index)
        total = self._sum
        self._flying[key] = self._flying.get(key, 0) + 1
        total.in_flight += 1
        total.peak = max(total.peak, total.in_flight)
        self._last_sent = event.at
        (self._calls if event.attempt else self._functions).began((*key, event.attempt))
        self._held.waited(event.at, event.waited)
        for by, took in event.waited.items():
            total.waited[by] = total.waited.get(by, 0.0) + took

    def _attempt_ended(self, event: AttemptEnded) -> None:
        key = (event.run, event.index)
        if self._flying.get(key, 0):
            self._flying[key] -= 1
            self._sum.in_flight -= 1
        self._sum.calls += 1
        is_rejected = isinstance(event.error, RateLimited)
        self._sum.rejected += is_rejected  # one after another there would have been none
        counts = not is_rejected and not isinstance(event.error, CancelledError)
        (self._calls if event.attempt else self._functions).ended(
            (*key, event.attempt), event.duration, counts=counts
        )
        if event.attempt and counts:  # a function has no attempts
            self._latencies.add(event.duration)

    def _task_ended(self, key: tuple[int, int], event: TaskEnded) -> None:
        total, result = self._sum, event.result
        if event.stored:
            self._held.waited(event.at, {"store": event.stored})
            total.waited["store"] = total.waited.get("store", 0.0) + event.stored
        # whose parts have been counted, each as it ended
        if not isinstance(result.task, ExtractTask):
            total.in_flight -= self._flying.pop(key, 0)
            total.attempts += result.attempts
            if not event.is_inner and not isinstance(result.task, DeterministicTask):
                self._bill(result)
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
            group = total.errors.setdefault(
                type(result.error).__name__, ErrorGroup(0, result.error)
            )
            group.count += 1

    def _bill(self, result: TaskResult) -> None:
        if result.usage is not None:
            self._sum.input_tokens += result.usage.input_tokens
            self._sum.output_tokens += result.usage.output_tokens
        elif result.response is not None:
            self._sum.unmetered += 1
        if result.attempts > result.rejected and not result.cached:
            self._cost = (
                None
                if self._cost is None or result.cost_usd is None
                else self._cost + result.cost_usd
            )

    def _paused(self, event: PoolPaused) -> None:
        ends = event.at + event.delay
        self._sum.pauses += 1
        self._sum.paused += max(0.0, ends - max(event.at, self._pause_ends))  # pauses may overlap
        self._pause_ends = max(self._pause_ends, ends)
