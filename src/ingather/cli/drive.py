"""A run under way: answers are written as they come, until all are there, or it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingather.cli import SETUP
from ingather.cli.signals import Interrupts
from ingather.cli.spending import as_options
from ingather.errors import (
    BudgetSpent,
    ConnectFailed,
    ModelNotFound,
    PoolFailure,
    Redirected,
    SetupError,
    Stopped,
    StoreError,
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
    from ingather.hedge import Hedge
    from ingather.result import TaskResult

SOME_FAILED = 3
CAP_REACHED = 4
_HARDLY = 0.01  # of a budget: so little left is as good as nothing
_ENOUGH = 1000  # tasks that found no money, however much is left
UNREACHABLE = (ConnectFailed, TlsFailed, Redirected)
"""Failures that, before the first answer, all calls share: the set-up is wrong, and nothing was paid."""


@dataclass(frozen=True, slots=True)
class How:
    """How a run goes, as written on the command line. Times in seconds."""

    max_concurrency: int | None
    max_time: float | None
    grace: float
    command: str  # that goes on with this one
    hedge: Hedge | None
    ordered: bool
    fail_fast: bool
    quiet: bool


class Drive:
    """One run of a plan, from its first call to its exit code."""

    def __init__(self, plan: Plan, how: How) -> None:
        self.plan = plan
        self.how = how
        self.view = None if how.quiet else Progress(plan.left, live=_live(plan))
        self.report = Report(plan.left) if self.view is None else self.view.report
        self.succeeded = self.failed = self.left_out = 0
        self.stopped_by = 0  # the exit code of what stopped it: a signal or the clock
        self.cause: Exception | None = None  # why no call can succeed
        self.short = 0  # tasks for which there was no money
        self._stopping = False
        self._executor: ParallelLLMExecutor | None = None
        self._results: Results | None = None

    def __repr__(self) -> str:
        return f"Drive({self.plan.job!r}, {self.succeeded} succeeded, {self.failed} failed)"

    def run(self) -> int:
        """Run it; gives the exit code. Raises SetupError where no call can succeed, or no answer be written."""
        logging.getLogger("ingather").addHandler(logging.NullHandler())  # the summary says it all, and better
        try:
            self.plan.begin()
            if not self.how.quiet and (said := _found(self.plan)):
                print(said, file=sys.stderr)
            asyncio.run(self._run())
        except BaseException:
            self.plan.answers.discard()
            raise
        finally:
            if self.view is not None:
                self.view.close()
            self.plan.close()
        if self.cause is not None and not self.plan.answers.written:
            self.plan.answers.discard()
            if isinstance(self.cause, StoreError):
                raise self.cause
            raise SetupError(f"stopped, since no call can succeed:\n{self._why()}")
        self.plan.answers.close()
        return self._conclude()

    async def _run(self) -> None:
        plan, how = self.plan, self.how
        loop = asyncio.get_running_loop()
        executor = self._executor = ParallelLLMExecutor(
            plan.provider,
            how.max_concurrency,
            plan.retry,
            fail_fast=how.fail_fast,
            store=plan.store,
            budget=plan.budget,
            hedge=how.hedge,
            on_event=self.view or self.report,
        )
        with Interrupts(lambda code: self._stop(code, how.grace)):
            clock = None if how.max_time is None else loop.call_later(how.max_time, self._stop, CAP_REACHED, how.grace)
            try:
                take = executor.in_order if how.ordered else executor.as_completed
                async with executor, take(plan.job.tasks()) as self._results:
                    async for result in self._results:
                        await self._take(result)
            except StoreError as error:  # all that was bought has been taken
                self.cause = error
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
            if isinstance(result.error, BudgetSpent):
                self._no_money()
            return
        else:
            self.failed += 1
        if self.left_out and self.how.ordered and self.plan.resume is not None and not result.unsaved:
            return  # it is in the store, and comes in its order when the rest does
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

    def _no_money(self) -> None:
        """A task found no money. Another may be cheaper: only where hardly anything is left, no more are taken."""
        budget = self.plan.budget
        self.short += 1
        if budget is None or self.plan.job.stopped or (budget.left > _HARDLY and self.short < _ENOUGH):
            return
        self.plan.job.stop()
        if self.view is not None:
            self.view.say(f"stopping: {budget}; nothing more is begun, what is in flight may end")

    def _stop(self, code: int, grace: float) -> None:
        """Take and send no more, and give what is in flight `grace` seconds; a signal cuts that grace short."""
        if self._stopping and code in (0, CAP_REACHED):
            return
        grace = 0.0 if self._stopping else grace
        self._stopping = True
        self.stopped_by = code
        self.plan.job.stop()
        if self._executor is not None and self._results is not None:
            why = {0: "no call can succeed", CAP_REACHED: "the time was up"}.get(code, "interrupted")
            self._executor.drain(why)
            asyncio.get_running_loop().call_later(grace, self._results.stop, why)
        in_flight = self.report.summary().in_flight
        if code and self.view is not None:
            again = " (again: at once)" if code != CAP_REACHED else ""
            self.view.say(f"stopping: nothing more is sent, {in_flight:,} in flight have {grace:g} s to end{again}")

    def _conclude(self) -> int:
        code = self._code()
        if self.how.quiet and not code:
            return code
        print(self.report.summary(), file=sys.stderr)
        if self.cause is not None:
            why = "" if isinstance(self.cause, StoreError) else ", since no call can succeed"
            said = one_line(self._why(), 400)
            print(f"stopped{why}: {said}", file=sys.stderr)
        if self.short:
            print(f"budget: {self.plan.budget}; it was too little for {self.short:,} tasks", file=sys.stderr)
        print(f"{self._there:,} answers are in {self.plan.answers.name}{self._how_to_go_on()}", file=sys.stderr)
        return code

    def _why(self) -> str:
        return f"{type(self.cause).__name__}: {as_options(str(self.cause))}"

    @property
    def _there(self) -> int:
        """Lines that are in the output now."""
        resume = self.plan.resume
        return self.plan.answers.written + (0 if resume is None else resume.kept - len(resume.dropped))

    def _code(self) -> int:
        finished = self.succeeded + self.failed == self.plan.left
        if isinstance(self.cause, StoreError):
            return SETUP
        if self.stopped_by and not (self.stopped_by == CAP_REACHED and finished):
            return self.stopped_by
        if self.short:
            return CAP_REACHED
        failed_before = self.plan.resume is not None and self.plan.resume.failed
        return SOME_FAILED if self.failed or self.left_out or self.cause is not None or failed_before else 0

    def _how_to_go_on(self) -> str:
        left, done, resume = self.plan.left, self.plan.answers.written, self.plan.resume
        complete = left == done or (left is None and not self.stopped_by and not self.short and self.cause is None)
        if resume is not None:
            failed = self.failed + resume.failed
            again = f"; {failed:,} are failures, which --retry-failed asks again" if failed else ""
            return again if complete else f"{again}; to go on:\n  {self.how.command}"
        if complete or left is None:
            return ""
        return f"; to go on, run the {left - done:,} tasks of {self.plan.job.source.name} whose id is not there"


def _found(plan: Plan) -> str:
    """What there was of this run already."""
    resume = plan.resume
    if resume is None or not len(resume.written) + resume.written.torn:
        return ""
    of = "" if plan.total is None else f"{resume.done:,} of {plan.total:,} tasks are done, and not sent again"
    lines = f"{resume.kept - len(resume.dropped):,} answers are in {plan.answers.name} already"
    torn = f"; a last line that was torn, of {resume.written.torn:,} bytes, is taken out" if resume.written.torn else ""
    return f"going on: {of or lines}{torn}"


def _live(plan: Plan) -> bool | None:
    """A live view and answers on the same terminal would overwrite each other."""
    return False if plan.answers.path == "-" and os.isatty(1) else None
