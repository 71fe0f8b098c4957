"""A thread for each synchronous function that runs: idle ones are reused, and there is no cap.

Slots are the bound. A bounded pool of threads would deadlock as soon as a function waits for
another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import queue
import threading
from typing import TYPE_CHECKING

from ingather.process.fork import renew_in_child

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("ingather")

_IDLE_SECONDS = 10.0

_idle: list[_Thread] = []
_lock = threading.Lock()


class _Job:
    __slots__ = ("call", "context", "error", "future", "loop", "value")

    def __init__(self, call: Callable[[], object], loop: asyncio.AbstractEventLoop) -> None:
        self.call = call
        self.context = contextvars.copy_context()
        self.loop = loop
        self.future: asyncio.Future[None] = loop.create_future()
        self.value: object = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.value = self.context.run(self.call)
        except BaseException as error:
            self.error = error
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._done)

    def _done(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


class _Thread(threading.Thread):
    """Runs one job after another until idle for a while. A daemon: one left behind must not hold up exit."""

    def __init__(self, job: _Job) -> None:
        super().__init__(name="ingather-function", daemon=True)
        self.jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self.jobs.put(job)

    def run(self) -> None:
        while (job := self._next()) is not None:
            job.run()
            del job
            with _lock:
                _idle.append(self)

    def _next(self) -> _Job | None:
        try:
            return self.jobs.get(timeout=_IDLE_SECONDS)
        except queue.Empty:
            with _lock:
                if self in _idle:
                    _idle.remove(self)
                    return None
            return self.jobs.get()  # it was handed a job at this very moment


async def run_in_thread(call: Callable[[], object], name: str) -> object:
    """What `call()` returns or raises, run in a thread with this task's context variables.

    Where this is cancelled, the thread is left behind, since Python cannot end it; that is logged
    with `name`.
    """
    job = _Job(call, asyncio.get_running_loop())
    with _lock:
        thread = _idle.pop() if _idle else None
    if thread is not None:
        thread.jobs.put(job)
    else:
        _Thread(job).start()
    try:
        await job.future
    except asyncio.CancelledError:
        logger.warning(
            "%s was cancelled; its thread is left behind until the function returns", name
        )
        raise
    if job.error is not None:
        error, job.error = job.error, None
        if isinstance(error, StopIteration):  # which would end the coroutine instead of failing it
            raise RuntimeError("the function raised StopIteration") from error
        raise error
    return job.value


def _forget() -> None:
    """In a forked child there are none of the parent's threads."""
    global _lock  # noqa: PLW0603 - a lock that the parent held at the fork can only be replaced
    _lock = threading.Lock()
    _idle.clear()


renew_in_child(_forget)
