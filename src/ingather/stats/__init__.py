"""Where the time of an executor's tasks went, what they took, and what limited them. Data and arithmetic only."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import astuple, dataclass, field, fields
from typing import TYPE_CHECKING

from ingather.brief import cut
from ingather.stats.notebook import lines, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.limits import Limits
    from ingather.limits.snapshot import Learnt

_STEP = math.log(1.05)  # latencies are counted in buckets of 5 %
_LEAST = 1e-6  # seconds: no call is faster
_MANY = 500  # latencies that are kept as they are until they are counted


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of tasks, added up: each moment of a task, from when it began to wait, is in exactly one of them.

    `queue`: for its turn (a slot, or a place among the calls that the quota takes in flight), and
    whatever is none of the others. `rate`: for the pace of the quota, in requests or tokens.
    `pause`: after 429s, and while the provider was away. `budget`: for money that others had
    reserved. `backoff`: asleep after faults. `provider`: with a request on the wire. `functions`:
    in functions of one's own, and the calls that they made.

    >>> from ingather.stats import Times
    >>> Times(queue=1.0, provider=3.0).total
    4.0
    """

    queue: float = 0.0
    rate: float = 0.0
    pause: float = 0.0
    budget: float = 0.0
    backoff: float = 0.0
    provider: float = 0.0
    functions: float = 0.0

    @classmethod
    def of(
        cls,
        total: float,
        waited: Mapping[str, float],
        backoff: float,
        provider: float,
        functions: float = 0.0,
    ) -> Times:
        """Of tasks that took `total` seconds, and waited by cause as events tell."""
        rate = waited.get("requests", 0.0) + waited.get("tokens", 0.0)
        pause, budget = waited.get("pause", 0.0), waited.get("budget", 0.0)
        queue = max(0.0, total - rate - pause - budget - backoff - provider - functions)
        return cls(queue, rate, pause, budget, backoff, provider, functions)

    @property
    def total(self) -> float:
        """All of them together."""
        return math.fsum(astuple(self))

    def __add__(self, other: Times) -> Times:
        return Times(
            *(mine + yours for mine, yours in zip(astuple(self), astuple(other), strict=True))
        )

    def __str__(self) -> str:
        """In words, the longest first.

        >>> str(Times(queue=10.0, rate=80.0, provider=10.0))
        'rate 80.0 s (80 %), queue 10.0 s (10 %), provider 10.0 s (10 %)'
        """
        total = self.total
        parts = sorted(
            ((getattr(self, item.name), item.name) for item in fields(self)),
            key=lambda part: -part[0],
        )
        shown = [
            f"{name} {seconds(took)} ({took / total:.0%})"
            for took, name in parts
            if took > 0.0005 * total
        ]
        return ", ".join(shown).replace("%", " %")


class Latencies:
    """How long calls took, to 5 %: what is kept does not grow with their number.

    >>> latencies = Latencies()
    >>> for took in (1.0, 2.0, 9.0):
    ...     latencies.add(took)
    >>> round(latencies.percentile(0.5), 1), latencies.slowest
    (2.1, 9.0)
    """

    __slots__ = ("_buckets", "_fresh", "_slowest", "_sum")

    def __init__(self) -> None:
        self._fresh: list[float] = []
        self._buckets: dict[int, int] = {}
        self._slowest = self._sum = 0.0

    def add(self, took: float) -> None:
        """A call took so many seconds."""
        self._fresh.append(took)
        if len(self._fresh) > _MANY:
            self._count()

    def merge(self, other: Latencies) -> None:
        """And all of those, to which another thread may be adding."""
        self._fresh += other._fresh
        self._count()
        for bucket, count in tuple(other._buckets.items()):
            self._buckets[bucket] = self._buckets.get(bucket, 0) + count
        self._slowest, self._sum = max(self._slowest, other._slowest), self._sum + other._sum

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(tuple(self._buckets.values())) + len(self._fresh)

    @property
    def total(self) -> float:
        """Seconds of them all."""
        return self._sum + sum(self._fresh)

    @property
    def slowest(self) -> float:
        """Seconds; 0 where there was none."""
        return max(self._slowest, max(self._fresh, default=0.0))

    def percentile(self, share: float) -> float | None:
        """Seconds within which that share of the calls ended; None where there was none."""
        self._count()
        rank = math.ceil(share * sum(tuple(self._buckets.values())))
        for bucket in sorted(self._buckets):
            rank -= self._buckets[bucket]
            if rank <= 0:
                return min(math.exp(bucket * _STEP), max(self._slowest, _LEAST))
        return None

    def _count(self) -> None:
        fresh = self._fresh[:]
        del self._fresh[: len(fresh)]
        if not fresh:
            return
        fresh.sort()
        self._slowest = max(self._slowest, fresh[-1])
        self._sum += sum(fresh)
        begin = 0
        while begin < len(fresh):
            bucket = math.ceil(math.log(max(fresh[begin], _LEAST)) / _STEP)
            end = max(begin + 1, bisect_right(fresh, math.exp(bucket * _STEP), begin))
            self._buckets[bucket] = self._buckets.get(bucket, 0) + end - begin
            begin = end


