"""A run under way: answers are written as they come, until all are there, or it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingather.cli.signals import Interrupts
from ingather.errors import (
    ConnectFailed,
    ModelNotFound,
    PoolFailure,
    Redirected,
    SetupError,
    Stopped,
    TlsFailed,
)
from ingather.executor import ParallelLLMExecutor
from ingather.progress import Progress
from ingather.report import Report
from ingather.report.text import one_line
from ingather.threads import run_in_thread

if TYPE_CHECKING:
    from ingather.cli.plan import Plan
    from ingather.delivery import Results
    from ingather.result import TaskResult

SOME_FAILED = 3
TIME_IS_UP = 4
UNREACHABLE = (ConnectFailed, TlsFailed, Redirected)
"""Failures that, before the first answer, all calls share: the set-up is wrong, and nothing was paid."""


@dataclass(frozen=True, slots=True)
class How:
    """How a run goes, as written on the command line. Times in seconds."""

    max_concurrency: int
    max_time: float | None
    grace: float
    ordered: bool
    fail_fast: bool
    quiet: bool


class Drive:
    """One run of a plan, from its first call to its exit code."""

    def __init__(self, plan: Plan, how: How) -> None:
        self.plan = plan
        self.how = how
        self.view = None if how.quiet else Progress(plan.total, live=_live(plan))
        self.report = Report(plan.total) if self.view is None else self.view.report
        self.succeeded = self.failed = self.left_out = 0
        self.stopped_by = 0  # the exit code of what stopped it: a signal or the clock
        self.cause: Exception | None = None  # why no call can succeed
        self._executor: ParallelLLMExecutor | None = None
        self._results: Results | None = None

    def __repr__(self) -> str:
        return f"Drive({self.plan.job!r}, {self.succeeded} succeeded, {self.failed} failed)"

    def run(self) -> int:
        """Run it; gives the exit code. Raises SetupError where no call can succeed, or no answer be written."""
        logging.getLogger("ingather").addHandler(logging.NullHandler())  # the summary says it all, and better
        try:
            self.plan.answers.begin()
            asyncio.run(self._run())
        except BaseException:
            self.plan.answers.discard()
            raise
        finally:
            if self.view is not None:
                self.view.close()
        if self.cause is not None and not self.plan.answers.written:
            self.plan.answers.discard()
            raise SetupError(f"stopped, since no call can succeed:\n{type(self.cause).__name__}: {self.cause}")
        self.plan.answers.close()
        return self._conclude()

    async def _run(self) -> None:
        plan, how = self.plan, self.how
        loop = asyncio.get_running_loop()
        executor = self._executor = ParallelLLMExecutor(
            plan.provider, how.max_concurrency, plan.retry, fail_fast=how.fail_fast, on_event=self.view or self.report
        )
        with Interrupts(lambda code: self._stop(code, how.grace)):
            clock = None if how.max_time is None else loop.call_later(how.max_time, self._stop, TIME_IS_UP, how.grace)
            try:
                take = executor.in_order if how.ordered else executor.as_completed
                async with executor, take(plan.job.tasks()) as self._results:
                    async for result in self._results:
                        await self._take(result)
            finally:
                if clock is not None:
                    clock.cancel()
                if (close := getattr(plan.provider, "aclose", None)) is not None:
                    await close()

    async def _take(self, result: TaskResult) -> None:
        """Write one answer, unless the task came to nothing and may simply be run again."""
        line = self.plan.job.answer(result)
        if result.success:
            self.succeeded += 1
        elif isinstance(result.error, Stopped) or self._concerns_all(result):
            self.left_out += 1
            return
        else:
            self.failed += 1
        if self.plan.answers.regular:
            self.plan.answers.write(line)
        else:  # the reader of a pipe may be slow
            await run_in_thread(lambda: self.plan.answers.write(line), "writing answers")

    def _concerns_all(self, result: TaskResult) -> bool:
        """Whether no call can succeed, for which this task cannot help. Then the run ends."""
        unreachable = isinstance(result.error, UNREACHABLE) and not self.succeeded
        its_own = self.plan.models_vary and isinstance(result.error, ModelNotFound)
        hopeless = unreachable or (isinstance(result.error, PoolFailure) and not its_own)
        if hopeless and self.cause is None:
            self.cause = result.error
            self._stop(0, 0.0 if unreachable else self.how.grace)
        return hopeless

    def _stop(self, code: int, grace: float) -> None:
        """Take and send no more, and give what is in flight `grace` seconds; a signal cuts that grace short."""
        if self.plan.job.stopped and code in (0, TIME_IS_UP):
            return
        grace = 0.0 if self.plan.job.stopped else grace
        self.stopped_by = code
        self.plan.job.stop()
        if self._executor is not None and self._results is not None:
            why = {0: "no call can succeed", TIME_IS_UP: "the time was up"}.get(code, "interrupted")
            self._executor.drain(why)
            asyncio.get_running_loop().call_later(grace, self._results.stop, why)
        in_flight = self.report.summary().in_flight
        if code and self.view is not None:
            again = " (again: at once)" if code != TIME_IS_UP else ""
            self.view.say(f"stopping: nothing more is sent, {in_flight:,} in flight have {grace:g} s to end{again}")

    def _conclude(self) -> int:
        code = self._code()
        if self.how.quiet and not code:
            return code
        answers = self.plan.answers
        print(self.report.summary(), file=sys.stderr)
        if self.cause is not None:
            said = one_line(f"{type(self.cause).__name__}: {self.cause}", 300)
            print(f"stopped, since no call can succeed: {said}", file=sys.stderr)
        print(f"{answers.written:,} answers are in {answers.name}{self._how_to_go_on()}", file=sys.stderr)
        return code

    def _code(self) -> int:
        finished = self.succeeded + self.failed == self.plan.total
        if self.stopped_by and not (self.stopped_by == TIME_IS_UP and finished):
            return self.stopped_by
        return SOME_FAILED if self.failed or self.left_out or self.cause is not None else 0

    def _how_to_go_on(self) -> str:
        total, done = self.plan.total, self.plan.answers.written
        if total is None or total == done:
            return ""
        return f"; to go on, run the {total - done:,} tasks of {self.plan.job.source.name} whose id is not there"


def _live(plan: Plan) -> bool | None:
    """A live view and answers on the same terminal would overwrite each other."""
    return False if plan.answers.path == "-" and os.isatty(1) else None
