"""Signals to real processes: what is done is kept, and the exit code says what happened."""

import json
import mmap
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import answers, asking, write_tasks


def until(condition, seconds: float = 30.0) -> None:
    """Wait for `condition`, at most `seconds`."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.fixture
def running(begin, simulator):
    """A run of a thousand tasks that has begun, and its simulator."""

    def start(*options: str, **settings):
        sim = simulator(model="echo", **settings)
        process = begin(
            "run",
            write_tasks("t.jsonl", 1000),
            "-o",
            "a.jsonl",
            "--max-concurrency",
            "3",
            *asking(sim),
            *options,
        )
        until(lambda: sim.stats()["calls"] >= 5)
        return process, sim

    return start


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_lets_calls_in_flight_end_and_keeps_all(running, number, code):
    process, sim = running(latency=0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    lines = answers("a.jsonl")
    assert len(lines) == len({line["id"] for line in lines}) == sim.stats()["calls"] < 1000
    assert all(line["success"] for line in lines)
    assert "stopping: nothing more is sent, " in err
    assert f"{len(lines)} of 1,000 succeeded, {1000 - len(lines)} not done" in err
    assert "; to go on:\n  ingather run t.jsonl -o a.jsonl " in err


def test_calls_that_do_not_end_in_the_grace_are_cancelled_and_reported(running):
    process, sim = running("--grace", "0.1", script=[*["ok"] * 5, *["hang"] * 10])
    until(lambda: sim.stats()["in_flight"] == 3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert len(answers("a.jsonl")) == 5
    assert "(3 cancelled while they ran, which may have been billed)" in err
    until(lambda: sim.stats()["in_flight"] == 0)


def test_the_second_signal_ends_it_at_once(running):
    process, sim = running("--grace", "600", script=[*["ok"] * 5, *["hang"] * 10])
    until(lambda: sim.stats()["in_flight"] == 3)
    process.send_signal(signal.SIGINT)
    assert "stopping" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert len(answers("a.jsonl")) == 5


def test_ordered_answers_that_waited_for_an_earlier_one_are_kept(running):
    process, sim = running("--ordered", "--grace", "0", script={"Say 0": ["hang"]}, latency=0.01)
    until(lambda: sim.stats()["calls"] >= 20)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    kept = [int(line["id"][1:]) for line in answers("a.jsonl")]
    assert len(kept) >= 15
    assert kept == sorted(kept)
    assert 0 not in kept


def test_input_that_never_comes_does_not_hold_it_up(begin, simulator):
    sim = simulator(model="echo")
    process = begin("run", "-", "-o", "a.jsonl", *asking(sim), stdin=-1)
    process.stdin.write('{"id": "a", "prompt": "x"}\n')
    process.stdin.flush()
    until(lambda: sim.stats()["calls"] == 1)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    assert process.returncode == 130
    assert [line["id"] for line in answers("a.jsonl")] == ["a"]


def test_killed_at_any_moment_only_the_last_line_may_be_torn(running, ingather, tmp_path):
    """The system cuts a write, where it does, between two pages of the file."""
    process, sim = running(latency=0.001)
    until(lambda: sim.stats()["calls"] >= 30)
    process.kill()
    process.wait(timeout=30)
    text = (tmp_path / "a.jsonl").read_text()
    whole, _, torn = text.rpartition("\n")
    assert len([json.loads(line) for line in whole.splitlines()]) > 0
    assert not torn or len(text.encode()) % mmap.PAGESIZE == 0


def test_interrupted_while_it_checks_it_leaves_nothing(begin, tmp_path):
    lines = "".join(f'{{"prompt": "{i}"}}\n' for i in range(2_000_000))
    (tmp_path / "big.jsonl").write_text(lines)
    process = begin("run", "big.jsonl", "-o", "a.jsonl", "--model", "echo")
    until((tmp_path / "a.jsonl").exists)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert not (tmp_path / "a.jsonl").exists()


AS_IT_IS_MADE = """
import os, signal
from ingather.cli import main
from ingather.jobs import answer_file
made = answer_file.opened
def opened(place):
    there = made(place)
    os.kill(os.getpid(), signal.SIGINT)
    return there
answer_file.opened = opened
main()
"""


def test_interrupted_the_moment_that_its_file_is_there_it_leaves_nothing(tmp_path):
    options = ["run", write_tasks("t.jsonl", 3), "-o", "a.jsonl", "--model", "echo"]
    command = [sys.executable, "-c", AS_IT_IS_MADE, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    assert not (tmp_path / "a.jsonl").exists()


LOST = """
import os, signal
class Gone:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
Gone()
"""
MADE_ANOTHER = """
import os, signal
try:
    os.kill(os.getpid(), signal.SIGINT)
except BaseException:
    raise TypeError("expected something else")
"""


@pytest.mark.parametrize("code", [LOST, MADE_ANOTHER])
def test_an_interrupt_that_gets_lost_in_other_code_ends_it_all_the_same(begin, tmp_path, code):
    (tmp_path / "form.py").write_text(
        f"{code}\nfrom pydantic import BaseModel\nclass Model(BaseModel):\n    name: str\n"
    )
    options = ["--model", "echo", "--prompt", "{prompt}", "--schema", "form.py:Model"]
    process = begin("run", write_tasks("t.jsonl", 3), "-o", "a.jsonl", *options)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "")
    assert not (tmp_path / "a.jsonl").exists()


def test_a_signal_while_the_time_is_up_cuts_it_short(begin, simulator):
    sim = simulator(model="echo", script=["hang"] * 3)
    options = ["--max-time", "0.1", "--grace", "600"]
    process = begin("run", write_tasks("t.jsonl", 3), "-o", "a.jsonl", *options, *asking(sim))
    assert "stopping" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130


def test_what_waits_for_the_quota_is_not_sent_any_more(begin, simulator):
    sim = simulator(model="echo", latency=0.01)
    options = ["--rpm", "60", "--max-concurrency", "20"]
    process = begin("run", write_tasks("t.jsonl", 100), "-o", "a.jsonl", *options, *asking(sim))
    until(lambda: sim.stats()["calls"] >= 1 and not sim.stats()["in_flight"])
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert sim.stats()["calls"] <= 3
    assert len(answers("a.jsonl")) == sim.stats()["calls"]
    assert "cancelled while they ran" not in err
