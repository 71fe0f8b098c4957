"""Slow requests in two copies: the first answer wins, the other is cancelled, and nothing is left behind."""

import asyncio
import random

import pytest

from ingather import Budget, Hedge, LLMResponse, LLMTask, ParallelLLMExecutor, RetryConfig, Usage
from ingather.errors import (
    AttemptTimeout,
    BadRequest,
    Cancelled,
    DeadlineExceeded,
    RateLimited,
    ServerFault,
)
from ingather.events import AttemptEnded, Event, Hedged
from ingather.limits.tokens import Tokens
from tests.run.stand_ins import Wire, assert_at_rest, gate_of, llm_tasks

pytestmark = pytest.mark.looptime


class Tailed:
    """Lognormal latencies, of which a share is twenty times as long: by chance, for each request anew."""

    def __init__(self, seed, share=0.02):
        self._dice, self._share = random.Random(seed), share

    def __call__(self, prompt):
        return self._dice.lognormvariate(0, 0.3) * (20 if self._dice.random() < self._share else 1)


def now():
    return asyncio.get_running_loop().time()


async def wall(hedge, seed):
    wire = Wire(latency=Tailed(seed))
    executor = ParallelLLMExecutor(wire, 50, hedge=hedge)
    begun = now()
    results = await executor.gather(llm_tasks(500))
    assert all(result.success for result in results)
    assert_at_rest(executor, wire)
    assert wire.peak <= 50
    return now() - begun, len(wire.ledger)


@pytest.mark.parametrize("seed", range(5))
async def test_the_last_answer_comes_in_half_the_time_for_5_percent_more_calls(seed):
    plain, calls = await wall(None, seed)
    hedged, more = await wall(Hedge(), seed)
    assert calls == 500
    assert more <= 525
    assert hedged <= 0.5 * plain


async def test_the_first_answer_wins_and_the_other_copy_is_cancelled():
    events: list[Event] = []
    wire: Wire = Wire(
        lambda prompt, number: f"{prompt}:{number}",
        latency=lambda prompt: 100.0 if len(wire.ledger) == 10 else 1.0,
    )
    executor = ParallelLLMExecutor(
        wire, 2, hedge=Hedge(after=2.0, max_extra=0.2), on_event=events.append
    )
    results = await executor.gather(llm_tasks(10))
    assert results[9].value.content == "9:11"
    assert results[9].attempts == 2
    assert [sent.outcome for sent in wire.ledger] == ["answered"] * 9 + ["cancelled", "answered"]
    assert [event.index for event in events if isinstance(event, Hedged)] == [9]
    assert_at_rest(executor, wire)


async def test_a_slow_first_copy_may_still_win():
    latencies = iter([1.0] * 9 + [5.0, 50.0])
    wire = Wire(lambda prompt, number: f"{number}", latency=lambda prompt: next(latencies))
    results = await ParallelLLMExecutor(wire, 2, hedge=Hedge(after=2.0, max_extra=0.2)).gather(
        llm_tasks(10)
    )
    assert results[9].attempts == 2
    assert wire.ledger[-1].outcome == "cancelled"


async def test_a_copy_that_fails_leaves_the_first_one_to_answer():
    latencies = iter([1.0] * 9 + [10.0, 1.0])

    def answer(prompt, number):
        if len(answered) == 9 and now() < 10:
            return ServerFault("500")
        answered.append(prompt)
        return prompt

    answered: list[str] = []
    wire = Wire(answer, latency=lambda prompt: next(latencies))
    [*_, last] = await ParallelLLMExecutor(wire, 1, hedge=Hedge(after=2.0, max_extra=0.2)).gather(
        llm_tasks(9)
    )
    assert last.success


async def test_a_copy_takes_a_slot_of_its_own_and_only_a_free_one():
    dice = random.Random(1)
    wire = Wire(latency=lambda prompt: dice.uniform(5.0, 15.0))
    results = await ParallelLLMExecutor(wire, 5, hedge=Hedge(after=1.0, max_extra=1.0)).gather(
        llm_tasks(50)
    )
    assert all(result.success for result in results)
    assert wire.peak == 5
    assert max(result.attempts for result in results) == 2
    assert len(wire.ledger) < 60


