"""Many calls of one executor at once, on one loop and from many threads."""

import asyncio
import gc
import sys
import threading
from typing import Any

import pytest

from ingather import DeterministicTask, EchoProvider, LLMTask, ParallelLLMExecutor
from ingather.admission.gate import Gate
from ingather.admission.permit import Queue, Slots
from ingather.engine.by_loop import ByLoop
from ingather.report import Report


def calls_made(work):
    """How many functions `work()` calls: what it costs, on a machine however busy."""
    count = 0

    def look(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    gc.collect()
    gc.disable()
    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


@pytest.mark.slow
@pytest.mark.parametrize(
    "listener", [None, Report, lambda: lambda event: None], ids=["alone", "report", "events"]
)
@pytest.mark.parametrize(
    "tasks", [[LLMTask("a")], [LLMTask("a"), DeterministicTask(asyncio.sleep, (0,))]]
)
def test_a_gather_costs_the_same_however_many_are_open(listener, tasks):
    def cost(count):
        executor = ParallelLLMExecutor(EchoProvider(), 10, on_event=listener and listener())

        async def together():
            await asyncio.gather(*(executor.gather(tasks) for _ in range(count)))

        return calls_made(lambda: asyncio.run(together())) / count

    cost(10)  # what is made once
    assert cost(640) < 1.5 * cost(80)


@pytest.mark.slow
def test_a_run_costs_the_same_however_many_consumers_stand_still():
    def cost(count):
        executor = ParallelLLMExecutor(EchoProvider(), 2)

        async def taken():
            for _ in range(count):
                results = executor.as_completed([LLMTask("a"), LLMTask("b")])
                await anext(results)
                held.append(results)
            for results in held:
                await results.aclose()

        held = []
        return calls_made(lambda: asyncio.run(taken())) / count

    cost(10)
    assert cost(640) < 1.5 * cost(80)


@pytest.mark.slow
def test_an_executor_costs_the_same_however_many_share_its_quota():
    def cost(count):
        pool = Gate("shared")
        lanes: list[Queue] = []
        calls = calls_made(lambda: lanes.extend(Queue(Slots(2), pool) for _ in range(count)))
        assert pool.controller.window.size == max(8, 2 * count)
        return calls / count

    assert cost(640) < 1.5 * cost(80)


def test_bounds_of_executors_that_are_gone_do_not_count():
    pool = Gate("shared")
    for _ in range(50):
        Queue(Slots(5), pool)
        gc.collect(0)
    assert pool.controller.window.size <= 15


def test_an_executor_may_be_shared_by_threads():
    """Each call on a loop of its own, as in a synchronous server: nothing is lost, and nothing left behind."""
    executor = ParallelLLMExecutor(EchoProvider(), 8, on_event=lambda event: None)
    wrong: list[object] = []
    done: list[object] = []
    interval = sys.getswitchinterval()

    def work():
        for number in range(40):
            try:
                results = asyncio.run(executor.gather([LLMTask(f"{number}"), LLMTask("b")]))
                executor.stats()
                done.extend(result.unwrap() for result in results)
            except BaseException as error:
                wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []
    assert len(done) == 8 * 40 * 2
    stats = executor.stats()
    assert (stats.tasks, stats.attempts) == (len(done), len(done))
    assert not executor._runs
    assert executor._slots.in_use == 0


class Stand:
    def __init__(self, loop):
        self.loop = loop


def test_runs_of_a_loop_that_was_closed_are_none_any_more():
    alive, dead = asyncio.new_event_loop(), asyncio.new_event_loop()
    runs: ByLoop[Any] = ByLoop()
    mine: Any = Stand(loop=alive)
    theirs: Any = Stand(loop=dead)
    runs.add(mine)
    runs.add(theirs)
    dead.close()
    assert runs.take_dead() == [theirs]
    assert list(runs) == [mine]
    runs.discard(mine)
    assert not runs
    assert len(runs) == 0
    alive.close()
