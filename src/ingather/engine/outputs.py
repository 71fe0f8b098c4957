"""Where results go: all at the end, as they come, or in input order; and how many may wait there."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ingather.engine.intake import Intake
    from ingather.result import TaskResult


class Sink(Protocol):
    """Where results go. `bound`: how many tasks may be pulled whose results have not been taken."""

    bound: float

    def put(self, result: TaskResult) -> None: ...
    def take(self) -> TaskResult | None: ...


class Collected:
    """All results, as far as they are there."""

    __slots__ = ("_results",)

    bound = math.inf

    def __init__(self) -> None:
        self._results: list[TaskResult | None] = []

    @property
    def results(self) -> list[TaskResult]:
        """In input order."""
        return [result for result in self._results if result is not None]

    def put(self, result: TaskResult) -> None:
        missing = result.index - len(self._results)
        if missing == 0:
            self._results.append(result)
            return
        if missing > 0:
            self._results.extend([None] * (missing + 1))
        self._results[result.index] = result

    def take(self) -> TaskResult | None:
        return None


class AsCompleted:
    """Results one by one, as they come."""

    def __init__(self, bound: float) -> None:
        self.bound = bound
        self._results: deque[TaskResult] = deque()

    def put(self, result: TaskResult) -> None:
        self._results.append(result)

    def take(self) -> TaskResult | None:
        return self._results.popleft() if self._results else None


class InOrder:
    """Results one by one, in input order: the early ones wait."""

    def __init__(self, bound: float) -> None:
        self.bound = bound
        self._results: dict[int, TaskResult] = {}
        self._next = 0

    def put(self, result: TaskResult) -> None:
        self._results[result.index] = result

    def take(self) -> TaskResult | None:
        result = self._results.pop(self._next, None)
        if result is not None:
            self._next += 1
        return result


class Backpressure:
    """For results that have not been taken: of so many tasks, `bound`, all pulled of `intake`. To be made on a loop.

    `taken`: results so far. `waited`: seconds in which nothing was pulled because there was no
    room.
    """

    __slots__ = ("_bound", "_event", "_intake", "_loop", "_since", "_waiting", "taken", "waited")

    def __init__(self, bound: float, intake: Intake) -> None:
        self.taken = 0
        self.waited = 0.0
        self._bound = bound
        self._intake = intake
        self._waiting = 0
        self._since = 0.0
        self._loop = asyncio.get_running_loop()
        self._event: asyncio.Event | None = None

    @property
    def is_full(self) -> bool:
        """Whether another task may not be pulled yet."""
        return self._intake.pulled - self.taken >= self._bound

    def take(self) -> None:
        """A result was taken."""
        self.taken += 1
        if self._event is not None:
            self._event.set()

    async def there(self) -> None:
        """Wait until there is some."""
        if not self.is_full:
            return
        if self._event is None:
            self._event = asyncio.Event()
        if not self._waiting:
            self._since = self._loop.time()
        self._waiting += 1
        try:
            while self.is_full:
                self._event.clear()
                await self._event.wait()
        finally:
            self._waiting -= 1
            if not self._waiting:
                self.waited += self._loop.time() - self._since

    def __repr__(self) -> str:
        return f"Backpressure({self._bound}, {self.taken} taken)"
