"""Money through the executor: what is sent, what waits, what fails, and that the cap holds."""

import asyncio
import random

import pytest

from ingather import (
    Budget,
    EchoProvider,
    LLMResponse,
    LLMTask,
    ParallelLLMExecutor,
    RetryConfig,
    Usage,
)
from ingather.errors import (
    AttemptTimeout,
    BadBody,
    BudgetSpent,
    ConnectionLost,
    Overloaded,
    RateLimited,
    ServerFault,
    SetupError,
)
from ingather.limits.tokens import Tokens
from tests.run.stand_ins import Wire, assert_at_rest, llm_tasks

pytestmark = pytest.mark.looptime

PRICES = {"*": (0.0, 1_000_000.0)}  # one USD a token of output


def wire_of(spends=lambda prompt, number: 1, *, cap=10, answer=None, **options):
    """Answers take `spends` tokens of output, of at most `cap`."""

    def answered(prompt, number):
        found = None if answer is None else answer(prompt, number)
        return found or LLMResponse(prompt, usage=Usage(0, spends(prompt, number)))

    return Wire(answered, estimate=lambda prompt: Tokens(1, max_output=cap), **options)


async def test_the_cap_is_not_exceeded_and_nearly_used():
    dice = random.Random(7)
    wire = wire_of(lambda prompt, number: dice.randint(1, 10), latency=lambda prompt: dice.random())
    budget = Budget(max_cost_usd=1000.0, prices=PRICES)
    results = await ParallelLLMExecutor(wire, 20, budget=budget).gather(llm_tasks(1000))
    spent = sum(result.cost_usd or 0.0 for result in results)
    assert 950 <= spent <= 1000
    assert budget.spent.usd == pytest.approx(spent)
    assert {type(result.error) for result in results if not result.success} == {BudgetSpent}
    assert all(result.attempts == 0 for result in results if not result.success)
    assert budget.reserved.usd == pytest.approx(0.0)


async def test_calls_wait_while_reservations_may_be_released():
    wire = wire_of(lambda prompt, number: 1, latency=1.0)
    results = await ParallelLLMExecutor(
        wire, 20, budget=Budget(max_cost_usd=25.0, prices=PRICES)
    ).gather(llm_tasks(16))
    assert [result.success for result in results] == [True] * 16
    assert wire.peak == 2


async def test_a_call_that_is_too_dear_for_what_is_left_does_not_hold_up_the_others():
    def estimate(prompt):
        return Tokens(1, max_output=int(prompt))

    wire = Wire(
        lambda prompt, number: LLMResponse(prompt, usage=Usage(0, int(prompt))), estimate=estimate
    )
    executor = ParallelLLMExecutor(wire, 1, budget=Budget(max_cost_usd=10.0, prices=PRICES))
    results = await executor.gather([LLMTask(cost) for cost in ("5", "7", "4", "1", "1")])
    assert [result.success for result in results] == [True, False, True, True, False]


async def test_tokens_have_a_cap_of_their_own():
    wire = Wire(
        lambda prompt, number: LLMResponse(prompt, usage=Usage(2, 3)),
        estimate=lambda prompt: Tokens(1, max_output=5),
    )
    budget = Budget(max_tokens=100)
    results = await ParallelLLMExecutor(wire, 1, budget=budget).gather(llm_tasks(50))
    assert 18 <= sum(result.success for result in results) <= 20
    assert budget.spent.tokens <= 100


@pytest.mark.parametrize(
    ("error", "spent"),
    [
        (RateLimited("429", status=429, retry_after=2.0), 1),
        (Overloaded("503", status=503), 1),
        (ServerFault("500", status=500), 1),
        (Overloaded("502", status=502), 11),
        (ServerFault("504", status=504), 11),
        (ConnectionLost("cut"), 11),
        (BadBody("half", status=200), 11),
        (AttemptTimeout("slow"), 11),
    ],
    ids=str,
)
async def test_an_attempt_that_may_have_been_billed_counts_in_full_and_a_refused_one_not_at_all(
    error, spent
):
    wire = wire_of(
        answer=lambda prompt, number: error if number == 1 else None, retry=RetryConfig(2)
    )
    budget = Budget(max_cost_usd=100.0, prices=PRICES)
    [result] = await ParallelLLMExecutor(wire, budget=budget).gather(llm_tasks(1))
    assert result.success
    assert budget.spent.usd == spent


