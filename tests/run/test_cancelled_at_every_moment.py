"""Cancelled after each of the first turns of the loop, and at each moment further on: nothing stays, it works again."""

import asyncio
import contextlib

import pytest

from ingather import DeterministicTask, LLMTask, ParallelLLMExecutor, RetryConfig
from ingather.errors import RateLimited, ServerFault
from tests.run.stand_ins import (
    WAYS,
    Wire,
    assert_at_rest,
    assert_usable,
    other_tasks,
)

PATIENT = RetryConfig(max_attempts=5, initial_delay=100.0, max_delay=100.0)


# -- at every moment


def mix(executor, wire):
    """Calls that answer, fail, are retried and are throttled; functions; functions that ask again."""

    async def function():
        await asyncio.sleep(0.3)

    async def parent():
        return await executor.gather(
            [LLMTask("nested"), DeterministicTask(function), LLMTask("nested too")]
        )

    async def raising():
        await asyncio.sleep(0)
        raise ValueError

    def answer(prompt, number):
        if number % 7 == 3:
            return RateLimited("429", status=429, retry_after=0.5)
        if number % 5 == 1:
            return ServerFault("500", status=500)
        return prompt

    wire.answer = answer
    wire.retry = None
    kinds = [
        lambda: LLMTask("x"),
        lambda: DeterministicTask(function),
        lambda: DeterministicTask(parent),
        lambda: LLMTask("y", timeout=0.05),
        lambda: LLMTask("z", deadline=0.9),
        lambda: DeterministicTask(raising),
    ]
    return [kinds[i % len(kinds)]() for i in range(30)]


@pytest.mark.parametrize("latency", [0.0, 0.1])
@pytest.mark.parametrize("bound", [1, 3])
@WAYS
@pytest.mark.looptime
async def test_at_every_turn_of_the_loop(way, bound, latency):
    """Cancelled after the Nth turn, for every N there is at first; then all invariants, and it works again."""
    policy = RetryConfig(max_attempts=3, initial_delay=0.2)
    for turns in range(61):
        wire = Wire(latency=latency)
        executor = ParallelLLMExecutor(wire, bound, default_retry=policy)
        task = asyncio.create_task(way(executor, mix(executor, wire)))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert task.cancelled() or latency == 0.0
        assert other_tasks() == set(), turns
        assert wire.peak <= bound
        assert_at_rest(executor, wire)
        await assert_usable(executor)


@pytest.mark.parametrize("bound", [1, 3])
@WAYS
@pytest.mark.looptime
async def test_at_every_tenth_of_a_second(way, bound):
    """The same deeper in: in back-off, in pauses, in nested calls, at deadlines."""
    policy = RetryConfig(max_attempts=3, initial_delay=0.2)
    for tenths in range(0, 60, 2):
        wire = Wire(latency=0.1)
        executor = ParallelLLMExecutor(wire, bound, default_retry=policy)
        task = asyncio.create_task(way(executor, mix(executor, wire)))
        await asyncio.sleep(tenths / 10 + 0.05)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert other_tasks() == set(), tenths
        assert wire.peak <= bound
        assert_at_rest(executor, wire)
        await assert_usable(executor)


@pytest.mark.parametrize("gap", [0, 1, 2, 3])
@pytest.mark.looptime
async def test_twice_at_every_turn_of_the_loop(gap):
    """A second cancellation while the first one is being cleaned up after."""
    for turns in range(40):
        wire = Wire(latency=0.1, farewell=1.0)
        executor = ParallelLLMExecutor(wire, 2)
        task = asyncio.create_task(executor.gather(mix(executor, wire)))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        for _ in range(gap):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert other_tasks() == set(), turns
        assert_at_rest(executor, wire)
        await assert_usable(executor)
