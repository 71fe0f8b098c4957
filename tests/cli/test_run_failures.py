"""Tasks that fail, and runs that are cut short by their own rules."""

from pathlib import Path

import pytest

from ingather.testing import Say
from tests.cli.conftest import answers, asking, write_tasks


def test_a_task_that_fails_is_an_answer_of_its_own(ingather, simulator):
    sim = simulator(model="echo", script={"Say 3": ["400"]})
    done = ingather("run", write_tasks("t.jsonl", 10), "-o", "a.jsonl", *asking(sim))
    assert done.code == 3
    failed = [line for line in answers("a.jsonl") if not line["success"]]
    assert [(line["id"], line["error"]["type"], line["value"]) for line in failed] == [
        ("t3", "BadRequest", None)
    ]
    assert len(answers("a.jsonl")) == 10
    assert "9 of 10 succeeded, 1 failed" in done.err
    assert "1 × BadRequest: " in done.err


def test_transient_faults_are_tried_again(ingather, simulator):
    sim = simulator(model="echo", script={"Say 3": ["500", "ok"]})
    done = ingather("run", write_tasks("t.jsonl", 5), "-o", "a.jsonl", *asking(sim))
    assert done.code == 0
    assert {line["id"]: line["attempts"] for line in answers("a.jsonl")}["t3"] == 2
    assert "1 backoff" in done.err


def test_an_outage_in_the_middle_of_a_run_loses_nothing(ingather, simulator):
    few = ["503"] * 12  # since probes come ever later
    sim = simulator(model="echo", latency=0.02, script=["ok"] * 60 + few + ["ok"] * 400)
    done = ingather("run", write_tasks("t.jsonl", 150), "-o", "a.jsonl", *asking(sim))
    assert done.code == 0
    assert len(answers("a.jsonl")) == 150
    assert sim.stats()["calls"] == 162


def test_retries_0_tries_once(ingather, simulator):
    sim = simulator(model="echo", script={"Say 3": ["500", "ok"]})
    done = ingather(
        "run", write_tasks("t.jsonl", 5), "-o", "a.jsonl", "--retries", "0", *asking(sim)
    )
    assert done.code == 3
    assert {line["id"]: line["attempts"] for line in answers("a.jsonl")}["t3"] == 1


def test_429s_are_waited_for_and_counted(ingather, simulator):
    # however slow we are
    sim = simulator(model="echo", rpm=6000, burst=3, script={"Say 7": ["429", "429"]})
    done = ingather(
        "run", write_tasks("t.jsonl", 12), "-o", "a.jsonl", "--retries", "0", *asking(sim)
    )
    assert done.code == 0
    lines = answers("a.jsonl")
    assert len(lines) == 12
    assert sum(line["rejected"] for line in lines) == sim.stats()["rejected"] > 0
    assert "were 429s" in done.err


def test_fail_fast_stops_at_the_first_failure(ingather, simulator):
    sim = simulator(model="echo", latency=0.01, script={"Say 3": ["400"]})
    done = ingather(
        "run",
        write_tasks("t.jsonl", 500),
        "-o",
        "a.jsonl",
        "--fail-fast",
        "--max-concurrency",
        "2",
        *asking(sim),
    )
    assert done.code == 3
    assert sim.stats()["calls"] < 20
    assert "; to go on:\n  ingather run t.jsonl" in done.err


def test_what_was_cut_short_has_no_line_and_may_be_run_again(ingather, simulator):
    sim = simulator(model="echo", script={"Say 0": ["400"], "Say 1": ["hang"]})
    done = ingather(
        "run",
        write_tasks("t.jsonl", 5),
        "-o",
        "a.jsonl",
        "--fail-fast",
        "--max-concurrency",
        "2",
        *asking(sim),
    )
    assert [line["id"] for line in answers("a.jsonl")] == ["t0"]
    assert "cancelled while they ran, which may have been billed" in done.err


def test_when_the_time_is_up_what_is_done_is_kept(ingather, simulator):
    sim = simulator(model="echo", latency=0.05)
    done = ingather(
        "run",
        write_tasks("t.jsonl", 1000),
        "-o",
        "a.jsonl",
        "--max-time",
        "3",
        "--max-concurrency",
        "3",
        *asking(sim),
    )
    assert done.code == 4
    lines = answers("a.jsonl")
    assert 0 < len(lines) == sim.stats()["calls"] < 1000
    assert all(line["success"] for line in lines)
    assert "stopping: nothing more is sent" in done.err


def test_calls_that_do_not_end_in_the_grace_are_cancelled(ingather, simulator):
    sim = simulator(model="echo", script=["hang"])
    done = ingather(
        "run",
        write_tasks("t.jsonl", 1),
        "-o",
        "a.jsonl",
        "--max-time",
        "0.2",
        "--grace",
        "0.1",
        *asking(sim),
    )
    assert done.code == 4
    assert Path("a.jsonl").read_text() == ""


def test_a_time_that_is_long_enough_is_no_matter(ingather, simulator):
    sim = simulator(model="echo")
    assert (
        ingather(
            "run", write_tasks("t.jsonl", 5), "-o", "a.jsonl", "--max-time", "60", *asking(sim)
        ).code
        == 0
    )