async def test_a_cancelled_one_counts_in_full_if_it_was_sent():
    wire = wire_of(latency=10.0)
    budget = Budget(max_cost_usd=1000.0, prices=PRICES)
    executor = ParallelLLMExecutor(wire, 3, budget=budget)
    run = asyncio.create_task(executor.gather(llm_tasks(50)))
    await asyncio.sleep(1.0)
    run.cancel()
    await asyncio.wait([run])
    assert (budget.spent.usd, budget.reserved.usd) == (30.0, 0.0)
    assert_at_rest(executor, wire)


async def test_whoever_waits_for_money_can_be_cancelled():
    wire = wire_of(latency=10.0)
    budget = Budget(max_cost_usd=15.0, prices=PRICES)
    executor = ParallelLLMExecutor(wire, 3, budget=budget)
    run = asyncio.create_task(
        executor.gather([LLMTask("x"), LLMTask("y", deadline=2.0), LLMTask("z")])
    )
    results = await run
    assert [result.success for result in results] == [True, False, True]
    assert budget.spent.usd == 2.0


async def test_executors_share_a_budget():
    budget = Budget(max_cost_usd=20.0, prices=PRICES)
    wires = [wire_of(latency=1.0) for _ in range(3)]
    runs = [ParallelLLMExecutor(wire, 5, budget=budget).gather(llm_tasks(20)) for wire in wires]
    results = [result for run in await asyncio.gather(*runs) for result in run]
    assert 10 <= sum(result.success for result in results) <= 20
    assert budget.spent.usd <= 20.0


async def test_an_unknown_price_is_an_error_before_the_first_call():
    wire = wire_of()
    [result] = await ParallelLLMExecutor(wire, budget=Budget(max_cost_usd=1.0)).gather(llm_tasks(1))
    assert isinstance(result.error, SetupError)
    assert "prices" in str(result.error)
    assert wire.ledger == []


async def test_a_request_without_a_limit_on_its_output_is_an_error_before_it_is_sent():
    wire = Wire()
    [result] = await ParallelLLMExecutor(wire, budget=Budget(max_tokens=100)).gather(llm_tasks(1))
    assert isinstance(result.error, SetupError)
    assert "max_tokens" in str(result.error)
    assert wire.ledger == []


async def test_the_providers_own_limit_on_output_counts_where_the_request_has_none():
    wire = Wire(lambda prompt, number: LLMResponse(prompt, usage=Usage(0, 1)))
    wire.max_output = 60  # type: ignore[attr-defined]
    budget = Budget(max_cost_usd=100.0, prices=PRICES)
    results = await ParallelLLMExecutor(wire, 5, budget=budget).gather(llm_tasks(5))
    assert all(result.success for result in results)
    assert wire.peak == 1


@pytest.mark.parametrize("provider", ["echo", "offline/extractive"])
async def test_what_asks_nobody_costs_nothing(provider):
    async with ParallelLLMExecutor(provider, budget=Budget(max_cost_usd=0.000001)) as executor:
        [result] = await executor.gather([LLMTask("What is this?")])
    assert result.success
    assert result.cost_usd == 0.0


async def test_several_choices_are_paid_for():
    provider = EchoProvider()
    budget = Budget(max_tokens=150)
    task = LLMTask("x", config_overrides={"max_tokens": 20, "n": 10})
    [result] = await ParallelLLMExecutor(provider, budget=budget).gather([task])
    assert isinstance(result.error, BudgetSpent)


@pytest.mark.parametrize("bad", [5.0, "5 USD", {"max_cost_usd": 5}])
def test_a_budget_that_is_none_is_refused(bad):
    with pytest.raises(TypeError, match="budget"):
        ParallelLLMExecutor(EchoProvider(), budget=bad)
