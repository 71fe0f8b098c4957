"""Each example runs as a user runs it, and says what it says it does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
WRAPPED = "tests/test_wrapped_clients.py"
ELSEWHERE = {  # examples that another module tests
    "demo": "tests/cli/test_demo.py",
    **{f"wrapped_{client}": WRAPPED for client in ("openai", "instructor", "litellm", "langchain")},
}


def output_of(name):
    # No key and no address of a provider: an example that needs one would fail here.
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.endswith(("_API_KEY", "_BASE_URL"))
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / f"{name}.py"],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_quickstart():
    output = output_of("quickstart").splitlines()
    assert output[0].startswith("title: Echo: ")
    assert output[2] == "motto: failed, the muse is out"
    assert output[3].startswith("and 100 more")


def test_five_ways():
    lines = output_of("five_ways").splitlines()
    ways = [
        re.match(r"(\w+) +at most (\d) at once +[\d.]+ s   first: Person\((.*)\)", line)
        for line in lines
    ]
    assert [(way[1], way[2]) for way in ways if way] == [
        ("execute_sequential", "7"),
        ("gather", "7"),
        ("as_completed", "7"),
        ("gather", "2"),
        ("as_completed", "2"),
    ]
    in_order = [way[3] for way in ways if way and way[1] != "as_completed"]
    assert in_order == ["name='Ana Silva', age=41, occupation='marine biologist'"] * 3


def test_extract_company():
    output = output_of("extract_company")
    assert '"employees": 412' in output
    assert '"city": "Bergen' in output
    assert "the Skarv pilot boat" in output
    assert re.search(r"^revenues +by code +0 call", output, re.MULTILINE)
    assert "missing: nothing" in output
    assert "4 calls in all" in output


def test_mixed_tasks():
    output = output_of("mixed_tasks")
    assert "Echo: Summarise record 17" in output
    assert "{'record': 17, 'status': 'found'}" in output
    assert "for ana" in output
    assert "ZeroDivisionError" in output
    assert "step_1: sent assistant + user" in output


def test_nested():
    output = output_of("nested")
    assert "60 pages of 5 books" in output
    assert "at most: 1\n" in output


def test_retries_and_timeouts():
    output = output_of("retries_and_timeouts")
    assert [int(count) for count in re.findall(r"(\d+) attempts, ", output)] == [3, 1, 3, 4, 1, 1]
    kinds = re.findall(r"^  (\w+): ", output, re.MULTILINE)
    assert kinds == ["BadRequest", "AttemptTimeout", "DeadlineExceeded", "DeadlineExceeded"]


def test_own_provider():
    output = output_of("own_provider")
    assert "FINE. " in output
    assert sorted(re.findall(r"^(\w.*?)!! ", output, re.MULTILINE)) == [
        "GOOD MORNING",
        "HELLO",
        "IS ANYBODY THERE",
    ]
    assert sum(int(count) for count in re.findall(r"told to wait: (\d)", output)) == 1


def test_every_example_is_tested():
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")} | set(
        ELSEWHERE
    )
    assert {path.stem for path in EXAMPLES.glob("*.py")} <= tested


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_is_short_and_says_what_it_is(path):
    text = path.read_text()
    assert text.startswith('"""')
    assert 15 <= len(text.splitlines()) <= 60
