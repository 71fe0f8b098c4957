"""`ingather cache`: what a store holds, why tasks hit or miss, and a way to forget."""

import json
import time
from pathlib import Path

import pytest

from tests.cli.conftest import asking, write_tasks


@pytest.fixture
def sim(ingather, simulator):
    """A simulator whose answers to five tasks are in run.db."""
    sim = simulator(model="echo")
    assert (
        ingather(
            "run", write_tasks("t.jsonl", 5), "-o", "a.jsonl", "--store", "run.db", *asking(sim)
        ).code
        == 0
    )
    return sim


def write(*lines):
    Path("e.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def explain(ingather, sim, *options):
    return ingather("cache", "explain", "e.jsonl", "--store", "run.db", *asking(sim), *options)


def test_stats(ingather, sim):
    outcome = ingather("cache", "stats", "--store", "run.db")
    assert outcome.code == 0
    first, second, third = outcome.out.splitlines()
    assert first.startswith("5 answers, ")
    assert time.strftime("%Y-%m-%d") in second
    assert third == "5 attempts in 1 run"


def test_clear(ingather, sim):
    outcome = ingather("cache", "clear", "--store", "run.db", "--older-than", "1")
    assert outcome.out == "0 answers are forgotten, 5 left\n"
    outcome = ingather("cache", "clear", "--store", "run.db")
    assert outcome.out == "5 answers are forgotten, 0 left\n"


@pytest.mark.parametrize(
    "command", [["stats"], ["clear"], ["explain", "t.jsonl", "--model", "openai/m"]]
)
def test_a_store_that_is_not_there_is_not_made(ingather, command, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    write_tasks("t.jsonl", 1)
    outcome = ingather("cache", *command, "--store", "none.db")
    assert (outcome.code, outcome.err) == (2, "ingather: there is no store none.db\n")
    assert not Path("none.db").exists()


def test_explain_says_hit_or_what_differs_and_sends_nothing(ingather, sim):
    write(
        {"id": "same", "prompt": "Say 1"},
        {"id": "warm", "prompt": "Say 1", "params": {"temperature": 1}},
        {"id": "new", "prompt": "Say what"},
        {"id": "bad"},
    )
    outcome = explain(ingather, sim)
    assert outcome.code == 0
    first, *rest = outcome.out.splitlines()
    assert first.startswith("same: hit, stored 20")
    assert rest == [
        "warm: miss: not stored; beside the nearest that is:",
        "    temperature: 1 here, not set there",
        "new: miss: not stored; beside the nearest that is:",
        "    messages[0]: another text",
        "bad: no task: e.jsonl, line 4: has neither 'prompt' nor 'messages'; a line has one of them",
        "1 hit, 2 misses",
    ]
    assert sim.stats()["calls"] == 5


def test_explain_one_task(ingather, sim):
    write({"id": "a", "prompt": "Say 1"}, {"id": "b", "prompt": "Say 2"})
    assert explain(ingather, sim, "--only", "b").out.startswith("b: hit")
    assert "there is no task 'c' in e.jsonl" in explain(ingather, sim, "--only", "c").out


def test_explain_of_another_model_and_address(ingather, sim):
    write({"id": "a", "prompt": "Say 1"})
    other = ["--model", "openai/other", "--base-url", "http://localhost:1/v1", "--api-key-env", ""]
    outcome = ingather("cache", "explain", "e.jsonl", "--store", "run.db", *other)
    assert '    model: "other" here, "simulated" there' in outcome.out
    assert (
        '    url: "http://localhost:1/v1/chat/completions" here, "http://127.0.0.1:' in outcome.out
    )


def test_explain_an_answer_that_no_longer_fits_the_schema(ingather, sim):
    write({"id": "a", "prompt": "1"})
    Path("form.py").write_text("Answer = int")
    schema = ["--schema", "form.py:Answer"]
    ingather("run", "e.jsonl", "-o", "b.jsonl", "--store", "run.db", *asking(sim), *schema)
    assert "a: hit" in explain(ingather, sim, *schema).out
    Path("form.py").write_text(
        "from typing import Annotated\n"
        "from pydantic import AfterValidator\n"
        "def large(number):\n"
        "    assert number > 100, 'too small'\n"
        "    return number\n"
        "Answer = Annotated[int, AfterValidator(large)]\n"
    )
    assert (
        "a: miss: its answer is stored, but the answer does not fit int"
        in explain(ingather, sim, *schema).out
    )


def test_explain_of_echo(ingather, sim):
    outcome = ingather("cache", "explain", "t.jsonl", "--store", "run.db", "--model", "echo")
    assert outcome.out == "answers of echo are never stored\n"
