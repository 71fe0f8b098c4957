"""The figures of one loop's runs."""

from __future__ import annotations

import math
from asyncio import CancelledError
from typing import TYPE_CHECKING, Protocol

from ingather.errors import RateLimited
from ingather.stats import Latencies, Times
from ingather.stats.contention import Held, Load

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

_SUMS = (
    "tasks", "sent", "rejected", "others", "hedges", "won", "denied", "total", "others_took", "functions",
    "slept", "untaken", "usd",
)  # fmt: skip


class Meter:
    """Counts on one loop only: what happens, at once; a task's time, at its end.

    `untaken`: seconds in which nothing was pulled because results had not been taken.
    """

    __slots__ = (*_SUMS, "held", "last_sent", "latencies", "load", "unpriced", "waited")

    def __init__(self) -> None:
        self.tasks = self.sent = self.rejected = self.others = self.hedges = self.won = (
            self.denied
        ) = 0
        self.total = self.others_took = self.functions = self.slept = self.usd = 0.0
        self.unpriced = False
        self.untaken = 0.0
        self.last_sent = -math.inf
        self.held = Held()
        self.waited: dict[str, float] = {}
        self.latencies = Latencies()
        self.load = Load()

    @property
    def attempts(self) -> int:
        """Attempts that have come back."""
        return self.latencies.count + self.others

    @property
    def wire(self) -> float:
        """Seconds of tasks with a request on the wire."""
        return self.latencies.total + self.others_took

    def came_back(self, attempt: Hashable, error: BaseException | None, took: float) -> None:
        """An attempt came back, without an answer if there is an error."""
        if isinstance(error, RateLimited | CancelledError):  # says nothing of how long answers take
            self.others += 1
            self.others_took += took
            self.rejected += isinstance(error, RateLimited)
            self.load.ended(attempt, took, counts=False)
        else:
            self.latencies.add(took)
            self.load.ended(attempt, took, counts=True)

    def ended(self, took: float, cost: float | None, *, was_sent: bool, is_priced: bool) -> None:
        """A task has ended after so many seconds. `was_sent`: and not only looked up, or given up."""
        self.tasks += 1
        self.sent += was_sent
        self.total += took
        if cost:
            self.usd += cost
        elif not is_priced:
            self.unpriced = True

    def waits(self, waited: Mapping[str, float]) -> None:
        """A task has waited so many seconds, by cause."""
        for cause, took in tuple(waited.items()):  # another thread may be adding
            self.waited[cause] = self.waited.get(cause, 0.0) + took

    def merge(self, other: Meter) -> None:
        """Add another's figures."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.unpriced |= other.unpriced
        self.last_sent = max(self.last_sent, other.last_sent)
        self.held.add(other.held)
        self.latencies.merge(other.latencies)
        self.load.add(other.load)
        self.waits(other.waited)

    def times(self) -> Times:
        """Where the time went."""
        return Times.of(self.total, self.waited, self.slept, self.wire, self.functions)

    def __repr__(self) -> str:
        return f"Meter({self.tasks} tasks, {self.attempts} attempts, {self.times()})"


class UnderWay(Protocol):
    """A task that has not ended."""

    def add_to(self, meter: Meter, now: float) -> None:
        """Add what it has used by now."""
        ...
