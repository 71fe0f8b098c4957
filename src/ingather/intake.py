"""The input of a run, pulled lazily: one task at a time, from whatever can be iterated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sized
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingather.task import Task

Tasks = Iterable["Task"] | AsyncIterable["Task"] | Mapping[str, "Task"]
Item = tuple[int, str, "Task"]
"""Index, tag, task."""


class Intake:
    """Gives each task with its index and tag. `total`: how many there are, None for a lazy input.

    `exhausted` when there is no more to pull, or no more is wanted; `error` is what the input itself raised. A lazy
    input is not pulled any further once `deadline` (seconds of the loop's clock) has passed; of one whose size is known
    every task is, so that each is reported.
    """

    def __init__(self, tasks: Tasks, loop: asyncio.AbstractEventLoop, deadline: float | None) -> None:
        self.total = len(tasks) if isinstance(tasks, Sized) else None
        self.pulled = 0
        self.exhausted = False
        self.error: Exception | None = None
        self._loop = loop
        self._deadline = deadline if self.total is None else None
        self._turn = asyncio.Lock()
        self._async_source: AsyncIterator[Task] | None = None
        self._source: Iterator[tuple[str, Task]] = iter(())
        if isinstance(tasks, Mapping):
            self._source = iter(tasks.items())
        elif isinstance(tasks, AsyncIterable):
            self._async_source = aiter(tasks)
        else:
            self._source = ((getattr(task, "tag", ""), task) for task in tasks)

    @property
    def waits(self) -> bool:
        """Whether it is to be pulled with `wait_pull`."""
        return self._async_source is not None

    def pull(self) -> Item | None:
        """The next task of a synchronous input."""
        if self._over():
            return None
        try:
            tag, task = next(self._source)
        except StopIteration:
            self.exhausted = True
            return None
        except Exception as error:
            self.error, self.exhausted = error, True
            return None
        self.pulled += 1
        return self.pulled - 1, tag, task

    async def wait_pull(self) -> Item | None:
        """The next task of an asynchronous input, pulled by one at a time."""
        async with self._turn:
            if self._over() or self._async_source is None:
                return None
            try:
                task = await anext(self._async_source)
            except StopAsyncIteration:
                self.exhausted = True
                return None
            except Exception as error:
                self.error, self.exhausted = error, True
                return None
            self.pulled += 1
            return self.pulled - 1, getattr(task, "tag", ""), task

    def stop(self) -> None:
        """No more of a lazy input is wanted."""
        self.exhausted = self.exhausted or self.total is None

    def _over(self) -> bool:
        if self._deadline is not None and self._loop.time() >= self._deadline:
            self.exhausted = True
        return self.exhausted

    def __repr__(self) -> str:
        return f"Intake({self.pulled} of {'?' if self.total is None else self.total} pulled)"
