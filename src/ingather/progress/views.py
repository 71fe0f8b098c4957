"""Where a run is shown: a line of a terminal, lines of a log, a notebook, a function of one's own."""

from __future__ import annotations

import os
import shutil
import sys
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, TextIO

from ingather.progress.wording import count, line, status
from ingather.stats import seconds
from ingather.stats.notebook import is_notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from ingather.progress.pace import Rates
    from ingather.report import Summary

FRAME = 0.25  # seconds from one frame of a live view to the next


class View(Protocol):
    """`every`: seconds from one `draw` to the next. `place`: what it draws on, where one at a time can be shown."""

    @property
    def every(self) -> float: ...
    @property
    def place(self) -> Hashable: ...

    def draw(self, found: Summary, rates: Rates, /) -> None: ...
    def say(self, text: str, /) -> None: ...
    def close(self) -> None: ...


def view_for(
    stream: TextIO | None, live: bool | None, every: float, call: Callable[[Summary], object] | None
) -> View:
    """What suits: see `Progress`."""
    if call is not None:
        return Function(call)
    if stream is None and live is not False and is_notebook():
        return Notebook()
    stream = sys.stderr if stream is None else stream
    is_live = is_terminal(stream) if live is None else live
    return Line(stream) if is_live else Lines(stream, every)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a line of `stream` can be drawn again; not of one that is closed, or missing as in a service."""
    try:
        return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
    except (AttributeError, ValueError):
        return False


def put(stream: TextIO | None, text: str) -> None:
    """Write `text` now; characters that `stream` cannot take become ``?``. Raises OSError or ValueError."""
    if stream is None:
        return
    try:
        stream.write(text)
    except UnicodeEncodeError as error:
        stream.write(text.encode(error.encoding, "replace").decode(error.encoding))
    stream.flush()


class Lines:
    """One line each time."""

    def __init__(self, stream: TextIO | None, every: float) -> None:
        self.every = every
        self.place = id(stream)
        self._stream = stream

    def draw(self, found: Summary, rates: Rates) -> None:
        left = f", {seconds(rates.left)} left" if rates.left else ""
        self.say(f"{count(found)} done, {status(found, rates)}{left}")

    def say(self, text: str) -> None:
        put(self._stream, f"{text}\n")

    def close(self) -> None:
        pass


class Line:
    """One line that is drawn again and again, with no more than a carriage return: any terminal can do that."""

    every = FRAME

    def __init__(self, stream: TextIO) -> None:
        self.place = id(stream)
        self._stream = stream
        self._shown = ""

    def draw(self, found: Summary, rates: Rates) -> None:
        self._show(line(found, rates, self._width() - 1))

    def say(self, text: str) -> None:
        shown = self._shown
        self._show("")
        put(self._stream, f"{text}\n")
        self._show(shown)

    def close(self) -> None:
        if self._shown:
            put(self._stream, "\n")
            self._shown = ""

    def _show(self, text: str) -> None:
        put(self._stream, f"\r{text.ljust(len(self._shown))}" + ("" if text else "\r"))
        self._shown = text

    def _width(self) -> int:
        """Columns of the very terminal: standard output may be a file."""
        if "COLUMNS" not in os.environ:
            try:
                return os.get_terminal_size(self._stream.fileno()).columns or 80
            except (OSError, ValueError):
                pass
        return shutil.get_terminal_size().columns


class Notebook:
    """A bar below the cell, drawn again in its place."""

    every = FRAME
    place = "notebook"

    def __init__(self) -> None:
        display = import_module("IPython.display").display
        self._handle = display(_Shown(0.0, None, "beginning"), display_id=True)

    def draw(self, found: Summary, rates: Rates) -> None:
        self._handle.update(_Shown(found.done, found.total, line(found, rates, 200)))

    def say(self, text: str) -> None:
        put(sys.stderr, f"{text}\n")

    def close(self) -> None:
        pass


class _Shown:
    """What IPython shows: HTML where that can be shown, else the same line as in a terminal."""

    def __init__(self, done: float, total: int | None, text: str) -> None:
        self._done, self._total, self._text = done, total, text

    def _repr_html_(self) -> str:
        amount = f' value="{self._done}" max="{self._total}"' if self._total else ""
        text = self._text.split("| ")[-1]  # without the bar of characters
        return f'<progress style="width:20em"{amount}></progress> <code>{escape(text)}</code>'

    def __repr__(self) -> str:
        return self._text


class Function:
    """A function of one's own, called with the `Summary` so far."""

    every = FRAME

    def __init__(self, call: Callable[[Summary], object]) -> None:
        self.place = id(self)
        self._call = call

    def draw(self, found: Summary, _rates: Rates) -> None:
        self._call(found)

    def say(self, _text: str) -> None:
        pass

    def close(self) -> None:
        pass
