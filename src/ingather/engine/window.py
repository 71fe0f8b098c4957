"""The asyncio tasks that do a run's work: as many as slots, and more for those that step aside."""

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING, Protocol

from ingather.errors import Cancelled
from ingather.process.exit import used

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from collections.abc import Set as AbstractSet


class Crew(Protocol):
    """Whose work it is."""

    def work(self) -> Coroutine[object, object, None]:
        """Do task after task, as one worker."""
        ...

    def is_wanted(self, starting: int) -> bool:
        """Whether another worker would find a task, beside those that are about to pull one."""
        ...

    def left(self, worker: asyncio.Task[None]) -> None:
        """A worker has ended."""
        ...


class Window:
    """At most `size` workers, of which `at_work` hold a slot or wait for one. To be used on one loop.

    It drops the `crew` when that is over, so that no cycle is left for the garbage collector.
    """

    __slots__ = ("_aside", "_context", "_crew", "_loop", "_size", "_starting", "_tasks", "at_work")

    def __init__(self, crew: Crew, *, size: int, at_work: int) -> None:
        self.at_work = at_work
        self._crew: Crew | None = crew
        self._size = size
        self._aside = 0
        self._starting = 0  # hired, and not yet at their first task
        self._loop = asyncio.get_running_loop()
        used(self._loop)
        self._tasks: set[asyncio.Task[None]] = set()
        # the caller's, whichever task hires a worker later
        self._context = contextvars.copy_context()

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def too_many(self) -> bool:
        """Whether one of those at work has to go, since others came back."""
        return len(self._tasks) - self._aside > self.at_work

    def step_aside(self) -> None:
        """A worker holds no slot for a while: another may take its turn."""
        self._aside += 1
        self.hire()

    def step_back(self) -> None:
        """It goes on."""
        self._aside -= 1

    def hire(self) -> None:
        """Hire one more worker, if there is room and work; each hires the next as it finds a task."""
        count, crew = len(self._tasks), self._crew
        if crew is None or count >= self._size or count - self._aside >= self.at_work:
            return
        if crew.is_wanted(self._starting):
            self._starting += 1
            worker = self._loop.create_task(crew.work(), context=self._context.copy())
            self._tasks.add(worker)
            worker.add_done_callback(crew.left, context=self._context)

    def started(self) -> None:
        """A worker is about to pull its first task."""
        self._starting -= 1

    def close(self) -> None:
        """Hire nobody any more."""
        self._crew = None

    def cancel(self) -> None:
        """Cancel all workers."""
        for worker in self._tasks:
            worker.cancel()

    async def ended(
        self, apart: AbstractSet[asyncio.Task[None]] = frozenset(), *, cancelled: bool = False
    ) -> None:
        """Wait until the last worker has gone, but those `apart`; `cancelled`: cancel them first."""
        if self._loop.is_closed():
            return  # collected, with all that it can no longer end
        interrupted: asyncio.CancelledError | None = None
        while workers := self._tasks - apart:
            if cancelled:
                for worker in workers:
                    worker.cancel()
            try:
                await asyncio.wait(workers)
            except asyncio.CancelledError as error:  # first clean up, then go
                if not cancelled:
                    raise
                interrupted = error
        if interrupted is not None:
            raise interrupted

    def leave(self, worker: asyncio.Task[None]) -> None:
        """A worker is about to end: others which end in that very moment see it."""
        self._tasks.discard(worker)

    def gone(self, worker: asyncio.Task[None]) -> BaseException | None:
        """A worker has ended; returns what it raised."""
        self._tasks.discard(worker)
        error = None if worker.cancelled() else worker.exception()
        if isinstance(
            error, GeneratorExit
        ):  # which would close whoever takes the results, silently
            error = Cancelled("the input or a task raised GeneratorExit")
        return error

    def __repr__(self) -> str:
        return f"Window({len(self._tasks)} workers, {self._aside} aside)"
