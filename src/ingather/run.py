"""One call of an executor method: a window of workers that pull tasks lazily and hand on their results.

There is never an asyncio task for each row. As many workers run as there are slots; one that sleeps or waits for nested
calls steps aside, and another takes its turn, up to ``2 * max_concurrency + 16`` open tasks.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sized
from typing import TYPE_CHECKING

from ingather.call import Call
from ingather.events import RunEnded, RunStarted, TaskEnded, TaskStarted
from ingather.nesting import current
from ingather.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingather.delivery import Sink
    from ingather.events import Event
    from ingather.result import TaskResult
    from ingather.task import Task
    from ingather.terms import Terms

logger = logging.getLogger("ingather")

Tasks = Iterable["Task"] | AsyncIterable["Task"] | Mapping[str, "Task"]

_arrivals = itertools.count()
_numbers = itertools.count(1)


class Run:
    """Begins with its creation, inside a running loop; `over` when nothing is left but results to take.

    `deadline`: seconds from now. `emit`: told all events. With `fail_fast` the first failure stops the rest.
    """

    def __init__(
        self,
        terms: Terms,
        tasks: Tasks,
        sink: Sink,
        *,
        window: int,
        fail_fast: bool,
        deadline: float | None,
        emit: Callable[[Event], None] | None,
    ) -> None:
        self.number = next(_numbers)
        self.terms = terms
        self.sink = sink
        self.emit = emit
        self.loop = asyncio.get_running_loop()
        self.error: BaseException | None = None
        self.exhausted = False
        self.closed = False
        self.succeeded = self.failed = 0
        self._begun = self.loop.time()
        self.deadline = None if deadline is None else self._begun + deadline
        self._fail_fast = fail_fast
        self._stopped_by: str | None = None
        self._sized = isinstance(tasks, Sized)
        self._source, self._async_source = _source(tasks)
        self._pulling = asyncio.Lock()
        self._pulled = self._taken = 0
        self._room = asyncio.Event()
        self._window = window
        self._target = int(min(terms.slots.capacity, window))
        self._workers: set[asyncio.Task[None]] = set()
        self._calling: set[asyncio.Task[None]] = set()
        self._aside = 0
        self._waiter: asyncio.Future[None] | None = None
        scope = current.get()
        if scope is not None:
            scope.give_back()
        self._prefix = () if scope is None else scope.lease.arrival
        self._tell(RunStarted, total=len(tasks) if isinstance(tasks, Sized) else None)
        self._hire()

    # -- for whoever takes the results

    @property
    def over(self) -> bool:
        return not self._workers and (self.exhausted or self.error is not None)

    def take(self) -> TaskResult | None:
        """The next result that is ready, if any."""
        result = self.sink.take()
        if result is not None:
            self._taken += 1
            self._room.set()
        return result

    async def progress(self) -> None:
        """Wait until something has changed: a result, or the end."""
        self._hire()
        if self.over:
            return
        self._waiter = self.loop.create_future()
        await self._waiter

    async def close(self) -> None:
        """Cancel what is in flight and wait until it is gone; raises nothing of it."""
        if self.closed:
            return
        self.closed = self.exhausted = True
        interrupted: asyncio.CancelledError | None = None
        while self._workers:
            for worker in self._workers:
                worker.cancel()
            try:
                await asyncio.wait(self._workers)
            except asyncio.CancelledError as error:  # cancelled while cleaning up: first clean up, then go
                interrupted = error
        wall = self.loop.time() - self._begun
        self._tell(RunEnded, wall=wall, succeeded=self.succeeded, failed=self.failed)
        logger.info("%d succeeded, %d failed in %.0f ms", self.succeeded, self.failed, wall * 1000)
        if interrupted is not None:
            raise interrupted

    def abandon(self) -> None:
        """Nobody will take the results any more: cancel what is in flight, without waiting."""
        self.closed = self.exhausted = True
        for worker in self._workers:
            worker.cancel()

    # -- for its calls

    def step_aside(self) -> None:
        """A worker holds no slot for a while: another may take its turn."""
        self._aside += 1
        self._hire()

    def step_back(self) -> None:
        self._aside -= 1

    # -- the workers

    def _hire(self) -> None:
        """One more worker, where there may be more and there is input; each hires the next as it finds a task."""
        if self.exhausted or len(self._workers) >= self._window or len(self._workers) - self._aside >= self._target:
            return
        worker = self.loop.create_task(self._work())
        self._workers.add(worker)
        worker.add_done_callback(self._left)

    async def _work(self) -> None:
        me = asyncio.current_task()
        assert me is not None  # noqa: S101 - for the type checker: this is a task
        while len(self._workers) - self._aside <= self._target:
            while self._pulled - self._taken >= self.sink.bound:
                self._room.clear()
                await self._room.wait()
            item = self._pull() if self._async_source is None else await self._pull_async(self._async_source)
            if item is None:
                return
            self._hire()
            await self._run_one(me, *item)

    async def _run_one(self, me: asyncio.Task[None], index: int, tag: str, task: Task) -> None:
        call = Call(self.terms, self, (*self._prefix, next(_arrivals)), Tally(self, task, index, tag))
        if self._stopped_by is not None:
            self._deliver(call.stopped(self._stopped_by))
            return
        if self.emit is not None:
            self._tell(TaskStarted, index=index, tag=tag)
        self._calling.add(me)
        try:
            result = await call.result()
        except asyncio.CancelledError:
            self._deliver(call.stopped(self._stopped_by or "the run was cancelled"))
            if self._stopped_by is None or me.uncancel() > 0:
                raise
            return
        finally:
            self._calling.discard(me)
        self._deliver(result)

    def _deliver(self, result: TaskResult) -> None:
        if result.success:
            self.succeeded += 1
        else:
            self.failed += 1
            logger.warning("task %s failed: %s", result.tag or result.index, _brief(result.error))
            if self._fail_fast and self._stopped_by is None:
                self._stop(f"fail_fast, after task {result.tag or result.index} failed")
        self.sink.put(result)
        if self.emit is not None:
            self._tell(TaskEnded, result=result)
        if self.sink.bound != math.inf:
            self._wake()

    def _stop(self, why: str) -> None:
        """End all other calls now; what was pulled is still reported, and so is all of an input of known size."""
        self._stopped_by = why
        self.exhausted = self.exhausted or not self._sized
        me = asyncio.current_task()
        for worker in self._calling:
            if worker is not me:
                worker.cancel()

    def _left(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not worker.cancelled() and (error := worker.exception()) is not None:
            self.error, self.exhausted = error, True  # a BaseException of the user's, or of the input: goes through
        if not self._workers:
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- the input

    def _pull(self) -> tuple[int, str, Task] | None:
        if self.exhausted or (self.deadline is not None and self._too_late()):
            return None
        try:
            tag, task = next(self._source)
        except StopIteration:
            self.exhausted = True
            return None
        except Exception as error:
            self.error, self.exhausted = error, True
            return None
        self._pulled += 1
        return self._pulled - 1, tag, task

    async def _pull_async(self, source: AsyncIterator[Task]) -> tuple[int, str, Task] | None:
        async with self._pulling:
            if self.exhausted or (self.deadline is not None and self._too_late()):
                return None
            try:
                task = await anext(source)
            except StopAsyncIteration:
                self.exhausted = True
                return None
            except Exception as error:
                self.error, self.exhausted = error, True
                return None
            self._pulled += 1
            return self._pulled - 1, getattr(task, "tag", ""), task

    def _too_late(self) -> bool:
        """A lazy input is not pulled any further once the run's deadline has passed."""
        if self.deadline is not None and self.loop.time() >= self.deadline and not self._sized:
            self.exhausted = True
        return self.exhausted

    def _tell(self, kind: Callable[..., Event], **what: object) -> None:
        if self.emit is not None:
            self.emit(kind(at=self.loop.time(), run=self.number, **what))

    def __repr__(self) -> str:
        return (
            f"Run({self.number}: {self._pulled} pulled, {self.succeeded} succeeded, {self.failed} failed, "
            f"{len(self._workers)} workers, {self._aside} aside)"
        )


def _source(tasks: Tasks) -> tuple[Iterator[tuple[str, Task]], AsyncIterator[Task] | None]:
    if isinstance(tasks, Mapping):
        return iter(tasks.items()), None
    if isinstance(tasks, AsyncIterable):
        return iter(()), aiter(tasks)
    return ((getattr(task, "tag", ""), task) for task in tasks), None


def _brief(error: Exception | None) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
