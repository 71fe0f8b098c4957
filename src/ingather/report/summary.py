"""A run in figures. Data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from ingather.stats import Times, seconds

if TYPE_CHECKING:
    from ingather.stats import Stats


@dataclass(slots=True)
class ErrorGroup:
    """The tasks that failed with one type of error: how many, and the first of them."""

    count: int
    first: Exception


@dataclass(slots=True)
class Summary:
    """A run in figures. Times in seconds, money in USD.

    `total`: tasks in all, None where the input does not say. `not_sent`: tasks that were ended
    before they cost anything, `cancelled`: while they ran; `failed` has neither. `wall`: while
    anything ran. `serial`: what the calls would have taken one after another, estimated from how
    long they took while few were in flight; None where calls beside others may have been slower,
    and nothing shows by how much. `calls`: attempts and functions that came back; `attempts`: those
    of the tasks that have ended. `rejected`: attempts that were 429s; `pauses` and `paused`: what
    they made us wait, `pause_left`: what is still to wait of a pause now. `unmetered`: answers
    without a count of tokens. `cost_usd`: None where a price is not known. `hedges`: second copies
    of slow requests. `median`, `p95`, `p99` (to 5 %) and `slowest`: of the attempts that were
    neither 429s nor cancelled. `times`: where the time of the tasks went that have ended.

    `limited_by`: what the time went by with, as `ingather.stats.bottleneck.what_limited` names it:
    ``"requests"``, ``"tokens"``, ``"concurrency"``, ``"start"``, ``"pause"``, ``"budget"``,
    ``"store"``, ``"backoff"``, ``"consumer"``, ``"input"``, ``"stragglers"``, ``"slots"``,
    ``"functions"`` or ``"latency"``; ``""`` where there was hardly a call. `waited`: seconds waited
    by all tasks together, by cause. `stats`: the executor's own figures when its newest run ended;
    it knows the limits that were learnt, and the budget.
    """

    total: int | None = None
    succeeded: int = 0
    failed: int = 0
    not_sent: int = 0
    cancelled: int = 0
    cached: int = 0
    wall: float = 0.0
    serial: float | None = None
    in_flight: int = 0
    peak: int = 0
    calls: int = 0
    attempts: int = 0
    rejected: int = 0
    reasked: int = 0
    hedges: int = 0
    backoffs: int = 0
    backoff: float = 0.0
    pauses: int = 0
    paused: float = 0.0
    pause_left: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    unmetered: int = 0
    cost_usd: float | None = None
    median: float | None = None
    p95: float | None = None
    p99: float | None = None
    slowest: float = 0.0
    limited_by: str = ""
    waited: dict[str, float] = field(default_factory=dict)
    errors: dict[str, ErrorGroup] = field(default_factory=dict)
    times: Times = field(default_factory=Times)
    stats: Stats | None = None

    @property
    def done(self) -> int:
        """Tasks that came to an end of their own: those that were stopped are not done."""
        return self.succeeded + self.failed

    @property
    def tokens(self) -> int:
        """Tokens in and out together."""
        return self.input_tokens + self.output_tokens

    @property
    def speedup(self) -> float | None:
        """How many times faster than one after another, an estimate; None where it cannot be told."""
        return self.serial / self.wall if self.wall > 0 and self.serial else None

    def __str__(self) -> str:
        """The closing text, a few lines."""
        from ingather.report.text import summary_text

        return summary_text(self)

    def __repr__(self) -> str:
        of = "" if self.total is None else f" of {self.total:,}"
        return f"Summary({self.succeeded:,}{of} succeeded, {self.failed:,} failed, in {seconds(self.wall)})"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"
