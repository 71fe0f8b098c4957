"""A run as it goes: a live view in a terminal, a plain line every few seconds anywhere else."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from ingather.events import RunEnded, RunStarted
from ingather.report import Report
from ingather.stats import seconds

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ingather.events import Event
    from ingather.report import Summary

_WINDOW = 15.0  # seconds over which rates are taken
_FRAMES = 0.25  # seconds from frame to frame in a terminal


class Progress:
    """Subscribe it (``on_event=progress``): it shows itself while anything runs.

    `total`: how many tasks there will be, where the executor cannot know (a lazy input). `stream`: where to, standard
    error by default. `live`: a view that redraws itself; None: where `stream` is a terminal and rich is installed.
    `every`: seconds between two lines of the plain view. `report` adds the events up; its `summary` may be asked for.

    >>> progress = Progress()
    >>> executor_options = {"on_event": progress}
    """

    def __init__(
        self, total: int | None = None, *, stream: TextIO | None = None, live: bool | None = None, every: float = 5.0
    ) -> None:
        self.report = Report(total)
        self._stream = sys.stderr if stream is None else stream
        self._is_live = _suits(self._stream) if live is None else live
        self._every = _FRAMES if self._is_live else every
        self._runs = 0
        self._showing: _Showing | None = None

    def __repr__(self) -> str:
        return f"Progress({self.report!r}, {'shown' if self._runs else 'not shown'})"

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        self.report(event)
        if isinstance(event, RunStarted):
            self._runs += 1
            if self._runs == 1:
                view: _View = _Live(self._stream) if self._is_live else _Plain(self._stream)
                self._showing = _Showing(self.report, view, self._every, after=self._showing)
                self._showing.start()
        elif isinstance(event, RunEnded):
            self._runs -= 1
            if not self._runs and self._showing is not None:
                self._showing.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def say(self, text: str) -> None:
        """Show a line of its own, above a live view."""
        if self._runs and self._showing is not None:
            self._showing.view.say(text)
        else:
            print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """Draw for the last time, and wait until that is done. Another run shows it again."""
        self._runs = 0
        if self._showing is not None:
            self._showing.end()
            self._showing.join()


class _Showing(threading.Thread):
    """Draws a view again and again, also while no event comes, and never holds up the loop."""

    def __init__(self, report: Report, view: _View, every: float, after: threading.Thread | None) -> None:
        super().__init__(name="ingather-progress")  # no daemon: a terminal must have its cursor back
        self.view = view
        self._report = report
        self._every = every
        self._after = after
        self._ended = threading.Event()
        self._last: Summary | None = None

    def end(self) -> None:
        if not self._ended.is_set():
            self._last = self._report.summary(time.monotonic())
            self._ended.set()

    def run(self) -> None:
        if self._after is not None:
            self._after.join()
            self._after = None
        pace = Pace()
        while not self._ended.wait(self._every) and threading.main_thread().is_alive():
            now = time.monotonic()
            found = self._report.summary(now)
            self.view.draw(found, pace.at(now, found))
        if self._last is not None:
            self.view.draw(self._last, over_all(self._last))
        self.view.close()


@dataclass(frozen=True, slots=True)
class Rates:
    """Calls and tokens a second, and seconds left (None: nobody knows)."""

    calls: float
    tokens: float
    left: float | None


class Pace:
    """How fast a run goes now, from what it had done some seconds ago. Arithmetic only.

    >>> from ingather.report import Summary
    >>> Pace().at(0.0, Summary(total=10))
    Rates(calls=0.0, tokens=0.0, left=None)
    """

    def __init__(self) -> None:
        self._past: deque[tuple[float, int, int, int]] = deque()
        self._last = (0, 0.0)  # how many were done, and since when

    def at(self, now: float, found: Summary) -> Rates:
        """The rates at `now`, seconds of the monotonic clock, over the last 15 s."""
        self._past.append((now, found.calls, found.tokens, found.done))
        while len(self._past) > 2 and self._past[1][0] <= now - _WINDOW:
            self._past.popleft()
        if found.done != self._last[0] or not self._last[1]:
            self._last = found.done, now
        then, calls, tokens, done = self._past[0]
        if then == now:  # the first look: what was done before it, over the time so far
            then, calls, tokens, done = now - found.wall, 0, 0, 0
        took = now - then
        if took <= 0:
            return Rates(0.0, 0.0, None)
        pace = (found.done - done) / took
        left = (found.total - found.done) / pace if found.total is not None and pace > 0 else None
        if left:  # what has been long in coming will take as long again
            left = max(left, now - self._last[1])
        return Rates((found.calls - calls) / took, (found.tokens - tokens) / took, left)


def over_all(found: Summary) -> Rates:
    """The rates of a whole run."""
    wall = found.wall or 1.0
    return Rates(found.calls / wall, found.tokens / wall, 0.0 if found.done == found.total else None)


def status(found: Summary, rates: Rates) -> str:
    """What goes on, in one line, without the count of what is done."""
    parts = [f"{found.in_flight:,} in flight", f"{rates.calls:,.1f} calls/s"]
    if found.tokens:
        parts.append(f"{rates.tokens:,.0f} tokens/s")
    if found.failed:
        parts.append(f"{found.failed:,} failed")
    if found.rejected:
        parts.append(f"{found.rejected:,} × 429 (paused {seconds(found.paused)})")
    if found.backoffs:
        parts.append(f"{found.backoffs:,} retries")
    if found.reasked:
        parts.append(f"{found.reasked:,} re-asks")
    return ", ".join(parts)


def _count(found: Summary) -> str:
    return f"{found.done:,}" if found.total is None else f"{found.done:,}/{found.total:,}"


class _View(Protocol):
    def draw(self, found: Summary, rates: Rates) -> None: ...
    def say(self, text: str) -> None: ...
    def close(self) -> None: ...


class _Plain:
    """One line each time."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def draw(self, found: Summary, rates: Rates) -> None:
        left = f", {seconds(rates.left)} left" if rates.left else ""
        self.say(f"{_count(found)} done, {status(found, rates)}{left}")

    def say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def close(self) -> None:
        pass


class _Live:
    """Two lines that redraw themselves, by rich."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=stream, force_terminal=True)
        self._live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)

    def draw(self, found: Summary, rates: Rates) -> None:
        if not self._live.is_started:
            self._live.start()
        self._live.update(_frame(found, rates), refresh=True)

    def say(self, text: str) -> None:
        self._live.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        self._live.stop()


def _frame(found: Summary, rates: Rates) -> RenderableType:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    line = Table.grid(padding=(0, 1))
    share = f"{100 * found.done / found.total:.0f} %" if found.total else ""
    clock = f"{seconds(rates.left)} left" if rates.left else seconds(found.wall)
    bar = ProgressBar(total=found.total, completed=found.done, width=32, pulse=found.total is None)
    line.add_row(bar, Text(_count(found), style="bold"), share, Text(clock, style="cyan"))
    style = "yellow" if found.failed or found.rejected else "dim"
    return Group(line, Text(status(found, rates), style=style, overflow="ellipsis", no_wrap=True))


def _suits(stream: TextIO) -> bool:
    from importlib.util import find_spec

    return stream.isatty() and os.environ.get("TERM") != "dumb" and find_spec("rich") is not None