def test_an_attempt_that_takes_too_long_fails(ingather, simulator):
    sim = simulator(model="echo", script={"Say 1": ["hang", "hang"]})
    done = ingather(
        "run",
        write_tasks("t.jsonl", 3),
        "-o",
        "a.jsonl",
        "--timeout",
        "0.2",
        "--retries",
        "0",
        *asking(sim),
    )
    assert done.code == 3
    assert {line["id"]: line["error"] and line["error"]["type"] for line in answers("a.jsonl")}[
        "t1"
    ] == "AttemptTimeout"


def test_an_answer_that_does_not_fit_is_asked_again_and_then_kept_with_its_error(
    ingather, simulator
):
    Path("n.json").write_text('{"type": "integer"}')
    sim = simulator(script=[Say("about five"), Say("five or so")])
    done = ingather(
        "run", write_tasks("t.jsonl", 1), "-o", "a.jsonl", "--schema", "n.json", *asking(sim)
    )
    assert done.code == 3
    [line] = answers("a.jsonl")
    assert line["error"]["type"] == "InvalidAnswer"
    assert line["error"]["answer"] == "five or so"
    assert line["attempts"] == 2
    assert "1 re-ask" in done.err


def test_a_full_disk_stops_the_run(ingather, simulator):
    sim = simulator(model="echo", latency=0.01)
    done = ingather(
        "run",
        write_tasks("t.jsonl", 500),
        "-o",
        "/dev/full",
        "--max-concurrency",
        "2",
        *asking(sim),
    )
    assert done.code == 2
    assert "cannot write to /dev/full: No space left on device" in done.err
    assert sim.stats()["calls"] < 50


@pytest.mark.parametrize(
    ("status", "error"),
    [("402", "QuotaExhausted"), ("403", "AuthFailed"), ("404", "ModelNotFound")],
)
@pytest.mark.parametrize("bound", ["1", "4"])
@pytest.mark.parametrize("order", [[], ["--ordered"]])
def test_a_request_that_is_refused_is_an_answer_of_its_own_and_the_run_goes_on(
    ingather, simulator, status, error, bound, order
):
    sim = simulator(
        model="echo", script={"Say 0": [status], "Say 3": [status] * 9, "Say 7": [status]}
    )
    command = [
        "run",
        write_tasks("t.jsonl", 12),
        "-o",
        "a.jsonl",
        "--store",
        "s.db",
        "--max-concurrency",
        bound,
    ]
    done = ingather(*command, *order, *asking(sim))
    assert done.code == 3
    failed = {
        line["id"]: line["error"]["type"] for line in answers("a.jsonl") if not line["success"]
    }
    assert failed == {"t0": error, "t3": error, "t7": error}
    assert len(answers("a.jsonl")) == 12
    asked = sim.stats()["calls"]

    again = ingather(*command, *order, *asking(sim))  # goes past them
    assert again.code == 3
    assert sim.stats()["calls"] == asked
    mended = ingather(*command, *order, "--retry-failed", *asking(sim))
    assert sim.stats()["calls"] > asked
    assert mended.code in (3, 2)


def test_refusals_before_any_answer_stop_the_run_and_leave_no_answers(ingather, simulator):
    sim = simulator(model="echo", script=["403"] * 1000)
    done = ingather(
        "run", write_tasks("t.jsonl", 500), "-o", "a.jsonl", "--max-concurrency", "2", *asking(sim)
    )
    assert done.code == 2
    assert "stopped, since no call can succeed:\nAuthFailed: 403" in done.err
    assert not Path("a.jsonl").exists()
    assert sim.stats()["calls"] <= 4


def test_where_all_of_few_tasks_are_refused_each_has_its_line(ingather, simulator):
    sim = simulator(model="echo", script=["403"] * 10)
    done = ingather("run", write_tasks("t.jsonl", 2), "-o", "a.jsonl", *asking(sim))
    assert done.code == 3
    assert [line["error"]["type"] for line in answers("a.jsonl")] == ["AuthFailed"] * 2


def test_three_of_four_tasks_refused_first_are_left_for_another_run(ingather, simulator):
    sim = simulator(model="echo", script=["403"] * 3)
    write_tasks("t.jsonl", 4)
    assert (
        ingather("run", "t.jsonl", "-o", "a.jsonl", "--max-concurrency", "1", *asking(sim)).code
        == 2
    )
    assert (
        ingather("run", "t.jsonl", "-o", "a.jsonl", "--max-concurrency", "1", *asking(sim)).code
        == 0
    )


@pytest.mark.parametrize(
    ("step", "options", "advice"),
    [
        ("length", [], "give a higher --param max_tokens=N, or ask for shorter answers"),
        (
            "hang",
            ["--timeout", "0.3", "--retries", "0"],
            "raise --timeout, ask for shorter answers",
        ),
    ],
)
def test_advice_about_failures_speaks_of_options(ingather, simulator, step, options, advice):
    sim = simulator(model="echo", script={"Say 3": [step]})
    done = ingather("run", write_tasks("t.jsonl", 5), "-o", "a.jsonl", *asking(sim), *options)
    assert done.code == 3
    assert advice in done.err
