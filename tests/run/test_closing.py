"""Closing results or their executor, from outside and from inside, or forgetting to."""

import asyncio
import contextlib
import gc

import pytest

from ingather import DeterministicTask, LLMTask, ParallelLLMExecutor, TaskResult
from ingather.errors import Cancelled, NotSent
from tests.run.stand_ins import (
    Wire,
    assert_at_rest,
    assert_usable,
    consume,
    llm_tasks,
    other_tasks,
    until,
    until_in_time,
)

# -- the results


@pytest.mark.looptime
async def test_closing_early_cancels_what_is_in_flight_and_awaits_it():
    wire = Wire(latency=lambda prompt: 0.1 if prompt == "0" else 100.0, farewell=2.0)
    executor = ParallelLLMExecutor(wire, 3)
    results = executor.as_completed(llm_tasks(10))
    assert (await anext(results)).tag == ""
    await results.aclose()
    assert asyncio.get_running_loop().time() == pytest.approx(2.1)
    assert len(wire.outcomes("cancelled")) == 3
    assert other_tasks() == set()
    assert_at_rest(executor, wire)
    with pytest.raises(StopAsyncIteration):
        await anext(results)
    await results.aclose()  # once more does nothing


@pytest.mark.looptime
async def test_leaving_the_block_early_closes_the_results():
    wire = Wire(latency=1.0, farewell=2.0)
    executor = ParallelLLMExecutor(wire, 3)
    async with executor.as_completed(llm_tasks(10)) as results:
        async for _ in results:
            break
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_a_consumer_that_raises_in_the_block_closes_the_results():
    wire = Wire(latency=1.0, farewell=2.0)
    executor = ParallelLLMExecutor(wire, 3)

    async def consumer():
        async with executor.in_order(llm_tasks(10)) as results:
            async for _ in results:
                raise ValueError("consumer")

    with pytest.raises(ValueError, match="consumer"):
        await consumer()
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_abandoned_results_warn_and_are_cleaned_up():
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, 3)

    async def consumer():
        async for _ in executor.as_completed(llm_tasks(10)):
            break
        gc.collect()

    with pytest.warns(ResourceWarning, match="async with"):
        await consumer()
    await until(lambda: other_tasks() == set())
    assert_at_rest(executor, wire)
    await assert_usable(executor)


@pytest.mark.looptime
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_abandoned_results_are_cleaned_up_where_warnings_are_errors_too():
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, 3)
    async for _ in executor.as_completed(llm_tasks(10)):
        break
    gc.collect()
    await until(lambda: other_tasks() == set())
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_a_consumer_that_raises_without_a_block_is_cleaned_up_after_too():
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, 3)

    async def consumer():
        with contextlib.suppress(ValueError):
            async for _ in executor.as_completed(llm_tasks(10)):
                raise ValueError
        gc.collect()

    with pytest.warns(ResourceWarning, match="async with"):
        await consumer()
    await until(lambda: other_tasks() == set())
    assert_at_rest(executor, wire)


async def test_results_that_were_never_begun_or_are_exhausted_need_no_closing():
    executor = ParallelLLMExecutor(Wire(), 3)
    executor.as_completed(llm_tasks(3))
    assert len([result async for result in executor.as_completed(llm_tasks(3))]) == 3
    gc.collect()
    assert_at_rest(executor)


@pytest.mark.looptime
async def test_two_consumers_may_share_one_iterator():
    executor = ParallelLLMExecutor(Wire(latency=1.0), 2)
    results = executor.as_completed(llm_tasks(20))
    async with asyncio.timeout(1000):
        mine, yours = await asyncio.gather(consume(results), consume(results))
    assert sorted(result.index for result in mine + yours) == list(range(20))
    assert other_tasks() == set()


@pytest.mark.looptime
async def test_two_consumers_of_results_in_order_get_them_in_order():
    executor = ParallelLLMExecutor(Wire(latency=lambda prompt: float(int(prompt) % 3)), 4)
    results, seen = executor.in_order(llm_tasks(20)), []

    async def take():
        seen.extend([result.index async for result in results])

    async def note():
        async for result in results:
            seen.append(result.index)  # noqa: PERF401 - in the order in which both consumers come

    async with asyncio.timeout(1000):
        await asyncio.gather(note(), note())
    assert seen == list(range(20))


@pytest.mark.looptime
async def test_a_slow_consumer_that_is_cancelled_is_cleaned_up_after():
    wire = Wire()
    executor = ParallelLLMExecutor(wire, 2)

    async def slow_consumer():
        async for _ in executor.as_completed(LLMTask("x") for _ in range(1000)):
            await asyncio.sleep(1000.0)

    task = asyncio.create_task(slow_consumer())
    await asyncio.sleep(5.0)
    task.cancel()
    with pytest.warns(ResourceWarning, match="async with"):
        await asyncio.wait([task])
    await until(lambda: other_tasks() == set())
    assert_at_rest(executor, wire)


