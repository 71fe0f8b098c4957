"""A cancelled call of the executor goes, whatever it was doing: no task, slot, request or waiting thread stays."""

import asyncio
import logging
import threading

import pytest

from ingather import DeterministicTask, LLMTask, ParallelLLMExecutor, RetryConfig, run_sync
from ingather.errors import Cancelled, RateLimited, ServerFault
from tests.run.stand_ins import (
    WAYS,
    Wire,
    assert_at_rest,
    assert_usable,
    consume,
    llm_tasks,
    other_tasks,
    until,
    until_in_time,
)

PATIENT = RetryConfig(max_attempts=5, initial_delay=100.0, max_delay=100.0)


async def cancelled_after(seconds, coroutine, times=1):
    """Cancels the asyncio task that awaits it, and waits until it has gone."""
    task = asyncio.create_task(coroutine)
    await asyncio.sleep(seconds)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task


# -- cancelled while …


@WAYS
@pytest.mark.looptime
async def test_requests_are_in_flight(way):
    wire = Wire(latency=100.0)
    executor = ParallelLLMExecutor(wire, 3)
    await cancelled_after(1.0, way(executor, llm_tasks(40)))
    assert other_tasks() == set()
    assert len(wire.outcomes("cancelled")) == len(wire.ledger) > 0
    assert asyncio.get_running_loop().time() == 1.0
    assert_at_rest(executor, wire)
    await assert_usable(executor)


@WAYS
@pytest.mark.looptime
async def test_all_of_it_is_queued_behind_another_call(way):
    wire = Wire(latency=100.0)
    executor = ParallelLLMExecutor(wire, 2)
    first = asyncio.create_task(executor.gather(llm_tasks(2)))
    await asyncio.sleep(0.5)
    await cancelled_after(1.0, way(executor, llm_tasks(40)))
    assert len(wire.ledger) == 2
    assert [result.success for result in await first] == [True, True]
    assert other_tasks() == set()
    assert_at_rest(executor, wire)
    await assert_usable(executor)


@WAYS
@pytest.mark.looptime
async def test_a_task_sleeps_before_its_next_attempt(way):
    wire = Wire(lambda prompt, number: ServerFault("500", status=500), retry=PATIENT)
    executor = ParallelLLMExecutor(wire, 3)
    await cancelled_after(50.0, way(executor, llm_tasks(40)))
    assert other_tasks() == set()
    assert asyncio.get_running_loop().time() == 50.0
    assert_at_rest(executor, wire)
    await assert_usable(executor)


@WAYS
@pytest.mark.looptime
async def test_the_quota_is_paused(way):
    wire = Wire(lambda prompt, number: RateLimited("429", status=429, retry_after=100.0))
    executor = ParallelLLMExecutor(wire, 3)
    await cancelled_after(50.0, way(executor, llm_tasks(40)))
    assert other_tasks() == set()
    assert_at_rest(executor, wire)
    await assert_usable(executor)
    # the pause was the quota's, not the call's
    assert 100.0 <= asyncio.get_running_loop().time() <= 110.0


@WAYS
@pytest.mark.looptime
async def test_nested_calls_are_in_flight(way):
    wire = Wire(latency=100.0)
    executor = ParallelLLMExecutor(wire, 2)

    async def parent(depth):
        below = [
            DeterministicTask(parent, (depth - 1,)) if depth else LLMTask("leaf") for _ in range(5)
        ]
        return await executor.gather(below)

    await cancelled_after(1.0, way(executor, [DeterministicTask(parent, (3,)) for _ in range(10)]))
    assert other_tasks() == set()
    assert len(wire.outcomes("cancelled")) == len(wire.ledger) == 2
    assert_at_rest(executor, wire)
    await assert_usable(executor)


