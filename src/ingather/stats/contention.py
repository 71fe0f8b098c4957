"""What calls beside each other tell: while somebody waited, and whether calls took longer beside others.

Arithmetic only.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

_FEW = 8  # calls whose mean says something
_ALIKE = 1.25  # means of calls that took equally long
_SLOWER, _CONTRAST = 1.5, 1.8  # means and loads that differ
_QUEUED = 2.0  # means of calls that one after another was taken, and of those before them
_ALONE = 1.5  # calls at once: one had nearly all of the server


class Held:
    """Seconds in which at least one task waited, by cause: of many that wait at once, each moment counts once.

    >>> held = Held()
    >>> held.waited(10.0, {"requests": 4.0})
    >>> held.waited(12.0, {"requests": 6.0})
    >>> held.by
    {'requests': 6.0}
    """

    __slots__ = ("_since", "_until", "by")

    def __init__(self) -> None:
        self.by: dict[str, float] = {}
        self._since = self._until = -math.inf  # the latest stretch without a gap

    def waited(self, until: float, causes: Mapping[str, float]) -> None:
        """A task has waited until then, so many seconds for each cause. To be told in the order in which they end."""
        if not causes:
            return
        took = sum(causes.values())
        since = until - took
        fresh = max(0.0, until - max(since, self._until)) + max(0.0, self._since - since)
        self._since = since if since > self._until else min(since, self._since)
        self._until = max(until, self._until)
        if took > 0 and fresh > 0:
            for by, seconds in causes.items():
                self.by[by] = self.by.get(by, 0.0) + fresh * seconds / took

    def add(self, other: Held) -> None:
        """Another's as well, whose moments were others."""
        for by, seconds in tuple(other.by.items()):
            self.by[by] = self.by.get(by, 0.0) + seconds

    def __repr__(self) -> str:
        return f"Held({self.by})"


class Load:
    """How long calls took, by how many were in flight at once: when each was sent, and at most until it ended.

    A server that takes calls in turn makes each wait for those before it, one that shares itself
    out for those after it too. So what a call takes alone is known only where both say so.

    >>> load = Load()
    >>> load.began("a")
    >>> load.ended("a", 2.0, counts=True)
    >>> load.alone
    2.0
    """

    __slots__ = ("_at_most", "_began", "_number", "_peaks", "_when_sent", "count", "peak", "total")

    def __init__(self) -> None:
        self.count = 0  # calls that counted
        self.total = 0.0  # seconds of those
        self.peak = 0  # the most in flight
        # the calls in flight: a number, and how many there were
        self._began: dict[Hashable, tuple[int, int]] = {}
        self._number = 0
        # a number, and the most in flight from then on, ever less
        self._peaks: list[tuple[int, int]] = []
        self._when_sent, self._at_most = _ByLoad(), _ByLoad()

    def began(self, call: Hashable) -> None:
        """One more is in flight."""
        self._number += 1
        flying = len(self._began) + 1
        self._began[call] = self._number, flying
        self.peak = max(self.peak, flying)
        while self._peaks and self._peaks[-1][1] <= flying:
            self._peaks.pop()
        self._peaks.append((self._number, flying))

    def ended(self, call: Hashable, took: float, *, counts: bool) -> None:
        """It is none any more, after so many seconds. `counts`: it tells how long a call takes."""
        if call not in self._began:
            return
        number, flying = self._began.pop(call)
        if counts:
            self._when_sent.add(flying, took)
            self._at_most.add(self._peaks[bisect_left(self._peaks, (number, 0))][1], took)
            self.count, self.total = self.count + 1, self.total + took
        if not self._began:
            self._peaks.clear()

    @property
    def alone(self) -> float | None:
        """Mean seconds of a call that no other made slower, as far as loads that differ can tell; None where not."""
        when_sent, at_most = self._when_sent.alone, self._at_most.alone
        return None if when_sent is None or at_most is None else min(when_sent, at_most)

    @property
    def slows(self) -> bool:
        """Whether more in flight made each call slower, and by more than chance.

        Where all were sent at once, only those that were sent when others were in flight tell: a
        server that takes them in turn makes them wait the longer, the later they were sent.
        """
        return self._at_most.slows(_SLOWER) or self._when_sent.slows(_QUEUED)

    def add(self, other: Load) -> None:
        """Another's calls as well, to which another thread may be adding: those that have ended."""
        self.count, self.total = self.count + other.count, self.total + other.total
        self.peak = max(self.peak, other.peak)
        self._when_sent.merge(other._when_sent)
        self._at_most.merge(other._at_most)

    def clear(self) -> None:
        """Nothing is in flight."""
        self._began.clear()
        self._peaks.clear()

    def __repr__(self) -> str:
        return f"Load({self.count} calls, {len(self._began)} in flight)"


class _ByLoad:
    """Seconds that calls took, by how many were in flight: how many calls, and their sum."""

    __slots__ = ("_at",)

    def __init__(self) -> None:
        self._at: dict[int, tuple[int, float]] = {}

    def add(self, flying: int, took: float) -> None:
        count, total = self._at.get(flying, (0, 0.0))
        self._at[flying] = count + 1, total + took

    def merge(self, other: _ByLoad) -> None:
        _add_up(self._at, other._at)

    def _levels(self) -> dict[int, tuple[int, float]]:
        """The same by half octaves of how many were in flight: reckoned when asked, not with each call."""
        levels: dict[int, tuple[int, float]] = {}
        for flying, known in tuple(self._at.items()):  # another thread may be adding
            _add_up(levels, {round(2 * math.log2(flying)): known})
        return levels

    @property
    def alone(self) -> float | None:
        groups = self._groups()
        alike = self._alike(groups)
        if not alike:
            return None
        if groups[0][0] > _ALONE and groups[alike - 1][0] < _CONTRAST * groups[0][0]:
            return None
        return sum(total for _, _, total in groups[:alike]) / sum(
            count for _, count, _ in groups[:alike]
        )

    def slows(self, factor: float) -> bool:
        groups = self._groups()
        alike = self._alike(groups)
        if alike in (0, len(groups)):
            return False
        mean = sum(total for _, _, total in groups[:alike]) / sum(
            count for _, count, _ in groups[:alike]
        )
        _, count, total = groups[-1]
        return total / count > factor * mean

    def _groups(self) -> list[tuple[float, int, float]]:
        """Load, calls, their seconds: of ever more in flight, each of enough calls."""
        groups: list[tuple[float, int, float]] = []
        count, total, loads = 0, 0.0, 0.0
        levels = self._levels()
        least = min(_FEW, sum(count for count, _ in levels.values()))
        for level in sorted(levels):
            more, seconds = levels[level]
            count, total, loads = count + more, total + seconds, loads + more * level
            if count >= least:
                groups.append((2 ** (loads / count / 2), count, total))
                count, total, loads = 0, 0.0, 0.0
        return groups

    @staticmethod
    def _alike(groups: list[tuple[float, int, float]]) -> int:
        """How many of the first groups took equally long."""
        count, total = 0, 0.0
        for number, (_, more, seconds) in enumerate(groups):
            if number and seconds / more > _ALIKE * total / count:
                return number
            count, total = count + more, total + seconds
        return len(groups)


def _add_up(here: dict[int, tuple[int, float]], there: dict[int, tuple[int, float]]) -> None:
    for key, (more, seconds) in tuple(there.items()):
        count, total = here.get(key, (0, 0.0))
        here[key] = count + more, total + seconds
