"""What is said in a terminal keeps to its width."""

import contextlib
import io
import os
import pty
import subprocess
import sys
import termios

import pytest

from ingather.cli.fold import fold


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_long_lines_are_folded_between_words_under_their_label():
    text = f"done\n  limited by  {'word ' * 40}\ningather: {'word ' * 40}"
    lines = fold(text, Terminal()).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[2].startswith(" " * 14 + "word")
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())


def test_a_text_goes_on_under_its_beginning_whatever_its_label():
    lines = fold(f"  out     {'word ' * 20}\n    {'word ' * 20}", Terminal()).splitlines()
    assert lines[1].startswith(" " * 10 + "word")
    assert lines[3].startswith(" " * 6 + "word")


def in_terminal(*command):
    """What a command writes in a terminal of 80 columns, as lines."""
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 80))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    begun = subprocess.Popen(
        [sys.executable, "-m", *command],
        stdin=end,
        stdout=end,
        stderr=end,
        env=environment,
        close_fds=True,
    )
    os.close(end)
    written = b""
    with contextlib.suppress(OSError):  # how a terminal ends
        while part := os.read(terminal, 65_536):
            written += part
    os.close(terminal)
    assert begun.wait() == 0, written.decode()
    return [line.split("\r")[-1] for line in written.decode().replace("\r\n", "\n").splitlines()]


OFFLINE = ("--model", "offline/extractive", "--store", "run.db")
RUN = (
    "ingather",
    "run",
    "tasks.jsonl",
    "-o",
    "answers.jsonl",
    "--param",
    "max_tokens=1000",
    *OFFLINE,
)


@pytest.fixture
def _tasks(tmp_path):
    lines = [
        f'{{"id": "{number}", "prompt": "Say {number} {"and again " * 20}"}}' for number in range(3)
    ]
    (tmp_path / "tasks.jsonl").write_text("\n".join(lines))
    in_terminal("ingather", "run", "tasks.jsonl", "-o", "before.jsonl", *OFFLINE)


@pytest.mark.usefixtures("_tasks")
@pytest.mark.parametrize(
    "command",
    [
        (*RUN, "--dry-run"),
        RUN,
        ("ingather", "bench", "--quick", "--latency", "0.01"),
        (
            "ingather",
            "cache",
            "explain",
            "tasks.jsonl",
            *OFFLINE,
            "--prompt",
            "{id} " + "a question " * 20,
        ),
        ("ingather", "cache", "stats", "--store", "run.db"),
    ],
    ids=["dry run", "run", "bench", "explain", "stats"],
)
def test_what_a_command_says_fits_into_a_terminal_of_80_columns(command):
    lines = in_terminal(*command)
    assert lines
    assert [line for line in lines if len(line) > 80] == []


def test_a_run_with_nothing_left_to_do_shows_no_progress(tmp_path):
    (tmp_path / "tasks.jsonl").write_text('{"id": "a", "prompt": "Say a"}')
    in_terminal(*RUN)
    assert in_terminal(*RUN, "--resume") == [
        "going on: 1 of 1 task is done, and not sent again",
        "nothing ran",
        "1 answer is in answers.jsonl",
    ]


def test_a_command_is_left_whole_so_that_it_can_be_copied():
    command = "  ingather run tasks.jsonl " + "--param a=b " * 20
    assert fold(command, Terminal()) == command


def test_a_pipe_gets_lines_as_they_are():
    assert fold("word " * 40, io.StringIO()) == "word " * 40
