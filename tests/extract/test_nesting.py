"""An extraction among other tasks and inside of functions: the same bounds, at one slot too, and it always ends."""

import asyncio
import threading
from typing import Any, cast

import pytest

from ingather import DeterministicTask, LLMTask, ParallelLLMExecutor, RetryConfig, run_sync
from ingather.errors import BadRequest, Cancelled, MissingFields, NotSent, ServerFault
from tests.extract.wires import ALL, FOUR, fields_in, one, ones
from tests.run.stand_ins import WAYS, Wire, assert_at_rest, until

BOUNDS = pytest.mark.parametrize("bound", [1, 2, 7])


@BOUNDS
@pytest.mark.looptime
async def test_beside_tasks_of_the_other_kinds(bound):
    wire = Wire(ones, latency=1.0)
    executor = ParallelLLMExecutor(wire, bound)
    tasks = {
        "first": one(),
        "call": LLMTask("hello"),
        "code": DeterministicTask(max, args=(1, 2)),
        "single": one(split="single"),
        "last": one(functions={"d": lambda text: 1}),
    }
    results = await executor.execute(tasks)
    assert list(results) == list(tasks)
    assert [results[tag].value for tag in ("first", "single", "last", "code")] == [ALL, ALL, ALL, 2]
    assert results["call"].value.content == "hello"
    assert [result.attempts for result in results.values()] == [4, 1, 0, 1, 3]
    assert min(bound, 4) <= wire.peak <= bound
    assert_at_rest(executor, wire)


