"""Results of a run, taken one by one."""

from __future__ import annotations

import asyncio
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Generic, Self

from ingather.engine.sync import check_may_block, run_sync
from ingather.errors import Cancelled
from ingather.task import T_co

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ingather.engine.by_loop import ByLoop
    from ingather.engine.run import Run
    from ingather.result import TaskResult


_CANCELLED = object()  # closes results in place of a task or a thread


class Results(Generic[T_co]):
    """Results to be taken one by one, with ``async for``, or outside an event loop with ``for``; it also closes.

    Begins with the first result that is asked for. Leaving a ``for`` early closes it; an ``async
    for`` is left early within ``async with``, or with `aclose`.
    """

    def __init__(self, begin: Callable[[], Run], runs: ByLoop[Run]) -> None:
        self._begin = begin
        self._runs = runs  # the executor's, which this one leaves when it is over
        self._run: Run | None = None
        self._closed = False
        # the asyncio task, or the thread, that closed it before all was taken
        self._closer: object = None
        self._thread: int | None = None  # that takes the results, where it does so synchronously

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> TaskResult[T_co]:
        if self._closed:
            raise await self._end()
        if self._run is None:
            self._run = self._begin()
        run = self._run
        if run.loop is not asyncio.get_running_loop():
            raise RuntimeError("these results are being taken on another event loop: go on there")
        try:
            while (result := run.take()) is None:
                if run.over:
                    break
                await run.progress()
        except BaseException:
            self._close(_CANCELLED)
            await self.aclose()
            raise
        if result is not None:
            return result
        if self._closed and run.error is None:  # while this waited
            raise await self._end()
        await self.aclose()
        if run.error is not None:
            raise run.error
        raise StopAsyncIteration

    async def _end(self) -> Exception:
        """What is to be raised now that they are closed."""
        if self._closer in (None, self._thread, asyncio.current_task()):
            return StopAsyncIteration()
        if self._run is not None and self._run.loop is asyncio.get_running_loop():
            await self._ended(self._run)  # which another thread could not wait for
        if self._closer is _CANCELLED:
            return Cancelled(
                "these results were closed when the wait for one of them was cancelled, as a "
                "timeout does: put the timeout around the whole loop, or give it to the tasks "
                "(timeout=, deadline=)"
            )
        return Cancelled(
            "these results were closed by another task or thread before all of them were taken"
        )

    def __iter__(self) -> Iterator[TaskResult[T_co]]:
        check_may_block("for result in …", "async for result in …")
        return self._taken()

    def _taken(self) -> Iterator[TaskResult[T_co]]:
        self._thread = threading.get_ident()
        try:
            while ready := run_sync(self._ready()):
                yield from ready
        finally:
            self.close()

    async def _ready(self) -> list[TaskResult[T_co]]:
        """The next result and all that are there by then, since each crossing to the loop costs; none at the end."""
        try:
            ready = [await anext(self)]
        except StopAsyncIteration:
            return []
        while self._run is not None and (result := self._run.take()) is not None:
            ready.append(result)
        return ready

    def close(self) -> None:
        """`aclose` from synchronous code."""
        run = self._run
        was_closed = self._closed
        self._close(threading.get_ident())
        if was_closed or run is None:
            return
        if run.loop is asyncio._get_running_loop():  # noqa: SLF001 - collected as garbage there: it cannot wait
            run.abandon()
        elif not sys.is_finalizing():  # when nothing turns the loop any more
            run_sync(self.aclose())  # its loop may be another

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    async def aclose(self) -> None:
        """Cancel what is in flight and wait for it; results that were not taken are dropped.

        Whoever else is taking them gets a `Cancelled` error, unless all had been taken.
        """
        self._close(asyncio.current_task())
        if self._run is None:
            return
        if self._run.loop is asyncio.get_running_loop():
            await self._ended(self._run)
        elif not self._run.loop.is_closed():
            self._run.loop.call_soon_threadsafe(
                self._run.cut, "its results were closed by another thread"
            )

    def _close(self, closer: object) -> None:
        if not self._closed:
            self._closed = True
            self._closer = None if self._run is not None and self._run.is_taken else closer

    async def _ended(self, run: Run) -> None:
        self._runs.discard(run)
        await run.close()

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
        run.loop.call_soon_threadsafe(self._runs.discard, run)
        run.loop.call_soon_threadsafe(run.abandon)
        warnings.warn(  # last: it may be an error
            "results were abandoned: use `async with` or aclose()",
            ResourceWarning,
            source=self,
            stacklevel=2,
        )
