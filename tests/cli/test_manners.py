"""What people try with any command line: -h, -V, `python -m`, completion, a terminal of 80 columns."""

import os
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from ingather.cli.app import app

COMMANDS = [
    [],
    ["run"],
    ["simulate"],
    ["bench"],
    ["cache"],
    ["cache", "stats"],
    ["cache", "explain"],
    ["cache", "clear"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_fits_into_80_columns(command, option):
    runner = CliRunner(env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    shown = runner.invoke(app, [*command, option], prog_name="ingather")
    assert shown.exit_code == 0
    assert "Usage: ingather" in shown.output
    assert [line for line in shown.output.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_the_version(ingather, option):
    done = ingather(option)
    assert (done.code, bool(re.fullmatch(r"ingather \d+\.\d+\S*\n", done.out))) == (0, True)


def test_python_m_ingather():
    done = subprocess.run(
        [sys.executable, "-m", "ingather", "-V"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("ingather ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_for_the_shell_is_shown(shell):
    # as --show-completion does for the shell around it
    env = os.environ | {"_INGATHER_COMPLETE": f"source_{shell}"}
    done = subprocess.run(
        [sys.executable, "-m", "ingather"], env=env, capture_output=True, text=True, check=False
    )
    assert "_INGATHER_COMPLETE=complete_" in done.stdout


def test_the_options_that_install_completion_are_there(ingather):
    shown = ingather("--help").out
    assert "--install-completion" in shown
    assert "--show-completion" in shown


def test_commands_and_options_are_completed():
    for words, position, found in (
        ("ingather si", 1, "simulate"),
        ("ingather run --ord", 2, "--ordered"),
    ):
        env = os.environ | {
            "_INGATHER_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(position),
        }
        done = subprocess.run(
            [sys.executable, "-m", "ingather"], env=env, capture_output=True, text=True, check=False
        )
        assert done.stdout.split() == [found]
