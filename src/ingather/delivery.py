"""How results reach whoever asked for them: all at the end, as they come, or in input order."""

from __future__ import annotations

import math
import warnings
from collections import deque
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingather.result import TaskResult
    from ingather.run import Run


class Sink(Protocol):
    """Where results go. `bound`: how many tasks may be pulled whose results have not been taken."""

    bound: float

    def put(self, result: TaskResult) -> None: ...
    def take(self) -> TaskResult | None: ...


class Collected:
    """All results, as far as they are there."""

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


class Results:
    """An async iterator over results, which also closes. Begins with the first result that is asked for."""

    def __init__(self, begin: Callable[[], Run], runs: set[Run]) -> None:
        self._begin = begin
        self._runs = runs  # the executor's, which this one leaves when it is over
        self._run: Run | None = None
        self._closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> TaskResult:
        if self._closed:
            raise StopAsyncIteration
        if self._run is None:
            self._run = self._begin()
        run = self._run
        try:
            while (result := run.take()) is None:
                if run.over:
                    break
                await run.progress()
        except BaseException:
            await self.aclose()
            raise
        if result is not None:
            return result
        await self.aclose()
        if run.error is not None:
            raise run.error
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Cancel what is in flight and wait for it; results that were not taken are dropped."""
        self._closed = True
        if self._run is not None:
            self._runs.discard(self._run)
            await self._run.close()

    def stop(self, why: str) -> None:
        """Pull nothing more and cancel what is in flight, for the reason `why`. To be called on the loop.

        Unlike after `aclose`, every task that was pulled still comes as a result.
        """
        if self._run is not None and not self._closed:
            self._run.stop(why)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        run = self._run
        if run is None or run.closed or run.loop.is_closed():
            return
        self._runs.discard(run)
        run.loop.call_soon_threadsafe(run.abandon)
        warnings.warn(  # last: it may be an error
            "results were abandoned: use `async with` or aclose()", ResourceWarning, source=self, stacklevel=2
        )
