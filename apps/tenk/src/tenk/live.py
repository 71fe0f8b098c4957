"""An analysis as it goes, in a terminal: a line for each section, its components filling in; plain lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tenk.analysis import ANALYZERS, reading
from tenk.board import Board

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from ingather.events import Event
    from tenk.board import Line, State
    from tenk.outcome import SectionName
    from tenk.submission import Submission

_MARKS: dict[State, tuple[str, str]] = {
    "waiting": ("·", "dim"),
    "running": ("◐", "yellow"),
    "done": ("●", "green"),
    "failed": ("✗", "red"),
    "skipped": ("–", "dim"),
}


class LiveView:
    """Draws a board while it is entered, on standard error; subscribe it in the board's place."""

    def __init__(self, board: Board, console: Console | None = None) -> None:
        self.board = board
        self.console = console or Console(stderr=True)
        self._live = Live(get_renderable=self._frame, console=self.console, refresh_per_second=10)
        self._is_live = self.console.is_terminal and not self.console.is_dumb_terminal
        self._told = dict[str, int]()

    def __call__(self, event: Event) -> None:
        """Take in one event; where nothing can be redrawn, say each section's end in a line."""
        self.board(event)
        if not self._is_live:
            self._tell()

    def __enter__(self) -> Self:
        if self._is_live:
            self._live.start()
        return self

    def __exit__(self, *failure: object) -> None:
        if self._is_live:
            self._live.stop()

    def _frame(self) -> RenderableType:
        with self.board.lock:
            table = Table.grid(padding=(0, 2))
            for least in (12, 8, 3, None):  # what is too long is cut in the last
                table.add_column(no_wrap=True, overflow="ellipsis", min_width=least)
            for name, line in self.board.lines.items():
                table.add_row(
                    Text(in_words(name), "bold"),
                    _marks(line),
                    _count(line),
                    Text(_status(line), "dim"),
                )
            foot = f"{self.board.calls} calls answered, {self.board.in_flight} in flight"
        return Group(table, Text(foot, "dim"))

    def _tell(self) -> None:
        for name, line in self.board.lines.items():
            if line.until is not None and name not in self._told:
                self._told[name] = line.done
                took = line.until - (line.since or line.until)
                self.console.print(
                    f"{in_words(name)}: {_count(line)} components in {took:.1f} s", highlight=False
                )


def view_of(submission: Submission, sections: Iterable[SectionName]) -> LiveView:
    """A view for the analysis of these sections; those that the filing has no text for say why from the start."""
    names = list(sections)
    board = Board({name: ANALYZERS[name].model.model_fields for name in names})
    for name in names:
        number = ANALYZERS[name].item
        report = reading(submission.filing.item(number), number)
        if report.status == "skipped":
            board.skip(name, report.reason or "")
    return LiveView(board)


def in_words(name: str) -> str:
    """``"risk_factors"`` as *Risk factors*, ``"mda"`` as *MD&A*."""
    return "MD&A" if name == "mda" else name.replace("_", " ").capitalize()


def _marks(line: Line) -> Text:
    text = Text()
    for state in line.components.values():
        text.append(*_MARKS[state])
    return text


def _count(line: Line) -> str:
    return (
        f"{line.done}/{len(line.components)}" if "skipped" not in line.components.values() else ""
    )


def _status(line: Line) -> str:
    if line.note:
        return line.note
    if line.until is not None and line.since is not None:
        return f"{line.until - line.since:.1f} s"
    if line.since is None:
        return ""
    names = ", ".join(name.replace("_", " ") for name in line.running[:3])
    more = f" and {len(line.running) - 3} more" if len(line.running) > 3 else ""
    return f"{time.monotonic() - line.since:.1f} s  {names}{more}"
