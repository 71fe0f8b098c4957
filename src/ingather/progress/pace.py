"""How fast a run goes, and when it will be done. Arithmetic only."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingather.report import Summary

_WINDOW = 15.0  # seconds over which rates are taken


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls and tokens a second, and seconds left (None: nobody knows)."""

    calls: float
    tokens: float
    left: float | None


class Pace:
    """How fast a run goes now, from what it had done some seconds ago. Arithmetic only.

    >>> from ingather.report import Summary
    >>> Pace().at(0.0, Summary(total=10))
    Rates(calls=0.0, tokens=0.0, left=None)
    """

    def __init__(self) -> None:
        self._past: deque[tuple[float, int, int, int]] = deque()
        self._last = (0, 0.0)  # how many were done, and since when

    def at(self, now: float, found: Summary) -> Rates:
        """The rates at `now`, seconds of the monotonic clock, over the last 15 s."""
        self._past.append((now, found.calls, found.tokens, found.done))
        while len(self._past) > 2 and self._past[1][0] <= now - _WINDOW:
            self._past.popleft()
        if found.done != self._last[0] or not self._last[1]:
            self._last = found.done, now
        then, calls, tokens, done = self._past[0]
        if then == now:  # the first look: what was done before it, over the time so far
            then, calls, tokens, done = now - found.wall, 0, 0, 0
        took = now - then
        if took <= 0:
            return Rates(0.0, 0.0, None)
        pace = (found.done - done) / took
        left = (found.total - found.done) / pace if found.total is not None and pace > 0 else None
        # what has been long in coming will take as long again, and nothing comes in a pause
        if left:
            left = max(left, now - self._last[1], found.pause_left)
        return Rates((found.calls - calls) / took, (found.tokens - tokens) / took, left)


def over_all(found: Summary) -> Rates:
    """The rates of a whole run."""
    wall = found.wall or 1.0
    return Rates(
        found.calls / wall, found.tokens / wall, 0.0 if found.done == found.total else None
    )
