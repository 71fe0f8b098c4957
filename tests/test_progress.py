"""Live views: what they show, when they begin and end."""

import asyncio
import io
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import EchoProvider, LLMTask, ParallelLLMExecutor
from ingather.events import RunEnded, RunStarted
from ingather.progress import Pace, Progress, status
from ingather.report import Summary


class Lines(io.StringIO):
    """A stream that says when it was written to."""

    def __init__(self):
        super().__init__()
        self.written = threading.Event()

    def write(self, text):
        count = super().write(text)
        self.written.set()
        return count


class Terminal(Lines):
    def isatty(self):
        return True


def run(progress: Progress, tasks: int = 5) -> None:
    provider = EchoProvider()
    executor = ParallelLLMExecutor(provider, max_concurrency=2, on_event=progress)
    asyncio.run(executor.gather([LLMTask(f"{i}") for i in range(tasks)]))
    progress.close()


def test_it_ends_with_a_line_that_counts_all():
    stream = Lines()
    run(Progress(stream=stream))
    [line] = stream.getvalue().splitlines()
    assert line.startswith("5/5 done, 0 in flight, ")
    assert "calls/s" in line
    assert "tokens/s" in line


def test_lines_come_while_nothing_happens():
    stream = Lines()
    progress = Progress(stream=stream, every=0.001)
    progress(RunStarted(0.0, 1, 7))
    assert stream.written.wait(30)
    progress.close()
    assert stream.getvalue().startswith("0/7 done, 0 in flight")


def test_a_lazy_input_has_the_total_that_was_given():
    stream = Lines()
    progress = Progress(total=3, stream=stream)
    progress(RunStarted(0.0, 1, None))
    progress.close()
    assert stream.getvalue().startswith("0/3 done")


def test_without_a_total_it_counts_what_is_done():
    stream = Lines()
    progress = Progress(stream=stream)
    progress(RunStarted(0.0, 1, None))
    progress.close()
    assert stream.getvalue().startswith("0 done")


def test_nested_runs_are_one_view():
    stream = Lines()
    progress = Progress(stream=stream)
    progress(RunStarted(0.0, 1, 1))
    progress(RunStarted(0.0, 2, 5))
    progress(RunEnded(0.0, 2, 0.0, 0, 0))
    assert stream.getvalue() == ""
    progress(RunEnded(0.0, 1, 0.0, 0, 0))
    assert stream.written.wait(30)  # the end of the last run is the end of the view
    progress.close()
    assert len(stream.getvalue().splitlines()) == 1


def test_it_leaves_no_thread_and_closing_again_does_nothing():
    before = threading.active_count()
    stream = Lines()
    progress = Progress(stream=stream)
    run(progress)
    shown = stream.getvalue()
    progress.close()
    assert threading.active_count() == before
    assert stream.getvalue() == shown


def test_it_can_be_used_for_one_run_after_another():
    stream = Lines()
    progress = Progress(stream=stream)
    for tasks in (2, 3):
        executor = ParallelLLMExecutor(EchoProvider(), on_event=progress)
        asyncio.run(executor.gather([LLMTask(f"{i}") for i in range(tasks)]))
    progress.close()
    assert [line.split(" done")[0] for line in stream.getvalue().splitlines()] == ["2/2", "5/5"]


def test_without_a_run_nothing_is_shown():
    stream = Lines()
    with Progress(stream=stream) as progress:
        assert repr(progress).endswith("not shown)")
    assert stream.getvalue() == ""


def test_a_terminal_gets_a_view_that_redraws_itself(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    stream = Terminal()
    run(Progress(stream=stream))
    shown = stream.getvalue()
    assert "\x1b[?25l" in shown  # the cursor is hidden …
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")  # … and shown again
    assert "5/5" in shown
    assert "100 %" in shown


@pytest.mark.parametrize(("terminal", "term"), [(Lines, "xterm"), (Terminal, "dumb")])
def test_anything_else_gets_plain_lines(monkeypatch, terminal, term):
    monkeypatch.setenv("TERM", term)
    stream = terminal()
    run(Progress(stream=stream))
    assert "\x1b" not in stream.getvalue()


def test_a_word_goes_above_the_live_view(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    progress = Progress(stream=stream)
    progress(RunStarted(0.0, 1, 7))
    progress.say("stopping: [not markup]")
    progress.close()
    assert "stopping: [not markup]" in stream.getvalue()


async def test_it_does_not_block_the_loop():
    progress = Progress(stream=Lines(), every=0.001)
    executor = ParallelLLMExecutor(EchoProvider(), max_concurrency=2, on_event=progress)
    assert len(await executor.gather([LLMTask(f"{i}") for i in range(50)])) == 50
    await asyncio.to_thread(progress.close)


# -- rates


def at(done: int, wall: float, total: int | None = 100, tokens: int = 0) -> Summary:
    return Summary(total=total, succeeded=done, calls=done, wall=wall, input_tokens=tokens)


def test_the_first_rates_are_those_so_far():
    rates = Pace().at(10.0, at(20, wall=2.0, tokens=100))
    assert (rates.calls, rates.tokens, rates.left) == (10.0, 50.0, 8.0)


def test_rates_forget_what_was_long_ago():
    pace = Pace()
    for second in range(100):
        rates = pace.at(float(second), at(min(second, 50) * 2, wall=float(second), total=300))
    assert (rates.calls, rates.left) == (0.0, None)


def test_a_straggler_is_expected_to_take_as_long_again():
    pace = Pace()
    for second in range(1, 10):
        rates = pace.at(float(second), at(99, wall=float(second), total=100))
    assert rates.left is None  # nothing was done since the first look
    pace = Pace()
    pace.at(1.0, at(50, wall=1.0))
    for second in range(2, 10):
        rates = pace.at(float(second), at(99, wall=float(second)))
    assert rates.left == 7.0


@given(st.lists(st.integers(0, 50), min_size=2, max_size=100))
def test_rates_are_never_negative(steps):
    pace, done = Pace(), 0
    for second, step in enumerate(steps, 1):
        done += step
        rates = pace.at(float(second), at(done, wall=float(second), total=None))
        assert rates.calls >= 0
        assert rates.left is None


def test_what_goes_wrong_is_shown_only_where_it_does():
    rates = Pace().at(0.0, Summary())
    assert status(Summary(), rates) == "0 in flight, 0.0 calls/s"
    bad = Summary(in_flight=3, failed=2, rejected=4, paused=12.0, backoffs=5, reasked=6)
    assert status(bad, rates) == ("3 in flight, 0.0 calls/s, 2 failed, 4 × 429 (paused 12.0 s), 5 retries, 6 re-asks")
