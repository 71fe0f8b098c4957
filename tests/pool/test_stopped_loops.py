"""A loop that stopped without closing gives back what it holds to those who wait, and queues again if it goes on."""

import asyncio
from functools import partial

import pytest

from ingather import Limits, LLMTask, ParallelLLMExecutor, stranded
from tests.run.stand_ins import Wire, llm_tasks, pool_of, slots_of


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch):
    monkeypatch.setattr(stranded, "_LOOK_AGAIN", 0.01)


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
    wires = [Wire(host="stopped", latency=latency, limits=Limits(max_concurrency=2)) for latency in (0.3, 0.001)]
    first, second = (ParallelLLMExecutor(wire, 10) for wire in wires)
    loop, task = stopped(first.gather(llm_tasks(5)))
    results = asyncio.run(in_time(second.gather(llm_tasks(5))))
    assert [result.success for result in results] == [True] * 5
    assert [result.success for result in loop.run_until_complete(task)] == [True] * 5


def test_loop_that_only_pauses_keeps_its_slots(stopped, monkeypatch):
    monkeypatch.setattr(stranded, "_LOOK_AGAIN", 9999.0)
    wire = Wire(latency=9999.0)
    executor = ParallelLLMExecutor(wire, 2)
    loop, _ = stopped(executor.gather(llm_tasks(2)))

    def turn():
        loop.call_soon(loop.stop)
        loop.run_forever()

    async def turned_by_hand():
        waiting = asyncio.ensure_future(executor.gather([LLMTask("?")]))
        await asyncio.sleep(0.01)
        look = partial(pool_of(executor).stranded._look, asyncio.get_running_loop())
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
