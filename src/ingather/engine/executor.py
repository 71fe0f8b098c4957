"""`ParallelLLMExecutor`: the front of the engine. Its methods differ only in how results come back."""

from __future__ import annotations

import asyncio
import logging
import math
import os
from functools import partial
from typing import TYPE_CHECKING, Self, overload

from ingather.admission.quotas import Quotas, process_quotas
from ingather.engine.arguments import (
    check_policies,
    connected,
    opened,
    slots_for,
    subscribers,
    warn_of_no_effect,
)
from ingather.engine.by_loop import ByLoop
from ingather.engine.context import Context
from ingather.engine.inputs import as_task, check_list, check_tagged, check_tasks
from ingather.engine.outputs import AsCompleted, Collected, InOrder, Sink
from ingather.engine.results import Results
from ingather.engine.run import Run
from ingather.engine.scope import current
from ingather.engine.steps import Steps
from ingather.errors import NotSent, ProviderError, SetupError, StoreError
from ingather.task import positive_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ingather.engine.inputs import T, Tasks, TasksOf, Texts
    from ingather.events import Event
    from ingather.hedge import Hedge
    from ingather.money.budget import Budget
    from ingather.progress import Progress
    from ingather.providers.base import Provider
    from ingather.report import Summary
    from ingather.response import LLMResponse
    from ingather.result import TaskResult
    from ingather.retry import RetryConfig
    from ingather.stats import Stats
    from ingather.store import Store
    from ingather.task import Task

logger = logging.getLogger("ingather")
# a library speaks only to who listens; results carry the errors
logger.addHandler(logging.NullHandler())

_CLOSED = "the executor was closed"


