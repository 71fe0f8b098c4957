"""One resource as rate-limit headers tell it, carried on to now by what was sent since. Arithmetic only.

All processes that share a quota hear the same level of the provider's bucket, and pace themselves
by it alone. So they settle at equal shares, near the limit, without a word among them.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingather.response import Allowance

_MINUTE = 60.0
# seconds of the rate: at this level of the bucket the pace is exactly the limit ...
_SET_POINT = 12.0
# ... but never more than this share of the bucket: enough for what others send unseen
_SET_SHARE = 0.5
_LEAST_PACE = 0.02  # of the limit, at an empty bucket
_STEEP = 4.0  # how fast the pace grows above the set point
# round trips of the rate that a bucket must hold for its level to be news when it is heard
_DEEP = 1.25
_SHALLOW = 0.985  # of the limit: the pace where the level is none
_ANOTHER = 0.03  # a limit that moves by more is another limit
# a slow refill: how many that agree, seconds between them and of each at least
_SAMPLES, _APART, _LONG = 5, 2.0, 10.0
_MARGIN = 1e-4  # seconds: to be there just after, not just before


class Announced:
    """The provider's bucket: its `rate` in units a second, how much it holds (`depth`), and its level.

    >>> from ingather.limits.headers import Allowance
    >>> bucket = Announced()
    >>> bucket.hear(Allowance(600, 100, 50.0), sent_at=0.0, since=0.0, now=0.0)
    False
    >>> bucket.rate, bucket.level(now=1.0)
    (10.0, 110.0)
    """

    __slots__ = ("_at", "_level", "_newest", "_refills", "_sampled_at", "_slow", "depth", "rate")

    def __init__(self, rate: float = 0.0, depth: float = 0.0, now: float = 0.0) -> None:
        self.rate = rate
        self.depth = depth
        self._level = _SET_SHARE * depth
        self._at = now
        self._newest = -math.inf
        self._slow: float | None = None
        self._refills: deque[float] = deque(maxlen=_SAMPLES)
        self._sampled_at = -math.inf

    def hear(self, told: Allowance, sent_at: float, since: float, now: float) -> bool:
        """Take in what the answer to a request of `sent_at` says; `since`: what we sent after it.

        True where the limit is another one than before.
        """
        if told.limit is None or told.remaining is None or sent_at <= self._newest:
            return False
        rate = self._refill(told.limit, told.remaining, told.reset_s or 0.0, now)
        is_another = self.rate > 0 and abs(rate / self.rate - 1) > _ANOTHER
        whole = told.limit if told.reset_s is None else told.remaining + 1 + rate * told.reset_s
        self.rate, self.depth, self._newest = rate, min(told.limit, whole), sent_at
        self._level = min(self.depth, told.remaining + rate * (now - sent_at)) - since
        self._at = now
        return is_another

    def take(self, amount: float, now: float) -> None:
        """We send `amount`."""
        self._level = self.level(now) - amount
        self._at = now

    def level(self, now: float) -> float:
        """What the provider's bucket holds, by our reckoning."""
        return min(self.depth, self._level + (now - self._at) * self.rate)

    def is_deep(self, latency: float) -> bool:
        """Whether its level is still news when an answer brings it, after `latency` seconds."""
        return self.depth >= _DEEP * self.rate * latency

    def pace(self, latency: float, now: float) -> float:
        """Units a second: the limit at the set point, less below it, more above it."""
        if not self.is_deep(latency):
            return _SHALLOW * self.rate
        x = self.level(now) / min(_SET_POINT * self.rate, _SET_SHARE * self.depth)
        return self.rate * (max(_LEAST_PACE, x * abs(x)) if x < 1 else 1 + _STEEP * (x - 1))

    def delay(self, amount: float, latency: float, now: float) -> float:
        """Seconds until the bucket holds `amount`, or is full."""
        if not self.is_deep(latency):
            return 0.0
        level = self.level(now)
        if level >= min(amount, 0.95 * self.depth):
            return 0.0
        return (min(amount, self.depth) - level) / self.rate + _MARGIN

    def _refill(self, limit: float, remaining: float, reset: float, now: float) -> float:
        """Units a second. A day's limit looks like a minute's in the headers, but is long in coming back."""
        rate = limit / _MINUTE
        if reset < _LONG or limit - remaining < 1:
            return rate
        if now - self._sampled_at >= _APART:
            self._sampled_at = now
            self._refills.append((limit - remaining) / reset)
            steady = len(self._refills) == _SAMPLES and max(self._refills) < 1.05 * min(
                self._refills
            )
            self._slow = min(self._refills) if steady and max(self._refills) < 0.9 * rate else None
        return rate if self._slow is None else self._slow

    def __repr__(self) -> str:
        return f"Announced({self.rate * _MINUTE:,.0f} a minute, {self._level:,.0f} of {self.depth:,.0f} left)"
