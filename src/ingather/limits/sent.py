"""A request on the wire, as the limits see it. Data only."""

from __future__ import annotations

REQUESTS, TOKENS, INPUT, OUTPUT = range(4)
"""The resources of a quota, as places in `Amounts`."""

Amounts = tuple[float, float, float, float]
"""Requests; tokens in and out together; tokens in; tokens out."""

NOTHING: Amounts = (0.0, 0.0, 0.0, 0.0)
ONE: Amounts = (1.0, 0.0, 0.0, 0.0)
"""A request whose tokens nobody counts."""


def amounts(given: float, got: float) -> Amounts:
    """What one request with so many tokens in and out takes of each resource.

    >>> amounts(100, 20)
    (1.0, 120, 100, 20)
    """
    return 1.0, given + got, given, got


class Sent:
    """One request that went on the wire at `at`, in seconds, and takes `takes` of the quota.

    `total`: all that was ever sent to this quota, up to and with it. `flying`: calls in flight
    then, itself counted. `refused`: it came back as a 429. `failed`: it found nobody.
    """

    __slots__ = ("at", "failed", "flying", "refused", "takes", "total")

    def __init__(self, at: float, takes: Amounts, total: Amounts, flying: int) -> None:
        self.at = at
        self.takes = takes
        self.total = total
        self.flying = flying
        self.refused = self.failed = False

    def __repr__(self) -> str:
        return f"Sent(at {self.at:.3f}, {self.takes[TOKENS]:.0f} tokens, {self.flying} in flight)"
