"""When a run is shown: from its first event to its last, by a thread that never holds up the loop."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from typing import TYPE_CHECKING, Self, TextIO

from ingather.events import Listener, RunEnded, RunStarted
from ingather.progress.pace import Pace, Rates, over_all
from ingather.progress.views import FRAME, put, view_for
from ingather.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from ingather.events import Event
    from ingather.progress.views import View
    from ingather.report import Summary

logger = logging.getLogger("ingather")

_PATIENCE = 1.0  # seconds that the end of a run waits for a terminal that takes nothing

# by place: runs within runs, or beside others, are not shown over each other
_shown: dict[Hashable, _Showing] = {}


class Progress:
    """Subscribe it (``on_event=progress``, or ``progress=progress``): it shows itself while anything runs.

    In a terminal it is one line that is drawn again, in a notebook a bar below the cell, elsewhere
    a line every few seconds. `total`: how many tasks there will be, where the executor cannot know
    (a lazy input). `stream`: where to, standard error by default. `live`: whether the line is drawn
    again; None: where `stream` is a terminal. `every`: seconds between two lines where it is not.
    `each_run`: count anew for each run, rather than over all of them. `call`: a function that is
    called with the `Summary` so far, four times a second (from a thread) and at the end, in place
    of showing anything. `report` adds the events up; its `summary` may be asked for at any time.

    Whatever goes wrong in showing it ends the showing, never the run; what `call` raises is warned
    of once.

    >>> from ingather.progress import Progress
    >>> progress = Progress()
    >>> executor_options = {"on_event": progress}
    """

    def __init__(
        self,
        total: int | None = None,
        *,
        stream: TextIO | None = None,
        live: bool | None = None,
        every: float = 5.0,
        each_run: bool = False,
        call: Callable[[Summary], object] | None = None,
    ) -> None:
        self.report = Report(total)
        self._total = total
        self._stream = stream
        self._live = live
        self._every = every
        self._each_run = each_run
        self._call = None if call is None else Listener("progress", call)
        # events come from several loops, where an executor is shared by threads
        self._lock = threading.Lock()
        self._open: dict[int, asyncio.AbstractEventLoop | None] = {}
        self._showing: _Showing | None = None

    def __repr__(self) -> str:
        return f"Progress({self.report!r}, {'shown' if self._open else 'not shown'})"

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        ends: _Showing | None = None
        with self._lock:
            begins = isinstance(event, RunStarted) and self._is_over()
            if begins:
                self._open.clear()
                ends = self._showing
                if self._each_run:
                    self.report = Report(self._total)
            self.report(event)
            if isinstance(event, RunStarted):
                self._open[event.run] = asyncio._get_running_loop()  # noqa: SLF001 - None where there is none
            elif isinstance(event, RunEnded):
                self._open.pop(event.run, None)
                if not self._open:
                    ends = self._showing
        if ends is not None:
            ends.end()
        if begins:
            self._showing = self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def say(self, text: str) -> None:
        """Show a line of its own, above a live view."""
        showing = self._showing
        if showing is not None and showing.is_shown:
            showing.say(text)
        else:
            try:
                put(self._stream or sys.stderr, f"{text}\n")
            except (OSError, ValueError) as error:  # closed, full
                logger.debug("not shown: %s (%s)", text, error)

    def close(self) -> None:
        """Draw for the last time, and show nothing more of the runs that are open. Another run shows it again."""
        with self._lock:
            self._open.clear()
        if self._showing is not None:
            self._showing.end()
            self._showing.join()

    def _begin(self) -> _Showing | None:
        try:
            view = view_for(self._stream, self._live, self._every, self._call)
        except Exception:
            logger.exception("progress cannot be shown; the run goes on")
            return None
        showing = _Showing(self.report, view, self._is_over)
        showing.start()
        return showing

    def _is_over(self) -> bool:
        """Whether nothing runs any more, though nobody said so: the loop of each run was closed under it."""
        return all(loop is not None and loop.is_closed() for loop in tuple(self._open.values()))


class _Showing(threading.Thread):
    """Draws a view again and again, also while no event comes."""

    def __init__(self, report: Report, view: View, is_over: Callable[[], bool]) -> None:
        # daemons may not write while the interpreter ends
        super().__init__(name="ingather-progress", daemon=False)
        self._report = report
        self._view: View | None = view
        self._place = view.place
        self._is_over = is_over
        self._ended = threading.Event()
        self._drawing = threading.Lock()
        _shown.setdefault(self._place, self)

    @property
    def is_shown(self) -> bool:
        """Whether it still draws."""
        return self._view is not None

    def run(self) -> None:
        pace, due = Pace(), time.monotonic() + self._every
        while not self._ended.wait(min(FRAME, self._every)):
            now = time.monotonic()
            if not threading.main_thread().is_alive() or self._is_over():
                self.end()
            elif now >= due:
                due = now + self._every
                found = self._report.summary(now)
                with self._drawing:
                    self._draw(found, pace.at(now, found))

    def end(self) -> None:
        """Draw it as it is now, and nothing more, by the time this returns."""
        self._ended.set()
        if self._view is None:
            return
        last = self._report.summary(time.monotonic())
        if self._drawing.acquire(timeout=_PATIENCE):
            try:
                self._draw(last, over_all(last))
                self._try(lambda view: view.close())
            finally:
                self._view = None
                self._drawing.release()
        if _shown.get(self._place) is self:
            _shown.pop(self._place, None)

    def say(self, text: str) -> None:
        with self._drawing:
            self._try(lambda view: view.say(text))

    @property
    def _every(self) -> float:
        view = self._view
        return FRAME if view is None else view.every

    def _draw(self, found: Summary, rates: Rates) -> None:
        if _shown.setdefault(self._place, self) is self:
            self._try(lambda view: view.draw(found, rates))

    def _try(self, show: Callable[[View], None]) -> None:
        """Caller must hold the lock."""
        if self._view is None:
            return
        try:
            show(self._view)
        except (
            OSError,
            ValueError,
        ) as error:  # standard error is closed, or its disk full: nobody looks
            logger.debug("progress is shown no more: %s", error)
            self._view = None
        except Exception:
            logger.exception("progress is shown no more; the run goes on")
            self._view = None
