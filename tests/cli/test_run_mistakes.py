"""One mistake of the command is told once, not for each row."""

from pathlib import Path

import pytest

from tests.cli.conftest import answers, asking, write_tasks


def test_a_field_that_no_row_has(ingather):
    Path("t.csv").write_text("id,name\n" + "".join(f"{i},n{i}\n" for i in range(3000)))
    done = ingather("run", "t.csv", "-o", "a.jsonl", "--model", "echo", "--prompt", "{nmae}")
    assert done.code == 2
    assert done.err.count("nmae") == 1
    assert "all 3,000 lines of t.csv are bad, in the same way; nothing was sent" in done.err
    assert len(done.err.splitlines()) == 3


def test_a_request_that_the_provider_refuses_for_every_row(ingather, simulator):
    sim = simulator(model="echo", script=["400"] * 3000)
    done = ingather(
        "run", write_tasks("t.jsonl", 3000), "-o", "a.jsonl", "--max-concurrency", "5", *asking(sim)
    )
    assert done.code == 2
    assert "stopped, since no call can succeed:\nBadRequest: 400" in done.err
    assert sim.stats()["calls"] < 100
    assert not Path("a.jsonl").exists(), "nothing was answered, and nothing is to be gone on with"


def test_a_field_that_no_row_of_a_stream_has(begin):
    process = begin(
        "run",
        "-",
        "-o",
        "a.jsonl",
        "--format",
        "csv",
        "--model",
        "echo",
        "--prompt",
        "{nmae}",
        stdin=-1,
    )
    _, err = process.communicate(
        "id,name\n" + "".join(f"{i},n{i}\n" for i in range(3000)), timeout=60
    )
    assert process.returncode == 2
    assert err.count("nmae") == 1 + err.count("task ")
    assert not Path("a.jsonl").exists()


@pytest.mark.parametrize("script", [["400"] * 19, [*["400"] * 10, "ok", *["400"] * 60]])
def test_refusals_of_some_rows_are_their_own_failures(ingather, simulator, script):
    sim = simulator(model="echo", script=script)
    count = len(script)
    done = ingather(
        "run",
        write_tasks("t.jsonl", count),
        "-o",
        "a.jsonl",
        "--max-concurrency",
        "1",
        *asking(sim),
    )
    assert done.code == 3
    assert len(answers("a.jsonl")) == count
    assert f"{script.count('400')} × BadRequest" in done.err


def test_nor_does_it_stop_a_run_that_goes_on(ingather, simulator):
    sim = simulator(model="echo", script=["ok", *["400"] * 60])
    arguments = ["run", "t.jsonl", "-o", "a.jsonl", "--resume", *asking(sim)]
    write_tasks("t.jsonl", 1)
    assert ingather(*arguments).code == 0
    write_tasks("t.jsonl", 31)
    assert ingather(*arguments).code == 3
    assert len(answers("a.jsonl")) == 31
