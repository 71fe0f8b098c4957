"""When a second copy of a slow request is sent. Arithmetic only."""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import dataclass

_REMEMBERED = 500  # the latest latencies
_SOON = 0.001  # seconds: less is the rounding of clocks, and would be waited for again and again
_LEAST = 20  # of them, before a percentile is believed
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hedge:
    """Send a request a second time when it takes longer than `after`; the first answer wins, the other is cancelled.

    `after`: seconds, or a percentile of the latest latencies such as ``"p95"``. `max_extra`:
    copies, as a share of all calls; the cost of a copy is counted. A copy needs a free slot, room
    in the quota, and no 429s lately: it is never queued. Only requests of our own dialects are sent
    twice.

    Raises ValueError for what is no percentile and no positive time, or a share that is not between
    0 and 1.

    >>> from ingather import Hedge
    >>> Hedge(after="p95", max_extra=0.05)
    Hedge(after='p95', max_extra=0.05)
    """

    after: str | float = "p95"
    max_extra: float = 0.05

    def __post_init__(self) -> None:
        if isinstance(self.after, str):
            if _PERCENTILE.fullmatch(self.after) is None or float(self.after[1:]) == 0:
                raise ValueError(
                    f'Hedge(after) is a number of seconds or a percentile such as "p95", not '
                    f"{self.after!r}"
                )
        elif not (self.after > 0 and math.isfinite(self.after)):
            raise ValueError(f"Hedge(after) is a positive number of seconds, not {self.after!r}")
        if not 0 < self.max_extra <= 1:
            raise ValueError(
                f"Hedge(max_extra) is a share above 0 and up to 1, not {self.max_extra!r}"
            )


class Hedging:
    """One executor's use of a `Hedge`: what was sent, how long it took, how many copies there were.

    >>> hedging = Hedging(Hedge(after=1.0, max_extra=0.5))
    >>> for _ in range(4):
    ...     hedging.sent()
    >>> hedging.wait(elapsed=0.5), hedging.is_due(elapsed=1.5)
    (1.0, True)
    """

    def __init__(self, policy: Hedge) -> None:
        self._policy = policy
        self._requests = 0
        self.copies = 0
        self._latencies: deque[float] = deque(maxlen=_REMEMBERED)
        self._after = float(policy.after) if not isinstance(policy.after, str) else math.inf
        self._stale = 0

    def sent(self) -> None:
        """A call went on the wire for the first time."""
        self._requests += 1

    def copied(self) -> None:
        """And for the second time."""
        self.copies += 1

    def answered(self, latency: float) -> None:
        """An answer took `latency` seconds."""
        self._latencies.append(latency)
        self._stale += 1

    def is_due(self, elapsed: float) -> bool:
        """Whether a request that is out for `elapsed` seconds may be sent again."""
        return elapsed >= self._threshold()

    def wait(self, elapsed: float) -> float | None:
        """Seconds until one may be due that is out for `elapsed` seconds; None: nobody can tell yet."""
        after = self._percentile()
        if after == math.inf:
            return None
        threshold = self._threshold()
        return max(threshold - elapsed, _SOON) if elapsed < threshold < math.inf else after

    def _threshold(self) -> float:
        """The fewer copies are left, the longer a request must have taken: they are for the slowest."""
        left = self._policy.max_extra * self._requests - self.copies
        return self._percentile() * (1 + 1 / left) if left >= 1 else math.inf

    def _percentile(self) -> float:
        if isinstance(self._policy.after, str) and self._stale >= _LEAST:
            self._stale = 0
            ranked = sorted(self._latencies)
            self._after = ranked[math.ceil(float(self._policy.after[1:]) / 100 * len(ranked)) - 1]
        return self._after

    def __repr__(self) -> str:
        return f"Hedging({self._policy!r}: {self.copies} copies of {self._requests} requests)"
