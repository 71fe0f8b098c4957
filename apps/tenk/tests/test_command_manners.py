"""What people try with any command line: -h, -V, `python -m`, a terminal of 80 columns."""

import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tenk.cli.app import app


@pytest.mark.parametrize("command", [[], ["sections"], ["analyze"], ["serve"]], ids=" ".join)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_fits_into_80_columns(command, option):
    shown = CliRunner(env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"}).invoke(app, [*command, option], prog_name="tenk")
    assert shown.exit_code == 0
    assert [line for line in shown.output.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_the_version(option):
    done = subprocess.run([sys.executable, "-m", "tenk", option], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"tenk \d+\.\d+\S*\n", done.stdout)
