"""What one call has used so far, and the telling of it: events while it runs, its result at the end, the log."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from ingather.errors import plain
from ingather.events import AttemptEnded, AttemptStarted, Remembered
from ingather.result import LLMResponse, TaskResult, Usage
from ingather.stats import Times
from ingather.task import DeterministicTask, ExtractTask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ingather.admission.permit import Permit
    from ingather.engine.run import Run
    from ingather.engine.scope import InnerUsage
    from ingather.events import Event
    from ingather.money.pricing import Price
    from ingather.task import Task

logger = logging.getLogger("ingather")

_FEW = 10  # that are told one by one
_REASONS = 100  # that are told apart; tasks that fail for yet another are all told


class Record:
    """Of one task that has waited since `since`. Times are seconds of the loop's clock."""

    __slots__ = (
        "_before", "_begun", "_loop", "_run", "attempts", "cached", "cost_usd", "doing", "index", "inner",
        "last_error", "missing", "parts", "rejected", "response", "since", "slept", "stored", "tag", "task", "unpriced",
        "unsaved", "usage", "waited", "wire",
    )  # fmt: skip

    def __init__(self, run: Run, task: Task, index: int, tag: str, since: float) -> None:
        self.task = task
        self.index = index
        self.tag = tag
        self.attempts = self.rejected = 0
        self.slept = self.stored = 0.0
        # what it has waited for since its last attempt, but a lease
        self._before: dict[str, float] | None = None
        self.usage: Usage | None = None
        self.cost_usd: float | None = None
        # of the tasks that ran inside it, which count for themselves elsewhere
        self.inner: InnerUsage | None = None
        self.response: LLMResponse | None = None
        self.last_error: Exception | None = None
        self.parts: dict[str, TaskResult] | None = None
        self.missing: tuple[str, ...] = ()
        self.cached = self.unsaved = self.unpriced = False
        # seconds with a request on the wire, or in the function, where anybody listens
        self.wire = 0.0
        self.waited: dict[str, float] | None = None  # seconds, by cause
        # what it does now: a lease, in use or waited for; a reason, and since when
        self.doing: Permit | tuple[str, float] | None = None
        self._run = run
        self._loop = run.loop
        self.since = since
        self._begun: float | None = None

    @property
    def begun(self) -> bool:
        """Whether it was ever admitted."""
        return self._begun is not None

    def admitted(self, permit: Permit) -> None:
        """It has a slot now, and its request goes on the wire or its function begins."""
        if self._begun is None:
            self._begun = permit.granted_at
        self.doing = permit
        waited, queued = permit.waited, permit.granted_at - permit.asked_at
        if self._before is not None:
            queued += sum(self._before.values())
            waited, self._before = {**self._before, **waited}, None
        meter = self._run.meter
        meter.last_sent = permit.granted_at
        if waited:
            meter.held.waited(permit.granted_at, waited)
        if self._run.emit is not None:
            self.tell(AttemptStarted, attempt=self.attempts, queued=queued, waited=waited)

    def attempted(self, permit: Permit, error: BaseException | None, number: int) -> None:
        """Attempt `number` came back; 0 for a function."""
        run = self._run
        duration = self._loop.time() - permit.granted_at
        self.doing = None
        if not number:
            run.meter.functions += duration
        elif error is None:
            run.meter.latencies.add(duration)
        else:
            run.meter.failed(error, duration)
        if number and run.context.journal is not None:
            run.context.journal.attempted(run.number, self, permit, error, number)
        if run.emit is not None:
            self.wire += duration
            usage = None if error is not None else usage_of(self.response)
            self.tell(AttemptEnded, attempt=number, duration=duration, error=error, usage=usage)

    def overlapped(self, took: float) -> None:
        """Two copies were on the wire at once for so long, which is to count once."""
        self.wire -= took
        self._run.meter.others_took -= took

    def waits(self, waited: Mapping[str, float]) -> None:
        """It has waited so many seconds, by cause."""
        if waited:
            self._run.meter.waits(waited)
            mine = self.waited = {} if self.waited is None else self.waited
            for by, took in waited.items():
                mine[by] = mine.get(by, 0.0) + took

    def waited_before(self, cause: str, took: float) -> None:
        """Before it asked for a lease it has waited so many seconds for something else."""
        self.waits({cause: took})
        before = self._before = {} if self._before is None else self._before
        before[cause] = before.get(cause, 0.0) + took

    def stores(self, took: float) -> None:
        """Its answer was being stored for so many seconds."""
        self.stored += took
        self._run.meter.held.waited(self._loop.time(), {"store": took})

    def sleeps(self, took: float) -> None:
        """It has slept so many seconds between attempts."""
        self.slept += took
        self._run.meter.slept += took

    def note(self, response: LLMResponse, price: Price | None) -> Usage | None:
        """Count what an answer cost, success or not: every answer with a usage was paid. Gives its usage."""
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
        """Count what a part of this task has used."""
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

    def remembered(self, response: LLMResponse, source: str) -> None:
        """It is answered by what was bought before, or by another call: nothing is paid for it."""
        self.cached = True
        self.response = response
        self.usage, self.cost_usd = Usage(0, 0), 0.0
        self.tell(Remembered, source=source)

    @property
    def times(self) -> Times | None:
        """Where its time went, until it ended; None for an extraction, whose parts have times of their own."""
        if self.parts is not None or isinstance(self.task, ExtractTask):
            return None
        total, is_function = (
            self._loop.time() - self.since,
            isinstance(self.task, DeterministicTask),
        )
        wire, function = (0.0, self.wire) if is_function else (self.wire, 0.0)
        return Times.of(total, self.waited or {}, self.slept, wire, function)

    def tell(self, kind: Callable[..., Event], **what: object) -> None:
        """Emit an event of this task."""
        if self._run.emit is not None:
            self._run.emit(
                kind(at=self._loop.time(), run=self._run.number, index=self.index, **what)
            )

    def result(self, value: object, error: Exception | None) -> TaskResult:
        """The end of it."""
        now = self._loop.time()
        begun = now if self._begun is None else self._begun
        cost = None if self.unpriced else self.cost_usd
        if self.parts is None:  # which are tasks of their own
            meter = self._run.meter
            meter.tasks += 1
            meter.total += now - self.since
            if cost:
                meter.usd += cost
            elif self.unpriced:
                meter.unpriced = True
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
        """Whether what it used is what the tasks used that ran inside it: an answer that tells its own tells all."""
        return self.inner is not None and self.usage is None

    def _with_inner(self, cost: float | None) -> tuple[Usage | None, float | None]:
        if self.inner is None or self.usage is not None:
            return self.usage, cost
        return self.inner.usage, self.inner.cost_usd if self.inner.is_priced else None

    def __repr__(self) -> str:
        return (
            f"Tally({self.tag or self.index}: {self.attempts} attempts, {self.rejected} rejected)"
        )


