"""A run that may spend so much: nothing is sent that might cost more, and what it would take can be asked before."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import answers, asking, write_tasks
from tests.cli.test_run_servers import OK, Server

# USD: a thousandth a token in, twice that out
PRICED = ("--price", "1000:2000", "--param", "max_tokens=20")


def spent(lines):
    return sum(line["cost_usd"] for line in lines)


def test_it_ends_below_the_cap_with_code_4_and_says_how_to_go_on(ingather, simulator):
    sim = simulator(model="echo")
    done = ingather(
        "run",
        write_tasks("t.jsonl", 300),
        "-o",
        "a.jsonl",
        "--max-cost",
        "1",
        *PRICED,
        *asking(sim),
    )
    lines = answers("a.jsonl")
    assert done.code == 4
    assert len(lines) == sim.stats()["calls"] < 300
    assert all(line["success"] for line in lines)
    assert 0.85 < spent(lines) <= 1.0
    assert (
        f"budget: {spent(lines):.4f} of 1 USD spent; it was too little for {300 - len(lines)} tasks"
        in done.err
    )
    assert "; to go on:\n  ingather run t.jsonl -o a.jsonl " in done.err


def test_with_a_store_the_same_command_goes_on_and_pays_nothing_twice(ingather, simulator):
    sim = simulator(model="echo")
    command = [
        "run",
        write_tasks("t.jsonl", 60),
        "-o",
        "a.jsonl",
        "--store",
        "run.db",
        "--max-cost",
        "0.3",
        *PRICED,
    ]
    codes = [ingather(*command, *asking(sim)).code for _ in range(12)]
    assert codes[0] == 4
    assert codes[-1] == 0
    assert len(answers("a.jsonl")) == sim.stats()["calls"] == 60


def test_enough_is_enough(ingather, simulator):
    sim = simulator(model="echo")
    done = ingather(
        "run", write_tasks("t.jsonl", 5), "-o", "a.jsonl", "--max-cost", "5", *PRICED, *asking(sim)
    )
    assert done.code == 0
    assert "too little" not in done.err


def test_tokens_have_a_cap_that_needs_no_price(ingather, simulator):
    sim = simulator(model="echo")
    options = ["--max-total-tokens", "800", "--param", "max_tokens=20"]
    done = ingather("run", write_tasks("t.jsonl", 300), "-o", "a.jsonl", *options, *asking(sim))
    assert done.code == 4
    assert (
        sum(
            sum(map(line["usage"].get, ("input_tokens", "output_tokens")))
            for line in answers("a.jsonl")
        )
        > 600
    )


def test_a_cheap_task_is_done_though_a_dear_one_before_it_found_no_money(ingather, simulator):
    sim = simulator(model="echo")
    tasks = [
        {"id": str(i), "prompt": "x", "params": {"max_tokens": 9000 if i == 1 else 20}}
        for i in range(5)
    ]
    Path("t.jsonl").write_text("".join(json.dumps(task) + "\n" for task in tasks))
    done = ingather(
        "run", "t.jsonl", "-o", "a.jsonl", "--max-cost", "2", "--price", "1000:2000", *asking(sim)
    )
    assert done.code == 4
    assert sorted(line["id"] for line in answers("a.jsonl")) == ["0", "2", "3", "4"]


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_without_a_price_nothing_is_sent(ingather, simulator, more):
    sim = simulator(model="echo")
    done = ingather(
        "run", write_tasks("t.jsonl", 5), "-o", "a.jsonl", "--max-cost", "2", *more, *asking(sim)
    )
    assert done.code == 2
    assert "the price of simulated at 127.0.0.1" in done.err
    assert "--price IN:OUT" in done.err
    assert sim.stats()["calls"] == 0
    assert not Path("a.jsonl").exists()


def test_a_line_without_a_limit_on_its_output_is_found_before_the_first_call(ingather, simulator):
    sim = simulator(model="echo")
    tasks = [{"prompt": "x", "params": {"max_tokens": 20}}, {"prompt": "y"}]
    Path("t.jsonl").write_text("".join(json.dumps(task) + "\n" for task in tasks))
    done = ingather(
        "run", "t.jsonl", "-o", "a.jsonl", "--max-cost", "2", "--price", "1:1", *asking(sim)
    )
    assert done.code == 2
    assert "t.jsonl, line 2: " in done.err
    assert "line 1" not in done.err
    assert "--param max_tokens=N" in done.err
    assert sim.stats()["calls"] == 0


def test_a_picture_is_found_too(ingather, simulator):
    sim = simulator(model="echo")
    picture = {"type": "image_url", "image_url": {"url": "https://pictures.example/a.png"}}
    Path("t.jsonl").write_text(
        json.dumps({"messages": [{"role": "user", "content": [picture]}]}) + "\n"
    )
    done = ingather("run", "t.jsonl", "-o", "a.jsonl", "--max-cost", "2", *PRICED, *asking(sim))
    assert done.code == 2
    assert "image_url" in done.err
    assert "Budget(" not in done.err


@pytest.mark.parametrize("price", ["x", "1", "1:", "1:2:3", "-1:2", "nan:1", "a=b"])
def test_what_is_no_price_is_refused(ingather, price):
    done = ingather(
        "run", write_tasks("t.jsonl", 5), "-o", "a.jsonl", "--model", "echo", "--price", price
    )
    assert done.code == 2
    assert "per million" in done.err or "for a million" in done.err


def test_each_model_may_have_its_price(ingather, simulator):
    sim = simulator(model="echo")
    tasks = [{"id": name, "prompt": "x", "model": name} for name in ("a", "b")]
    Path("t.jsonl").write_text("".join(json.dumps(task) + "\n" for task in tasks))
    options = [
        "--price",
        "a=1:1",
        "--price",
        "openai/b=2:2",
        "--model",
        "openai/*",
        "--base-url",
        sim.base_url,
    ]
    assert ingather("run", "t.jsonl", "-o", "a.jsonl", *options).code == 0
    costs = {line["id"]: line["cost_usd"] for line in answers("a.jsonl")}
    assert costs["b"] == pytest.approx(2 * costs["a"])


def test_what_asks_nobody_costs_nothing_and_needs_no_limit(ingather):
    done = ingather(
        "run", write_tasks("t.jsonl", 5), "-o", "a.jsonl", "--model", "echo", "--max-cost", "1"
    )
    assert done.code == 0
    assert spent(answers("a.jsonl")) == 0


# -- --dry-run


def figures(said):
    return {line.split()[0]: line for line in said.splitlines()[1:]}


def test_a_dry_run_says_what_it_would_take_and_does_nothing(ingather, simulator):
    sim = simulator(model="echo")
    options = ["--rpm", "60", "--dry-run", *PRICED, *asking(sim)]
    done = ingather(
        "run", write_tasks("t.jsonl", 120), "-o", "a.jsonl", "--store", "run.db", *options
    )
    said = figures(done.out)
    assert done.code == 0
    assert "120, for 120 tasks" in said["calls"]
    assert "at most 2,400 tokens" in said["out"]
    assert "about 120 s (--rpm 60)" in said["time"] or "about 2 min (--rpm 60)" in said["time"]
    assert "USD" in said["money"]
    assert sim.stats()["calls"] == 0
    assert [path.name for path in Path().iterdir()] == ["t.jsonl"]


def test_its_most_is_more_than_the_run_costs_and_its_guess_near_once_answers_are_known(
    ingather, simulator
):
    sim = simulator(model="echo", latency=0.01)
    command = [
        "run",
        write_tasks("t.jsonl", 100),
        "-o",
        "a.jsonl",
        "--store",
        "run.db",
        *PRICED,
        *asking(sim),
    ]
    first = ingather(*command, "--max-cost", "0.4")
    assert first.code == 4
    said = figures(ingather(*command, "--dry-run", "--max-concurrency", "5").out)
    done = len(answers("a.jsonl"))
    assert f"{100 - done}, for 100 tasks; {done} are answered in run.db" in said["calls"]
    likely, most = (float(number) for number in re.findall(r"([\d.]+) USD", said["money"]))
    before = spent(answers("a.jsonl"))
    assert ingather(*command).code == 0
    rest = spent(answers("a.jsonl")) - before
    assert 0.2 * rest < likely < 5 * rest
    assert rest <= most
    assert "as in run.db" in said["time"]


def test_a_dry_run_says_that_hedges_come_on_top_and_checks_them_as_the_run_does(ingather):
    command = [
        "run",
        write_tasks("t.jsonl", 3),
        "-o",
        "a.jsonl",
        "--model",
        "openai/gpt-4o-mini",
        "--dry-run",
    ]
    assert "hedges" not in figures(ingather(*command).out)
    assert "not in these figures" in figures(ingather(*command, "--hedge", "p95").out)["hedges"]
    wrong = ingather(*command, "--hedge", "often")
    assert wrong.code == 2
    assert "--hedge is a percentile" in wrong.err


def test_a_dry_run_needs_no_key_and_no_server(ingather):
    command = [
        "run",
        write_tasks("t.jsonl", 3),
        "-o",
        "a.jsonl",
        "--model",
        "openai/gpt-4o-mini",
        "--dry-run",
    ]
    done = ingather(*command, "--param", "max_tokens=100")
    assert done.code == 0
    assert "USD" in figures(done.out)["money"]


def test_what_is_not_known_is_called_so(ingather):
    said = figures(
        ingather(
            "run", write_tasks("t.jsonl", 3), "-o", "a.jsonl", "--model", "ollama/any", "--dry-run"
        ).out
    )
    assert "unknown" in said["money"]
    assert "unknown" in said["time"]
    assert "no limit" in said["out"]


def test_a_dry_run_finds_bad_lines_as_the_run_would(ingather):
    Path("t.jsonl").write_text('{"prompt": ""}\n')
    done = ingather("run", "t.jsonl", "-o", "a.jsonl", "--model", "echo", "--dry-run")
    assert done.code == 2
    assert "line 1" in done.err


def test_a_stream_has_no_dry_run(ingather):
    done = ingather("run", "-", "-o", "a.jsonl", "--model", "echo", "--dry-run")
    assert done.code == 2
    assert "--dry-run" in done.err


@pytest.mark.parametrize("price", [[], ["--price", "1:2"]])
def test_a_server_that_counts_no_tokens_is_said_since_no_price_helps_there(ingather, price):
    with Server(200, OK) as server:
        task = ["run", write_tasks("t.jsonl", 2), "-o", "a.jsonl", *price]
        done = ingather(*task, "--model", "openai/m", "--base-url", server.base_url)
    assert done.code == 0, done.err
    assert "not known: 2 answers did not say how many" in done.err
    assert [line["cost_usd"] for line in answers("a.jsonl")] == [None, None]