async def test_no_copy_while_the_quota_is_under_pressure():
    def answer(prompt, number):
        return RateLimited("429", status=429, retry_after=0.1) if number <= 4 else prompt

    wire: Wire = Wire(answer, latency=lambda prompt: 0.1 if len(wire.ledger) <= 4 else 5.0)
    results = await ParallelLLMExecutor(wire, 8, hedge=Hedge(after=1.0, max_extra=1.0)).gather(
        llm_tasks(4)
    )
    assert all(result.success for result in results)
    assert sum(result.attempts - result.rejected for result in results) == 4


async def test_the_cost_of_a_cancelled_copy_is_counted():
    latencies = iter([1.0] * 9 + [100.0, 1.0])
    wire = Wire(
        lambda prompt, number: LLMResponse(prompt, usage=Usage(0, 1)),
        latency=lambda prompt: next(latencies),
        estimate=lambda prompt: Tokens(1, max_output=10),
    )
    budget = Budget(max_cost_usd=1000.0, prices={"*": (0.0, 1_000_000.0)})
    executor = ParallelLLMExecutor(wire, 2, budget=budget, hedge=Hedge(after=2.0, max_extra=0.2))
    await executor.gather(llm_tasks(10))
    assert (budget.spent.usd, budget.reserved.usd) == (20.0, 0.0)


async def test_both_copies_go_when_the_run_is_cancelled():
    wire = Wire(latency=100.0, farewell=0.5)
    executor = ParallelLLMExecutor(wire, 10, hedge=Hedge(after=1.0, max_extra=1.0))
    run = asyncio.create_task(executor.gather([LLMTask("x")] * 3))
    await asyncio.sleep(10.0)
    assert len(wire.ledger) > 3
    run.cancel()
    await asyncio.wait([run])
    assert_at_rest(executor, wire)


@pytest.mark.parametrize("bad", [0.95, "p95", True])
def test_a_hedge_that_is_none_is_refused(bad):
    with pytest.raises(TypeError, match="hedge"):
        ParallelLLMExecutor(Wire(), hedge=bad)


def slow_tenth():
    """Ten calls, of which the last is slow in its first copy."""
    latencies = iter([1.0] * 9 + [100.0, 1.0])
    return Wire(
        lambda prompt, number: f"{prompt}:{number}", latency=lambda prompt: next(latencies, 1.0)
    )


HEDGE = Hedge(after=2.0, max_extra=0.2)


async def test_copies_have_numbers_and_a_call_that_is_hedged_has_an_unknown_cost():
    events: list[Event] = []
    wire = slow_tenth()
    budget = Budget(max_cost_usd=1000.0, prices={"*": (1.0, 1.0)})
    wire.estimate = lambda prompt: Tokens(1, max_output=1)
    executor = ParallelLLMExecutor(wire, 2, hedge=HEDGE, budget=budget, on_event=events.append)
    results = await executor.gather(llm_tasks(10))
    ended = [event for event in events if isinstance(event, AttemptEnded) and event.index == 9]
    assert [(event.attempt, type(event.error)) for event in ended] == [
        (2, type(None)),
        (1, asyncio.CancelledError),
    ]
    assert results[9].cost_usd is None
    assert all(result.cost_usd is not None for result in results[:9])


async def test_a_hedged_answer_is_stored_once_and_shared(tmp_path):
    wire = slow_tenth()
    async with ParallelLLMExecutor(wire, 2, hedge=HEDGE, store=tmp_path / "run.db") as executor:
        await executor.gather(llm_tasks(10))
        sent = len(wire.ledger)
        again = await executor.gather(llm_tasks(10))
        assert all(result.cached for result in again)
        assert len(wire.ledger) == sent
    assert_at_rest(executor, wire)


