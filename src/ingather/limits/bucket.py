"""One resource of a quota (requests, or tokens) kept below its limit per minute. Arithmetic only.

Two rules, taken together. *Pace*: a token bucket of one second's worth, refilled at ``limit / 60``
a second, so that a server which enforces the minute in smaller steps sees no burst. A cost above
one second's worth needs a full bucket and leaves a debt. *Window*: what was taken in the last 60
seconds is remembered exactly, so no window of a minute ever holds more than the limit; settled
costs correct it.
"""

from __future__ import annotations

import math
from collections import deque

MINUTE = 60.0
# seconds: what is taken within this long is one entry of the window, so it holds at most 1,200
_GRAIN = 0.05

_ROUNDING = 1e-9  # of a whole: what sums of floats may be off by


class Bucket:
    """`limit` units a minute.

    >>> bucket = Bucket(60)
    >>> taken_at = bucket.take(1, now=0.0)
    >>> bucket.delay(1, now=0.0)
    1.0
    """

    __slots__ = ("_burst", "_last", "_level", "_rate", "_sum", "_window", "limit")

    def __init__(self, limit: float) -> None:
        self._level = math.inf
        self.resize(limit)
        self._last: float | None = None
        # [when it began, when its newest cost was taken, sum]
        self._window: deque[list[float]] = deque()
        self._sum = 0.0

    def resize(self, limit: float) -> None:
        """Another limit from now on; what was taken still counts."""
        self.limit = limit
        self._rate = limit / MINUTE
        self._burst = max(1.0, self._rate)
        self._level = min(self._level, self._burst)

    def delay(self, cost: float, now: float) -> float:
        """Seconds until `cost` may be taken: 0 if it may now. A cost above the limit never may: ask `fits`."""
        self._advance(now)
        lacking = min(cost, self._burst) - self._level
        delay = lacking / self._rate if lacking > _ROUNDING * self._burst else 0.0
        excess = self._sum + cost - self.limit
        if excess > _ROUNDING * self.limit:
            for _, newest, amount in self._window:
                excess -= amount
                if excess <= _ROUNDING * self.limit:
                    delay = max(delay, newest + MINUTE - now)
                    break
        return delay

    def fits(self, cost: float) -> bool:
        return cost <= self.limit

    def take(self, cost: float, now: float) -> float:
        """Take `cost` now, whatever `delay` says; gives the moment, to settle with."""
        self._advance(now)
        self._level -= cost
        self._add(cost, now)
        return now

    def settle(self, taken_at: float, estimated: float, actual: float, now: float) -> None:
        """Correct what was taken at `taken_at` from `estimated` to `actual`."""
        self._advance(now)
        difference = actual - estimated
        self._level = min(self._burst, self._level - difference)
        for entry in reversed(self._window):
            if entry[0] <= taken_at:
                if taken_at <= entry[1]:
                    entry[2] += difference
                    self._sum += difference
                return

    def _add(self, cost: float, now: float) -> None:
        self._sum += cost
        if self._window and now - self._window[-1][0] <= _GRAIN:
            # everything in it is forgotten late, never early
            self._window[-1][1] = max(now, self._window[-1][1])
            self._window[-1][2] += cost
        else:
            self._window.append([now, now, cost])

    def _advance(self, now: float) -> None:
        if self._last is None:
            self._last = now
        elif now > self._last:
            self._level = min(self._burst, self._level + (now - self._last) * self._rate)
            self._last = now
        window = self._window
        while window and window[0][1] + MINUTE <= now:
            self._sum -= window.popleft()[2]
        if not window:
            self._sum = 0.0  # rounding errors end with the last entry

    def __repr__(self) -> str:
        return f"Bucket({self._sum:.0f} of {self.limit:.0f} in the last minute, level {self._level:.1f})"