# -- the executor


@pytest.mark.looptime
async def test_leaving_the_executor_cancels_what_is_in_flight_and_awaits_it():
    wire = Wire(latency=100.0, farewell=2.0)
    async with ParallelLLMExecutor(wire, 3) as executor:
        results = executor.as_completed(llm_tasks(10))
        first = asyncio.create_task(anext(results))
        await asyncio.sleep(1.0)
    assert asyncio.get_running_loop().time() == pytest.approx(3.0)
    assert_at_rest(executor, wire)
    assert isinstance((await first).error, Cancelled)
    assert other_tasks() == set()


@pytest.mark.parametrize("method", ["gather", "execute"])
@pytest.mark.looptime
async def test_closing_the_executor_while_another_task_awaits_it_reports_every_task(method):
    wire = Wire(latency=lambda prompt: 1.0 if int(prompt) < 3 else 100.0)
    executor = ParallelLLMExecutor(wire, 3)
    tasks = llm_tasks(10)

    async def call():
        if method == "gather":
            return await executor.gather(tasks)
        return list((await executor.execute(dict(zip("abcdefghij", tasks, strict=True)))).values())

    waiting = asyncio.create_task(call())
    await asyncio.sleep(2.0)
    await executor.aclose()
    kinds = [type(result.error) for result in await waiting]
    assert kinds == [type(None)] * 3 + [Cancelled] * 3 + [NotSent] * 4
    assert asyncio.get_running_loop().time() == 2.0
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_leaving_the_executor_by_an_exception_closes_it():
    wire = Wire(latency=100.0)
    executor = ParallelLLMExecutor(wire, 3)
    waiting = []

    async def body():
        async with executor:
            results = executor.as_completed(llm_tasks(10))
            waiting.append(asyncio.ensure_future(anext(results)))
            await asyncio.sleep(1.0)
            raise ValueError("body")

    with pytest.raises(ValueError, match="body"):
        await body()
    assert_at_rest(executor, wire)
    assert isinstance(waiting[0].result().error, Cancelled)


@pytest.mark.looptime
async def test_a_closed_executor_can_be_used_again():
    executor = ParallelLLMExecutor(Wire(), 3)
    await executor.aclose()
    await executor.aclose()
    assert [result.success for result in await executor.gather(llm_tasks(3))] == [True] * 3


@pytest.mark.parametrize("nested_first", [False, True])
@pytest.mark.looptime
async def test_closing_the_executor_from_inside_one_of_its_own_functions_ends(nested_first):
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, 2)

    async def helpful():
        async with executor:
            if nested_first:
                return len(await executor.gather(llm_tasks(2)))
            return 2

    waiting = asyncio.create_task(executor.gather([DeterministicTask(helpful), *llm_tasks(5)]))
    for _ in range(20_000):
        await asyncio.sleep(0)
        if waiting.done():
            break
    await asyncio.sleep(50.0)
    assert waiting.done()
    assert len(await waiting) == 6
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_a_drained_call_sends_nothing_more_even_when_a_new_one_begins():
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, 2)

    async def slow_consumer():
        errors = []
        async with executor.as_completed(iter(LLMTask("old") for _ in range(100))) as results:
            async for result in results:
                errors.append(type(result.error))
                await asyncio.sleep(0.5)
        return errors

    old = asyncio.create_task(slow_consumer())
    await asyncio.sleep(5.2)
    executor.drain("interrupted")
    sent = len(wire.ledger)
    await executor.gather([LLMTask("new")] * 5)
    errors = await old
    assert len([sent for sent in wire.ledger if sent.prompt == "old"]) == sent
    assert errors.count(NotSent) == 100 - sent
    assert_at_rest(executor, wire)


# -- by somebody else than who takes the results


async def taken(results, seen, pause=0.0):
    async for result in results:
        seen.append(result)
        await asyncio.sleep(pause)


@pytest.mark.parametrize("closed", ["results", "executor", "block"])
@pytest.mark.parametrize("method", ["as_completed", "in_order"])
@pytest.mark.parametrize("pause", [0.0, 3.0])
@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.looptime
async def test_a_consumer_is_told_that_somebody_else_has_closed_its_results(
    closed, method, pause, lazy
):
    wire = Wire(latency=lambda prompt: 1.0 + int(prompt) % 3)
    executor = ParallelLLMExecutor(wire, 3)
    tasks = llm_tasks(30)
    results = getattr(executor, method)(iter(tasks) if lazy else tasks)
    seen: list[TaskResult] = []
    consumer = asyncio.create_task(taken(results, seen, pause))
    await asyncio.sleep(5.5)
    if closed == "results":
        await results.aclose()
    elif closed == "block":
        async with results:
            pass
    else:
        await executor.aclose()
    with pytest.raises(Cancelled, match="closed"):
        await consumer
    if closed == "executor":  # whose consumer still gets what was pulled
        assert sorted(result.index for result in seen) == list(range(len(seen)))
        assert len(seen) == len(wire.ledger)
    with pytest.raises(StopAsyncIteration):  # who closed them knows
        await anext(results)
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_a_consumer_that_closes_its_own_results_hears_nothing():
    executor = ParallelLLMExecutor(Wire(latency=1.0), 3)
    results = executor.as_completed(llm_tasks(10))
    seen = []
    async for result in results:
        seen.append(result)
        if len(seen) == 4:
            await results.aclose()
    assert len(seen) == 4