@WAYS
@BOUNDS
@pytest.mark.looptime
async def test_by_every_method(way, bound):
    wire = Wire(ones, latency=0.1)
    executor = ParallelLLMExecutor(wire, bound)
    results = await way(executor, [one(tag=str(number)) for number in range(5)])
    found = list(results.values()) if isinstance(results, dict) else results
    assert [result.value for result in found] == [ALL] * 5
    assert wire.peak <= bound
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_two_hundred_at_once_keep_the_bound_full_and_never_above_it():
    wire = Wire(ones, latency=1.0)
    executor = ParallelLLMExecutor(wire, max_concurrency=7)
    loop = asyncio.get_running_loop()
    began = loop.time()
    results = await executor.gather([one() for _ in range(200)])
    assert all(result.success for result in results)
    assert wire.peak == 7
    assert len(wire.ledger) == 800
    assert loop.time() - began == pytest.approx(-(-800 // 7))  # no slot was ever idle
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_what_was_begun_is_ended_before_more_is_begun():
    wire = Wire(ones, latency=1.0)
    executor = ParallelLLMExecutor(wire, max_concurrency=4)
    now = asyncio.get_running_loop().time
    ended = [
        (now(), result.index) async for result in executor.as_completed(one() for _ in range(20))
    ]
    # two may end at the same moment
    assert [index for _, index in sorted(ended)] == list(range(20))


@BOUNDS
@pytest.mark.looptime
async def test_inside_async_functions_and_those_inside_others(bound):
    wire = Wire(ones, latency=0.1)
    executor = ParallelLLMExecutor(wire, bound)

    async def section(depth):
        inner = [
            one() if depth == 0 else DeterministicTask(section, (depth - 1,)) for _ in range(3)
        ]
        return sum(
            result.unwrap().a if depth == 0 else result.unwrap()
            for result in (await executor.gather(inner))
            if result.unwrap()
        )

    (result,) = await executor.gather([DeterministicTask(section, (2,))])
    assert result.value == 27
    assert wire.peak <= bound
    assert_at_rest(executor, wire)


@BOUNDS
async def test_inside_threads_by_run_sync(bound):
    wire = Wire(ones, latency=0.001)
    executor = ParallelLLMExecutor(wire, bound)

    def section():
        return [result.unwrap() for result in run_sync(executor.gather([one() for _ in range(4)]))]

    results = await executor.gather([DeterministicTask(section) for _ in range(5)])
    assert [result.value for result in results] == [[ALL] * 4] * 5
    assert wire.peak <= bound
    assert_at_rest(executor, wire)


@BOUNDS
async def test_functions_of_an_extraction_that_extract_again(bound):
    wire = Wire(ones, latency=0.001)
    executor = ParallelLLMExecutor(wire, bound)

    def deeper(text):
        return run_sync(executor.gather([one(text)]))[0].unwrap().a

    async def deepest(text):
        return (await executor.gather([one(text, functions={"a": deeper})]))[0].unwrap().a

    results = await executor.gather([one(functions={"a": deepest, "b": deeper}) for _ in range(6)])
    assert [result.value for result in results] == [ALL] * 6
    assert wire.peak <= bound
    assert_at_rest(executor, wire)


async def test_from_two_loops_at_once():
    wire = Wire(ones, latency=0.001)
    executor = ParallelLLMExecutor(wire, max_concurrency=3)
    there = list[object]()
    thread = threading.Thread(
        target=lambda: there.extend(run_sync(executor.gather([one() for _ in range(20)])))
    )
    thread.start()
    here = await executor.gather([one() for _ in range(20)])
    await asyncio.to_thread(thread.join)
    assert [result.value for result in (*here, *there)] == [ALL] * 40
    assert wire.peak <= 3


@pytest.mark.looptime
async def test_no_slot_is_held_while_a_part_sleeps():
    """At one slot: the others go on while one backs off."""
    wire = Wire(
        lambda prompt, number: ServerFault("500") if number == 1 else ones(prompt), latency=1.0
    )
    policy = RetryConfig(max_attempts=2, initial_delay=2.0, max_delay=2.0)
    executor = ParallelLLMExecutor(wire, 1, default_retry=policy)
    (result,) = await executor.gather([one()])
    assert result.value == ALL
    assert result.attempts == 5
    assert result.duration_ms == pytest.approx(5000)
    assert result.backoff_ms == pytest.approx(2000)


# -- stopped


async def closed_after(seconds, executor):
    await asyncio.sleep(seconds)
    await executor.aclose()


def had(result):
    return {name: part.value for name, part in result.parts.items() if part.success}


def fails_for(name):
    return lambda prompt, number: (
        ServerFault("500") if fields_in(prompt) == [name] else ones(prompt)
    )


@pytest.mark.looptime
async def test_a_part_that_fails_stops_nobody_with_fail_fast():
    wire = Wire(fails_for("d"), latency=1.0)
    results = await ParallelLLMExecutor(wire, 8, fail_fast=True).gather([one(), one()])
    assert [result.value.d for result in results] == [0, 0]
    assert [result.missing for result in results] == [("d",), ("d",)]


@pytest.mark.looptime
async def test_an_extraction_that_fails_stops_the_others_and_what_they_had_stays():
    wire = Wire(
        lambda prompt, number: BadRequest("400") if "Poison" in prompt else ones(prompt),
        latency=lambda prompt: (
            9.0 if "Poison" not in prompt and fields_in(prompt) == ["c"] else 1.0
        ),
    )
    executor = ParallelLLMExecutor(wire, 8)
    failing, other = cast("Any", await executor.gather([one("Poison."), one()], fail_fast=True))
    assert isinstance(failing.error, MissingFields)
    assert isinstance(other.error, Cancelled)
    assert had(other) == {"a": 1, "b": 1, "d": 1}
    assert isinstance(other.parts["c"].error, Cancelled)
    assert (other.attempts, other.missing) == (4, ("c",))
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_a_drained_executor_sends_nothing_more_and_what_is_in_flight_comes():
    wire = Wire(ones, latency=1.0)
    executor = ParallelLLMExecutor(wire, 2)
    running: Any = asyncio.create_task(executor.gather([one(), one()]))
    await until(lambda: len(wire.ledger) == 2)
    executor.drain("enough")
    results = await running
    assert len(wire.ledger) == 2
    assert [type(result.error) for result in results] == [NotSent, NotSent]
    assert [had(result) for result in results] == [{"a": 1}, {"a": 1}]
    assert [result.attempts for result in results] == [1, 1]
    assert [result.missing for result in results] == [("b", "c", "d")] * 2
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_closing_the_executor_ends_them_with_what_they_had():
    wire = Wire(ones, latency=1.0)
    executor = ParallelLLMExecutor(wire, 3)
    results: Any
    results, _ = await asyncio.gather(
        executor.gather([one() for _ in range(3)]), closed_after(1.5, executor)
    )
    assert [had(result) for result in results] == [{"a": 1}] * 3
    assert all(isinstance(result.error, Cancelled) for result in results)
    assert sum(result.attempts for result in results) == len(wire.ledger) == 6
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_among_steps_it_has_a_tag_and_its_answer_is_no_message():
    wire = Wire(ones)
    executor = ParallelLLMExecutor(wire, 2)
    steps = [LLMTask("one"), one(), LLMTask("three"), one(tag="mine")]
    results: Any = await executor.execute_sequential(steps, pass_result=True)
    assert [result.tag for result in results] == ["step_0", "step_1", "step_2", "mine"]
    assert [result.value for result in results[1::2]] == [ALL, ALL]
    assert [part.tag for part in results[1].parts.values()] == [
        f"step_1.{name}" for name in FOUR.model_fields
    ]


async def test_an_interrupt_in_a_function_of_it_goes_through():
    class Stop(BaseException):
        pass

    def stop(text):
        raise Stop

    wire = Wire(ones, latency=0.001)
    executor = ParallelLLMExecutor(wire, 2)
    with pytest.raises(Stop):
        await executor.gather([one(functions={"b": stop}), one()])
    assert_at_rest(executor, wire)
