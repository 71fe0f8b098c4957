"""Who is calling: the function that a task runs, found again from inside it.

A function that calls an executor gives its slot back at that moment, for good, so that what it
waits for can run: any nesting finishes with a single slot. A context variable carries the scope
through awaits, threads and `run_sync`.
"""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol, Self

from ingather.engine.inner_usage import InnerUsage
from ingather.limits.controller import Outcome
from ingather.process.fork import renew_in_child

if TYPE_CHECKING:
    from ingather.admission.permit import Arrival, Permit
    from ingather.engine.waiting import Waiting
    from ingather.result import TaskResult


class SyncCall(Protocol):
    """What a thread waits for in `run_sync`: its asyncio task, once it has begun."""

    task: asyncio.Task[Any] | None

    def cancel(self) -> None:
        """End it, from the thread of its loop."""


class Scope:
    """A running function: its permit, and what it waits for through `run_sync`.

    As a context manager it is `current` inside. The window hears when the function holds no slot
    any more, and when it is over, so that another worker may take its turn meanwhile. `worker`: the
    asyncio task that runs it. `address`: the number of its run, and its index there. `parent`: the
    scope around its run.
    """

    __slots__ = (
        "_lock", "_record", "_token", "_waiting", "_worker", "address", "crossings", "ended", "parent", "permit"
    )  # fmt: skip

    def __init__(
        self,
        permit: Permit,
        waiting: Waiting,
        *,
        worker: asyncio.Task[None],
        run: int,
        parent: Scope | None,
    ) -> None:
        self.permit = permit
        self.ended = False
        self.crossings: tuple[SyncCall, ...] = ()
        self.address = run, waiting.record.index
        self.parent = parent
        self._waiting = waiting
        self._record = waiting.record
        self._worker = worker
        self._lock = threading.Lock()  # what runs inside may be on several loops

    @property
    def arrival(self) -> Arrival:
        """Its place in the queue."""
        return self.permit.arrival

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop of its executor's run."""
        return self._waiting.loop

    def used(self, result: TaskResult) -> None:
        """A task that ran inside has ended."""
        with self._lock:
            if self._record.inner is None:
                self._record.inner = InnerUsage()
            self._record.inner.add(result)

    def give_back(self) -> None:
        """The function is about to wait for other calls: its slot is theirs now."""
        if not self.ended and not self.permit.closed:
            self.permit.close(Outcome.IGNORED)
            step_aside = self._waiting.window.step_aside
            if self.loop is asyncio.get_running_loop():
                step_aside()
            else:  # a function in a thread that runs a loop of its own
                self.loop.call_soon_threadsafe(step_aside)

    def workers(self) -> set[asyncio.Task[None]]:
        """The workers in whose functions this one runs: nobody can wait for those inside it."""
        outer = set() if self.parent is None else self.parent.workers()
        return outer | {self._worker}

    def __enter__(self) -> Self:
        self._token = current.set(self)
        return self

    def __exit__(self, *failure: object) -> None:
        current.reset(self._token)
        self.ended = True
        if self.permit.closed:
            self._waiting.window.step_back()
        for crossing in self.crossings:  # a thread left behind must not wait in `run_sync` for ever
            crossing.cancel()

    async def settled(self) -> None:
        """Wait until whatever the function's thread had asked for by `run_sync` has ended."""
        interrupted: asyncio.CancelledError | None = None
        while tasks := {
            task
            for crossing in self.crossings
            if (task := crossing.task) is not None and not task.done()
        }:
            try:
                await asyncio.wait(tasks)
            except asyncio.CancelledError as error:  # first clean up, then go
                interrupted = error
        if interrupted is not None:
            raise interrupted

    def __repr__(self) -> str:
        state = "ended" if self.ended else "waiting" if self.permit.closed else "running"
        return f"Scope({self.permit.arrival}, {state})"


current: ContextVar[Scope | None] = ContextVar("ingather_scope", default=None)


@renew_in_child
def _forget() -> None:
    """In a forked child: the function's executor, its loop and its slot are the parent's."""
    current.set(None)