@pytest.mark.looptime
async def test_results_that_have_all_been_taken_may_be_closed_by_anybody():
    executor = ParallelLLMExecutor(Wire(latency=1.0), 3)
    results = executor.as_completed(llm_tasks(3))
    for _ in range(3):
        await anext(results)
    await asyncio.create_task(results.aclose())
    await executor.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(results)


@pytest.mark.looptime
async def test_where_one_of_two_consumers_is_cancelled_the_other_is_told():
    executor = ParallelLLMExecutor(Wire(latency=1.0), 2)
    results = executor.as_completed(llm_tasks(20))
    mine, yours = (asyncio.create_task(taken(results, [])) for _ in range(2))
    await asyncio.sleep(2.5)
    mine.cancel()
    await asyncio.wait([mine, yours])
    assert isinstance(yours.exception(), Cancelled)


@pytest.mark.parametrize("method", ["gather", "as_completed", "in_order"])
@pytest.mark.parametrize("closed", ["results", "results, synchronously", "executor"])
async def test_closing_from_another_thread_is_told_as_well(method, closed):
    if method == "gather" and closed != "executor":
        return  # which it has not
    wire = Wire(latency=100.0)
    executor = ParallelLLMExecutor(wire, 3)
    results = None if method == "gather" else getattr(executor, method)(llm_tasks(10))
    seen: list[TaskResult] = []
    consumer = asyncio.create_task(
        executor.gather(llm_tasks(10)) if results is None else taken(results, seen)
    )
    await until_in_time(lambda: len(wire.ledger) == 3)
    end = executor.aclose if closed == "executor" or results is None else results.aclose
    if results is not None and closed == "results, synchronously":
        await asyncio.wait_for(asyncio.to_thread(results.close), 30)
    else:
        await asyncio.to_thread(lambda: asyncio.run(end()))
    if method == "gather":
        kinds = [type(result.error) for result in await consumer]
        assert kinds == [Cancelled] * 3 + [NotSent] * 7
    else:
        with pytest.raises(Cancelled, match="closed"):
            await consumer
        assert [type(result.error) for result in seen] == [Cancelled] * len(seen)
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


@pytest.mark.parametrize("method", ["as_completed", "in_order"])
@pytest.mark.parametrize("how", ["stop", "drain"])
@pytest.mark.looptime
async def test_stopping_and_draining_leave_a_result_for_each_task_that_was_pulled(method, how):
    wire = Wire(latency=lambda prompt: 1.0 + int(prompt) % 3)
    executor = ParallelLLMExecutor(wire, 3)
    pulled = 0

    def tasks():
        nonlocal pulled
        for task in llm_tasks(30):
            pulled += 1
            yield task

    results = getattr(executor, method)(tasks())
    seen: list[TaskResult] = []
    consumer = asyncio.create_task(taken(results, seen))
    await asyncio.sleep(5.5)
    if how == "stop":
        results.stop("enough")
    else:
        executor.drain("enough")
    await consumer
    assert sorted(result.index for result in seen) == list(range(pulled))


@pytest.mark.parametrize("method", ["as_completed", "in_order"])
@pytest.mark.parametrize("begun", [0.0, 5.0])
@pytest.mark.looptime
async def test_a_consumer_whose_input_has_nothing_yet_is_told_that_somebody_else_has_closed_its_results(
    method, begun
):
    """Every task that was pulled had its result, if any was; the input had not come to its end."""

    async def tasks():
        for task in llm_tasks(2):
            yield task
        await asyncio.sleep(100)

    executor = ParallelLLMExecutor(Wire(latency=1.0), 3)
    results = getattr(executor, method)(tasks())
    seen: list[TaskResult] = []
    consumer = asyncio.create_task(taken(results, seen))
    await asyncio.sleep(begun)
    await results.aclose()
    with pytest.raises(Cancelled, match="closed by another"):
        await consumer
    assert len(seen) == (2 if begun else 0)
    assert_at_rest(executor)


@pytest.mark.parametrize("method", ["as_completed", "in_order"])
@pytest.mark.looptime
async def test_going_on_after_a_timeout_of_the_wait_for_a_result_is_told_that_there_are_no_more(
    method,
):
    executor = ParallelLLMExecutor(Wire(latency=1.0), 3)
    results = getattr(executor, method)(llm_tasks(10))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await anext(results)
    for _ in range(2):
        with pytest.raises(Cancelled, match="timeout around the whole loop"):
            await anext(results)
    assert_at_rest(executor)
