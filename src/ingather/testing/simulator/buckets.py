"""The limits of the simulated provider: token buckets as providers have them. Arithmetic only; time is an argument.

Not the buckets of `ingather.limits`, on purpose: a client and a server that share their arithmetic
agree on its errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_WHOLE = 1e-9  # what rounding may take from a bucket that is just full enough


class Level(NamedTuple):
    """One limit as headers tell it: `limit` per minute, what `remaining` there is now, `reset`: seconds until full."""

    limit: float
    remaining: float
    reset: float


class Shortage(NamedTuple):
    """Why a call is not admitted: `resource` (``"requests"`` or ``"tokens"``) has too little of its `limit` per minute.

    `wait`: seconds until the bucket will have enough, None where it never holds that much.
    """

    resource: str
    limit: float
    used: float
    requested: float
    wait: float | None


@dataclass(slots=True)
class Bucket:
    """Refills by `rate` a second up to `depth`.

    >>> bucket = Bucket(rate=1.0, depth=2.0, level=2.0)
    >>> bucket.take(2.0)
    >>> bucket.fill(now=0.5), round(bucket.wait(1.0), 3)
    (0.5, 0.5)
    """

    rate: float
    depth: float
    level: float
    at: float = 0.0

    def fill(self, now: float) -> float:
        """Let the time until `now` flow in; what the bucket holds then."""
        if now > self.at:
            self.level = min(self.depth, self.level + (now - self.at) * self.rate)
            self.at = now
        return self.level

    def wait(self, cost: float) -> float:
        """Seconds until it holds `cost`; 0 where it does."""
        return max(0.0, cost - _WHOLE - self.level) / self.rate

    def take(self, cost: float) -> None:
        self.level = max(0.0, self.level - cost)

    def resize(self, rate: float, depth: float) -> None:
        """From now on another rate and depth; what is above the new depth flows over."""
        self.rate, self.depth, self.level = rate, depth, min(self.level, depth)


class Quota:
    """Requests and tokens per minute, taken together; each None for no limit. `burst`: requests that the bucket holds.

    `changes`: (seconds after the first call, factor on the limits as set), in order.

    >>> quota = Quota(rpm=60, burst=1)
    >>> quota.admit(0.0, tokens=5), round(quota.admit(0.25, tokens=5).wait, 3)
    (None, 0.75)
    """

    def __init__(
        self,
        rpm: float | None = None,
        tpm: float | None = None,
        burst: float | None = None,
        changes: Sequence[tuple[float, float]] = (),
    ) -> None:
        per_minute = {"requests": rpm, "tokens": tpm}
        self._set = {resource: limit for resource, limit in per_minute.items() if limit is not None}
        self._depth = {resource: max(1.0, limit) for resource, limit in self._set.items()}
        if rpm is not None and burst is not None:
            self._depth["requests"] = burst
        self._buckets = {
            name: Bucket(limit / 60, self._depth[name], self._depth[name])
            for name, limit in self._set.items()
        }
        self._changes = list(changes)
        self._factor = 1.0
        self._start: float | None = None

    def admit(self, now: float, tokens: float) -> Shortage | None:
        """Take one request and `tokens` at `now` and return None; or take nothing and say what is short."""
        self._advance(now)
        short: Shortage | None = None
        for resource, bucket in self._buckets.items():
            cost = 1.0 if resource == "requests" else tokens
            wait = None if cost > bucket.depth else bucket.wait(cost)
            if wait == 0.0 or (
                short is not None
                and (short.wait is None or (wait is not None and wait <= short.wait))
            ):
                continue
            short = Shortage(
                resource,
                self._set[resource] * self._factor,
                max(0.0, bucket.depth - bucket.level),
                cost,
                wait,
            )
        if short is None:
            for resource, bucket in self._buckets.items():
                bucket.take(1.0 if resource == "requests" else tokens)
        return short

    def levels(self, now: float) -> dict[str, Level]:
        """Each limit at `now`, by resource."""
        self._advance(now)
        return {
            resource: Level(
                self._set[resource] * self._factor,
                bucket.level,
                (bucket.depth - bucket.level) / bucket.rate,
            )
            for resource, bucket in self._buckets.items()
        }

    def _advance(self, now: float) -> None:
        if self._start is None:
            self._start = now
            for bucket in self._buckets.values():
                bucket.at = now
        while self._changes and self._start + self._changes[0][0] <= now:
            at, self._factor = self._changes.pop(0)
            for resource, bucket in self._buckets.items():
                bucket.fill(self._start + at)
                bucket.resize(
                    self._set[resource] / 60 * self._factor,
                    max(1.0, self._depth[resource] * self._factor),
                )
        for bucket in self._buckets.values():
            bucket.fill(now)

    def __repr__(self) -> str:
        state = ", ".join(
            f"{name}={bucket.level:.1f}/{bucket.depth:g}" for name, bucket in self._buckets.items()
        )
        return f"Quota({state or 'unlimited'}, {len(self._changes)} changes ahead)"
