"""Chance that does not depend on order: a call's fate follows from the seed, the request and how often it came.

So a run with faults can be repeated, however its calls interleave, and each retry has a chance of
its own.
"""

from __future__ import annotations

import hashlib
import math
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingather.testing.simulator.settings import Tail

_STANDARD = NormalDist()


class Draws(NamedTuple):
    """Four independent numbers, each above 0 and below 1."""

    fails: float
    kind: float
    speed: float
    tail: float


CERTAIN = Draws(1.0, 0.5, 0.5, 1.0)  # where nothing is left to chance


def draws(seed: int, fingerprint: bytes, seen: int) -> Draws:
    """The draws for the `seen`-th coming of a request."""
    key = seed.to_bytes(16, "big", signed=True)
    digest = hashlib.blake2b(
        fingerprint + seen.to_bytes(8, "big"), key=key, digest_size=32
    ).digest()
    return Draws(
        *((int.from_bytes(digest[at : at + 6], "big") + 0.5) / 2**48 for at in (0, 8, 16, 24))
    )


def delay(drawn: Draws, median: float, sigma: float = 0.0, slow_tail: Tail | None = None) -> float:
    """Seconds that a call takes: `median`; with `sigma` lognormal around it; a share of them a multiple of that.

    >>> delay(Draws(0.5, 0.5, 0.5, 0.5), median=0.3, sigma=0.4)
    0.3
    """
    seconds = median * math.exp(sigma * _STANDARD.inv_cdf(drawn.speed)) if sigma else median
    return (
        seconds * slow_tail.times
        if slow_tail is not None and drawn.tail < slow_tail.share
        else seconds
    )


def fault(drawn: Draws, rate: float, kinds: Sequence[str]) -> str | None:
    """The fault that befalls a call, None for most: a share `rate` of them, all `kinds` alike."""
    return kinds[int(drawn.kind * len(kinds))] if drawn.fails < rate else None
