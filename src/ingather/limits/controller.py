"""What one quota allows right now. Arithmetic only: every moment comes in as `now`, in seconds.

Set limits are buckets and a cap on calls in flight. A 429 pauses the quota for the provider's hint; without one, for 1,
2, 4 … 60 seconds. After a pause, calls come back through a window that grows as TCP's does (RFC 5681: by one for each
answer up to half of what was in flight at the 429, then by one a round), so that a pause does not end in a new burst.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING

from ingather.limits.bucket import Bucket

if TYPE_CHECKING:
    from ingather.limits import Limits
    from ingather.result import Usage
    from ingather.tokens import Cost, Tokens

_MAX_BLIND_PAUSE = 60.0


class Outcome(Enum):
    """How an attempt ended, as far as the quota is concerned (the three words of Netflix's concurrency-limits)."""

    SUCCESS = "success"  # answered: settle with the real usage
    IGNORED = "ignored"  # says nothing about capacity, and cost no tokens: a refused request, or one never sent
    DROPPED = "dropped"  # unknown whether it was paid: the reservation stays


class Controller:
    """The state of one quota: ask `delay`, then tell it `sent`, and `closed` once for each `sent`."""

    __slots__ = (
        "_answers", "_cap", "_input", "_output", "_paused_at", "_requests", "_strikes", "_threshold", "_tokens",
        "_window", "counts_tokens", "in_flight", "limits", "paused_until",
    )  # fmt: skip

    def __init__(self, limits: Limits) -> None:
        self.in_flight = 0
        self.paused_until = -math.inf
        self._paused_at = -math.inf
        self._strikes = 0
        self._answers = 0
        self._window = math.inf
        self._threshold = math.inf
        self._requests: Bucket | None = None
        self._tokens: Bucket | None = None
        self._input: Bucket | None = None
        self._output: Bucket | None = None
        self.limit(limits)

    def limit(self, limits: Limits) -> None:
        """Set the caps anew; what was taken in the last minute still counts."""
        self.limits = limits
        self._cap: float = limits.max_concurrency or math.inf
        self._requests = _resized(self._requests, limits.requests_per_minute)
        self._tokens = _resized(self._tokens, limits.tokens_per_minute)
        self._input = _resized(self._input, limits.input_tokens_per_minute)
        self._output = _resized(self._output, limits.output_tokens_per_minute)
        self.counts_tokens = any(bucket is not None for bucket in (self._tokens, self._input, self._output))

    def too_big(self, estimate: Tokens) -> str | None:
        """Why a request can never be sent: it needs more tokens than a whole minute has. None where it can."""
        output = estimate.max_output or 0
        for bucket, tokens, name in (
            (self._tokens, estimate.input + output, "tokens_per_minute"),
            (self._input, estimate.input, "input_tokens_per_minute"),
            (self._output, output, "output_tokens_per_minute"),
        ):
            if bucket is not None and not bucket.fits(tokens):
                return f"needs about {tokens:,} tokens, and {name} is {bucket.limit:,.0f}"
        return None

    def delay(self, cost: Cost, now: float) -> tuple[float, str]:
        """Seconds until a request of `cost` may be sent, and what holds it back; infinite: until one comes back."""
        if self.in_flight >= self._cap or self.in_flight >= self._window:
            return math.inf, "concurrency"
        delay, by = 0.0, ""
        if now < self.paused_until:
            delay, by = self.paused_until - now, "pause"
        if self._requests is not None and (wait := self._requests.delay(1.0, now)) > delay:
            delay, by = wait, "requests"
        for bucket, tokens in self._token_costs(cost) if self.counts_tokens else ():
            if (wait := bucket.delay(tokens, now)) > delay:
                delay, by = wait, "tokens"
        return delay, by

    def sent(self, cost: Cost, now: float) -> None:
        """A request of `cost` goes on the wire: reserve what it takes."""
        self.in_flight += 1
        if self._requests is not None:
            self._requests.take(1.0, now)
        for bucket, tokens in self._token_costs(cost) if self.counts_tokens else ():
            bucket.take(tokens, now)

    def unsent(self, cost: Cost, sent_at: float, now: float) -> None:
        """It never went on the wire after all: give everything back."""
        if self._requests is not None:
            self._requests.settle(sent_at, 1.0, 0.0, now)
        self.closed(Outcome.IGNORED, cost, sent_at, None, now)

    def closed(self, outcome: Outcome, cost: Cost, sent_at: float, usage: Usage | None, now: float) -> None:
        """The request sent at `sent_at` is over: settle its reservation with the truth."""
        self.in_flight -= 1
        if outcome is Outcome.SUCCESS:
            self._answered(sent_at)
        if not self.counts_tokens or outcome is Outcome.DROPPED or (outcome is Outcome.SUCCESS and usage is None):
            return
        spent = (usage.input_tokens, usage.output_tokens) if usage is not None else (0, 0)
        for bucket, estimated, actual in (
            (self._tokens, cost.input + cost.output, sum(spent)),
            (self._input, cost.input, spent[0]),
            (self._output, cost.output, spent[1]),
        ):
            if bucket is not None:
                bucket.settle(sent_at, min(estimated, bucket.limit), actual, now)

    def throttled(self, hint: float | None, sent_at: float, now: float) -> float:
        """A 429 came back for a request sent at `sent_at`; gives the seconds until the pause is over."""
        if sent_at > self._paused_at:  # otherwise it was in flight at the last 429 and tells nothing new
            self._strikes += 1
            self._threshold = max(1.0, self.in_flight / 2)
            self._window = self._threshold if self._answers else 1.0
            self._answers = 0
            self._paused_at = now
            if not hint:  # "after 0 seconds" is no hint either: obeyed, it would be a 429 for every round trip
                hint = min(2.0 ** (self._strikes - 1), _MAX_BLIND_PAUSE)
        self.paused_until = max(self.paused_until, now + (hint or 0.0))
        return self.paused_until - now

    def _answered(self, sent_at: float) -> None:
        self._answers += 1
        if self._window == math.inf:
            return
        if sent_at > self._paused_at:
            self._strikes = 0
        self._window += 1.0 if self._window < self._threshold else 1.0 / self._window
        if self._window > 4 * self._threshold:  # twice what was in flight at the 429: it no longer says anything
            self._window = math.inf

    def _token_costs(self, cost: Cost) -> list[tuple[Bucket, float]]:
        """What `cost` takes from each token bucket: a guess never takes more than there is in a minute."""
        costs = ((self._tokens, cost.input + cost.output), (self._input, cost.input), (self._output, cost.output))
        return [(bucket, min(tokens, bucket.limit)) for bucket, tokens in costs if bucket is not None]

    def __repr__(self) -> str:
        buckets = [repr(bucket) for bucket in (self._requests, self._tokens, self._input, self._output) if bucket]
        window = "" if self._window == math.inf else f", window {self._window:.0f}"
        return f"Controller({self.in_flight} in flight{window}{', ' if buckets else ''}{', '.join(buckets)})"


def _resized(bucket: Bucket | None, limit: float | None) -> Bucket | None:
    if bucket is None or limit is None:
        return None if limit is None else Bucket(limit)
    bucket.resize(limit)
    return bucket
