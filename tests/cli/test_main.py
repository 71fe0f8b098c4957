"""The front of the command line: help, version, what is missing, crashes."""

import subprocess
import sys

import pytest

from ingather.cli import main

HEAVY = ["aiohttp", "pydantic", "rich", "asyncio", "orjson"]


def python(code: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, **options
    )


def test_version(ingather):
    done = ingather("--version")
    assert done.code == 0
    assert done.out.startswith("ingather ")


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_names_the_commands_and_a_first_try(ingather, arguments):
    done = ingather(*arguments)
    shown = done.out + done.err
    assert all(f"  {name} " in shown for name in ("run", "simulate", "bench"))
    assert "ingather simulate --port 8800" in shown


@pytest.mark.parametrize("command", ["run", "simulate", "bench"])
def test_each_command_explains_itself(ingather, command):
    done = ingather(command, "--help")
    assert done.code == 0
    assert f"Usage: ingather {command}" in done.out


def test_help_loads_nothing_heavy():
    code = f"""
import sys
from ingather.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
    assert python(code).stderr.strip() == "[]"


def test_the_version_needs_not_even_typer():
    done = python(
        "import sys; from ingather.cli import main; main(['--version']); print('typer' "
        "in sys.modules)"
    )
    assert done.stdout.splitlines()[-1] == "False"


def test_without_the_extra_it_says_what_to_install():
    code = "import sys; sys.modules['typer'] = None; from ingather.cli import main; main(['run'])"
    done = python(code)
    assert done.returncode == 2
    assert 'pip install "ingather[cli]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_command_is_named(ingather):
    done = ingather("rnu")
    assert done.code == 2
    assert "No such command 'rnu'" in done.err


CRASH = """
import sys
import ingather.cli.plan as plan
def broken(*arguments, **options):
    key = "sk-canary-1234567890"
    raise RuntimeError("broken with sk-canary-1234567890")
plan.make_plan = broken
from ingather.cli import main
main(["run", "t.jsonl", "-o", "a.jsonl", "--model", "echo"])
"""


def test_a_crash_is_one_line_without_keys():
    done = python(CRASH)
    assert done.returncode == 1
    assert "ingather: crashed: RuntimeError: broken with ***" in done.stderr
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stderr


def test_a_crash_shows_where_if_asked_but_no_variables(monkeypatch):
    monkeypatch.setenv("INGATHER_DEBUG", "1")
    done = python(CRASH)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert 'key = "sk' not in done.stderr


def test_main_takes_arguments(capsys):
    main(["--version"])
    assert capsys.readouterr().out.startswith("ingather ")
