import asyncio
import itertools

import pytest

from ingather import EchoProvider, LLMTask, ParallelLLMExecutor, TaskResult
from tests.executor.stand_ins import Sleeper, taken_into


class Counted:
    """An endless input, or one of `length` tasks, that knows how far it was pulled."""

    def __init__(self, prompt="0", length=None):
        self.prompt = prompt
        self.length = length
        self.pulled = 0

    def __iter__(self):
        for _ in itertools.count() if self.length is None else range(self.length):
            self.pulled += 1
            yield LLMTask(self.prompt)


async def slowly(tasks):
    for task in tasks:
        await asyncio.sleep(0)
        yield task


@pytest.mark.looptime
async def test_results_come_as_they_finish():
    prompts = ["3", "1 fails", "2"]
    finished = [
        r
        async for r in ParallelLLMExecutor(Sleeper()).as_completed(
            LLMTask(p, tag=p) for p in prompts
        )
    ]
    assert [result.tag for result in finished] == ["1 fails", "2", "3"]
    assert [result.index for result in finished] == [1, 2, 0]
    assert [result.success for result in finished] == [False, True, True]


@pytest.mark.looptime
async def test_each_result_is_there_the_moment_it_finishes():
    clock = asyncio.get_running_loop()
    results = ParallelLLMExecutor(Sleeper()).as_completed(
        [LLMTask("3"), LLMTask("1"), LLMTask("2")]
    )
    moments = [(result.value.content, clock.time()) async for result in results]
    assert moments == [("1", 1.0), ("2", 2.0), ("3", 3.0)]


async def test_nothing_begins_before_the_first_result_is_asked_for():
    provider, tasks = EchoProvider(), Counted(length=3)
    results = ParallelLLMExecutor(provider).as_completed(tasks)
    await asyncio.sleep(0)
    assert (tasks.pulled, provider.call_count) == (0, 0)
    await anext(results)
    assert tasks.pulled > 0
    await results.aclose()


@pytest.mark.parametrize("max_concurrency", [1, 4])
async def test_the_input_is_pulled_no_further_ahead_than_the_window(max_concurrency):
    tasks = Counted()
    taken = 0
    async with ParallelLLMExecutor(EchoProvider(), max_concurrency).as_completed(tasks) as results:
        async for _ in results:
            taken += 1
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert tasks.pulled - taken <= 2 * max_concurrency + 16
            if taken == 200:
                break


@pytest.mark.parametrize("kind", [iter, slowly], ids=["iterable", "async iterable"])
async def test_a_consumer_that_is_slow_holds_up_the_input(kind):
    tasks = Counted()
    async with ParallelLLMExecutor(EchoProvider(), 4).as_completed(kind(tasks)) as results:
        await anext(results)
        for _ in range(1000):
            await asyncio.sleep(0)
        assert tasks.pulled == 1 + 2 * 4 + 16


async def test_every_task_comes_exactly_once():
    results = ParallelLLMExecutor(EchoProvider(), 7).as_completed(
        LLMTask(str(i)) for i in range(500)
    )
    assert sorted([result.index async for result in results]) == list(range(500))


async def test_a_dict_gives_its_keys_as_tags():
    results = ParallelLLMExecutor(EchoProvider()).as_completed(
        {"a": LLMTask("x"), "b": LLMTask("y")}
    )
    assert {result.tag: result.value.content async for result in results} == {
        "a": "Echo: x",
        "b": "Echo: y",
    }


async def test_nothing_gives_nothing():
    nothing: list[LLMTask] = []
    executor = ParallelLLMExecutor(EchoProvider())
    assert [result async for result in executor.as_completed(nothing)] == []


async def test_after_its_end_it_stays_at_its_end():
    results = ParallelLLMExecutor(EchoProvider()).as_completed([LLMTask("a")])
    assert (await anext(results)).success
    for _ in range(2):
        with pytest.raises(StopAsyncIteration):
            await anext(results)


