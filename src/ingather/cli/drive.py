"""A run under way: answers are written as they come, until all are there, or it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingather.cli.conclusion import CAP_REACHED, Conclusion, begun_again, going_on, resuming
from ingather.cli.fold import say
from ingather.cli.mistake import Mistake
from ingather.cli.settle import Settled, settle
from ingather.cli.signals import Interrupts
from ingather.cli.spending import as_options
from ingather.engine.executor import ParallelLLMExecutor
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
from ingather.jobs import OutputFailed
from ingather.process.threads import run_in_thread
from ingather.progress import Progress
from ingather.providers.base import WireProvider
from ingather.report import Report

if TYPE_CHECKING:
    from ingather.cli.plan import Plan
    from ingather.engine.results import Results
    from ingather.hedge import Hedge
    from ingather.result import TaskResult

_MIN_WORK_S = 0.01  # of a budget: so little left is as good as nothing
_ENOUGH = 1000  # tasks that found no money, however much is left
UNREACHABLE = (ConnectFailed, TlsFailed, Redirected)
"""Failures that, before the first answer, all calls share: the set-up is wrong, and nothing was paid."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run goes, as written on the command line. Times in seconds."""

    max_concurrency: int | None
    max_time: float | None
    grace: float
    command: list[str]  # as it was given
    hedge: Hedge | None
    ordered: bool
    fail_fast: bool
    quiet: bool


