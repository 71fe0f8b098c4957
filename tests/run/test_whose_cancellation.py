"""Cancelling that is not ours is a failed task; ours is never mistaken for an error."""

import asyncio
import contextlib

import pytest

from ingather import DeterministicTask, LLMTask, ParallelLLMExecutor, RetryConfig
from ingather.errors import Cancelled
from tests.run.stand_ins import (
    Wire,
    assert_at_rest,
    assert_usable,
    consume,
    llm_tasks,
    other_tasks,
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


# -- whose cancellation it is


@pytest.mark.looptime
async def test_a_cancelled_error_that_user_code_raises_is_a_failed_task():
    executor = ParallelLLMExecutor(Wire(latency=1.0), 2)

    async def raises():
        raise asyncio.CancelledError("mine")

    def raises_in_a_thread():
        raise asyncio.CancelledError("mine too")

    async def awaits_something_cancelled():
        task = asyncio.create_task(asyncio.sleep(1000.0))
        await asyncio.sleep(0)
        task.cancel()
        await task

    functions = [raises, raises_in_a_thread, awaits_something_cancelled]
    results = await executor.gather([*(DeterministicTask(fn) for fn in functions), *llm_tasks(5)])
    assert [type(result.error) for result in results] == [Cancelled] * 3 + [type(None)] * 5
    assert results[0].error is not None
    assert isinstance(results[0].error.__cause__, asyncio.CancelledError)
    assert other_tasks() == set()
    assert_at_rest(executor)


@pytest.mark.looptime
async def test_a_provider_that_raises_cancelled_error_has_failed_that_task():
    def answer(prompt, number):
        return asyncio.CancelledError("from inside the client") if prompt == "1" else prompt

    executor = ParallelLLMExecutor(Wire(answer), 2)
    results = await executor.gather(llm_tasks(4))
    assert [type(result.error) for result in results] == [
        type(None),
        Cancelled,
        type(None),
        type(None),
    ]
    assert_at_rest(executor)


@pytest.mark.parametrize("then_awaits", [False, True])
@pytest.mark.looptime
async def test_a_function_that_cancels_its_own_task_harms_no_other(then_awaits):
    executor = ParallelLLMExecutor(Wire(latency=1.0), 1)

    async def cancels_itself():
        me = asyncio.current_task()
        assert me is not None
        me.cancel()
        if then_awaits:
            await asyncio.sleep(0)
        return "done"

    results = await executor.gather(
        [LLMTask("before"), DeterministicTask(cancels_itself), *llm_tasks(5)]
    )
    assert [type(result.error) for result in results] == [type(None), Cancelled] + [type(None)] * 5
    assert other_tasks() == set()
    assert_at_rest(executor)


@pytest.mark.looptime
async def test_a_function_that_shrugs_off_cancellation_is_waited_for():
    executor = ParallelLLMExecutor(Wire(), 1)
    ended = []

    async def stubborn():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(1000.0)
        await asyncio.sleep(5.0)
        ended.append(asyncio.get_running_loop().time())

    await cancelled_after(1.0, executor.gather([DeterministicTask(stubborn), *llm_tasks(3)]))
    assert ended == [6.0]
    assert other_tasks() == set()
    assert_at_rest(executor)


@pytest.mark.looptime
async def test_a_provider_that_turns_cancellation_into_an_error_is_not_asked_again():
    calls = []

    class Client:
        async def complete(self, messages, config_overrides=None):
            calls.append(asyncio.get_running_loop().time())
            try:
                await asyncio.sleep(10.0)
            except asyncio.CancelledError:
                raise ConnectionError("request was aborted") from None

    executor = ParallelLLMExecutor(Client(), 2, default_retry=PATIENT)
    await cancelled_after(1.0, executor.gather(llm_tasks(5)))
    assert calls == [0.0, 0.0]
    assert asyncio.get_running_loop().time() == 1.0
    assert other_tasks() == set()
    assert_at_rest(executor)


# -- fail_fast


@pytest.mark.looptime
async def test_fail_fast_and_a_real_cancellation_in_every_order():
    """The failure and the cancellation in one turn of the loop, one before the other, or apart."""
    for turns in range(12):
        for first in ("failure", "cancellation"):
            wire = Wire(latency=100.0, farewell=0.5)
            executor = ParallelLLMExecutor(wire, 3, fail_fast=True)
            release = asyncio.Event()

            async def fails(release=release):
                await release.wait()
                raise ValueError

            task = asyncio.create_task(executor.gather([DeterministicTask(fails), *llm_tasks(10)]))
            await asyncio.sleep(1.0)
            for step in (
                ("failure", "cancellation") if first == "failure" else ("cancellation", "failure")
            ):
                if step == "failure":
                    release.set()
                else:
                    task.cancel()
                for _ in range(turns):
                    await asyncio.sleep(0)
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert task.cancelled()
            assert other_tasks() == set(), (turns, first)
            assert_at_rest(executor, wire)
            await assert_usable(executor)


@pytest.mark.looptime
async def test_fail_fast_reports_every_task_of_a_list():
    wire = Wire(
        lambda prompt, number: ValueError() if prompt == "2" else prompt,
        latency=lambda prompt: 0.5 * (int(prompt) + 1),
    )
    executor = ParallelLLMExecutor(wire, 4, fail_fast=True)
    results = await executor.gather(llm_tasks(10))
    assert [type(result.error).__name__ for result in results] == (
        ["NoneType", "NoneType", "ValueError", "Cancelled", "Cancelled", "Cancelled"]
        + ["NotSent"] * 4
    )
    assert [result.index for result in results] == list(range(10))
    assert asyncio.get_running_loop().time() == 1.5


@pytest.mark.parametrize("method", ["gather", "as_completed"])
@pytest.mark.looptime
async def test_fail_fast_does_not_wait_for_an_input_that_waits(method):
    """A queue that nobody fills any more, behind an async generator."""
    executor = ParallelLLMExecutor(Wire(latency=5.0), 2, fail_fast=True)

    async def fails():
        await asyncio.sleep(1.0)
        raise ValueError

    async def tasks():
        yield DeterministicTask(fails)
        yield LLMTask("x")
        await asyncio.sleep(1e6)
        yield LLMTask("never")

    run = (
        executor.gather(tasks()) if method == "gather" else consume(executor.as_completed(tasks()))
    )
    results = await run
    assert sorted(type(result.error).__name__ for result in results) == ["Cancelled", "ValueError"]
    assert asyncio.get_running_loop().time() == 1.0
    assert other_tasks() == set()


@pytest.mark.looptime
async def test_a_deadline_does_not_wait_for_an_input_that_waits():
    executor = ParallelLLMExecutor(Wire(latency=1.0), 2, deadline=10.0)

    async def tasks():
        yield LLMTask("x")
        await asyncio.sleep(1e6)
        yield LLMTask("never")

    results = await executor.gather(tasks())
    assert [result.success for result in results] == [True]
    assert asyncio.get_running_loop().time() == 10.0
