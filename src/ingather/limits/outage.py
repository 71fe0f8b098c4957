"""A provider that is away: single probes until one of them is answered. Arithmetic only."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingather.limits.sent import Sent

INSTANT = 1e-6  # seconds: what is left of a pause by rounding is none
# seconds before a probe, doubling; the share of it that is random
_FIRST, _LONGEST, _JITTER = 1.5, 16.0, 0.25
_STALE = 60.0  # seconds in which nobody asked: what is found after them is another outage
_UNLIKELY = 1e-4  # failures in a row that chance brings so rarely are no chance
_LEAST, _MOST = 1e-3, 0.9  # share of failures, between which chance is reckoned
_WEIGHT = 0.02  # of the newest attempt in that share


class Outage:
    """`since`: when it began, None while there is none.

    A fault now and then is none: only so many in a row as the usual share of faults does not
    explain.
    """

    def __init__(self) -> None:
        self.since: float | None = None
        self._delay = 0.0
        self._next = self._latest = -math.inf
        self._share = 0.01

    def answered(self, sent_at: float) -> bool:
        """True where that was the end of it."""
        self._share -= _WEIGHT * self._share
        if self.since is None or sent_at <= self.since:
            return False
        self.since, self._delay = None, 0.0
        return True

    def failed(self, sent: Sent, log: Sequence[Sent], random: float, now: float) -> float:
        """`sent`, one of `log`, found nobody. Seconds until the next probe; 0 where it is no outage, or nothing new."""
        sent.failed = True
        nobody_asked, self._latest = sent.at - self._latest > _STALE, now
        if self.since is not None and nobody_asked:
            self.since, self._delay = now, 0.0
        elif self.since is None:
            share = min(_MOST, max(_LEAST, self._share))
            self._share += _WEIGHT * (1.0 - self._share)
            if _in_a_row(sent, log) < max(2, math.ceil(math.log(_UNLIKELY) / math.log(share))):
                return 0.0
            self.since = now
        elif self._next - now > INSTANT:
            return 0.0
        self._delay = min(_LONGEST, 2 * self._delay) if self._delay else _FIRST
        delay = self._delay * (1 - _JITTER * random)
        self._next = now + delay
        return delay

    def __repr__(self) -> str:
        return "Outage(none)" if self.since is None else f"Outage(since {self.since:.1f})"


def _in_a_row(sent: Sent, log: Sequence[Sent]) -> int:
    """How many requests around `sent` failed, without one among them that did not."""
    count, met = 0, False
    for other in reversed(log):
        if other.failed:
            count += 1
            met = met or other is sent
        elif met:
            break
        else:
            count = 0
    return count
