import asyncio

import pytest

from ingather import DeterministicTask, EchoProvider, LLMTask, ParallelLLMExecutor
from tests.executor.stand_ins import Sleeper


def texts(results):
    return [result.value.content for result in results]


@pytest.mark.looptime
async def test_results_come_in_input_order_whatever_finishes_first():
    provider = Sleeper()
    results = await ParallelLLMExecutor(provider).gather([LLMTask("3"), LLMTask("1"), LLMTask("2")])
    assert provider.answered == ["1", "2", "3"]
    assert texts(results) == ["3", "1", "2"]
    assert [result.index for result in results] == [0, 1, 2]


async def rows(words):
    for word in words:
        await asyncio.sleep(0)
        yield LLMTask(word)


@pytest.mark.parametrize(
    "kind", ["list", "tuple", "generator", "iterator", "async generator", "dict"]
)
async def test_any_iterable_will_do(kind):
    tasks = [LLMTask(word) for word in "abc"]
    given = {
        "list": tasks,
        "tuple": tuple(tasks),
        "generator": (task for task in tasks),
        "iterator": iter(tasks),
        "async generator": rows("abc"),
        "dict": dict(zip("xyz", tasks, strict=True)),
    }[kind]
    results = await ParallelLLMExecutor(EchoProvider()).gather(given)
    assert texts(results) == ["Echo: a", "Echo: b", "Echo: c"]
    assert [result.tag for result in results] == (
        ["x", "y", "z"] if kind == "dict" else ["", "", ""]
    )


@pytest.mark.parametrize(
    "nothing", [[], (), {}, iter([]), rows("")], ids=["list", "tuple", "dict", "iterator", "async"]
)
async def test_nothing_gives_an_empty_list(nothing):
    assert await ParallelLLMExecutor(EchoProvider()).gather(nothing) == []


async def test_each_result_has_the_tag_of_its_task():
    results = await ParallelLLMExecutor(EchoProvider()).gather(
        [LLMTask("a", tag="one"), LLMTask("b"), LLMTask("c", tag="one")]
    )
    assert [result.tag for result in results] == ["one", "", "one"]


async def test_both_kinds_of_task_mix():
    results = await ParallelLLMExecutor(EchoProvider()).gather(
        [LLMTask("a"), DeterministicTask(max, (1, 2))]
    )
    assert results[0].value.content == "Echo: a"
    assert results[1].value == 2


@pytest.mark.parametrize("max_concurrency", [1, 3, None])
async def test_far_more_tasks_than_the_window_all_come_back_in_order(max_concurrency):
    executor = ParallelLLMExecutor(EchoProvider(), max_concurrency)
    results = await executor.gather(LLMTask(str(i)) for i in range(1000))
    assert texts(results) == [f"Echo: {i}" for i in range(1000)]


@pytest.mark.looptime
async def test_the_slots_stay_full_from_a_slow_async_input():
    provider = Sleeper()

    async def source():
        for _ in range(4):
            await asyncio.sleep(0.1)
            yield LLMTask("1")

    await ParallelLLMExecutor(provider, max_concurrency=4).gather(source())
    assert [second for _, second in provider.begun] == pytest.approx([0.1, 0.2, 0.3, 0.4])


class BrokenInput(Exception):
    pass


def breaks_after(*words):
    for word in words:
        yield LLMTask(word)
    raise BrokenInput("row 3")


async def breaks_slowly_after(*words):
    for task in (LLMTask(word) for word in words):
        await asyncio.sleep(0)
        yield task
    raise BrokenInput("row 3")


@pytest.mark.looptime
@pytest.mark.parametrize("source", [breaks_after, breaks_slowly_after])
async def test_an_input_that_raises_is_raised_after_what_was_begun_has_ended(source):
    provider = Sleeper()
    executor = ParallelLLMExecutor(provider)
    with pytest.raises(BrokenInput, match="row 3"):
        await executor.gather(source("2", "3"))
    assert provider.answered == ["2", "3"]
    assert provider.cancelled == []
    assert (await executor.gather([LLMTask("1")]))[0].success


@pytest.mark.parametrize("wrong", [None, 3, LLMTask("one task is no input")])
async def test_what_cannot_be_iterated_raises_type_error(wrong):
    with pytest.raises(TypeError, match="iterable"):
        await ParallelLLMExecutor(EchoProvider()).gather(wrong)


@pytest.mark.looptime
async def test_a_real_cancellation_cancels_what_is_in_flight_and_leaves_nothing_behind():
    provider = Sleeper()
    executor = ParallelLLMExecutor(provider, max_concurrency=2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.5):
            await executor.gather([LLMTask("1"), LLMTask("5"), LLMTask("6"), LLMTask("7")])
    assert provider.answered == ["1"]
    assert sorted(provider.cancelled) == ["5", "6"]
    assert provider.in_flight == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
    # both slots came back
    assert texts(await executor.gather([LLMTask("1"), LLMTask("1")])) == ["1", "1"]
    assert provider.peak == 2
