"""One is one: "1 task", not "1 tasks"."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import asking, write_tasks

WRONG = re.compile(
    r"(?<![\d.,])1 (were|are|tasks|answers|calls|lines|attempts|retries|backoffs|re-asks|pauses|tokens|requests|runs"
    r"|hits|misses|bytes)\b"
)


@pytest.fixture
def one(ingather, simulator):
    """A run of one task, with a store; gives what it says."""
    write_tasks("t.jsonl", 1)

    def run(*script, options=()):
        sim = simulator(model="echo", script=[*script, "ok"])
        done = ingather(
            "run", "t.jsonl", "-o", "a.jsonl", "--store", "run.db", *options, *asking(sim)
        )
        return str(done.err)

    return run


@pytest.mark.parametrize("script", [[], ["500"], ["429"], ["400"], ["length"]])
def test_of_a_run(one, script):
    for said in (one(*script), one(options=["--retry-failed"])):
        assert WRONG.search(said) is None, said


def test_of_a_torn_line_and_a_dry_run(one, ingather):
    said = one()
    with Path("a.jsonl").open("a") as file:
        file.write("{")
    said += one()
    assert "a last line that was torn, of 1 byte, is taken out" in said
    done = ingather(
        "run", "t.jsonl", "-o", "-", "--model", "echo", "--store", "run.db", "--dry-run"
    )
    assert WRONG.search(said + done.out) is None, said + done.out


@pytest.mark.parametrize("command", ["stats", "clear"])
def test_of_a_store(one, ingather, command):
    one()
    said = ingather("cache", command, "--store", "run.db").out
    assert "1 answer" in said
    assert WRONG.search(said) is None, said


def test_of_bad_lines(ingather):
    for bad in (1, 2):
        Path("t.jsonl").write_text("oops\n" * bad + '{"prompt": "x"}\n')
        said = ingather("run", "t.jsonl", "-o", "a.jsonl", "--model", "echo").err
        assert WRONG.search(said) is None, said
