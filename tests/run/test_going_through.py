"""What is no `Exception` goes through all levels and ends the rest."""

import asyncio

import pytest

from ingather import DeterministicTask, LLMTask, ParallelLLMExecutor, RetryConfig
from tests.run.stand_ins import (
    WAYS,
    Wire,
    assert_at_rest,
    assert_usable,
    llm_tasks,
    other_tasks,
)

PATIENT = RetryConfig(max_attempts=5, initial_delay=100.0, max_delay=100.0)


# -- what is no Exception


class Abort(BaseException):
    """Somebody's own."""


@WAYS
@pytest.mark.looptime
async def test_a_base_exception_of_a_function_goes_through_and_cancels_the_rest(way):
    wire = Wire(latency=1000.0)
    executor = ParallelLLMExecutor(wire, 3)

    async def aborts():
        await asyncio.sleep(1.0)
        raise Abort

    with pytest.raises(Abort):
        await way(executor, [DeterministicTask(aborts), *llm_tasks(10)])
    assert asyncio.get_running_loop().time() == 1.0
    assert other_tasks() == set()
    assert_at_rest(executor, wire)
    await assert_usable(executor)


async def test_a_base_exception_of_a_thread_goes_through():
    executor = ParallelLLMExecutor(Wire(latency=1000.0), 3)

    def aborts():
        raise Abort

    with pytest.raises(Abort):
        await executor.gather([DeterministicTask(aborts), *llm_tasks(10)])
    assert other_tasks() == set()
    assert_at_rest(executor)


@pytest.mark.looptime
async def test_a_base_exception_below_goes_through_all_levels():
    wire = Wire(latency=1000.0)
    executor = ParallelLLMExecutor(wire, 2)

    async def aborts():
        raise Abort

    async def parent(depth):
        below = DeterministicTask(parent, (depth - 1,)) if depth else DeterministicTask(aborts)
        await executor.gather([below, LLMTask("beside")])

    with pytest.raises(Abort):
        await executor.gather([DeterministicTask(parent, (3,)), *llm_tasks(5)])
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


def test_system_exit_of_a_function_ends_the_program_and_leaves_nothing():
    wire = Wire(latency=1000.0)
    executor = ParallelLLMExecutor(wire, 3)

    async def leaves():
        await asyncio.sleep(0)
        raise SystemExit(7)

    with pytest.raises(SystemExit) as ending:
        asyncio.run(executor.gather([DeterministicTask(leaves), *llm_tasks(10)]))
    assert ending.value.code == 7
    assert_at_rest(executor, wire)
