"""One call of an executor method: a window of workers that pull tasks lazily and hand on results.

There is never an asyncio task for each row. As many workers run as there are slots; one that sleeps
or waits for nested calls steps aside, and another takes its turn, up to ``2 * max_concurrency + 16``
open tasks.
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING

from ingather.engine.call import Call
from ingather.engine.failure_log import FailureLog
from ingather.engine.intake import Intake, has_deadlines
from ingather.engine.outputs import Backpressure
from ingather.engine.record import Record
from ingather.engine.scope import current
from ingather.engine.telemetry import Telemetry
from ingather.engine.waiting import Waiting
from ingather.engine.window import Window
from ingather.errors import Cancelled
from ingather.events import RunEnded, RunStarted, TaskEnded, TaskStarted
from ingather.redact import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingather.admission.permit import Arrival
    from ingather.engine.context import Context
    from ingather.engine.inputs import Tasks
    from ingather.engine.outputs import Sink
    from ingather.engine.shared_text import SharedText
    from ingather.events import Event
    from ingather.result import TaskResult
    from ingather.task import Task

logger = logging.getLogger("ingather")

_FAIR_SHARE = 16  # tasks that a worker may end without suspending before others have their turn


class Run:
    """Begins with its creation, inside a running loop; `over` when only results are left to take.

    `window`: the most open tasks. `deadline`: seconds from now. `emit`: told all events. With
    `fail_fast` the first failure stops the rest. `within`: the extraction whose parts it runs, all
    about `text`.
    """

    def __init__(
        self,
        context: Context,
        tasks: Tasks,
        sink: Sink,
        *,
        window: int,
        fail_fast: bool,
        deadline: float | None,
        emit: Callable[[Event], None] | None,
        within: Call | None = None,
        text: SharedText | None = None,
    ) -> None:
        self.context = context
        self.sink = sink
        self.loop = asyncio.get_running_loop()
        self.telemetry = Telemetry(self.loop, emit, context.journal)
        self.closed = False
        self.succeeded = self.failed = 0
        self.within = within
        self.text = text
        self._fatal: BaseException | None = None
        self._failures: FailureLog | None = None
        self._begun = self.loop.time()
        self.deadline = None if deadline is None else self._begun + deadline
        self._fail_fast = fail_fast
        self._stopped_by: str | None = None
        self._intake = Intake(tasks)
        # when all of the input began to wait; of a lazy one, and of steps, each does in its turn
        self._since = self._begun if self._intake.total is not None and window > 1 else None
        if self.deadline is not None:
            self._alarm = self.loop.call_at(self.deadline, self._intake.stop)
        self._backpressure = Backpressure(sink.bound, self._intake)
        self._debug = logger.isEnabledFor(logging.DEBUG)
        self._waiters: list[asyncio.Future[None]] = []
        self.parent = current.get()
        if self.parent is not None:
            self.parent.give_back()
        self._arrival: Arrival = ()
        inside: tuple[int, int] | None = None
        if within is not None:
            self._arrival, inside = within.waiting.arrival, within.address
        elif self.parent is not None:
            self._arrival, inside = self.parent.arrival, self.parent.address
        self._most = int(min(context.slots.capacity, window))
        # tasks with a deadline wait in workers of their own, so that they can end on time
        at_work = self._most + has_deadlines(tasks)
        self._window = Window(self, size=window, at_work=at_work)
        self.telemetry.meter = context.meters.opened(self.telemetry)
        self.telemetry.tell_all(
            RunStarted, total=self._intake.total, parent=inside, is_parts=within is not None
        )
        self._window.hire()

    @property
    def over(self) -> bool:
        return not self._window and self._intake.exhausted

    @property
    def is_taken(self) -> bool:
        """Whether it is over, and all results have been taken."""
        return self.over and self._backpressure.taken == self._intake.pulled

    @property
    def error(self) -> BaseException | None:
        """What ended it early: raised by the input, or a BaseException of a task's."""
        return self._fatal or self._intake.error

    def take(self) -> TaskResult | None:
        """The next result that is ready, if any."""
        result = self.sink.take()
        if result is not None:
            self._backpressure.take()
        return result

    def progress(self) -> asyncio.Future[None]:
        """To be awaited: done when something has changed, a result or the end."""
        self._window.hire()
        waiter = self.loop.create_future()
        if self.over:
            waiter.set_result(None)
        else:
            self._waiters.append(waiter)
        return waiter

    async def ended(self) -> None:
        """Wait until the last worker has gone, those apart whose functions wait here."""
        await self._window.ended(self._apart())

    async def close(self) -> None:
        """Cancel what is in flight and wait until it is gone; raises nothing of it."""
        if self.closed:
            return
        self.closed = self._intake.exhausted = True
        try:
            await self._window.ended(self._apart(), cancelled=True)
        finally:
            self._conclude()

    def _conclude(self) -> None:
        if self.deadline is not None:
            self._alarm.cancel()
        if self._failures is not None:
            self._failures.ended()
        wall = self.loop.time() - self._begun
        self._window.close()
        self.telemetry.meter.untaken += self._backpressure.waited
        meters, stats = self.context.meters, None
        meters.closed(self.telemetry)
        if self.telemetry.emit is not None or logger.isEnabledFor(logging.INFO):
            stats = meters.stats_at_end()
        told = {
            "wall": wall,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "untaken": self._backpressure.waited,
        }
        self.telemetry.tell_all(RunEnded, stats=stats, **told)
        if stats is not None:
            ended = f"{self.succeeded} succeeded, {self.failed} failed in {wall * 1000:.0f} ms"
            logger.info("%s; in all: %s", ended, stats.in_one_line)

    def stop(self, why: str) -> None:
        """End all calls now; what was pulled is still reported, and so is all of an input of known size."""
        if self._stopped_by is not None or self.closed:
            return
        self._stopped_by = why
        self._intake.stop()
        me = asyncio.current_task()
        for worker in self.telemetry.records:
            if worker is not me:
                worker.cancel()

    def fail(self, error: Exception) -> None:
        """Pull nothing more, for the run cannot go on; nor can one whose part it is."""
        if self.within is None:
            self._intake.fail(error)
        else:
            self.within.run.fail(error)

    def cut(self, why: str) -> None:
        """End all calls now, although somebody else takes the results: who does is told, after those that are there."""
        if self.closed or self.over:
            return
        self._fatal = self._fatal or Cancelled(f"cancelled: {why}")
        self._intake.exhausted = True
        self._window.cancel()
        if not self._window:
            self._wake()

    def abandon(self) -> None:
        """Nobody will take the results any more: cancel what is in flight, without waiting."""
        if not self.closed:
            self.closed = self._intake.exhausted = True
            self._conclude()
            self._window.cancel()

    # -- for its calls and workers

    def is_wanted(self, starting: int) -> bool:
        """Whether another worker would find a task, beside those that are about to pull one.

        The first finds out whether there is anything at all.
        """
        if self._intake.exhausted:
            return False
        return self._intake.left > starting or not len(self._window)

    async def work(self) -> None:
        """One of them: task after task, until there is no more or it is one too many."""
        me = asyncio.current_task()
        assert me is not None  # noqa: S101 - for the type checker: this is a task
        intake, window = self._intake, self._window
        window.started()
        ended = 0
        while not window.too_many:
            ended += 1
            if ended % _FAIR_SHARE == 0:
                await asyncio.sleep(0)
            if intake.waits:
                item = await intake.wait_pull(self._backpressure.there)
            else:
                if self._backpressure.is_full:
                    await self._backpressure.there()
                item = intake.pull()
            if item is None:
                break
            index, tag, task = item
            del item  # of many that wait, each would keep it
            if intake.total is None and getattr(task, "deadline", None) is not None:
                window.at_work = self._most + 1
            window.hire()
            await self._run_one(me, index, tag, task)
        window.leave(me)

    async def _run_one(self, me: asyncio.Task[None], index: int, tag: str, task: Task) -> None:
        since = self.loop.time() if self._since is None else self._since
        record = Record(self.telemetry, task, index, tag, since)
        call = Call(self.context, self, Waiting(self.loop, self._window, record, self._arrival), me)
        self.telemetry.tell(TaskStarted, index=index, tag=tag)
        if self._debug:
            logger.debug("task %s starts", plain(tag or index))
        if self._stopped_by is not None:
            self._deliver(call.stopped(self._stopped_by), record)
            return
        self.telemetry.records[me] = record
        try:
            result = await call.result()
        except asyncio.CancelledError:
            result = call.stopped(self._stopped_by or "the run was cancelled")
            if self._stopped_by is None or me.uncancel() > 0:
                self._deliver(result, record)
                raise
        finally:
            self.telemetry.records.pop(me, None)
        if self._stopped_by is not None:
            # the call ended before our cancellation reached it
            while me.cancelling() and not self.closed:
                me.uncancel()
        self._deliver(result, record)

    def _deliver(self, result: TaskResult, record: Record) -> None:
        if self._debug:
            logger.debug(
                "task %s ends after %.0f ms", plain(result.tag or result.index), result.duration_ms
            )
        if result.success:
            self.succeeded += 1
        else:
            self.failed += 1
            self._failures = self._failures or FailureLog()
            self._failures.failed(result)
            if self._fail_fast:
                self.stop(f"fail_fast, after task {result.tag or result.index} failed")
        if self.parent is not None and self.within is None:  # parts count in their extraction
            self.parent.used(result)
        self.sink.put(result)
        if self.telemetry.emit is not None:
            self.telemetry.tell(
                TaskEnded,
                result=result,
                times=record.times,
                stored=record.stored,
                is_inner=record.is_inner,
            )
        if self.sink.bound != math.inf:
            self._wake()

    def left(self, worker: asyncio.Task[None]) -> None:
        """One has gone. What it raised is a BaseException of the user's: it goes through, and ends the rest."""
        error = self._window.gone(worker)
        if error is not None:
            self._fatal = error
            self._intake.exhausted = True
            self._window.cancel()
        if not self._window:
            self._wake()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def _apart(self) -> set[asyncio.Task[None]]:
        """Workers in whose functions this very code runs: it cannot wait for those."""
        scope = current.get()
        return set() if scope is None else scope.workers()

    def __repr__(self) -> str:
        return (
            f"Run({self.telemetry.number}: {self._intake!r}, {self.succeeded} succeeded, {self.failed} "
            f"failed, {self._window!r})"
        )