async def test_a_timeout_holds_for_each_copy():
    latencies = iter([1.0] * 9 + [100.0, 100.0])
    wire = Wire(latency=lambda prompt: next(latencies))
    executor = ParallelLLMExecutor(wire, 2, hedge=HEDGE, default_per_task_timeout=5.0)
    results = await executor.gather(llm_tasks(10))
    assert isinstance(results[9].error, AttemptTimeout)
    assert results[9].attempts == 2
    first, second = wire.ledger[9:]
    assert (first.ended - first.began, second.ended - second.began) == (
        pytest.approx(5.0),
        pytest.approx(5.0),
    )
    assert_at_rest(executor, wire)


async def test_a_deadline_ends_both_copies():
    latencies = iter([1.0] * 9 + [100.0, 100.0])
    wire = Wire(latency=lambda prompt: next(latencies), farewell=0.1)
    executor = ParallelLLMExecutor(wire, 2, hedge=HEDGE, deadline=20.0)
    results = await executor.gather(llm_tasks(10))
    assert isinstance(results[9].error, DeadlineExceeded)
    assert [sent.outcome for sent in wire.ledger[9:]] == ["cancelled"] * 2
    assert_at_rest(executor, wire)


async def test_fail_fast_ends_both_copies():
    def answer(prompt, number):
        return BadRequest("no") if prompt == "8" else prompt

    latencies = {"8": 20.0, "9": 100.0}
    wire = Wire(answer, latency=lambda prompt: latencies.get(prompt, 1.0))
    executor = ParallelLLMExecutor(wire, 3, hedge=HEDGE, fail_fast=True)
    results = await executor.gather(llm_tasks(10))
    assert isinstance(results[8].error, BadRequest)
    assert isinstance(results[9].error, Cancelled)
    assert_at_rest(executor, wire)


async def test_closing_the_executor_ends_both_copies():
    wire = Wire(latency=100.0, farewell=0.5)
    executor = ParallelLLMExecutor(wire, 10, hedge=Hedge(after=1.0, max_extra=1.0))
    run = asyncio.create_task(executor.gather([LLMTask("x")] * 3))
    await asyncio.sleep(10.0)
    assert len(wire.ledger) > 3
    await executor.aclose()
    assert {type(result.error) for result in await run} == {Cancelled}
    assert_at_rest(executor, wire)


async def test_two_copies_that_fail_are_one_attempt_of_the_policy():
    def answer(prompt, number):
        return ServerFault("500") if number in (10, 11) else prompt

    latencies = iter([1.0] * 9 + [10.0, 1.0])
    wire = Wire(answer, latency=lambda prompt: next(latencies, 1.0), retry=RetryConfig(2))
    executor = ParallelLLMExecutor(wire, 2, hedge=HEDGE)
    results = await executor.gather(llm_tasks(10))
    assert results[9].success
    assert results[9].attempts == 3
    assert gate_of(executor).retries.left < 10.0 + 10 * 0.1 - 0.5


async def test_429s_do_not_make_more_copies():
    def answer(prompt, number):
        return RateLimited("429", status=429, retry_after=0.1) if number % 2 else prompt

    executor = ParallelLLMExecutor(
        Wire(answer, latency=1.0), 3, hedge=Hedge(after=0.5, max_extra=0.1)
    )
    results = await executor.gather(llm_tasks(40))
    assert all(result.success for result in results)
    assert executor.stats().hedges <= 4


async def test_a_response_model_is_hedged_too():
    latencies = iter([1.0] * 9 + [100.0, 1.0])
    wire = Wire(lambda prompt, number: '{"value": 3}', latency=lambda prompt: next(latencies))
    tasks = [LLMTask(str(number), response_model=int) for number in range(10)]
    results = await ParallelLLMExecutor(wire, 2, hedge=HEDGE).gather(tasks)
    assert [result.value for result in results] == [3] * 10
    assert results[9].attempts == 2
