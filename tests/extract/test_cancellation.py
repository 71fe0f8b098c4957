"""Cancelled at whatever moment an extraction leaves nothing behind; when its time is up it keeps what it has."""

import asyncio
import contextlib
from typing import Any

import pytest

from ingather import DeterministicTask, ExtractTask, LLMTask, ParallelLLMExecutor, RetryConfig
from ingather.errors import AttemptTimeout, Cancelled, DeadlineExceeded, RateLimited, ServerFault
from tests.extract.wires import ALL, FOUR, fields_in, one, ones
from tests.run.stand_ins import WAYS, Wire, assert_at_rest, assert_usable, other_tasks

POLICY = RetryConfig(max_attempts=2, initial_delay=0.2)


def stubborn(prompt, number):
    """Every kind of trouble, so that all rungs are climbed."""
    if number % 11 == 5:
        return RateLimited("429", status=429, retry_after=0.3)
    if number % 5 == 1:
        return ServerFault("500", status=500)
    return "?" if number % 4 == 3 else ones(prompt)


def mix(executor):
    async def function(text):
        await asyncio.sleep(0.3)
        return 1

    async def parent():
        return await executor.gather([one(), LLMTask("nested")])

    return [
        one(),
        one(functions={"b": function}),
        one(split="single"),
        DeterministicTask(parent),
        one(prime=True),
        one(deadline=0.5),
        one(functions={"a": lambda text: 1 / 0}, timeout=0.15),
        LLMTask("beside"),
    ]


@pytest.mark.parametrize("latency", [0.0, 0.1])
@pytest.mark.parametrize("bound", [1, 3])
@WAYS
async def test_at_every_turn_of_the_loop(way, bound, latency):
    for turns in range(0, 81, 1 if latency else 3):
        await cancelled(way, bound, latency, turns=turns)


@pytest.mark.parametrize("bound", [1, 3])
@WAYS
async def test_at_every_tenth_of_a_second(way, bound):
    for tenths in range(0, 40, 2):
        await cancelled(way, bound, 0.1, seconds=tenths / 10 + 0.05)


pytestmark = pytest.mark.looptime


async def cancelled(way, bound, latency, *, turns=0, seconds=0.0):
    wire = Wire(stubborn, latency=latency)
    executor = ParallelLLMExecutor(wire, bound, default_retry=POLICY)
    task = asyncio.create_task(way(executor, mix(executor)))
    for _ in range(turns):
        await asyncio.sleep(0)
    await asyncio.sleep(seconds)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert other_tasks() == set(), (turns, seconds)
    assert wire.peak <= bound
    assert_at_rest(executor, wire)
    await assert_usable(executor)


@pytest.mark.parametrize("gap", [0, 1, 2, 5])
async def test_twice_while_it_cleans_up(gap):
    for turns in range(40):
        wire = Wire(ones, latency=0.1, farewell=1.0)
        executor = ParallelLLMExecutor(wire, 2)
        task = asyncio.create_task(executor.gather([one(), one(functions={"b": lambda text: 1})]))
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


@pytest.mark.parametrize("tenths", range(1, 60, 4))
async def test_each_call_is_counted_wherever_fail_fast_cuts(tenths):
    wire = Wire(stubborn, latency=0.2)
    executor = ParallelLLMExecutor(wire, 3, default_retry=POLICY)

    async def stop():
        await asyncio.sleep(tenths / 10)
        raise ValueError

    results: Any
    *results, _ = await executor.gather(
        [one(), one(split="single"), one(), DeterministicTask(stop)], fail_fast=True
    )
    assert sum(result.attempts for result in results) == len(wire.ledger)
    for result in results:
        had = {name for name, part in (result.parts or {}).items() if part.success}
        assert result.parts is None or set(result.missing) == set(FOUR.model_fields) - had
        assert result.success or isinstance(result.error, Cancelled) or result.error is not None


# -- when time is up


def staggered(prompt):
    return {"a": 1.0, "b": 2.0, "c": 9.0, "d": 9.0}[fields_in(prompt)[0]]


async def only(executor, task) -> Any:
    (result,) = await executor.gather([task])
    return result


@pytest.mark.parametrize("whose", ["task", "executor"])
async def test_a_deadline_keeps_the_parts_that_were_in_time(whose):
    wire = Wire(ones, latency=staggered)
    executor = ParallelLLMExecutor(wire, 10, deadline=3.0 if whose == "executor" else None)
    result = await only(executor, one(deadline=3.0 if whose == "task" else None))
    assert isinstance(result.error, DeadlineExceeded)
    assert {name: part.value for name, part in result.parts.items() if part.success} == {
        "a": 1,
        "b": 1,
    }
    assert {type(part.error) for part in result.parts.values() if not part.success} == {Cancelled}
    assert result.missing == ("c", "d")
    assert result.attempts == 4
    assert result.duration_ms == pytest.approx(3000)
    assert "after 4 attempts" in str(result.error)
    assert result.usage.input_tokens == 2
    assert_at_rest(executor, wire)


async def test_it_holds_for_the_ladder_as_a_whole():
    wire = Wire(lambda prompt, number: "?", latency=1.0)
    (result,) = await ParallelLLMExecutor(wire, 10).gather([one(deadline=2.5)])
    assert isinstance(result.error, DeadlineExceeded)
    assert result.attempts == 9  # all parts, all again, and the single prompt


async def test_a_deadline_that_has_passed_before_it_began_sends_nothing():
    wire = Wire(ones, latency=1.0)
    executor = ParallelLLMExecutor(wire, 1)
    results = await executor.gather([LLMTask("long"), one(deadline=0.5)])
    assert isinstance(results[1].error, DeadlineExceeded)
    assert results[1].attempts == 0
    assert len(wire.ledger) == 1


async def test_a_timeout_is_that_of_each_call():
    wire = Wire(ones, latency=lambda prompt: 3.0 if "d" in fields_in(prompt) else 1.0)
    result = await only(ParallelLLMExecutor(wire, 10), one(timeout=2.0))
    assert result.value == ALL.model_copy(update={"d": 0})
    assert isinstance(result.parts["d"].error, AttemptTimeout)
    assert result.attempts == 6
    assert result.duration_ms == pytest.approx(6000)


async def test_leaving_an_iterator_early_ends_those_under_way():
    wire = Wire(ones, latency=staggered)
    executor = ParallelLLMExecutor(wire, 20)
    async with executor.as_completed(
        [ExtractTask("x", FOUR, split="fields"), LLMTask("- a")]
    ) as results:
        async for result in results:
            assert result.index == 1
            break
    assert other_tasks() == set()
    assert_at_rest(executor, wire)
