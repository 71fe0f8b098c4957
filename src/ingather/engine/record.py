"""What became of one task: what it used, where its time went, and its result at the end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ingather.events import AttemptEnded, AttemptStarted, Remembered
from ingather.extract_task import ExtractTask
from ingather.response import LLMResponse, Usage
from ingather.result import TaskResult
from ingather.stats import Times
from ingather.store.attempt_row import AttemptRow
from ingather.task import DeterministicTask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ingather.admission.permit import Permit
    from ingather.engine.inner_usage import InnerUsage
    from ingather.engine.meter import Meter
    from ingather.engine.telemetry import Telemetry
    from ingather.events import Event
    from ingather.money.pricing import Price
    from ingather.task import Task


class Record:
    """Of one task that has waited since `since`. Times are seconds of the loop's clock.

    `slept`, `stored`: seconds between attempts, and until its answer was stored. `wire`: seconds
    with a request on the wire or in the function, where anybody listens. `waited`: seconds, by
    cause. `inner`: what tasks used that ran inside it, which count for themselves elsewhere.
    """

    __slots__ = (
        "_begun", "_loop", "_meter", "_permit", "_telemetry", "_waited_before", "_waits_for",
        "_waits_since", "attempts",
        "cached", "cost_usd", "index", "inner", "last_error", "missing", "parts", "rejected",
        "response", "since", "slept", "stored", "tag", "task", "unpriced", "unsaved", "usage",
        "waited", "wire",
    )  # fmt: skip

    def __init__(
        self, telemetry: Telemetry, task: Task, index: int, tag: str, since: float
    ) -> None:
        self.task = task
        self.index = index
        self.tag = tag
        self.since = since
        self.attempts = self.rejected = 0
        self.slept = self.stored = self.wire = 0.0
        self.waited: dict[str, float] | None = None
        self.usage: Usage | None = None
        self.cost_usd: float | None = None
        self.inner: InnerUsage | None = None
        self.response: LLMResponse | None = None
        self.last_error: Exception | None = None
        self.parts: dict[str, TaskResult] | None = None
        self.missing: tuple[str, ...] = ()
        self.cached = self.unsaved = self.unpriced = False
        self._telemetry = telemetry
        self._loop = telemetry.loop
        self._meter = telemetry.meter
        self._begun: float | None = None
        self._permit: Permit | None = None  # waited for, or in use
        self._waits_for = ""  # anything but a permit
        self._waits_since = 0.0
        self._waited_before: dict[str, float] | None = None  # since the last attempt, for no permit

    @property
    def begun(self) -> bool:
        """Whether it was ever admitted."""
        return self._begun is not None

    def waits_for(self, cause: str, now: float, permit: Permit | None = None) -> None:
        """It waits from now on: for a permit, or for ``"budget"``, ``"backoff"``, ``"store"``."""
        self._waits_for, self._waits_since, self._permit = cause, now, permit

    def record_wait(self, now: float) -> None:
        """It waits no more."""
        cause, permit = self._waits_for, self._permit
        took = now - self._waits_since
        self._waits_for, self._permit = "", None
        if permit is not None:
            self._add_waited(permit.waited)
        elif cause == "backoff":
            self.slept += took
            self._meter.slept += took
        elif cause == "saving":
            self.stored += took
            self._meter.held.waited(now, {"store": took})
        elif cause:
            self._add_waited({cause: took})
            before = self._waited_before = self._waited_before or {}
            before[cause] = before.get(cause, 0.0) + took

    def admitted(self, permit: Permit) -> None:
        """It has a permit: its request goes on the wire, or its function begins."""
        if self._begun is None:
            self._begun = permit.granted_at
        self._permit = permit
        waited, queued = permit.waited, permit.granted_at - permit.asked_at
        if self._waited_before is not None:
            queued += sum(self._waited_before.values())
            waited, self._waited_before = {**self._waited_before, **waited}, None
        meter = self._meter
        meter.last_sent = permit.granted_at
        meter.load.began(permit)
        if waited:
            meter.held.waited(permit.granted_at, waited)
        if self._telemetry.emit is not None:
            self.tell(AttemptStarted, attempt=self.attempts, queued=queued, waited=waited)

    def attempted(self, permit: Permit, error: BaseException | None, number: int) -> None:
        """Attempt `number` came back."""
        telemetry = self._telemetry
        now = self._loop.time()
        duration = now - permit.granted_at
        self._permit = None
        self._meter.came_back(permit, error, duration)
        if telemetry.journal is not None:
            telemetry.journal.attempted(telemetry.number, self._row(permit, error, number, now))
        if telemetry.emit is not None:
            self.wire += duration
            usage = None if error is not None else usage_of(self.response)
            self.tell(AttemptEnded, attempt=number, duration=duration, error=error, usage=usage)

    def function_ended(self, permit: Permit, error: BaseException | None) -> None:
        """The task's function returned, or raised."""
        duration = self._loop.time() - permit.granted_at
        self._permit = None
        self._meter.functions += duration
        self._meter.load.ended(permit, duration, counts=False)
        if self._telemetry.emit is not None:
            self.wire += duration
            self.tell(AttemptEnded, attempt=0, duration=duration, error=error, usage=None)

    def overlapped(self, took: float) -> None:
        """Two copies were on the wire at once for so long, which is to count once."""
        self.wire -= took
        self._meter.others_took -= took

    def hedged(self) -> None:
        """A second copy was sent."""
        self._meter.hedges += 1

    def hedge_won(self) -> None:
        """The second copy was answered first."""
        self._meter.won += 1

    def retry_denied(self) -> None:
        """No attempts are left for the faults of its quota."""
        self._meter.denied += 1

    def paid(self, response: LLMResponse, price: Price | None) -> Usage | None:
        """Count what an answer cost, success or not: every answer with a usage was billed."""
        self.response = response
        usage = usage_of(response)
        if usage is not None:
            self.usage = usage if self.usage is None else self.usage + usage
        cost = cost_of(response, price)
        if isinstance(response, LLMResponse):
            response.cost_usd = cost
        if cost is None:
            self.unpriced = True
        else:
            self.cost_usd = cost + (self.cost_usd or 0.0)
        return usage

    def absorb(self, part: TaskResult) -> None:
        """Count what a part of this task used."""
        if part.attempts or part.success:
            begun = self._loop.time() - part.duration_ms / 1000
            self._begun = begun if self._begun is None else min(self._begun, begun)
        self.attempts += part.attempts
        self.rejected += part.rejected
        self.unsaved |= part.unsaved
        self.slept += part.backoff_ms / 1000
        if part.usage is not None:
            self.usage = part.usage if self.usage is None else self.usage + part.usage
        if part.cost_usd is not None:
            self.cost_usd = part.cost_usd + (self.cost_usd or 0.0)
        elif part.attempts > part.rejected or part.usage is not None:
            self.unpriced = True

    def reused(self, response: LLMResponse, source: str) -> None:
        """It is answered by an earlier answer, or by another call's: nothing is paid for it."""
        self.cached = True
        self.response = response
        self.usage, self.cost_usd = Usage(0, 0), 0.0
        self.tell(Remembered, source=source)

    @property
    def times(self) -> Times | None:
        """Where its time went; None for an extraction, whose parts have times of their own."""
        if self.parts is not None or isinstance(self.task, ExtractTask):
            return None
        total = self._loop.time() - self.since
        is_function = isinstance(self.task, DeterministicTask)
        wire, function = (0.0, self.wire) if is_function else (self.wire, 0.0)
        return Times.of(total, self.waited or {}, self.slept, wire, function)

    def add_to(self, meter: Meter, now: float) -> None:
        """Add what it has used by now to `meter`, which counts its time only at its end."""
        if isinstance(self.task, ExtractTask):  # whose parts are tasks of their own
            return
        meter.total += now - self.since
        permit = self._permit
        if self._waits_for == "backoff":
            meter.slept += now - self._waits_since
        elif self._waits_for and self._waits_for != "saving":
            meter.waits({self._waits_for: now - self._waits_since})
        elif permit is None:
            pass
        elif not permit.granted:
            meter.waits(permit.waited_by(now))
        elif isinstance(self.task, DeterministicTask):
            meter.functions += now - permit.granted_at
        else:
            meter.others += 1
            meter.others_took += now - permit.granted_at

    def tell(self, kind: Callable[..., Event], **what: object) -> None:
        """Emit an event of this task."""
        self._telemetry.tell(kind, index=self.index, **what)

    def result(self, value: object, error: Exception | None) -> TaskResult:
        """The task's result: it has ended."""
        now = self._loop.time()
        begun = now if self._begun is None else self._begun
        cost = None if self.unpriced else self.cost_usd
        if self.parts is None:  # which are tasks of their own
            was_sent = self._begun is not None
            took = now - self.since
            self._meter.ended(took, cost, was_sent=was_sent, is_priced=not self.unpriced)
        usage, cost = self._with_inner(cost)
        cached = all(part.cached for part in self.parts.values()) if self.parts else self.cached
        return TaskResult(
            self.tag,
            error is None,
            value,
            error,
            (now - begun) * 1000,
            self.index,
            self.task,
            self.response,
            usage,
            cost,
            self.attempts,
            self.rejected,
            (begun - self.since) * 1000,
            self.slept * 1000,
            cached,
            parts=self.parts,
            missing=self.missing,
            unsaved=self.unsaved,
        )

    @property
    def is_inner(self) -> bool:
        """Whether its usage is that of the tasks inside it: an answer of its own tells all."""
        return self.inner is not None and self.usage is None

    def _with_inner(self, cost: float | None) -> tuple[Usage | None, float | None]:
        if self.inner is None or self.usage is not None:
            return self.usage, cost
        return self.inner.usage, self.inner.cost_usd if self.inner.is_priced else None

    def _row(
        self, permit: Permit, error: BaseException | None, number: int, now: float
    ) -> AttemptRow:
        return AttemptRow(
            self.index,
            self.tag,
            number,
            permit.asked_at,
            permit.limited_by,
            self.slept,
            permit.granted_at,
            now,
            error,
            self.response if error is None else getattr(error, "response", None),
        )

    def _add_waited(self, waited: Mapping[str, float]) -> None:
        if waited:
            self._meter.waits(waited)
            mine = self.waited = self.waited or {}
            for cause, took in waited.items():
                mine[cause] = mine.get(cause, 0.0) + took

    def __repr__(self) -> str:
        what = self.tag or self.index
        return f"Record({what}: {self.attempts} attempts, {self.rejected} rejected)"


def usage_of(response: object) -> Usage | None:
    """The tokens that an answer says it took; a bare provider's may be an object of its own."""
    usage = getattr(response, "usage", None)
    return usage if usage is not None and isinstance(usage, Usage) else None


def cost_of(response: object, price: Price | None) -> float | None:
    """USD that an answer cost: what it says itself, else by its tokens; None if not known."""
    told = getattr(response, "cost_usd", None)
    if told is not None and isinstance(told, int | float) and 0 <= told < math.inf:
        return told
    if price is None:
        return None
    usage = usage_of(response)
    return None if usage is None else price.of(usage)
