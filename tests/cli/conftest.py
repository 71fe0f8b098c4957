"""The command line as its user has it: in this process where that will do, in its own for signals and pipes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from ingather.cli import main
from ingather.testing import Simulator

COMMAND = [sys.executable, "-m", "ingather.cli"]


class Outcome(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch):
    """A folder of its own, and nobody's keys."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.endswith(("_API_KEY", "_BASE_URL", "_TOKEN"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("INGATHER_DEBUG", raising=False)


@pytest.fixture
def ingather(capfd):
    """Run a command in this process."""

    def run(*arguments: str) -> Outcome:
        try:
            main([str(argument) for argument in arguments])
            code = 0
        except SystemExit as exited:
            code = int(exited.code or 0)
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return run


@pytest.fixture
def begin() -> Iterator:
    """Start a command in a process of its own, which ends with the test."""
    with ExitStack() as stack:

        def start(*arguments: str, **options) -> subprocess.Popen:
            options = {
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                "text": True,
                **options,
            }
            process = subprocess.Popen([*COMMAND, *map(str, arguments)], **options)
            stack.callback(process.wait)
            stack.callback(process.kill)
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    stack.callback(pipe.close)
            return process

        yield start


@pytest.fixture
def simulator() -> Iterator:
    """Open a simulated provider, which closes with the test."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(Simulator(**settings))


def asking(simulator: Simulator) -> list[str]:
    """The options that send a run to `simulator`."""
    return ["--model", "openai/simulated", "--base-url", simulator.base_url]


def write_tasks(path: str, count: int) -> str:
    """A file of `count` tasks with the ids t0, t1, …"""
    Path(path).write_text("".join(f'{{"id": "t{i}", "prompt": "Say {i}"}}\n' for i in range(count)))
    return path


def answers(path: str) -> list[dict]:
    """The answer lines of a file; each has to be whole."""
    text = Path(path).read_text()
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]
