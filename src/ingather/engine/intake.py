"""The input of a run, pulled lazily: one task at a time, from whatever can be iterated."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping, Sized
from typing import TYPE_CHECKING, Any

from ingather.engine.inputs import as_task
from ingather.errors import Cancelled
from ingather.process.cancellation import really_cancelled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ingather.engine.inputs import Tasks
    from ingather.task import Task

Item = tuple[int, str, "Task"]
"""Index, tag, task."""


class Intake:
    """Gives each task with its index and tag. `total`: how many there are, None for a lazy input.

    `exhausted` when there is no more to pull, or no more is wanted; `error` is what the input
    itself raised, or why the run cannot go on.
    """

    __slots__ = (
        "_async_source",
        "_is_tagged",
        "_sized",
        "_source",
        "_turn",
        "_waiting",
        "error",
        "exhausted",
        "pulled",
        "total",
    )

    def __init__(self, tasks: Tasks) -> None:
        self._sized = tasks if isinstance(tasks, Sized) else None
        self.total = None if self._sized is None else len(self._sized)
        self.pulled = 0
        self.exhausted = False
        self.error: Exception | None = None
        self._waiting: asyncio.Task[object] | None = None
        self._async_source: AsyncIterator[Task | str] | None = None
        self._source: Iterator[Any] = iter(())
        self._is_tagged = isinstance(tasks, Mapping)
        if isinstance(tasks, Mapping):
            self._source = iter(tasks.items())
        elif isinstance(tasks, AsyncIterable):
            self._async_source = aiter(tasks)
            self._turn = asyncio.Lock()
        else:
            self._source = iter(tasks)

    @property
    def waits(self) -> bool:
        """Whether it is to be pulled with `wait_pull`."""
        return self._async_source is not None

    @property
    def left(self) -> float:
        """How many tasks there are to pull, as far as can be told by now: a list may grow."""
        if self.exhausted:
            return 0
        return math.inf if self._sized is None else len(self._sized) - self.pulled

    def pull(self) -> Item | None:
        """The next task of a synchronous input."""
        if self.exhausted:
            return None
        try:
            task: Task | str
            if self._is_tagged:
                tag, task = next(self._source)
            else:
                task = next(self._source)
                tag = getattr(task, "tag", "")
        except StopIteration:
            self.exhausted = True
            return None
        except (Exception, asyncio.CancelledError, GeneratorExit) as error:
            self._broke(error)
            return None
        self.pulled += 1
        return self.pulled - 1, tag, as_task(task)

    async def wait_pull(self, room: Callable[[], Awaitable[None]]) -> Item | None:
        """The next task of an asynchronous input, pulled by one worker at a time, when there is `room`."""
        async with self._turn:
            await room()
            if self.exhausted or self._async_source is None:
                return None
            try:
                task = await self._anext(self._async_source)
            except StopAsyncIteration:
                self.exhausted = True
                return None
            except (Exception, asyncio.CancelledError) as error:
                if really_cancelled():
                    raise
                self._broke(error)
                return None
            self.pulled += 1
            return self.pulled - 1, getattr(task, "tag", ""), as_task(task)

    def stop(self) -> None:
        """No more of a lazy input is wanted; of one whose size is known every task is, so that each is reported."""
        if self.total is None:
            self.exhausted = True
            if self._waiting is not None:
                self._waiting.cancel()

    def fail(self, error: Exception) -> None:
        """As `stop`, since the run cannot go on."""
        self.error = self.error or error
        self.stop()

    def _broke(self, error: BaseException) -> None:
        """The input raised. What would end whoever takes the results as if there were no more is told as well."""
        self.exhausted = True
        if isinstance(error, Exception) and not isinstance(
            error, StopIteration | StopAsyncIteration
        ):
            self.error = error
            return
        self.error = Cancelled(
            f"the input raised {type(error).__name__}, so that the tasks after it are not known"
        )
        self.error.__cause__ = error

    async def _anext(self, source: AsyncIterator[Task | str]) -> Task | str:
        """The next task; StopAsyncIteration too where `stop` came while the input had nothing yet."""
        # apart, so that `stop` can end it and nothing else
        self._waiting = asyncio.ensure_future(anext(source))
        try:
            return await self._waiting
        except asyncio.CancelledError:
            if self.exhausted and not really_cancelled():  # by `stop`
                raise StopAsyncIteration from None
            raise
        finally:
            self._waiting = None

    def __repr__(self) -> str:
        return f"Intake({self.pulled} of {'?' if self.total is None else self.total} pulled)"


def has_deadlines(tasks: Tasks) -> bool:
    """Whether any task of an input that can be looked through has a deadline of its own."""
    listed = (
        tasks.values() if isinstance(tasks, Mapping) else tasks if isinstance(tasks, list) else ()
    )
    return any(getattr(task, "deadline", None) is not None for task in listed)
