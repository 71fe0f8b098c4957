"""How results reach whoever asked for them: all at the end, as they come, or in input order."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ingather.result import TaskResult


class Sink(Protocol):
    """Where results go. `bound`: how many tasks may be pulled whose results have not been taken."""

    bound: float

    def put(self, result: TaskResult) -> None: ...
    def take(self) -> TaskResult | None: ...


class Collected:
    """All results, in input order."""

    bound = math.inf

    def __init__(self) -> None:
        self.results: list[TaskResult | None] = []

    def put(self, result: TaskResult) -> None:
        self.results.extend([None] * (result.index + 1 - len(self.results)))
        self.results[result.index] = result

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
