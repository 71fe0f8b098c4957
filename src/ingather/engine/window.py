"""The asyncio tasks that do a run's work: as many as there are slots, and others for those that step aside."""

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING

from ingather.engine.scope import callers
from ingather.errors import Cancelled
from ingather.process.exit import used

if TYPE_CHECKING:
    from ingather.engine.run import Run


class Window:
    """At most `window` of them, of which `most` are at work at once. To be made and used on one loop.

    It does not hold the run whose they are, so that a run which is over needs no garbage collector.
    """

    __slots__ = ("_aside", "_context", "_loop", "_tasks", "_window", "most")

    def __init__(self, *, window: int, most: int) -> None:
        self.most = most
        self._window = window
        self._aside = 0
        self._loop = asyncio.get_running_loop()
        used(self._loop)
        self._tasks: set[asyncio.Task[None]] = set()
        # of whoever asked, whichever task hires a worker later
        self._context = contextvars.copy_context()

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def too_many(self) -> bool:
        """Whether one of those at work has to go, since others came back."""
        return len(self._tasks) - self._aside > self.most

    def step_aside(self, run: Run) -> None:
        """One holds no slot for a while: another may take its turn."""
        self._aside += 1
        self.hire(run)

    def step_back(self) -> None:
        """It goes on."""
        self._aside -= 1

    def hire(self, run: Run) -> None:
        """One more, where there may be more and something is to be done; each hires the next as it finds a task."""
        count = len(self._tasks)
        if count >= self._window or count - self._aside >= self.most or not run.is_wanted(count):
            return
        worker = self._loop.create_task(run.work(), context=self._context.copy())
        self._tasks.add(worker)
        worker.add_done_callback(run.left, context=self._context)

    def cancel(self) -> None:
        """All of them."""
        for worker in self._tasks:
            worker.cancel()

    async def ended(self, *, cancelled: bool = False) -> None:
        """Wait until the last has gone, those apart whose functions wait here; `cancelled`: and do not let them end."""
        if self._loop.is_closed():
            return  # collected, with all that it can no longer end
        interrupted: asyncio.CancelledError | None = None
        waiting_here = set(callers())
        while workers := self._tasks - waiting_here:
            if cancelled:
                for worker in workers:
                    worker.cancel()
            try:
                await asyncio.wait(workers)
            except (
                asyncio.CancelledError
            ) as error:  # cancelled while cleaning up: first clean up, then go
                if not cancelled:
                    raise
                interrupted = error
        if interrupted is not None:
            raise interrupted

    def leave(self, worker: asyncio.Task[None]) -> None:
        """One is about to end: said before it does, so that others which end in that very moment see it."""
        self._tasks.discard(worker)

    def gone(self, worker: asyncio.Task[None]) -> BaseException | None:
        """One has ended; gives what it raised."""
        self._tasks.discard(worker)
        error = None if worker.cancelled() else worker.exception()
        # which would close whoever takes the results, without a word
        if isinstance(error, GeneratorExit):
            error = Cancelled("the input or a task raised GeneratorExit")
        return error

    def __repr__(self) -> str:
        return f"Workers({len(self._tasks)}, {self._aside} aside)"
