"""What people try with any command line: -h, -V, `python -m`, a terminal of 80 columns."""

import contextlib
import os
import pty
import re
import subprocess
import sys
import termios

import pytest
from typer.testing import CliRunner

from tenk.cli.app import app
from tenk.edgar import _edgartools
from tenk.source import SourceMissing
from tenk.submission import open_submission


@pytest.mark.parametrize("command", [[], ["sections"], ["analyze"], ["serve"]], ids=" ".join)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_fits_into_80_columns(command, option):
    shown = CliRunner(env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"}).invoke(
        app, [*command, option], prog_name="tenk"
    )
    assert shown.exit_code == 0
    assert [line for line in shown.output.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_the_version(option):
    done = subprocess.run(
        [sys.executable, "-m", "tenk", option], capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"tenk \d+\.\d+\S*\n", done.stdout)


def in_terminal(*arguments, folder):
    """The exit code of a command in a terminal of 80 columns, and what it writes there in the end, as lines."""
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 80))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    command = [sys.executable, "-m", "tenk", *arguments]
    begun = subprocess.Popen(
        command, stdin=end, stdout=end, stderr=end, env=environment, cwd=folder
    )
    os.close(end)
    written = b""
    with contextlib.suppress(OSError):  # how a terminal ends
        while part := os.read(terminal, 65_536):
            written += part
    os.close(terminal)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode())
    return begun.wait(), [line.split("\r")[-1] for line in text.replace("\r\n", "\n").splitlines()]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["sections", "quellmark-2025"], 0),
        (
            [
                "analyze",
                "quellmark-2025",
                "--sections",
                "business",
                "--report",
                f"{'a-long-name-' * 5}.md",
                "-q",
            ],
            0,
        ),
        (["analyze", f"{'a-long-name-' * 5}.htm"], 2),
    ],
    ids=["sections", "analyze", "a mistake"],
)
def test_what_is_said_fits_into_80_columns(arguments, code, tmp_path):
    ended, lines = in_terminal(*arguments, folder=tmp_path)
    assert (ended, [line for line in lines if len(line) > 80]) == (code, [])


def test_a_name_that_is_no_file_is_said_to_be_none_where_tickers_cannot_be_fetched(monkeypatch):
    monkeypatch.setitem(sys.modules, "edgar", None)
    monkeypatch.setattr(
        "tenk.edgar._edgartools", _edgartools.__wrapped__
    )  # not as another test has it
    with pytest.raises(SourceMissing, match="there is no file QQQQ, and fetching by ticker needs"):
        open_submission("QQQQ")
