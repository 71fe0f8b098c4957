"""The caps that the user sets, kept whatever the provider would allow. Arithmetic only."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ingather.limits.bucket import Bucket
from ingather.limits.sent import NOTHING

if TYPE_CHECKING:
    from ingather.limits import Limits
    from ingather.limits.sent import Amounts
    from ingather.limits.tokens import Tokens

_FIELDS = (
    "requests_per_minute",
    "tokens_per_minute",
    "input_tokens_per_minute",
    "output_tokens_per_minute",
)


class Caps:
    """`Limits` as buckets, if there are `any`; `in_flight`: the cap on calls in flight, else infinite."""

    def __init__(self, limits: Limits) -> None:
        self._buckets: list[Bucket | None] = [None] * len(_FIELDS)
        self.set(limits)

    def set(self, limits: Limits) -> None:
        """Set them anew; what was taken in the last minute still counts."""
        self.limits = limits
        self.in_flight: float = limits.max_concurrency or math.inf
        caps = [getattr(limits, name) for name in _FIELDS]
        self._buckets = [
            _resized(bucket, cap) for bucket, cap in zip(self._buckets, caps, strict=True)
        ]
        self._capped = [
            (which, bucket) for which, bucket in enumerate(self._buckets) if bucket is not None
        ]
        self.any = bool(self._capped)

    def too_big(self, estimate: Tokens) -> str | None:
        """Why a request can never be sent: it needs more tokens than a whole minute has. None where it can."""
        output = estimate.max_output or 0
        needs = (1, estimate.input + output, estimate.input, output)
        for which, bucket in self._capped:
            if not bucket.fits(needs[which]):
                return f"needs about {needs[which]:,} tokens, and {_FIELDS[which]} is {bucket.limit:,.0f}"
        return None

    def delay(self, takes: Amounts, now: float) -> tuple[float, int]:
        """Seconds until `takes` fits, and the resource that holds it back."""
        delay, by = 0.0, 0
        for which, bucket in self._capped:
            if (wait := bucket.delay(min(takes[which], bucket.limit), now)) > delay:
                delay, by = wait, which
        return delay, by

    def take(self, takes: Amounts, now: float) -> None:
        """Reserve; a guess never takes more than there is in a minute."""
        for which, bucket in self._capped:
            bucket.take(min(takes[which], bucket.limit), now)

    def settle(self, taken_at: float, takes: Amounts, spent: Amounts, now: float) -> None:
        """It was `spent` really."""
        for which, bucket in self._capped:
            bucket.settle(taken_at, min(takes[which], bucket.limit), spent[which], now)

    def give_back(self, taken_at: float, takes: Amounts, now: float) -> None:
        """It never went on the wire."""
        self.settle(taken_at, takes, NOTHING, now)

    def __repr__(self) -> str:
        return ", ".join(repr(bucket) for _, bucket in self._capped)


def _resized(bucket: Bucket | None, limit: float | None) -> Bucket | None:
    if bucket is None or limit is None:
        return None if limit is None else Bucket(limit)
    bucket.resize(limit)
    return bucket