class Drive:
    """One run of a plan, from its first call to its exit code."""

    def __init__(self, plan: Plan, options: RunOptions) -> None:
        self.plan = plan
        self.options = options
        self.view = (
            None if options.quiet or plan.left == 0 else Progress(plan.left, live=_live(plan))
        )
        self.report = Report(plan.left) if self.view is None else self.view.report
        self.succeeded = self.failed = self.left_out = 0
        self.stopped_by = 0  # the exit code of what stopped it: a signal or the clock
        self.cause: Exception | None = None  # why no call can succeed
        self.mistake = Mistake(watched=_is_first(plan))
        self.short = 0  # tasks for which there was no money
        # lines of tasks that were refused before any answer: perhaps all are
        self._doubtful: list[bytes] = []
        self._stopping = False
        self._executor: ParallelLLMExecutor | None = None
        self._results: Results | None = None

    def __repr__(self) -> str:
        return f"Drive({self.plan.job!r}, {self.succeeded} succeeded, {self.failed} failed)"

    def run(self) -> int:
        """Run it; gives the exit code. Raises SetupError where no call can succeed, or no answer be written."""
        # the summary says it all, and better
        logging.getLogger("ingather").addHandler(logging.NullHandler())
        try:
            self.plan.begin()
            if not self.options.quiet and (said := begun_again(self.plan)):
                say(said, error=True)
            asyncio.run(self._run())
            self._refuse_hopeless()
            settled = self._settle()
        except OutputFailed as error:
            self.plan.answers.discard()
            if not self.plan.answers.place.is_file:
                raise
            how = going_on(self.options.command, resuming(self.plan))
            raise SetupError(f"{error}; to go on:\n  {how}") from error
        except BaseException:
            self.plan.answers.discard()
            raise
        finally:
            if self.view is not None:
                self.view.close()
            self.plan.close()
        self.plan.answers.close()
        return self._conclude(settled)

    def _refuse_hopeless(self) -> None:
        if self.cause is None or self.plan.answers.written:
            return
        if isinstance(self.cause, StoreError):
            raise self.cause
        has_some = self.plan.resume is not None and len(self.plan.resume.written) > 0
        how = (
            f"\nto go on:\n  {going_on(self.options.command, resuming(self.plan))}"
            if has_some
            else ""
        )
        raise SetupError(f"stopped, since no call can succeed:\n{self.why()}{how}")

    async def _run(self) -> None:
        plan, options = self.plan, self.options
        loop = asyncio.get_running_loop()
        # if not, there is nothing to store or to hedge
        is_wire = isinstance(plan.provider, WireProvider)
        if options.hedge is not None and not is_wire:
            say("warning: --hedge has no effect: nothing is sent to a server", error=True)
        executor = self._executor = ParallelLLMExecutor(
            plan.provider,
            options.max_concurrency,
            plan.retry,
            fail_fast=options.fail_fast,
            store=plan.store if is_wire else None,
            budget=plan.budget,
            hedge=options.hedge if is_wire else None,
            on_event=self.view or self.report,
        )
        with Interrupts(lambda code: self._stop(code, options.grace)):
            clock = (
                None
                if options.max_time is None
                else loop.call_later(options.max_time, self._stop, CAP_REACHED, options.grace)
            )
            try:
                take = executor.in_order if options.ordered else executor.as_completed
                async with executor, take(plan.job.tasks()) as self._results:
                    async for result in self._results:
                        await self._take(result)
                if self.cause is None:
                    await self._settle_doubts()
                else:
                    self.left_out += len(self._doubtful)
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
        elif self._is_doubtful(result):
            self._doubtful.append(line)
            return
        else:
            self.failed += 1
        await self._settle_doubts()
        if (
            self.left_out
            and self.options.ordered
            and self.plan.store is not None
            and not result.unsaved
        ):
            return  # it is in the store, and comes in its order when the rest does
        await self._write(line)

    def _is_doubtful(self, result: TaskResult) -> bool:
        """Whether no call may be able to succeed, as far as this failure tells: none has, and all failed like this."""
        if self.succeeded:
            return False
        if self.mistake.is_made(result.error):
            if self.cause is None:
                self.cause = result.error
                self._stop(0, 0.0)
            return True
        alone = isinstance(result.error, PoolFailure) and result.error.alone
        return alone or self.mistake.may_be_made

    async def _settle_doubts(self) -> None:
        """The run goes on, so that those which were refused have failed by themselves."""
        doubtful, self._doubtful = self._doubtful, []
        for line in doubtful:
            self.failed += 1
            await self._write(line)

    async def _write(self, line: bytes) -> None:
        if self.plan.answers.regular:
            self.plan.answers.write(line)
        else:  # the reader of a pipe may be slow
            await run_in_thread(lambda: self.plan.answers.write(line), "writing answers")

    def _concerns_all(self, result: TaskResult) -> bool:
        """Whether no call can succeed, for which this task cannot help. Then the run ends."""
        unreachable = isinstance(result.error, UNREACHABLE) and not self.succeeded
        its_own = self.plan.models_vary and isinstance(result.error, ModelNotFound)
        hopeless = unreachable or (
            isinstance(result.error, PoolFailure) and not (its_own or result.error.alone)
        )
        if hopeless and self.cause is None:
            self.cause = result.error
            self._stop(0, 0.0 if unreachable else self.options.grace)
        return hopeless

    def _no_money(self) -> None:
        """A task found no money. Another may be cheaper: only where hardly anything is left, no more are taken."""
        budget = self.plan.budget
        self.short += 1
        if (
            budget is None
            or self.plan.job.stopped
            or (budget.left > _MIN_WORK_S and self.short < _ENOUGH)
        ):
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
            why = {0: "no call can succeed", CAP_REACHED: "the time was up"}.get(
                code, "interrupted"
            )
            self._executor.drain(why)
            asyncio.get_running_loop().call_later(grace, self._results.stop, why)
        in_flight = self.report.summary().in_flight
        if code and self.view is not None:
            again = " (again: at once)" if code != CAP_REACHED else ""
            self.view.say(
                f"stopping: nothing more is sent, {in_flight:,} in flight have {grace:g} "
                f"s to end{again}"
            )

    def why(self) -> str:
        """Why no call can succeed, in the command line's words."""
        return f"{type(self.cause).__name__}: {as_options(str(self.cause))}"

    @property
    def complete(self) -> bool:
        """Whether every task has its line in the output."""
        left, done = self.plan.left, self.plan.answers.written
        stopped = self.stopped_by or self.short or self.cause is not None or self.left_out
        return left == done or (left is None and not stopped)

    def _settle(self) -> Settled:
        """Nothing more is written: put the output in order."""
        return settle(self.plan, self.failed, complete=self.complete)

    def _conclude(self, settled: Settled) -> int:
        conclusion = Conclusion(self, settled)
        if not self.options.quiet or conclusion.code or settled.trouble:
            say(conclusion.text(), error=True)
        return conclusion.code


def _is_first(plan: Plan) -> bool:
    """Whether no task of the run has been answered yet, as far as its output tells."""
    return plan.resume is None or len(plan.resume.written) == len(plan.resume.written.failed)


def _live(plan: Plan) -> bool | None:
    """A live view and answers on the same terminal would overwrite each other."""
    return False if plan.answers.path == "-" and os.isatty(1) else None
