"""A loop that stopped without closing gives back what it holds to those who wait, and queues again if it goes on."""

import asyncio
from functools import partial

import pytest

from ingather import Budget, Limits, LLMTask, ParallelLLMExecutor
from ingather.admission import stopped_loops as lookout
from ingather.admission.funds import Funds
from ingather.errors import BudgetSpent
from ingather.limits.tokens import Tokens
from ingather.money.budget import Spend
from tests.run.stand_ins import Wire, gate_of, llm_tasks, slots_of


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch):
    monkeypatch.setattr(lookout, "LOOK_AGAIN", 0.01)


@pytest.fixture
def stopped():
    """A loop that stops while `coroutine` is under way on it: ``stopped(coroutine)``."""
    loops = []

    def stopping(coroutine):
        loop = asyncio.new_event_loop()
        task = loop.create_task(coroutine)
        loop.call_later(0.05, loop.stop)
        loop.run_forever()
        loops.append(loop)
        return loop, task

    yield stopping
    for loop in loops:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            loop.run_until_complete(asyncio.wait([task]))
        loop.close()


async def in_time(coroutine):
    return await asyncio.wait_for(coroutine, 60)


def test_slots_of_an_executor(stopped):
    wire = Wire(latency=0.3)
    executor = ParallelLLMExecutor(wire, 2)
    loop, task = stopped(executor.gather(llm_tasks(5)))
    wire.latency = 0.001
    results = asyncio.run(in_time(executor.gather(llm_tasks(5))))
    assert [result.success for result in results] == [True] * 5
    later = loop.run_until_complete(task)
    assert [result.success for result in later] == [True] * 5
    assert slots_of(executor).in_use == 0


def test_places_in_a_quota(stopped):
    wires = [
        Wire(host="stopped", latency=latency, limits=Limits(max_concurrency=2))
        for latency in (0.3, 0.001)
    ]
    first, second = (ParallelLLMExecutor(wire, 10) for wire in wires)
    loop, task = stopped(first.gather(llm_tasks(5)))
    results = asyncio.run(in_time(second.gather(llm_tasks(5))))
    assert [result.success for result in results] == [True] * 5
    assert [result.success for result in loop.run_until_complete(task)] == [True] * 5


def test_loop_that_only_pauses_keeps_its_slots(stopped, monkeypatch):
    monkeypatch.setattr(lookout, "LOOK_AGAIN", 9999.0)
    wire = Wire(latency=9999.0)
    executor = ParallelLLMExecutor(wire, 2)
    loop, _ = stopped(executor.gather(llm_tasks(2)))

    def turn():
        loop.call_soon(loop.stop)
        loop.run_forever()

    async def turned_by_hand():
        waiting = asyncio.ensure_future(executor.gather([LLMTask("?")]))
        await asyncio.sleep(0.01)
        look = partial(gate_of(executor).stranded.look, asyncio.get_running_loop())
        for _ in range(5):
            look()
            await asyncio.to_thread(turn)
        assert slots_of(executor).in_use == 2
        look()
        look()  # it did not turn in between
        assert slots_of(executor).in_use == 1
        waiting.cancel()
        await asyncio.wait([waiting])

    asyncio.run(turned_by_hand())


def priced(host, latency, budget):
    wire = Wire(host=host, latency=latency, estimate=lambda prompt: Tokens(1, max_output=9))
    return wire, ParallelLLMExecutor(wire, 10, budget=budget)


def test_money_that_is_reserved_counts_as_spent_until_the_loop_turns_again(stopped):
    budget = Budget(max_tokens=25)  # for two at a time
    _, first = priced("first", 0.3, budget)
    _, second = priced("second", 0.001, budget)
    loop, task = stopped(first.gather(llm_tasks(2)))
    (result,) = asyncio.run(in_time(second.gather(llm_tasks(1))))
    assert isinstance(result.error, BudgetSpent)
    assert (budget.spent.tokens, budget.reserved.tokens) == (20, 0)
    assert [result.success for result in loop.run_until_complete(task)] == [True] * 2
    assert (budget.spent.tokens, budget.reserved.tokens) == (4, 0)
    assert asyncio.run(in_time(second.gather(llm_tasks(1))))[0].success


def test_money_for_a_waiter_who_cannot_know_goes_to_the_next(stopped):
    budget = Budget(max_tokens=10)
    funds, all_of_it = Funds(budget), Spend(tokens=10)

    async def hold():
        (await funds.reserve(all_of_it)).close()

    async def one_after_another():
        first = await funds.reserve(all_of_it)
        loop, task = await asyncio.to_thread(stopped, hold())
        second = asyncio.ensure_future(hold())
        await asyncio.sleep(0)
        first.close()  # the earlier one's turn, whose loop has stopped
        await second
        return loop, task

    loop, task = asyncio.run(in_time(one_after_another()))
    loop.run_until_complete(asyncio.wait_for(task, 60))
    assert budget.reserved.tokens == budget.spent.tokens == 0
