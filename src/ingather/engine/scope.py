"""Who is calling: the function that a task runs, found again from inside it.

A function that calls an executor gives its slot back at that moment, for good, so that what it
waits for can run: any nesting finishes with a single slot. A context variable carries the scope
through awaits, threads and `run_sync`.
"""

from __future__ import annotations

import asyncio
import os
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol, Self

from ingather.limits.controller import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingather.admission.permit import Arrival, Permit
    from ingather.engine.record import Record
    from ingather.engine.run import Run
    from ingather.result import TaskResult, Usage


class SyncCall(Protocol):
    """What a thread waits for in `run_sync`: its asyncio task, once it has begun."""

    task: asyncio.Task[Any] | None

    def cancel(self) -> None:
        """End it, from the thread of its loop."""


class InnerUsage:
    """What tasks used that ran inside another: tokens and USD, None where not known."""

    __slots__ = ("cost_usd", "is_priced", "usage")

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.cost_usd: float | None = None
        self.is_priced = True

    def add(self, result: TaskResult) -> None:
        """And one more."""
        if result.usage is not None:
            self.usage = result.usage if self.usage is None else self.usage + result.usage
        if result.cost_usd is not None:
            self.cost_usd = result.cost_usd + (self.cost_usd or 0.0)
        elif result.usage is not None or result.attempts > result.rejected:
            self.is_priced = False

    def __repr__(self) -> str:
        return f"Inner({self.usage!r}, {self.cost_usd if self.is_priced else None} USD)"


class Scope:
    """A running function: its lease, its loop, its place in the queue, and what it waits for through `run_sync`.

    As a context manager it is `current` inside. The run hears when the function holds no slot any
    more, and when it is over, so that another worker may take its turn meanwhile.
    """

    __slots__ = ("_lock", "_token", "crossings", "ended", "permit", "record", "run", "worker")

    def __init__(
        self, permit: Permit, run: Run, worker: asyncio.Task[None], record: Record
    ) -> None:
        self.permit = permit
        self.ended = False
        self.crossings: tuple[SyncCall, ...] = ()
        self.run = run
        self.worker = worker
        self.record = record
        self._lock = threading.Lock()  # what runs inside may be on several loops

    @property
    def arrival(self) -> Arrival:
        """Its place in the queue."""
        return self.permit.arrival

    def used(self, result: TaskResult) -> None:
        """A task that ran inside has ended."""
        with self._lock:
            if self.record.inner is None:
                self.record.inner = InnerUsage()
            self.record.inner.add(result)

    def give_back(self) -> None:
        """The function is about to wait for other calls: its slot is theirs now."""
        if not self.ended and not self.permit.closed:
            self.permit.close(Outcome.IGNORED)
            if self.run.loop is asyncio.get_running_loop():
                self.run.step_aside()
            else:  # a function in a thread that runs a loop of its own
                self.run.loop.call_soon_threadsafe(self.run.step_aside)

    def __enter__(self) -> Self:
        self._token = current.set(self)
        return self

    def __exit__(self, *failure: object) -> None:
        current.reset(self._token)
        self.ended = True
        if self.permit.closed:
            self.run.step_back()
        # a thread that is left behind must not wait in `run_sync` for ever
        for crossing in self.crossings:
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
        return (
            f"Scope({self.permit.arrival}, "
            f"{'ended' if self.ended else 'waiting' if self.permit.closed else 'running'})"
        )


current: ContextVar[Scope | None] = ContextVar("ingather_scope", default=None)


def callers() -> Iterator[asyncio.Task[None]]:
    """The workers in whose functions this very code runs: nobody can wait for those here."""
    scope = current.get()
    while scope is not None:
        yield scope.worker
        scope = scope.run.parent


def really_cancelled() -> bool:
    """Whether this asyncio task was cancelled, rather than that its code raised CancelledError."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _forget() -> None:
    """In a forked child: the function's executor, its loop and its slot are the parent's."""
    current.set(None)


os.register_at_fork(after_in_child=_forget)
