"""What a task costs, counted rather than timed: calls of functions and turns of the loop; and what a run leaves."""

import asyncio
import gc
import sys

import pytest

from ingather import DeterministicTask, LLMTask, ParallelLLMExecutor
from ingather.errors import DeadlineExceeded
from ingather.testing import text_response


class Stuck:
    """Answers nobody."""

    async def complete(self, messages, config_overrides=None):
        await asyncio.sleep(1e6)


class Ready:
    async def complete(self, messages, config_overrides=None):
        await asyncio.sleep(0)
        return text_response("yes")


async def calls_of_functions(coroutine):
    """How many Python functions are called until it is done."""
    count = 0

    def called(frame, event, argument):
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        results = await coroutine
    finally:
        sys.setprofile(before)
    return count, results


@pytest.mark.parametrize("bound", [1, 10, 1000])
@pytest.mark.parametrize("whose", ["the run's", "the task's"])
@pytest.mark.looptime
async def test_deadlines_of_waiting_tasks_are_told_with_little_work_for_each(bound, whose):
    own, all_their = (None, 1.0) if whose == "the run's" else (1.0, None)
    executor = ParallelLLMExecutor(Stuck(), max_concurrency=bound, deadline=all_their)

    async def cost(count):
        begun = asyncio.get_running_loop().time()
        counted, results = await calls_of_functions(
            executor.gather([LLMTask("?", deadline=own)] * count)
        )
        assert asyncio.get_running_loop().time() - begun == pytest.approx(1.0)
        assert all(isinstance(result.error, DeadlineExceeded) for result in results)
        return counted

    few, many = await cost(6000), await cost(12000)
    # 120 with a record in the log for each, 180 with a clock as well
    assert (many - few) / 6000 < 40


@pytest.mark.looptime
async def test_tasks_that_are_pulled_after_their_deadline_are_told_too():
    executor = ParallelLLMExecutor(Stuck(), max_concurrency=3, deadline=1.0)
    results = [
        result async for result in executor.as_completed([LLMTask("?") for _ in range(2000)])
    ]
    assert asyncio.get_running_loop().time() == pytest.approx(1.0)
    assert [type(result.error) for result in results] == [DeadlineExceeded] * 2000


@pytest.mark.parametrize("kind", ["calls", "functions", "events", "lazy", "deadlines"])
async def test_a_run_that_is_over_leaves_nothing_to_the_garbage_collector(kind):
    heard = (lambda event: None) if kind == "events" else None
    executor = ParallelLLMExecutor(
        Ready(), max_concurrency=3, deadline=60 if kind == "deadlines" else None, on_event=heard
    )

    async def run():
        tasks = [
            DeterministicTask(asyncio.sleep, (0,)) if kind == "functions" else LLMTask("?")
        ] * 5
        if kind == "lazy":
            assert (
                len([result async for result in executor.as_completed(task for task in tasks)]) == 5
            )
        else:
            await executor.gather(tasks)

    for _ in range(3):
        await run()  # what is made once
    await asyncio.sleep(0)
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            await run()
        await asyncio.sleep(0)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found = {
            type(left).__qualname__
            for left in gc.garbage
            if type(left).__module__.startswith("ingather")
        }
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not found & {
        "Run",
        "Workers",
        "Intake",
        "Room",
        "Collected",
        "Call",
        "Tally",
        "Lease",
        "TaskResult",
    }
