"""Retries after faults have a budget, so that an outage is not multiplied."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import Limits, LLMTask, ParallelLLMExecutor, RetryConfig, connect
from ingather.errors import ConnectFailed, Overloaded, ServerFault
from ingather.limits.retry_budget import RetryBudget
from ingather.testing import Simulator

RETRY = RetryConfig(max_attempts=5, initial_delay=0.001, max_delay=0.002)


def test_ten_may_be_spent_before_anything_was_answered():
    budget = RetryBudget()
    assert [budget.take() for _ in range(12)] == [True] * 10 + [False] * 2


def test_ten_answers_pay_for_one_more():
    budget = RetryBudget()
    while budget.take():
        pass
    for _ in range(11):
        budget.answered()
    assert [budget.take(), budget.take()] == [True, False]


def test_good_times_save_up_for_no_more_than_a_hundred():
    budget = RetryBudget()
    for _ in range(100_000):
        budget.answered()
    assert 100 <= sum(budget.take() for _ in range(1_000)) <= 101


@given(st.lists(st.booleans(), max_size=500))
def test_never_more_than_a_tenth_of_the_answers_and_ten(answers):
    budget, answered, taken = RetryBudget(), 0, 0
    for is_answer in answers:
        if is_answer:
            budget.answered()
            answered += 1
        else:
            taken += budget.take()
        assert taken <= 10 + answered / 10 + 1e-6


def executor(sim, tasks=8, retry=RETRY):
    return ParallelLLMExecutor(
        connect("openai/any", base_url=sim.base_url, retry=None), tasks, retry
    )


@pytest.mark.parametrize("status", ["500", "504"])
async def test_a_provider_that_fails_all_calls_gets_each_once_and_ten_more(status):
    async with Simulator(error_rate=1.0, faults=status) as sim, executor(sim) as engine:
        results = await engine.gather([LLMTask(f"Hello {n}") for n in range(100)])
        assert sim.stats()["calls"] == 110
    assert all(type(result.error) is ServerFault for result in results)
    assert sum(result.attempts for result in results) == 110


async def test_an_empty_budget_fails_at_once_with_the_last_error_and_says_why():
    async with Simulator(error_rate=1.0, faults="500") as sim, executor(sim, 1) as engine:
        results = await engine.gather([LLMTask(f"Hello {n}") for n in range(20)])
    assert results[-1].attempts == 1
    assert isinstance(results[-1].error, ServerFault)
    assert results[-1].error.status == 500
    assert any("not tried again" in note for note in results[-1].error.__notes__)


async def test_executors_of_one_quota_share_it():
    async with (
        Simulator(error_rate=1.0, faults="500") as sim,
        executor(sim) as one,
        executor(sim) as other,
    ):
        await one.gather([LLMTask(f"Hello {n}") for n in range(20)])
        await other.gather([LLMTask(f"Hello again {n}") for n in range(20)])
        assert sim.stats()["calls"] == 50


async def test_what_was_answered_pays_for_faults_later():
    async with Simulator(script=["ok"] * 200 + ["500"] * 60) as sim, executor(sim, 1) as engine:
        await engine.gather([LLMTask(f"Hello {n}") for n in range(200)])
        results = await engine.gather([LLMTask(f"Hello again {n}") for n in range(20)])
        assert sim.stats()["calls"] == 200 + 20 + 30
    assert {type(result.error) for result in results} == {ServerFault}


async def test_faults_now_and_then_are_tried_again_and_no_call_is_lost():
    async with (
        Simulator(error_rate=0.05, faults="500,drop", seed=3) as sim,
        executor(sim) as engine,
    ):
        results = await engine.gather([LLMTask(f"Hello {n}") for n in range(400)])
    assert all(result.success for result in results)


@pytest.mark.slow
async def test_an_outage_is_waited_for_by_single_probes_and_nothing_is_lost():
    async with (
        Simulator(latency=0.05, script=["ok"] * 40 + ["503"] * 12 + ["ok"] * 400) as sim,
        executor(sim) as engine,
    ):
        results = await engine.gather([LLMTask(f"Hello {n}") for n in range(100)])
        assert all(result.success for result in results)
        assert sim.stats()["calls"] == 112
        calls = sim.ledger
    # those before were in flight when it began
    probes = [call for call in calls if call.status == 503][-2:]
    for probe in probes:
        assert [one for one in calls if one.arrived <= probe.arrived < (one.ended or 0.0)] == [
            probe
        ]


async def test_where_nobody_ever_answered_the_retries_are_spent_and_the_calls_fail():
    provider = connect(
        "openai/any", base_url="http://127.0.0.1:9/v1", api_key="of-a-test-of-retries", retry=None
    )
    results = await ParallelLLMExecutor(provider, 1, RETRY).gather([LLMTask("Hello")])
    assert type(results[0].error) is ConnectFailed
    assert results[0].attempts == 5


async def test_with_one_attempt_nobody_waits_for_the_end_of_an_outage():
    once = RetryConfig(max_attempts=1)
    async with (
        Simulator(script=["ok"] * 20 + ["503"] * 4 + ["ok"] * 20) as sim,
        executor(sim, 4, once) as engine,
    ):
        results = await engine.gather([LLMTask(f"Hello {n}") for n in range(24)])
    assert sum(type(result.error) is Overloaded for result in results) == 4


@pytest.mark.slow
async def test_an_outage_that_lasts_longer_than_max_wait_ends_the_calls_with_its_error():
    limits = Limits(max_wait=1.0)
    async with Simulator(script=["ok"] * 20 + ["503"] * 500) as sim:
        provider = connect("openai/any", base_url=sim.base_url, limits=limits, retry=None)
        results = await ParallelLLMExecutor(provider, 8, RETRY).gather(
            [LLMTask(f"Hello {n}") for n in range(60)]
        )
        assert sim.stats()["calls"] <= 20 + 8 + 4
    assert sum(result.success for result in results) == 20
    assert {type(result.error) for result in results if not result.success} == {Overloaded}