@dataclass(frozen=True, slots=True)
class Stats:
    """What an executor has done so far, over all of its runs, with what is under way.

    `tasks`: that have ended, the parts of an extraction each for itself. `attempts`: requests on
    the wire, of which `rejected` were 429s and `hedges` second copies; of those, `hedges_won`
    answered first. `retries_denied`: faults that were not tried again because the quota's budget of
    such retries was empty. `wall`: seconds while anything ran. `times`: seconds of all tasks that
    were begun, by where they went; `waited`: seconds they waited, by cause. `median`, `p95`, `p99`
    (to 5 %) and `slowest`: seconds of an attempt that was neither a 429 nor cancelled; None or 0
    where there was none.

    `limited_by`: as in the summary of a run, ``""`` where nothing can be said. `learnt`: what is
    known of the limits of each quota, `limits`: what the user has set there; a quota of which
    neither says anything is left out. `full`: the quotas at which more calls in flight have only
    made each take longer.

    `cost_usd`: None where a price, or the cost of a cancelled copy, is not known; `known_usd` what
    is known of it. `spent_usd`, `reserved_usd` and `cap_usd`: of the executor's `Budget`, None
    without a cap on money.
    """

    tasks: int = 0
    attempts: int = 0
    rejected: int = 0
    hedges: int = 0
    hedges_won: int = 0
    retries_denied: int = 0
    wall: float = 0.0
    times: Times = field(default_factory=Times)
    waited: Mapping[str, float] = field(default_factory=dict)
    median: float | None = None
    p95: float | None = None
    p99: float | None = None
    slowest: float = 0.0
    limited_by: str = ""
    learnt: Mapping[str, Learnt] = field(default_factory=dict)
    limits: Mapping[str, Limits] = field(default_factory=dict)
    full: tuple[str, ...] = ()
    cost_usd: float | None = None
    known_usd: float = 0.0
    spent_usd: float | None = None
    reserved_usd: float | None = None
    cap_usd: float | None = None

    def __str__(self) -> str:
        """A line for each matter.

        >>> print(Stats(tasks=3, attempts=4, rejected=1, wall=2.0))
        tasks     3
        attempts  4 in 2.0 s
        429s      1
        """
        return lines(self._rows())

    def __repr__(self) -> str:
        return cut(f"Stats({self.in_one_line})")

    def _repr_html_(self) -> str:
        return table(self._rows())

    @property
    def in_one_line(self) -> str:
        """The same in one line, for a log."""
        return "; ".join(f"{name}: {text}" for name, text in self._rows())

    def _rows(self) -> list[tuple[str, str]]:
        from ingather.stats.bottleneck import in_words

        rows = [
            ("tasks", f"{self.tasks:,}"),
            ("attempts", f"{self.attempts:,} in {seconds(self.wall)}"),
        ]
        if self.rejected:
            rows.append(("429s", f"{self.rejected:,}"))
        if self.hedges:
            rows.append(("copies", f"{self.hedges:,} ({self.hedges_won:,} won)"))
        if self.retries_denied:
            rows.append(("denied", counted(self.retries_denied, "retry", "retries")))
        if self.median is not None and self.p95 is not None and self.p99 is not None:
            latency = (
                f"p50 {seconds(self.median)}, p95 {seconds(self.p95)}, p99 {seconds(self.p99)}"
            )
            rows.append(("latency", latency))
        if self.times.total > 0:
            rows.append(("time", f"of all tasks together: {self.times}"))
        if self.known_usd or self.cost_usd is not None:
            rows.append(("cost", self.money))
        rows += [(f"quota {name}", f"{learnt}") for name, learnt in self.learnt.items()]
        if self.limited_by:
            rows.append(("limited by", in_words(self.limited_by, self)))
        return rows

    @property
    def money(self) -> str:
        """What it cost, in words."""
        least = "" if self.cost_usd is not None else "at least "
        text = f"{least}{self.known_usd:,.4f} USD"
        if (
            self.cap_usd is not None
            and self.spent_usd is not None
            and self.reserved_usd is not None
        ):
            held = f"{self.spent_usd:,.4f} counted, {self.reserved_usd:,.4f} reserved"
            text += f" (of at most {self.cap_usd:,.4f}: {held})"
        return text


def seconds(value: float) -> str:
    """A duration as people say it.

    >>> seconds(0.0123), seconds(3.21), seconds(312)
    ('12 ms', '3.2 s', '5:12')
    """
    if value < 0.00995:
        return f"{value * 1000:.1f} ms"
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 99.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return (
        f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
        if minutes >= 60
        else f"{minutes}:{rest:02d}"
    )


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with what it counts, in the singular or the plural.

    >>> counted(1, "task"), counted(1200, "task"), counted(2, "entry", "entries")
    ('1 task', '1,200 tasks', '2 entries')
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
