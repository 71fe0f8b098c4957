"""The loop belongs to others too, and so do subscribers' mistakes."""

import asyncio
import contextlib

import pytest

from ingather import DeterministicTask, EchoProvider, LLMTask, ParallelLLMExecutor, RetryConfig
from ingather.errors import RateLimited, ServerFault
from tests.run.stand_ins import (
    Wire,
    assert_at_rest,
    assert_usable,
    llm_tasks,
    other_tasks,
    slots_of,
)

PATIENT = RetryConfig(max_attempts=5, initial_delay=100.0, max_delay=100.0)


# -- turns of the loop


async def test_tasks_that_never_suspend_let_others_have_their_turn():
    turns = 0

    async def tick():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def instant():
        return 1

    def failing():
        raise AssertionError("never called")

    ticker = asyncio.create_task(tick())
    try:
        wrong = DeterministicTask(failing, kwargs={"no such": 1})
        inputs: list[list[LLMTask | DeterministicTask]] = [
            [DeterministicTask(instant)] * 5_000,
            [LLMTask("x")] * 5_000,
            [wrong, *[LLMTask("x")] * 5_000],
        ]
        for tasks in inputs:
            turns = 0
            await ParallelLLMExecutor(EchoProvider(), 2).gather(tasks, fail_fast=tasks[0] is wrong)
            assert turns >= 40
    finally:
        ticker.cancel()


async def test_an_endless_input_of_instant_tasks_can_be_cancelled():
    class Instant:
        async def complete(self, messages, config_overrides=None):
            return None

    def endless():
        while True:
            yield LLMTask("x")

    executor = ParallelLLMExecutor(Instant(), 2)
    task = asyncio.create_task(executor.gather(endless()))
    for _ in range(10):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert_at_rest(executor)


# -- subscribers


@pytest.mark.parametrize(
    "kind",
    [
        "RunStarted",
        "TaskStarted",
        "AttemptStarted",
        "AttemptEnded",
        "BackedOff",
        "PoolPaused",
        "TaskEnded",
        "RunEnded",
    ],
)
@pytest.mark.looptime
async def test_a_subscriber_that_raises_takes_no_slot_with_it(kind):
    def answer(prompt, number):
        if number == 1:
            return ServerFault("500", status=500)
        return RateLimited("429", status=429, retry_after=1.0) if number == 2 else prompt

    broken = True

    def subscriber(event):
        if broken and type(event).__name__ == kind:
            raise ValueError("subscriber")

    wire = Wire(answer, latency=1.0)
    executor = ParallelLLMExecutor(wire, 1, default_retry=RetryConfig(), on_event=subscriber)
    with contextlib.suppress(ValueError):
        await executor.gather(llm_tasks(4))
    broken = False
    assert other_tasks() == set()
    assert_at_rest(executor, wire)
    await assert_usable(executor)


def test_slots_say_how_many_are_in_use():
    executor = ParallelLLMExecutor(EchoProvider(), 3)
    assert "0 of 3 in use" in repr(slots_of(executor))
    assert "0 of 3 in use" in repr(executor)
