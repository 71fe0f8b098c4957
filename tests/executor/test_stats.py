"""Where the time went: for each cause, what is told adds up to what the tasks took."""

import asyncio

import pytest

from ingather import (
    Budget,
    DeterministicTask,
    Hedge,
    Limits,
    LLMResponse,
    ParallelLLMExecutor,
    RetryConfig,
    Usage,
)
from ingather.errors import ConnectFailed, Overloaded, RateLimited, ServerFault
from ingather.events import TaskEnded
from ingather.limits.tokens import Tokens
from ingather.report import Report
from tests.run.stand_ins import Wire, llm_tasks

pytestmark = pytest.mark.looptime


async def asked(wire, tasks, slots=1, **options):
    """The stats of a run, which agree with its results, its events and its report."""
    ended: list[TaskEnded] = []
    report = Report()

    def on_event(event):
        report(event)
        if isinstance(event, TaskEnded):
            ended.append(event)

    executor = ParallelLLMExecutor(wire, slots, on_event=on_event, **options)
    results = await executor.gather(tasks)
    stats = executor.stats()
    took = sum(result.queued_ms + result.duration_ms for result in results) / 1000
    assert stats.times.total == pytest.approx(took)
    assert stats.times.backoff == pytest.approx(sum(result.backoff_ms for result in results) / 1000)
    assert stats.attempts == sum(result.attempts for result in results)
    assert stats.rejected == sum(result.rejected for result in results)
    assert stats.tasks == len(results)
    assert report.summary().times.total == pytest.approx(took)
    for event in ended:
        result = event.result
        assert event.times is not None
        assert event.times.total == pytest.approx((result.queued_ms + result.duration_ms) / 1000)
        assert event.times.backoff == pytest.approx(result.backoff_ms / 1000)
    for name in ("queue", "rate", "pause", "budget", "backoff", "provider", "functions"):
        parts = sum(getattr(event.times, name) for event in ended)
        assert getattr(stats.times, name) == pytest.approx(parts), name
        assert getattr(report.summary().times, name) == pytest.approx(parts), name
    return stats


async def test_slots():
    stats = await asked(Wire(latency=2.0), llm_tasks(4))
    assert (stats.times.queue, stats.times.provider, stats.wall) == (12.0, 8.0, 8.0)
    assert stats.limited_by == "slots"


async def test_the_pace_of_requests():
    wire = Wire(latency=0.5, limits=Limits(requests_per_minute=30))
    stats = await asked(wire, llm_tasks(4), 4)
    assert stats.times.rate == pytest.approx(2.0 + 4.0 + 6.0)
    assert stats.times.provider == pytest.approx(2.0)
    assert stats.times.queue == pytest.approx(0.0)
    assert stats.limited_by == "requests"
    assert "your limit of 30 requests a minute" in str(stats)


async def test_a_slot_and_then_the_pace():
    wire = Wire(latency=1.5, limits=Limits(requests_per_minute=30))
    stats = await asked(wire, llm_tasks(3))
    assert stats.times.provider == pytest.approx(4.5)
    assert stats.times.queue + stats.times.rate == pytest.approx(2.0 + 4.0)
    assert stats.times.rate >= 0.5 + 0.5


async def test_a_429_pauses():
    def answer(prompt, number):
        return RateLimited("429", status=429, retry_after=5.0) if number == 1 else prompt

    stats = await asked(Wire(answer, latency=1.0), llm_tasks(1))
    assert (stats.times.pause, stats.times.provider, stats.times.queue) == (5.0, 2.0, 0.0)
    assert (stats.attempts, stats.rejected) == (2, 1)
    assert stats.limited_by == "pause"


async def test_an_outage_pauses_and_its_faults_back_off():
    def answer(prompt, number):
        return ConnectFailed("nobody there") if number <= 4 else prompt

    wire = Wire(
        answer, latency=1.0, retry=RetryConfig(6, initial_delay=1.0, backoff_strategy="fixed")
    )
    stats = await asked(wire, llm_tasks(1))
    assert stats.times.provider == 5.0
    assert stats.times.backoff == 4.0
    assert stats.times.pause > 0.0
    assert stats.times.queue == pytest.approx(0.0)


async def test_backoff():
    def answer(prompt, number):
        return ServerFault("500") if number <= 2 else prompt

    retry = RetryConfig(3, initial_delay=4.0, backoff_strategy="fixed")
    stats = await asked(Wire(answer, latency=1.0, retry=retry), llm_tasks(1))
    assert (stats.times.backoff, stats.times.provider, stats.times.queue) == (8.0, 3.0, 0.0)
    assert stats.limited_by == "backoff"


