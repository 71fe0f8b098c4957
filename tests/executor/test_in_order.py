import asyncio
import itertools

import pytest

from ingather import EchoProvider, LLMTask, ParallelLLMExecutor, TaskResult
from tests.executor.stand_ins import Sleeper, taken_into


@pytest.mark.looptime
async def test_results_come_in_input_order_each_as_soon_as_it_can():
    clock = asyncio.get_running_loop()
    results = ParallelLLMExecutor(Sleeper()).in_order(LLMTask(p) for p in ("2", "1", "4", "3"))
    assert [(result.value.content, clock.time()) async for result in results] == [
        ("2", 2.0),
        ("1", 2.0),
        ("4", 4.0),
        ("3", 4.0),
    ]


@pytest.mark.looptime
async def test_a_failure_keeps_its_place():
    results = ParallelLLMExecutor(Sleeper()).in_order(
        [LLMTask("2"), LLMTask("1 fails"), LLMTask("3")]
    )
    assert [result.success async for result in results] == [True, False, True]


async def test_far_more_tasks_than_the_window_stay_in_order():
    results = ParallelLLMExecutor(EchoProvider(), 3).in_order(LLMTask(str(i)) for i in range(500))
    assert [result.value.content async for result in results] == [f"Echo: {i}" for i in range(500)]


@pytest.mark.looptime
async def test_a_late_result_holds_up_the_input_at_four_windows():
    pulled = 0

    def source():
        nonlocal pulled
        for i in itertools.count():
            pulled += 1
            yield LLMTask("1000" if i == 0 else "0.001")

    window = 2 * 2 + 16
    async with ParallelLLMExecutor(Sleeper(), max_concurrency=2).in_order(source()) as results:
        first = asyncio.ensure_future(anext(results))
        await asyncio.sleep(900)
        assert pulled == 4 * window
        assert (await first).index == 0
        assert [(await anext(results)).index for _ in range(200)] == list(range(1, 201))


@pytest.mark.looptime
async def test_an_input_that_raises_is_raised_after_all_its_results():
    def source():
        yield LLMTask("2")
        yield LLMTask("1")
        raise KeyError("row 3")

    delivered: list[TaskResult] = []
    with pytest.raises(KeyError, match="row 3"):
        await taken_into(delivered, ParallelLLMExecutor(Sleeper()).in_order(source()))
    assert [result.value.content for result in delivered] == ["2", "1"]


@pytest.mark.looptime
async def test_closing_early_cancels_what_is_in_flight():
    provider = Sleeper()
    async with ParallelLLMExecutor(provider).in_order(
        [LLMTask("1"), LLMTask("5"), LLMTask("6")]
    ) as results:
        assert (await anext(results)).index == 0
    assert sorted(provider.cancelled) == ["5", "6"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_dict_and_an_async_input_will_do():
    async def rows():
        for word in "ab":
            await asyncio.sleep(0)
            yield LLMTask(word)

    executor = ParallelLLMExecutor(EchoProvider())
    assert [r.tag async for r in executor.in_order({"x": LLMTask("a"), "y": LLMTask("b")})] == [
        "x",
        "y",
    ]
    assert [r.value.content async for r in executor.in_order(rows())] == ["Echo: a", "Echo: b"]
