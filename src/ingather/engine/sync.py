"""`run_sync`: the one synchronous door to the asynchronous engine."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import AsyncIterable, Coroutine
from typing import TYPE_CHECKING, Generic, TypeVar

from ingather.engine.scope import current
from ingather.errors import Cancelled
from ingather.process import exit as endings
from ingather.process.fork import renew_in_child
from ingather.stats.notebook import is_notebook

if TYPE_CHECKING:
    from ingather.engine.scope import Scope

T = TypeVar("T")


def run_sync(coroutine: Coroutine[object, object, T]) -> T:
    """Run `coroutine` to its end from synchronous code, and give what it returns or raise what it raises.

    Works in scripts, in Jupyter and in threads: it runs on one background event loop of the
    process. From a function that an executor runs in a thread, it runs on that executor's loop, and
    the function's slot is given back.

    Raises RuntimeError where waiting would block the very loop that has to do the work: use
    ``await`` there. Raises `errors.Cancelled` in a function whose task is already over, TypeError
    for what is no coroutine. Ctrl-C cancels the coroutine and waits for it.

    >>> from ingather import run_sync
    >>> async def answer():
    ...     return 42
    >>> run_sync(answer())
    42
    """
    if isinstance(coroutine, AsyncIterable):
        raise TypeError(
            "run_sync() takes a coroutine: take results one by one with `for result in executor.…`"
        )
    if not isinstance(coroutine, Coroutine):
        raise TypeError(
            f"run_sync() takes a coroutine, such as executor.gather(…), not {coroutine!r:.80}"
        )
    scope = current.get()
    running = asyncio._get_running_loop()  # noqa: SLF001 - the public form raises where there is none
    if running is not None and (running is _background.loop or scope is not None):
        coroutine.close()
        raise RuntimeError(
            "run_sync() would block the event loop that it needs: write `await …` here instead"
        )
    loop = _background.start() if scope is None else scope.loop
    crossing = _Crossing(coroutine, loop)
    return crossing.wait() if scope is None else crossing.wait_in(scope)


def check_may_block(this: str, instead: str) -> None:
    """Raise RuntimeError where waiting would block an event loop. A notebook's may be: there it is what a cell does."""
    if asyncio._get_running_loop() is not None and not is_notebook():  # noqa: SLF001 - as above
        raise RuntimeError(f"`{this}` would block the event loop that runs here: write `{instead}`")


class _Crossing(Generic[T]):
    """A coroutine of this thread, run on another thread's loop."""

    def __init__(
        self, coroutine: Coroutine[object, object, T], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._coroutine = coroutine
        self._loop = loop
        self.task: asyncio.Task[T] | None = None
        self._done: concurrent.futures.Future[T] = concurrent.futures.Future()

    def wait(self) -> T:
        try:
            self._loop.call_soon_threadsafe(self._start)  # with this thread's context variables
            return self._done.result()
        except BaseException:
            if self._loop.is_closed():
                self._coroutine.close()
            elif not self._done.done():  # interrupted here, so end it there
                self._loop.call_soon_threadsafe(self.cancel)
                concurrent.futures.wait([self._done])
            raise

    def wait_in(self, scope: Scope) -> T:
        """Wait as part of `scope`: when that ends, so does this."""
        scope.crossings = (*scope.crossings, self)
        try:
            # asked only now: whatever ends it from here on finds this one among its crossings
            if scope.ended:
                self._coroutine.close()
                raise Cancelled("the task that runs this function is over")
            return self.wait()
        finally:
            scope.crossings = tuple(
                crossing for crossing in scope.crossings if crossing is not self
            )

    def cancel(self) -> None:
        """End it; to be called on its loop."""
        if self.task is not None:
            self.task.cancel()
        elif not self._done.done():  # said at once: the loop may never turn again
            self._coroutine.close()
            self._done.set_exception(Cancelled("cancelled before it began"))

    def _start(self) -> None:
        if not self._done.done():
            self.task = self._loop.create_task(self._coroutine)
            self.task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[T]) -> None:
        if _background.is_over:  # the process ends: who waits would only complain
            return
        if task.cancelled():
            self._done.set_exception(Cancelled("the task that waited for this was cancelled"))
        elif (error := task.exception()) is not None:
            self._done.set_exception(error)
        else:
            self._done.set_result(task.result())


class _Background:
    """The process's one loop for synchronous callers, in a daemon thread. It ends with the process."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.is_over = False
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self.loop is None:
                self.loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._turn, args=(self.loop,), name="ingather-loop", daemon=True
                )
                self._thread.start()
            return self.loop

    def end(self) -> None:
        """Cancel what is in flight and close what is open, so that nothing is left to warn of."""
        self.is_over = True
        if self.loop is not None and self._thread is not None:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(endings.LAST_SECONDS)

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self.is_over:
            # of a coroutine: raised where it is awaited
            with contextlib.suppress(SystemExit, KeyboardInterrupt):
                loop.run_forever()
        with contextlib.suppress(SystemExit, KeyboardInterrupt):
            loop.run_until_complete(endings.clear())
        loop.close()


_background = _Background()


def _forget() -> None:
    """In a forked child the parent's loop has no thread."""
    global _background  # noqa: PLW0603 - a lock that the parent held at the fork can only be replaced
    _background = _Background()


renew_in_child(_forget)
endings.at_the_end(lambda: _background.end())  # noqa: PLW0108 - after a fork it is another one
