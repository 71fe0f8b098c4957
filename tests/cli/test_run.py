"""A file of tasks in, a file of answers out."""

import json
from pathlib import Path

from tests.cli.conftest import answers, asking, write_tasks

PERSON = """
from pydantic import BaseModel

class Person(BaseModel):
    name: str
    age: int
"""


def test_every_task_has_its_answer(ingather, simulator):
    sim = simulator(model="echo")
    done = ingather("run", write_tasks("t.jsonl", 200), "-o", "a.jsonl", *asking(sim))
    assert done.code == 0
    lines = answers("a.jsonl")
    assert {line["id"]: line["value"] for line in lines} == {
        f"t{i}": f"Say {i}" for i in range(200)
    }
    assert all(
        line["success"] and line["attempts"] == 1 and line["usage"]["output_tokens"]
        for line in lines
    )
    assert sim.stats()["calls"] == 200
    assert done.out == ""


def test_the_closing_summary_says_what_came_of_it(ingather, simulator):
    done = ingather(
        "run",
        write_tasks("t.jsonl", 20),
        "-o",
        "a.jsonl",
        "--max-concurrency",
        "50",
        *asking(simulator(model="echo", latency=0.05)),
    )
    assert "20 of 20 succeeded, in " in done.err
    # all began at once: nothing shows how long a call takes alone
    assert "one after another" not in done.err
    assert "limited by  the provider's latency" in done.err
    assert "20 answers are in a.jsonl" in done.err


def test_a_table_with_a_prompt_and_a_schema(ingather, simulator):
    Path("people.py").write_text(PERSON)
    rows = [f'{i},"Person {i} is {20 + i} years old"' for i in range(10)]
    Path("people.csv").write_text("id,text\n" + "\n".join(rows) + "\n")
    sim = simulator()
    done = ingather(
        "run",
        "people.csv",
        "-o",
        "a.jsonl",
        "--prompt",
        "Who is this? {text}",
        "--schema",
        "people.py:Person",
        *asking(sim),
    )
    assert done.code == 0
    assert all(set(line["value"]) == {"name", "age"} for line in answers("a.jsonl"))
    assert {line["id"] for line in answers("a.jsonl")} == {str(i) for i in range(10)}


def test_a_json_schema_serves_as_well(ingather, simulator):
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "people": {"type": "integer", "minimum": 0}},
        "required": ["city", "people"],
        "additionalProperties": False,
    }
    Path("city.json").write_text(json.dumps(schema))
    Path("t.jsonl").write_text('{"text": "There are 700000 people in Oslo"}\n')
    done = ingather(
        "run",
        "t.jsonl",
        "-o",
        "a.jsonl",
        "--prompt",
        "{text}",
        "--schema",
        "city.json",
        *asking(simulator()),
    )
    assert done.code == 0
    [line] = answers("a.jsonl")
    assert set(line["value"]) == {"city", "people"}


def test_prompts_from_files_and_parameters_reach_the_provider(ingather, simulator):
    Path("prompt.txt").write_text("Repeat: {word}\n")
    Path("t.jsonl").write_text('{"word": "hill"}\n')
    sim = simulator(model="echo")
    options = [
        "--prompt",
        "@prompt.txt",
        "--system",
        "Be brief",
        "--param",
        "temperature=0",
        "--param",
        "max_tokens=50",
    ]
    assert ingather("run", "t.jsonl", "-o", "a.jsonl", *options, *asking(sim)).code == 0
    assert answers("a.jsonl")[0]["value"] == "Repeat: hill"


def test_ordered_keeps_the_order_of_the_tasks(ingather, simulator):
    sim = simulator(model="echo", latency=0.02, sigma=1.0)
    ingather("run", write_tasks("t.jsonl", 60), "-o", "a.jsonl", "--ordered", *asking(sim))
    assert [line["id"] for line in answers("a.jsonl")] == [f"t{i}" for i in range(60)]


def test_no_more_calls_are_in_flight_than_allowed(ingather, simulator):
    sim = simulator(model="echo", latency=0.01)
    ingather(
        "run", write_tasks("t.jsonl", 40), "-o", "a.jsonl", "--max-concurrency", "3", *asking(sim)
    )
    assert sim.stats()["peak_in_flight"] == 3


def test_quiet_is_silent_when_all_is_well(ingather, simulator):
    done = ingather(
        "run",
        write_tasks("t.jsonl", 5),
        "-o",
        "a.jsonl",
        "--quiet",
        *asking(simulator(model="echo")),
    )
    assert (done.code, done.out, done.err) == (0, "", "")


def test_overwrite_replaces_the_answers(ingather, simulator):
    sim = simulator(model="echo")
    for count in (5, 3):
        done = ingather(
            "run", write_tasks("t.jsonl", count), "-o", "a.jsonl", "--overwrite", *asking(sim)
        )
        assert done.code == 0
    assert len(answers("a.jsonl")) == 3


def test_the_key_goes_to_the_server_and_nowhere_else(ingather, simulator, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-canary-1234567890")
    sim = simulator(model="echo", api_key="sk-canary-1234567890")
    done = ingather(
        "run", write_tasks("t.jsonl", 3), "-o", "a.jsonl", "--api-key-env", "MY_KEY", *asking(sim)
    )
    assert done.code == 0
    assert "canary" not in done.err + Path("a.jsonl").read_text()


def test_echo_needs_nobody(ingather):
    assert ingather("run", write_tasks("t.jsonl", 3), "-o", "a.jsonl", "--model", "echo").code == 0
    assert {line["value"] for line in answers("a.jsonl")} == {f"Echo: Say {i}" for i in range(3)}


def test_slow_requests_are_sent_twice(ingather, simulator):
    sim = simulator(model="echo", latency=0.02, slow_tail="0.02:100", seed=3)
    command = (
        "run",
        write_tasks("t.jsonl", 200),
        "-o",
        "a.jsonl",
        "--max-concurrency",
        "20",
        *asking(sim),
    )
    done = ingather(*command, "--hedge", "p95")
    assert done.code == 0
    lines = answers("a.jsonl")
    copies = sum(line["attempts"] - 1 for line in lines)
    assert 1 <= copies <= 10
    assert f"{copies} were second copies" in done.err


def test_a_hedge_that_is_none_is_refused(ingather, simulator):
    for bad in ("p100", "fast", "-1", "0"):
        command = (
            "run",
            write_tasks("t.jsonl", 2),
            "-o",
            "a.jsonl",
            *asking(simulator(model="echo")),
        )
        done = ingather(*command, f"--hedge={bad}")
        assert done.code == 2
        assert "--hedge is a percentile" in done.err


def test_the_summary_says_whose_limit_it_was(ingather, simulator):
    sim = simulator(model="echo", rpm=1200, burst=20, latency=0.02)
    learnt = ingather("run", write_tasks("t.jsonl", 60), "-o", "a.jsonl", *asking(sim))
    assert (
        "limited by  the provider's limit of about 1,200 requests a minute (learnt)" in learnt.err
    )
    assert "all tasks together: rate" in learnt.err
    told = ingather(
        "run", write_tasks("t.jsonl", 30), "-o", "b.jsonl", "--rpm", "600", *asking(sim)
    )
    assert "limited by  your limit of 600 requests a minute" in told.err