async def test_an_empty_budget_of_retries_is_told():
    wire = Wire(lambda prompt, number: ServerFault("500"), retry=RetryConfig(2))
    stats = await asked(wire, llm_tasks(15), 15)
    assert (stats.attempts, stats.retries_denied) == (25, 5)


async def test_money():
    wire = Wire(
        lambda prompt, number: LLMResponse(prompt, usage=Usage(0, 5)),
        latency=3.0,
        estimate=lambda prompt: Tokens(1, max_output=10),
    )
    budget = Budget(max_cost_usd=15.0, prices={"*": (0.0, 1_000_000.0)})
    stats = await asked(wire, llm_tasks(2), 2, budget=budget)
    assert (stats.times.budget, stats.times.provider) == (3.0, 6.0)
    assert (stats.cost_usd, stats.spent_usd, stats.reserved_usd, stats.cap_usd) == (
        10.0,
        10.0,
        0.0,
        15.0,
    )
    assert stats.limited_by == "budget"


async def test_two_copies_at_once_are_the_time_of_one():
    latencies = iter([1.0] * 9 + [100.0, 1.0])
    wire = Wire(latency=lambda prompt: next(latencies))
    stats = await asked(wire, llm_tasks(10), 2, hedge=Hedge(after=2.0, max_extra=0.2))
    assert (stats.attempts, stats.hedges, stats.hedges_won) == (11, 1, 1)
    took = max(sent.ended for sent in wire.ledger) - wire.ledger[9].began
    assert stats.times.provider == pytest.approx(9.0 + took)
    assert stats.cost_usd is None  # nobody knows what the cancelled copy cost
    assert stats.slowest < 100.0


async def test_hedged_calls_that_are_cancelled_add_up():
    executor = ParallelLLMExecutor(Wire(latency=100.0), 10, hedge=Hedge(after=1.0, max_extra=1.0))
    run = asyncio.create_task(executor.gather(llm_tasks(3)))
    await asyncio.sleep(10.0)
    assert executor.stats().hedges > 0
    run.cancel()
    await asyncio.wait([run])
    stats = executor.stats()
    assert stats.times.total == pytest.approx(30.0)
    assert stats.times.provider == pytest.approx(30.0)


async def test_functions():
    stats = await asked(Wire(), [DeterministicTask(asyncio.sleep, (2.0,)) for _ in range(3)])
    assert (stats.times.functions, stats.times.queue, stats.times.provider) == (6.0, 6.0, 0.0)
    assert stats.attempts == 0


async def test_all_at_once():
    def answer(prompt, number):
        if number % 7 == 3:
            return RateLimited("429", status=429, retry_after=2.0)
        return Overloaded("503") if number % 11 == 5 else prompt

    wire = Wire(answer, latency=1.0, limits=Limits(requests_per_minute=40), retry=RetryConfig(5))
    stats = await asked(wire, llm_tasks(40), 3)
    assert min(stats.times.queue, stats.times.rate, stats.times.pause, stats.times.backoff) > 0.0


@pytest.mark.parametrize("at", [0.25, 1.0, 2.5, 4.0, 5.9])
async def test_it_is_right_while_a_run_is_under_way(at):
    def answer(prompt, number):
        if number == 1:
            return RateLimited("429", status=429, retry_after=2.0)
        return ServerFault("500") if number == 2 else prompt

    retry = RetryConfig(3, initial_delay=1.0, backoff_strategy="fixed")
    executor = ParallelLLMExecutor(Wire(answer, latency=0.5, retry=retry), 1)
    run = asyncio.create_task(executor.gather(llm_tasks(1)))
    await asyncio.sleep(at)
    stats = executor.stats()
    moments = [
        ("provider", 0.5),
        ("pause", 2.0),
        ("provider", 0.5),
        ("backoff", 1.0),
        ("provider", 0.5),
    ]
    expected, left = dict.fromkeys(("provider", "pause", "backoff", "queue"), 0.0), at
    for name, took in moments:
        expected[name] += min(took, left)
        left -= min(took, left)
    for name, took in expected.items():
        assert getattr(stats.times, name) == pytest.approx(took), name
    await run


async def test_runs_add_up():
    executor = ParallelLLMExecutor(Wire(latency=1.0), 1)
    for _ in range(3):
        await executor.gather(llm_tasks(2))
    stats = executor.stats()
    assert (stats.tasks, stats.attempts, stats.wall, stats.times.provider) == (6, 6, 6.0, 6.0)


async def test_what_was_learnt_is_told():
    executor = ParallelLLMExecutor(Wire(latency=1.0, limits=Limits(max_concurrency=2)), 5)
    await executor.gather(llm_tasks(40))
    stats = executor.stats()
    assert stats.limited_by == "concurrency"
    assert "your limit of 2 calls in flight" in str(stats)
    assert list(stats.limits.values()) == [Limits(max_concurrency=2)]