class FailureLog:
    """One run's. Ten thousand lines of one text would hide all others, and take longer than the tasks themselves.

    Of those that failed alike, the hundredth, thousandth and so on are told as well: a run may have
    no end.
    """

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def failed(self, result: TaskResult) -> None:
        """A task has failed; at level debug each is told."""
        if not logger.isEnabledFor(logging.WARNING):
            return
        why = f"{type(result.error).__name__}: {result.error}"
        count = self._counts.get(why, 0) + 1
        if count > 1 or len(self._counts) < _REASONS:
            self._counts[why] = count
        if count <= _FEW or str(count).rstrip("0") == "1" or logger.isEnabledFor(logging.DEBUG):
            logger.warning("task %s failed: %s", plain(result.tag or result.index), plain(why))

    def ended(self) -> None:
        """The run is over."""
        for why, count in self._counts.items():
            if count > _FEW:
                logger.warning("%d tasks failed alike: %s", count, plain(why))
        self._counts.clear()

    def __repr__(self) -> str:
        return f"FailureLog({self._counts})"


def usage_of(response: object) -> Usage | None:
    """The tokens that an answer says it took."""
    usage = getattr(response, "usage", None)  # a bare provider may answer with an object of its own
    return usage if usage is not None and isinstance(usage, Usage) else None


def cost_of(response: object, price: Price | None) -> float | None:
    """USD that an answer cost: what it says itself, else by its tokens; None where that is not known."""
    told = getattr(response, "cost_usd", None)
    if told is not None and isinstance(told, int | float) and 0 <= told < math.inf:
        return told
    if price is None:
        return None
    usage = usage_of(response)
    return None if usage is None else price.of(usage)
