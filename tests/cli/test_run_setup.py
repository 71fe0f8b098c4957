"""What is wrong is said before the first paid call, with what to do, and leaves nothing behind."""

import os
from pathlib import Path

import pytest

from tests.cli.conftest import answers, asking, write_tasks


@pytest.fixture
def refused(ingather, simulator):
    """The message of a run that ends with exit code 2, having sent nothing and written nothing."""
    sim = simulator(model="echo")

    def run(*options: str, tasks: str = "t.jsonl", output: str = "a.jsonl") -> str:
        before = sorted(Path().iterdir())
        done = ingather(
            "run",
            tasks,
            "-o",
            output,
            *(options if "--model" in options else [*asking(sim), *options]),
        )
        assert done.code == 2
        assert sim.stats()["calls"] == 0
        assert sorted(Path().iterdir()) == before
        assert done.out == ""
        return str(done.err)

    write_tasks("t.jsonl", 3)
    return run


def test_bad_lines_are_named_with_what_is_wrong(refused):
    Path("t.jsonl").write_text(
        '{"id": 1, "prompt": "a"}\noops\n{"id": 1, "prompt": "b"}\n{"id": 4}\n'
    )
    said = refused()
    assert "3 bad lines in t.jsonl; nothing was sent" in said
    assert "t.jsonl, line 2: not JSON" in said
    assert "t.jsonl, line 3: the id 1 is already that of line 1" in said
    assert "t.jsonl, line 4: has neither 'prompt' nor 'messages'" in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            '{"prompt": "x", "params": {"base_url": "http://evil"}}',
            "a line does not set 'base_url'",
        ),
        ('{"prompt": "x", "params": {"headers": {}}}', "a line does not set headers"),
        ('{"prompt": "\\ud800"}', "surrogate"),
        ('{"prompt": "a\\u0000b"}', "NUL"),
        ('{"prompt": "x", "params": {"temperature": "hot"}}', "'temperature' is a number"),
        ('{"messages": [{"role": "user", "content": [5]}]}', "an object with a 'type'"),
    ],
)
def test_what_the_provider_would_refuse_is_found_first(refused, line, said):
    Path("t.jsonl").write_text(line + "\n")
    assert said in refused()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--prompt", "{nmae}"], "the template names the field 'nmae'; there are: 'id', 'prompt'"),
        (["--prompt", "{prompt"], "a single '{'"),
        (["--prompt", "hello"], "names no field"),
        (["--prompt", "@missing.txt"], "cannot read the prompt file missing.txt: No such file"),
        (["--schema", "missing.py:Model"], "cannot read the schema file missing.py"),
        (["--schema", "Model"], "FILE.py:Model or FILE.json"),
        (["--param", "temperature"], "name=value"),
        (["--param", "api_key=x"], "'api_key'"),
        (["--api-key-env", "NO_SUCH_KEY"], "the environment variable NO_SUCH_KEY is not set"),
        (["--api-key-env", "sk-proj-abcdef"], "that holds the key, not the key itself"),
        (["--rpm", "0"], "--rpm"),
        (["--max-concurrency", "0"], "--max-concurrency"),
        (["--timeout", "-1"], "--timeout"),
        (["--model", "gpt-4o"], "names no provider"),
        (["--model", "openai/"], "names no model"),
        (["--model", "openai/x"], "set OPENAI_API_KEY, or give --api-key-env VAR"),
        (
            ["--model", "openai/x", "--base-url", "localhost:8000"],
            "--base-url starts with http:// or https://",
        ),
        (
            ["--model", "openai/x", "--base-url", "http://me:secret@localhost/v1"],
            "--base-url holds a user or password",
        ),
        (
            ["--model", "openai/x", "--base-url", "https://example.com/v1"],
            "--api-key-env '' if it needs none",
        ),
        (["--no-such-option"], "No such option"),
    ],
)
def test_bad_options_say_what_to_do(refused, options, said):
    shown = refused(*options)
    assert said in shown
    assert "secret" not in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ("missing.jsonl", "cannot read the tasks file missing.jsonl: No such file"),
        (".", "is a folder"),
    ],
)
def test_tasks_that_cannot_be_read(refused, tasks, said):
    assert said in refused(tasks=tasks)


def test_an_empty_file_is_an_error(refused):
    Path("t.jsonl").write_text("\n")
    assert "t.jsonl holds no tasks" in refused()


def test_answers_that_are_there_are_not_lost(refused):
    Path("a.jsonl").write_text("precious\n")
    assert "--overwrite" in refused()
    assert Path("a.jsonl").read_text() == "precious\n"


def test_nor_are_they_lost_to_a_run_that_does_not_begin(refused):
    Path("a.jsonl").write_text("precious\n")
    Path("t.jsonl").write_text("oops\n")
    refused("--overwrite")
    assert Path("a.jsonl").read_text() == "precious\n"


def test_the_tasks_are_not_overwritten_by_their_answers(refused):
    os.link("t.jsonl", "other-name.jsonl")
    assert "the answers would replace the tasks" in refused(
        "--overwrite", output="other-name.jsonl"
    )
    assert "prompt" in Path("t.jsonl").read_text()


@pytest.mark.parametrize(
    ("output", "said"), [("no/a.jsonl", "there is no folder no"), (".", "is a folder")]
)
def test_answers_that_cannot_be_written(refused, output, said):
    assert said in refused(output=output)


def test_a_server_that_is_not_there_is_a_set_up_error(ingather):
    write_tasks("t.jsonl", 30)
    done = ingather(
        "run",
        "t.jsonl",
        "-o",
        "a.jsonl",
        "--retries",
        "0",
        "--model",
        "openai/x",
        "--base-url",
        "http://127.0.0.1:1/v1",
    )
    assert done.code == 2
    assert (
        "stopped, since no call can succeed:\nConnectFailed: no connection to 127.0.0.1:1"
        in done.err
    )
    assert not Path("a.jsonl").exists()


def test_so_is_a_wrong_key(ingather, simulator, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-wrong-1234567890")
    sim = simulator(model="echo", api_key="right")
    write_tasks("t.jsonl", 500)
    done = ingather(
        "run",
        "t.jsonl",
        "-o",
        "a.jsonl",
        "--api-key-env",
        "MY_KEY",
        "--max-concurrency",
        "5",
        *asking(sim),
    )
    assert done.code == 2
    assert "AuthFailed: 401" in done.err
    assert "sk-wrong" not in done.err
    assert not Path("a.jsonl").exists()
    assert sim.stats()["calls"] <= 5  # one round, not five hundred


def test_a_set_up_error_late_in_a_run_keeps_what_is_done(ingather, simulator):
    sim = simulator(model="echo", script=[*["ok"] * 10, *["401"] * 1000])
    done = ingather(
        "run", write_tasks("t.jsonl", 50), "-o", "a.jsonl", "--max-concurrency", "1", *asking(sim)
    )
    assert done.code == 3
    assert len(answers("a.jsonl")) == 10
    assert "stopped, since no call can succeed: AuthFailed" in done.err
    assert "; to go on:\n  ingather run t.jsonl -o a.jsonl " in done.err
    assert sim.stats()["calls"] == 11
