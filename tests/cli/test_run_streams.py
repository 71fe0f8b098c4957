"""Standard input and output."""

import json
import os
import pty
import select
import signal
import subprocess
from pathlib import Path

from tests.cli.conftest import answers, asking, write_tasks


def test_answers_on_standard_output_are_all_that_is_there(ingather, simulator):
    done = ingather("run", write_tasks("t.jsonl", 5), "-o", "-", *asking(simulator(model="echo")))
    assert done.code == 0
    assert {json.loads(line)["id"] for line in done.out.splitlines()} == {f"t{i}" for i in range(5)}
    assert "5 answers are in standard output" in done.err


def test_a_bad_line_of_standard_input_is_a_failed_answer(begin, simulator):
    process = begin("run", "-", "-o", "-", *asking(simulator(model="echo")), stdin=subprocess.PIPE)
    out, err = process.communicate(
        '{"id": "a", "prompt": "x"}\noops\n{"id": "a", "prompt": "y"}\n', timeout=30
    )
    assert process.returncode == 3
    lines = [json.loads(line) for line in out.splitlines()]
    assert {(line["index"], line["success"]) for line in lines} == {
        (0, True),
        (1, False),
        (2, False),
    }
    assert "standard input, line 2: not JSON" in out
    assert "2 × BadLine" in err


def test_answers_come_while_input_is_still_open(begin, simulator):
    process = begin(
        "run", "-", "-o", "-", "--quiet", *asking(simulator(model="echo")), stdin=subprocess.PIPE
    )
    for number in range(3):
        process.stdin.write(f'{{"id": {number}, "prompt": "x"}}\n')
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == number
    process.stdin.close()
    assert process.wait(timeout=30) == 0


def test_a_named_pipe_is_read_as_it_comes(begin, simulator):
    os.mkfifo("pipe")
    process = begin("run", "pipe", "-o", "a.jsonl", *asking(simulator(model="echo")))
    with Path("pipe").open("w") as pipe:
        pipe.write('{"id": "a", "prompt": "x"}\noops\n')
    assert process.wait(timeout=30) == 3
    assert len(answers("a.jsonl")) == 2


def test_a_reader_that_leaves_stops_the_run(begin, simulator):
    sim = simulator(model="echo", latency=0.01)
    process = begin(
        "run", write_tasks("t.jsonl", 5000), "-o", "-", "--max-concurrency", "2", *asking(sim)
    )
    process.stdout.readline()
    process.stdout.close()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "cannot write to standard output: Broken pipe" in err
    assert "Traceback" not in err
    assert sim.stats()["calls"] < 5000


def test_plain_lines_where_there_is_no_terminal(begin, simulator):
    process = begin(
        "run", write_tasks("t.jsonl", 5), "-o", "a.jsonl", *asking(simulator(model="echo"))
    )
    _, err = process.communicate(timeout=30)
    assert err.startswith("5/5 done, ")
    assert "\x1b" not in err


def read_until(awaited: bytes, terminal: int) -> bytes:
    shown = b""
    while awaited not in shown:
        assert select.select([terminal], [], [], 30)[0], shown
        shown += os.read(terminal, 4096)
    return shown


def test_in_a_terminal_the_line_that_is_drawn_again_ends_even_after_ctrl_c_twice(begin, simulator):
    sim = simulator(model="echo", script=["hang"] * 3)
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color"}
    options = ["--max-concurrency", "3", "--grace", "600"]
    process = begin(
        "run",
        write_tasks("t.jsonl", 5),
        "-o",
        "a.jsonl",
        *options,
        *asking(sim),
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    shown = read_until(b"3 in flight", ours)
    assert b"\n" not in shown
    process.send_signal(signal.SIGINT)
    shown += read_until(b"stopping", ours)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    last = os.read(ours, 4096)
    os.close(ours)
    assert last.endswith(b"\n")
    assert b"\x1b" not in shown + last
