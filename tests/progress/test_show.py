"""Live views: what they show, when they begin and end."""

import asyncio
import io
import os
import pty
import subprocess
import sys
import threading

import pytest

from ingather import DeterministicTask, EchoProvider, LLMTask, ParallelLLMExecutor, run_sync
from ingather.events import RunEnded, RunStarted
from ingather.progress import Progress
from tests.run.stand_ins import Wire


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
    assert shown.startswith("\r")
    assert shown.endswith("\n")
    assert shown.count("\n") == 1
    assert "100 %" in shown
    assert "5/5" in shown


@pytest.mark.parametrize(("terminal", "term"), [(Lines, "xterm"), (Terminal, "dumb")])
def test_anything_else_gets_plain_lines(monkeypatch, terminal, term):
    monkeypatch.setenv("TERM", term)
    stream = terminal()
    run(Progress(stream=stream))
    assert "\r" not in stream.getvalue()


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


# -- progress= of an executor


def test_true_shows_each_run_for_itself_by_the_time_it_is_over(capsys):
    executor = ParallelLLMExecutor(EchoProvider(), progress=True)
    for texts in (["a", "b"], ["c"]):
        run_sync(executor.gather(texts))
        print("over", file=sys.stderr)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == ["2/2 done", "over", "1/1 done", "over"]


def test_every_method_shows_itself(capsys):
    executor = ParallelLLMExecutor(EchoProvider(), progress=True)
    list(executor.as_completed(["a"]))
    list(executor.in_order(iter(["a"])))
    run_sync(executor.execute({"a": "b"}))
    run_sync(executor.execute_sequential(["a", "b"]))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == ["1/1 done", "1 done", "1/1 done", "2/2 done"]


def test_it_stands_beside_on_event(capsys):
    events: list = []
    run_sync(
        ParallelLLMExecutor(EchoProvider(), on_event=events.append, progress=True).gather(["a"])
    )
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert events


@pytest.mark.parametrize("nothing", [None, False])
def test_nothing_is_shown_unless_asked_for(nothing, capsys):
    run_sync(ParallelLLMExecutor(EchoProvider(), progress=nothing).gather(["a"]))
    assert capsys.readouterr() == ("", "")


def test_a_function_is_told_how_far_it_is_and_at_last_that_it_is_done():
    seen = []
    executor = ParallelLLMExecutor(
        EchoProvider(), progress=lambda now: seen.append((now.done, now.total))
    )
    run_sync(executor.gather(["a", "b"]))
    assert seen[-1] == (2, 2)


def test_a_function_that_fails_hurts_no_run(caplog):
    def fail(summary):
        raise ZeroDivisionError("in the function")

    with pytest.warns(
        RuntimeWarning, match="progress raised ZeroDivisionError: in the function: the run goes on"
    ):
        results = run_sync(ParallelLLMExecutor(EchoProvider(), progress=fail).gather(["a"]))
    assert results[0].success
    assert "in the function" in caplog.text


# which a terminal's stream raises when it is closed
@pytest.mark.parametrize("kind", [ValueError, OSError])
def test_a_function_that_fails_is_called_again_and_warned_of_once(kind):
    seen = []

    def fail(summary):
        seen.append(summary.done)
        raise kind("in the function")

    async def twice():
        executor = ParallelLLMExecutor(EchoProvider(), progress=fail)
        await executor.gather(["a"])
        await executor.gather(["a"])

    with pytest.warns(RuntimeWarning, match="in the function") as warned:
        run_sync(twice())
    assert seen.count(1) >= 2
    assert len(warned) == 1


async def asynchronous(summary):
    pass


@pytest.mark.parametrize("wrong", ["yes", 1, object(), asynchronous])
def test_anything_else_is_a_type_error(wrong):
    with pytest.raises(TypeError, match="progress is True, a function"):
        ParallelLLMExecutor(EchoProvider(), progress=wrong)


def test_a_progress_of_ones_own_may_be_given():
    stream = Lines()
    run_sync(ParallelLLMExecutor(EchoProvider(), progress=Progress(stream=stream)).gather(["a"]))
    assert stream.getvalue().startswith("1/1 done")


def test_a_run_within_a_run_of_another_executor_is_not_shown_over_it():
    stream = Lines()

    def nested():
        inner = ParallelLLMExecutor(EchoProvider(), progress=Progress(stream=stream))
        return len(run_sync(inner.gather(["a", "b"])))

    outer = ParallelLLMExecutor(EchoProvider(), progress=Progress(stream=stream))
    run_sync(outer.gather([DeterministicTask(nested)]))
    [line] = stream.getvalue().splitlines()
    assert line.startswith("1/1 done")


def test_a_run_within_a_run_never_counts_more_done_than_there_are():
    seen = []
    executor = ParallelLLMExecutor(
        EchoProvider(), progress=lambda now: seen.append((now.done, now.total))
    )
    run_sync(
        executor.gather([DeterministicTask(lambda: run_sync(executor.gather(["a", "b", "c"])))])
    )
    assert all(done <= (total or 0) for done, total in seen)
    assert seen[-1][0] == seen[-1][1]


def test_results_that_are_left_early_end_it(capsys):
    executor = ParallelLLMExecutor(
        Wire(latency=lambda prompt: 0.0 if prompt == "a" else 1e6), progress=True
    )
    for _ in executor.as_completed(["a", "b"]):
        break
    assert capsys.readouterr().err.startswith("1/2 done")
    for thread in threading.enumerate():
        if thread.name == "ingather-progress":
            thread.join(30)
            assert not thread.is_alive()


def test_a_run_whose_loop_was_closed_under_it_is_over_and_another_is_shown():
    stream = Lines()
    progress = Progress(stream=stream, every=0.001)

    async def begin():
        progress(RunStarted(0.0, 1, 7))

    asyncio.run(begin())  # and nobody ends it
    showing = progress._showing
    assert showing is not None
    showing.join()
    shown = stream.getvalue()
    progress(RunStarted(0.0, 2, 1))
    progress.close()
    assert stream.getvalue()[len(shown) :].startswith("0/8 done")


def test_threads_may_share_it(capsys):
    executor = ParallelLLMExecutor(EchoProvider(), progress=True)
    threads = [
        threading.Thread(target=lambda: run_sync(executor.gather(["a"] * 20))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "done" in capsys.readouterr().err


PROGRAM = """
import sys
from ingather import EchoProvider, ParallelLLMExecutor, run_sync
executor = ParallelLLMExecutor(EchoProvider(), progress=True)
results = run_sync(executor.gather(["a", "b", "c"]))
print(len(results), "results", "rich" in sys.modules)
"""


@pytest.mark.parametrize("redirected", ["2>&-", "2>/dev/full", "2>/dev/null", "2>&1 | cat"])
def test_wherever_standard_error_goes_the_program_runs_to_its_end(redirected):
    command = f'"{sys.executable}" -c "$PROGRAM" {redirected}'
    environment = {**os.environ, "PROGRAM": PROGRAM}
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "3 results False" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_in_a_real_terminal_it_is_one_line_drawn_again():
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    environment.pop("COLUMNS", None)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
        check=False,
    )
    os.close(slave)
    shown = os.read(master, 100_000).decode()
    os.close(master)
    assert done.stdout == "3 results False\n"
    assert shown.startswith("\r100 % |██████████| 3/3, after ")
    assert shown.endswith("\n")
    assert len(shown.strip()) < 80
