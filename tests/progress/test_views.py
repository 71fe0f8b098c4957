"""Where a run is shown."""

import io
import sys
from types import ModuleType, SimpleNamespace

import pytest

from ingather import EchoProvider, ParallelLLMExecutor, run_sync
from ingather.progress.pace import Rates
from ingather.progress.views import Line, Lines, Notebook, is_terminal, put, view_for
from ingather.report import Summary

FOUND = Summary(total=2, succeeded=1)
RATES = Rates(1.0, 0.0, 5.0)


class Ascii(io.TextIOWrapper):
    def __init__(self):
        super().__init__(io.BytesIO(), encoding="ascii")


class Closed(io.StringIO):
    def isatty(self):
        raise ValueError("I/O operation on closed file")


def test_a_stream_that_takes_no_more_than_ascii_gets_ascii():
    stream = Ascii()
    Line(stream).draw(FOUND, RATES)
    assert b"1/2" in stream.buffer.getvalue()  # type: ignore[attr-defined]


def test_a_missing_stream_takes_anything():
    Lines(None, 1.0).draw(FOUND, RATES)
    put(None, "text")


@pytest.mark.parametrize("stream", [None, Closed(), io.StringIO(), SimpleNamespace()])
def test_what_is_no_terminal_is_none(stream, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    assert not is_terminal(stream)


def test_a_shorter_line_covers_a_longer_one(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    stream = io.StringIO()
    view = Line(stream)
    view.draw(Summary(total=10_000, succeeded=9_999, failed=1), RATES)
    long = len(stream.getvalue())
    view.draw(Summary(total=1), RATES)
    assert len(stream.getvalue()) == 2 * long


def test_words_above_a_line_leave_nothing_of_it(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    stream = io.StringIO()
    view = Line(stream)
    view.draw(FOUND, RATES)
    view.say("stopping")
    view.close()
    rows = stream.getvalue().split("\n")
    assert rows[0].endswith("\rstopping")
    assert rows[1].startswith("\r 50 %")


# -- a notebook


@pytest.fixture
def shown(monkeypatch):
    """What IPython is asked to show: an IPython that has a kernel."""
    shown = []

    def display(thing, *, display_id):
        shown.append(thing)
        return SimpleNamespace(update=shown.append)

    ipython, module = ModuleType("IPython"), ModuleType("IPython.display")
    vars(ipython).update(get_ipython=lambda: SimpleNamespace(kernel=object()), display=module)
    vars(module).update(display=display)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return shown


def test_a_notebook_gets_a_bar_that_is_drawn_again_in_its_place(shown, capsys):
    run_sync(ParallelLLMExecutor(EchoProvider(), progress=True).gather(["a", "b"]))
    assert repr(shown[0]) == "beginning"
    last = shown[-1]
    assert last._repr_html_().startswith(
        '<progress style="width:20em" value="2" max="2"></progress> <code>2/2, after '
    )
    assert "2/2" in repr(last)
    assert capsys.readouterr().err == ""


def test_without_a_total_the_bar_says_only_that_it_goes_on(shown):
    view = Notebook()
    view.draw(Summary(succeeded=3), RATES)
    assert (
        shown[-1]._repr_html_().startswith('<progress style="width:20em"></progress> <code>3 done')
    )


def test_a_stream_that_is_named_is_used_in_a_notebook_too(shown):
    assert isinstance(view_for(io.StringIO(), None, 5.0, None), Lines)
    assert isinstance(view_for(None, None, 5.0, None), Notebook)
