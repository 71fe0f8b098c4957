"""Retries after faults have a budget, so that an outage is not multiplied."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import LLMTask, ParallelLLMExecutor, RetryConfig, connect
from ingather.errors import Overloaded, ServerFault
from ingather.limits.retries import RetryBudget
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
    return ParallelLLMExecutor(connect("openai/any", base_url=sim.base_url, retry=None), tasks, retry)


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
    async with Simulator(error_rate=1.0, faults="500") as sim, executor(sim) as one, executor(sim) as other:
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
    async with Simulator(error_rate=0.05, faults="500,drop", seed=3) as sim, executor(sim) as engine:
        results = await engine.gather([LLMTask(f"Hello {n}") for n in range(400)])
    assert all(result.success for result in results)


@pytest.mark.slow
async def test_an_outage_is_asked_by_single_probes_and_not_multiplied():
    async with Simulator(script=["ok"] * 40 + ["503"] * 12 + ["ok"] * 400) as sim, executor(sim) as engine:
        results = await engine.gather([LLMTask(f"Hello {n}") for n in range(100)])
        assert sim.stats()["calls"] <= 100 + 14
        arrived = [call.arrived for call in sim.ledger if call.status == 503]
        in_flight = [
            sum(other.arrived <= call.arrived < (other.ended or 0.0) for other in sim.ledger)
            for call in sim.ledger
            if call.status == 503 and call.arrived > arrived[8]
        ]
    assert set(in_flight) <= {1}
    assert {type(result.error) for result in results if not result.success} <= {Overloaded}