@pytest.mark.looptime
@pytest.mark.parametrize("how", ["aclose", "async with", "aclose of the executor"])
async def test_closing_early_cancels_what_is_in_flight_and_waits_for_it(how):
    provider = Sleeper()
    executor = ParallelLLMExecutor(provider, max_concurrency=2)
    results = executor.as_completed([LLMTask("1"), LLMTask("5"), LLMTask("6"), LLMTask("7")])
    if how == "async with":
        async with results:
            assert (await anext(results)).success
            await asyncio.sleep(0)
    else:
        assert (await anext(results)).success
        await asyncio.sleep(0)
        await (results if how == "aclose" else executor).aclose()
    assert sorted(provider.cancelled) == ["5", "6"]
    assert provider.in_flight == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert asyncio.get_running_loop().time() == pytest.approx(1.0)


@pytest.mark.looptime
async def test_after_closing_there_is_nothing_more():
    results = ParallelLLMExecutor(Sleeper()).as_completed([LLMTask("1"), LLMTask("2")])
    await anext(results)
    await results.aclose()
    await results.aclose()
    assert [result async for result in results] == []


async def test_closing_what_never_began_pulls_nothing():
    tasks = Counted(length=3)
    results = ParallelLLMExecutor(EchoProvider()).as_completed(tasks)
    await results.aclose()
    assert [result async for result in results] == []
    assert tasks.pulled == 0


@pytest.mark.looptime
async def test_an_error_in_the_consumers_own_code_cancels_what_is_in_flight():
    provider = Sleeper()

    async def consume():
        async with ParallelLLMExecutor(provider).as_completed(
            [LLMTask("1"), LLMTask("9")]
        ) as results:
            async for _ in results:
                raise KeyError("mine")

    with pytest.raises(KeyError):
        await consume()
    assert provider.cancelled == ["9"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.looptime
async def test_a_cancelled_consumer_leaves_nothing_in_flight():
    provider = Sleeper()
    results = ParallelLLMExecutor(provider).as_completed([LLMTask("1"), LLMTask("9")])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(taken_into([], results), 2)
    assert provider.cancelled == ["9"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.looptime
async def test_results_that_are_abandoned_warn_and_are_cleaned_up():
    provider = Sleeper()
    executor = ParallelLLMExecutor(provider)
    results = executor.as_completed([LLMTask("1"), LLMTask("9")])
    await anext(results)
    with pytest.warns(ResourceWarning, match="aclose"):
        del results
    await asyncio.sleep(0.1)
    assert provider.cancelled == ["9"]
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert "0 runs" in repr(executor)


class BrokenInput(Exception):
    pass


@pytest.mark.looptime
async def test_an_input_that_raises_is_raised_after_all_its_results():
    def source():
        yield LLMTask("2")
        yield LLMTask("1")
        raise BrokenInput("row 3")

    provider = Sleeper()
    delivered: list[TaskResult] = []
    with pytest.raises(BrokenInput, match="row 3"):
        await taken_into(delivered, ParallelLLMExecutor(provider).as_completed(source()))
    assert [result.value.content for result in delivered] == ["1", "2"]
    assert provider.cancelled == []


@pytest.mark.looptime
async def test_two_iterations_of_one_executor_share_its_bound():
    provider = Sleeper()
    executor = ParallelLLMExecutor(provider, max_concurrency=2)

    async def drain():
        return [result async for result in executor.as_completed(LLMTask("1") for _ in range(4))]

    assert [len(results) for results in await asyncio.gather(drain(), drain())] == [4, 4]
    assert provider.peak == 2
    assert asyncio.get_running_loop().time() == pytest.approx(4.0)


@pytest.mark.looptime
async def test_stop_reports_every_task_that_was_pulled():
    results = ParallelLLMExecutor(Sleeper(), max_concurrency=2).as_completed(Counted("3"))
    async with asyncio.TaskGroup() as group:
        group.create_task(_stop_after(1.0, results))
        stopped = [result async for result in results]
    assert [type(result.error).__name__ for result in stopped] == ["Cancelled", "Cancelled"]
    assert "enough" in str(stopped[0].error)


async def _stop_after(seconds, results):
    await asyncio.sleep(seconds)
    results.stop("enough")
