"""A run told afterwards: a row for each run, and one for each attempt."""

import sqlite3
import time

import pytest

from ingather import (
    DeterministicTask,
    EchoProvider,
    LLMTask,
    ParallelLLMExecutor,
    RetryConfig,
    connect,
)
from ingather.testing import Simulator

_QUICK = RetryConfig(max_attempts=2, initial_delay=0.02, backoff_strategy="fixed")


def told(path, table):
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY rowid")]
    connection.close()
    return rows


async def run(path, sim, tasks, **options):
    provider = connect("openai/m", base_url=sim.base_url, api_key="sk-canary-0123456789")
    async with ParallelLLMExecutor(provider, 10, _QUICK, store=path, **options) as executor:
        return await executor.gather(tasks)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.db"


async def test_each_attempt_has_its_times_tokens_and_outcome(path):
    began = time.time()
    async with Simulator(latency=0.02) as sim:
        await run(path, sim, [LLMTask("one two", tag="a")])
    (row,) = told(path, "attempts")
    assert (row["task"], row["tag"], row["attempt"], row["outcome"]) == (0, "a", 1, "answered")
    assert began <= row["queued"] <= row["sent"] <= row["ended"] <= time.time()
    assert row["ended"] - row["sent"] >= 0.019
    assert row["input_tokens"] > 0
    assert row["output_tokens"] > 0
    assert row["cost_usd"] is None, "an unknown price is none"
    assert row["request_id"].startswith("req_")


async def test_a_run_has_its_times_its_size_and_whom_it_asked_but_no_key(path):
    async with Simulator() as sim:
        await run(path, sim, [LLMTask("a"), LLMTask("b")])
        await run(path, sim, [LLMTask("c")])
    first, second = sorted(told(path, "runs"), key=lambda row: row["started"])
    assert (first["total"], first["succeeded"], first["failed"]) == (2, 2, 0)
    assert first["started"] <= first["ended"] <= second["started"] <= second["ended"]
    assert first["what"].startswith("OpenAIProvider('m' at 127.0.0.1")
    assert b"canary" not in path.read_bytes()
    attempts = told(path, "attempts")
    assert [row["run"] for row in attempts] == [first["id"], first["id"], second["id"]]


async def test_a_fault_and_the_sleep_after_it_show(path):
    async with Simulator(script=["500", "ok"]) as sim:
        await run(path, sim, [LLMTask("a")])
    failed, answered = told(path, "attempts")
    assert (failed["outcome"], failed["status"], failed["attempt"], failed["slept"]) == (
        "ServerFault",
        500,
        1,
        0,
    )
    assert (answered["outcome"], answered["attempt"]) == ("answered", 2)
    assert answered["slept"] >= 0.02
    assert answered["queued"] >= failed["ended"] + 0.02


async def test_a_429_and_the_pause_after_it_show(path):
    async with Simulator(script=["429", "ok"]) as sim:
        await run(path, sim, [LLMTask("a")])
    rejected, answered = told(path, "attempts")
    assert (rejected["outcome"], rejected["status"]) == ("RateLimited", 429)
    assert (answered["outcome"], answered["limited_by"]) == ("answered", "pause")
    assert answered["sent"] > answered["queued"]


async def test_an_answer_that_was_paid_for_in_vain_counts_its_tokens(path):
    async with Simulator(script=["length"]) as sim:
        (result,) = await run(path, sim, [LLMTask("a text of quite a few words")])
    assert type(result.error).__name__ == "Truncated"
    (row,) = told(path, "attempts")
    assert row["outcome"] == "Truncated"
    assert row["input_tokens"] > 0


async def test_what_comes_from_the_store_makes_no_attempt(path):
    async with Simulator() as sim:
        await run(path, sim, [LLMTask("a")])
        await run(path, sim, [LLMTask("a")])
    assert len(told(path, "attempts")) == 1
    assert len(told(path, "runs")) == 2


@pytest.mark.filterwarnings("ignore:store= has no effect")
async def test_a_function_is_no_attempt_and_a_bare_provider_makes_them(path):
    async with ParallelLLMExecutor(EchoProvider(), store=path) as executor:
        await executor.gather([DeterministicTask(int), LLMTask("a", tag="half a pair: \ud800")])
    (row,) = told(path, "attempts")
    assert (row["task"], row["tag"]) == (1, "half a pair: ?")


@pytest.mark.filterwarnings("ignore:store= has no effect")
async def test_a_run_that_was_left_early_has_its_end(path):
    tasks = (LLMTask(str(number)) for number in range(100))
    async with (
        ParallelLLMExecutor(EchoProvider(), store=path) as executor,
        executor.as_completed(tasks) as results,
    ):
        await anext(results)
    (row,) = told(path, "runs")
    assert row["total"] is None
    assert row["ended"] is not None