class ParallelLLMExecutor:
    """Runs many tasks at once against one provider, never more than `max_concurrency` on the wire.

    `provider`: any object with ``complete(messages, config_overrides)``, or a model string for
    `connect`. `max_concurrency`: requests on the wire and running functions, over all calls and
    nesting levels; None: as many as the provider takes, which is learnt. `default_retry`: for tasks
    without their own; None: what the provider brings, else one attempt. `default_config_overrides`:
    parameters of every call, under those of the task. `fail_fast`: the first failure stops the
    rest. `default_per_task_timeout`: seconds for each attempt. `deadline`: seconds for each call of
    a method as a whole. `store`: a `Store`, or the path of one, which remembers the answers of our
    own dialects; a call whose answer is there is not sent, identical calls at one time share a
    request, and what cannot be stored is not bought: then the run ends with `StoreError`. `budget`:
    a cap on money or tokens that is not overshot. `hedge`: when a slow request is sent twice.
    `on_event`: called with each event (see `ingather.events`); what it raises is warned of once,
    and hurts no run. `progress`: True shows each run as it goes (one line in a terminal, a bar in a
    notebook, else a line every few seconds); or a function that is called with the `Summary` so
    far; or a `Progress` of one's own.

    `quotas`: a `Quotas`, shared with the executors whose limits and pauses are to hold here too;
    None: with all of this process.

    Usable without ``async with``; with it, leaving cancels what is in flight and waits for it.

    Raises ValueError for a bound that is not positive, TypeError for a provider without
    ``complete``, and `StoreUnusable` for a store that cannot be opened.

    >>> from ingather import EchoProvider, LLMTask, ParallelLLMExecutor, run_sync
    >>> executor = ParallelLLMExecutor(EchoProvider(), max_concurrency=3)
    >>> run_sync(executor.execute({"q": LLMTask("Hello")}))["q"].value.content
    'Echo: Hello'
    """

    def __init__(
        self,
        provider: Provider | str,
        max_concurrency: int | None = 5,
        default_retry: RetryConfig | None = None,
        default_config_overrides: Mapping[str, object] | None = None,
        *,
        fail_fast: bool = False,
        default_per_task_timeout: float | None = None,
        deadline: float | None = None,
        store: Store | str | os.PathLike[str] | None = None,
        budget: Budget | None = None,
        hedge: Hedge | None = None,
        on_event: Callable[[Event], None] | None = None,
        progress: bool | Callable[[Summary], object] | Progress | None = None,
        quotas: Quotas | None = None,
    ) -> None:
        self._own_provider = isinstance(provider, str)
        self.provider = connected(provider)
        self._slots = slots_for(max_concurrency, self.provider)
        self.max_concurrency = int(self._slots.capacity)
        self._window = 2 * self.max_concurrency + 16
        self._fail_fast = fail_fast
        self._deadline = positive_seconds("deadline", deadline)
        self._subscribers = subscribers(on_event, progress)
        timeout = positive_seconds("default_per_task_timeout", default_per_task_timeout)
        check_policies(default_retry, default_config_overrides, budget, hedge)
        if not isinstance(quotas, Quotas | None):
            raise TypeError(f"quotas is a Quotas or None, not {quotas!r:.80}")
        self._own_store = isinstance(store, str | os.PathLike)
        self._store = opened(store)
        warn_of_no_effect(self.provider, self._store, hedge)
        self._context = Context(
            self.provider,
            self._slots,
            process_quotas if quotas is None else quotas,
            retry=default_retry,
            params=default_config_overrides,
            timeout=timeout,
            store=self._store,
            budget=budget,
            hedge=hedge,
        )
        self._runs: ByLoop[Run] = ByLoop()
        self._pid = os.getpid()

    @overload
    async def execute(
        self, tasks: Mapping[str, Task[T]], fail_fast: bool | None = None
    ) -> dict[str, TaskResult[T]]: ...
    @overload
    async def execute(
        self, tasks: Mapping[str, str], fail_fast: bool | None = None
    ) -> dict[str, TaskResult[LLMResponse]]: ...
    @overload
    async def execute(
        self, tasks: Mapping[str, Task | str], fail_fast: bool | None = None
    ) -> dict[str, TaskResult]: ...
    async def execute(
        self, tasks: Mapping[str, Task | str], fail_fast: bool | None = None
    ) -> dict[str, TaskResult]:
        """Run a dict of tasks, or of strings, each a task of one user message; gives a dict of results in its order.

        A failed task is a result with ``success=False`` and never hurts the others. Raises
        TypeError for anything but a dict.
        """
        check_tagged(tasks, "execute")
        return dict(zip(tasks, await self.gather(tasks, fail_fast), strict=True))

    @overload
    async def execute_mixed(
        self, tasks: Mapping[str, Task[T]], fail_fast: bool | None = None
    ) -> dict[str, TaskResult[T]]: ...
    @overload
    async def execute_mixed(
        self, tasks: Mapping[str, Task | str], fail_fast: bool | None = None
    ) -> dict[str, TaskResult]: ...
    async def execute_mixed(
        self, tasks: Mapping[str, Task | str], fail_fast: bool | None = None
    ) -> dict[str, TaskResult]:
        """The same as `execute`: every method takes both kinds of task."""
        check_tagged(tasks, "execute_mixed")
        return await self.execute(tasks, fail_fast)

    @overload
    async def execute_sequential(
        self,
        tasks: Sequence[Task[T]],
        pass_result: bool | str = False,
        fail_fast: bool | None = None,
    ) -> list[TaskResult[T]]: ...
    @overload
    async def execute_sequential(
        self,
        tasks: Sequence[Task | str],
        pass_result: bool | str = False,
        fail_fast: bool | None = None,
    ) -> list[TaskResult]: ...
    async def execute_sequential(
        self,
        tasks: Sequence[Task | str],
        pass_result: bool | str = False,
        fail_fast: bool | None = None,
    ) -> list[TaskResult]:
        """Run tasks one after another; gives their results in order, tagged ``step_0``, ``step_1``, … where untagged.

        With `pass_result` each model's answer goes into the next task's messages: True appends it
        as an assistant message; ``"conversation"`` puts it before the last user message, for
        providers that refuse a conversation that ends with an answer. After a failed step the next
        one runs without; with `fail_fast` the list ends with it. Raises ValueError for another
        `pass_result`.
        """
        if pass_result not in (True, False, "conversation"):
            raise ValueError(f"pass_result is True, False or 'conversation', not {pass_result!r}")
        check_list(tasks, "execute_sequential")
        steps = [as_task(task) for task in tasks]
        sink = Collected()
        await self._collect(Steps(steps, sink, pass_result), sink, fail_fast, window=1)
        results = sink.results
        for result, original in zip(results, steps, strict=True):
            result.task = original
        if self._fail_fast if fail_fast is None else fail_fast:
            failed = next(
                (index for index, result in enumerate(results) if not result.success), len(results)
            )
            return results[: failed + 1]
        return results

    @overload
    async def gather(  # type: ignore[overload-overlap]  # an empty input is of both kinds
        self, tasks: TasksOf[T], fail_fast: bool | None = None
    ) -> list[TaskResult[T]]: ...
    @overload
    async def gather(
        self, tasks: Mapping[str, Task | str], fail_fast: bool | None = None
    ) -> list[TaskResult]: ...
    @overload
    async def gather(
        self, tasks: Texts, fail_fast: bool | None = None
    ) -> list[TaskResult[LLMResponse]]: ...
    @overload
    async def gather(self, tasks: Tasks, fail_fast: bool | None = None) -> list[TaskResult]: ...
    async def gather(self, tasks: Tasks, fail_fast: bool | None = None) -> list[TaskResult]:
        """Run tasks from any iterable, async iterable or dict; gives a list of results in input order.

        A string is a task of one user message. Raises TypeError for a table, or a single task or
        string; and what the input itself raises, after what was begun has ended.

        >>> from ingather import EchoProvider, ParallelLLMExecutor, run_sync
        >>> for result in run_sync(ParallelLLMExecutor(EchoProvider()).gather(["One", "Two"])):
        ...     print(result.value)
        Echo: One
        Echo: Two
        """
        check_tasks(tasks, "gather")
        sink = Collected()
        await self._collect(tasks, sink, fail_fast)
        return sink.results

    @overload
    def as_completed(  # type: ignore[overload-overlap]  # as in gather
        self, tasks: TasksOf[T], fail_fast: bool | None = None
    ) -> Results[T]: ...
    @overload
    def as_completed(
        self, tasks: Mapping[str, Task | str], fail_fast: bool | None = None
    ) -> Results: ...
    @overload
    def as_completed(self, tasks: Texts, fail_fast: bool | None = None) -> Results[LLMResponse]: ...
    @overload
    def as_completed(self, tasks: Tasks, fail_fast: bool | None = None) -> Results: ...
    def as_completed(self, tasks: Tasks, fail_fast: bool | None = None) -> Results:
        """Results one by one as they finish; input is pulled as they are taken, so its length costs no memory.

        Taken with ``async for``, or outside an event loop with ``for``. Leaving early (``break``
        out of a ``for``, ``aclose()``, ``async with``) cancels what is in flight and waits for it.
        Raises TypeError as `gather`.

        >>> from ingather import EchoProvider, ParallelLLMExecutor
        >>> for result in ParallelLLMExecutor(EchoProvider()).as_completed(["Hello"]):
        ...     print(result.value)
        Echo: Hello
        """
        check_tasks(tasks, "as_completed")
        return self._results(tasks, AsCompleted(self._window), fail_fast)

    @overload
    def in_order(  # type: ignore[overload-overlap]  # as in gather
        self, tasks: TasksOf[T], fail_fast: bool | None = None
    ) -> Results[T]: ...
    @overload
    def in_order(
        self, tasks: Mapping[str, Task | str], fail_fast: bool | None = None
    ) -> Results: ...
    @overload
    def in_order(self, tasks: Texts, fail_fast: bool | None = None) -> Results[LLMResponse]: ...
    @overload
    def in_order(self, tasks: Tasks, fail_fast: bool | None = None) -> Results: ...
    def in_order(self, tasks: Tasks, fail_fast: bool | None = None) -> Results:
        """As `as_completed`, but in input order: at most four windows of early results wait for a late one."""
        check_tasks(tasks, "in_order")
        return self._results(tasks, InOrder(4 * self._window), fail_fast)

    def drain(self, why: str) -> None:
        """Begin nothing more, for the reason `why`: what waits ends as `NotSent`, what is in flight goes on.

        Holds for the runs that are under way; see `Results.stop` to cancel what is in flight as
        well.
        """
        self._context.refuse(NotSent(f"not sent: {why}"))

    def stats(self) -> Stats:
        """Where the time of all tasks so far went, what they took, what limited them; at any time, from any thread.

        >>> from ingather import ParallelLLMExecutor
        >>> ParallelLLMExecutor("echo").stats().attempts
        0
        """
        return self._context.meters.stats()

    async def aclose(self) -> None:
        """Cancel what is in flight and wait for it; close the provider and the store, where they were made here."""
        for run in tuple(self._runs):
            if run.loop is asyncio.get_running_loop():
                await self._leave(run)
            elif not run.loop.is_closed():
                run.loop.call_soon_threadsafe(
                    run.stop if run.sink.bound == math.inf else run.cut, _CLOSED
                )
        close = getattr(self.provider, "aclose", None)
        if self._own_provider and close is not None:
            await close()
        if self._store is not None and self._own_store:
            await self._store.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.aclose()

    async def _collect(
        self, tasks: Tasks, sink: Sink, fail_fast: bool | None, window: int | None = None
    ) -> None:
        run = self._begin(tasks, sink, fail_fast, window)
        try:
            while not run.over:
                await run.progress()
        finally:
            self._runs.discard(run)
            await run.close()
        if isinstance(run.error, StoreError) and isinstance(sink, Collected):
            run.error.results = sink.results
        if run.error is not None:
            raise run.error

    def _results(self, tasks: Tasks, sink: Sink, fail_fast: bool | None) -> Results:
        return Results(partial(self._begin, tasks, sink, fail_fast), self._runs)

    def _begin(
        self, tasks: Tasks, sink: Sink, fail_fast: bool | None, window: int | None = None
    ) -> Run:
        if os.getpid() != self._pid:
            raise SetupError(
                "this executor was made before a fork: make a new one in the child process"
            )
        self._runs.take_dead()  # nobody ended those in order
        if not self._runs:
            self._context.forget()
            if self._store is not None:
                self._store.forgive()
        elif current.get() is None:  # a nested one is no new try: its parents may be many
            self._context.forgive(ProviderError)
        if self._context.route.wire is not None:
            from ingather.transport.open_files import check_file_descriptors

            check_file_descriptors(self.max_concurrency)
        run = Run(
            self._context,
            tasks,
            sink,
            window=window or self._window,
            fail_fast=self._fail_fast if fail_fast is None else fail_fast,
            deadline=self._deadline,
            emit=self._tell if self._subscribers else None,
        )
        self._runs.add(run)
        return run

    async def _leave(self, run: Run) -> None:
        """End a run that somebody else may wait for: who collects a list still gets a result for each task."""
        if run.sink.bound == math.inf:
            run.stop(_CLOSED)
            await run.ended()
        else:
            run.cut(_CLOSED)
            await run.close()

    def _tell(self, event: Event) -> None:
        for tell in self._subscribers:
            tell(event)

    def __repr__(self) -> str:
        return f"ParallelLLMExecutor({self.provider!r}, {self._slots!r}, {len(self._runs)} runs)"