@WAYS
async def test_a_thread_waits_for_nested_calls(way):
    """The thread gets `Cancelled` out of its `run_sync`, and its requests are gone before the call is."""
    wire = Wire(latency=1000.0)
    executor = ParallelLLMExecutor(wire, 2)
    released = []

    def parent():
        try:
            run_sync(executor.gather([LLMTask("leaf"), LLMTask("leaf")]))
        except BaseException as error:
            released.append(error)
            raise

    call = way(executor, [DeterministicTask(parent) for _ in range(5)])
    task = asyncio.create_task(call)
    await until_in_time(lambda: wire.in_flight == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert other_tasks() == set()
    assert_at_rest(executor, wire)
    await until_in_time(lambda: len(released) >= 1)
    assert {type(error) for error in released} == {Cancelled}
    await assert_usable(executor)


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_what_a_thread_had_asked_for_is_awaited_before_the_call_is_over(times):
    """A request that takes a moment to go holds its slot until it has gone, nested by `run_sync` too."""
    wire = Wire(latency=1000.0, farewell=0.05)
    executor = ParallelLLMExecutor(wire, 2)

    def parent():
        return run_sync(executor.gather(llm_tasks(2)))

    async def answer_late():
        try:
            await asyncio.sleep(1000.0)
        finally:
            await asyncio.sleep(0.05)

    tasks = [DeterministicTask(parent), DeterministicTask(lambda: run_sync(answer_late()))]
    task = asyncio.create_task(executor.gather(tasks))
    await until_in_time(lambda: wire.in_flight > 0)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert wire.in_flight == 0
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


async def test_a_synchronous_function_runs_its_thread_is_left_behind_and_that_is_said(caplog):
    executor = ParallelLLMExecutor(Wire(), 1)
    running, release, ended = threading.Event(), threading.Event(), threading.Event()

    def slow_function():
        running.set()
        release.wait(30)
        ended.set()

    task = asyncio.create_task(executor.gather([DeterministicTask(slow_function)]))
    await until_in_time(running.is_set)
    task.cancel()
    with caplog.at_level(logging.WARNING, "ingather"), pytest.raises(asyncio.CancelledError):
        await task
    assert "slow_function" in caplog.text
    assert "left behind" in caplog.text
    assert not ended.is_set()
    assert other_tasks() == set()
    assert_at_rest(executor)
    await assert_usable(executor)
    release.set()
    await until_in_time(ended.is_set)


@pytest.mark.looptime
async def test_the_input_is_awaited():
    executor = ParallelLLMExecutor(Wire(), 3)
    closed = []

    async def slow_input():
        yield LLMTask("x")
        try:
            await asyncio.sleep(1000.0)
        finally:
            closed.append(True)

    await cancelled_after(1.0, executor.gather(slow_input()))
    assert closed == [True]
    assert other_tasks() == set()
    assert_at_rest(executor)


# -- other ways to an end


@WAYS
@pytest.mark.looptime
async def test_a_timeout_around_it_is_a_timeout_and_cleans_up(way):
    wire = Wire(latency=100.0)
    executor = ParallelLLMExecutor(wire, 3)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2.0):
            await way(executor, llm_tasks(10))
    assert asyncio.get_running_loop().time() == 2.0
    assert other_tasks() == set()
    assert_at_rest(executor, wire)
    me = asyncio.current_task()
    assert me is not None
    assert me.cancelling() == 0
    await assert_usable(executor)


@pytest.mark.looptime
async def test_a_task_group_that_fails_takes_its_calls_with_it():
    wire = Wire(latency=100.0)
    executor = ParallelLLMExecutor(wire, 3)

    async def fails():
        await asyncio.sleep(1.0)
        raise ValueError

    async def group_of_three():
        async with asyncio.TaskGroup() as group:
            group.create_task(executor.gather(llm_tasks(10)))
            group.create_task(consume(executor.as_completed(llm_tasks(10))))
            group.create_task(fails())

    with pytest.raises(ExceptionGroup):
        await group_of_three()
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


def test_a_loop_that_ends_by_an_exception_leaves_nothing():
    wire = Wire(latency=1000.0)
    executor = ParallelLLMExecutor(wire, 3)
    left: list[asyncio.Future] = []

    async def main():
        left.append(asyncio.ensure_future(executor.gather(llm_tasks(10))))
        results = executor.as_completed(llm_tasks(10))
        left.append(asyncio.ensure_future(anext(results)))
        await until(lambda: wire.in_flight == 3)
        raise ValueError("main")

    with pytest.raises(ValueError, match="main"):
        asyncio.run(main())
    assert [task.cancelled() for task in left] == [True, True]
    assert_at_rest(executor, wire)

    async def again():
        await assert_usable(executor)

    asyncio.run(again())
