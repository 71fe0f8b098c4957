"""Results taken with a plain `for`, outside an event loop."""

import asyncio
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from ingather import DeterministicTask, EchoProvider, LLMTask, ParallelLLMExecutor, run_sync
from tests.run.stand_ins import Wire, assert_at_rest


def test_as_completed_and_in_order_can_be_looped_over():
    executor = ParallelLLMExecutor(EchoProvider(), 3)
    texts = [f"{number}" for number in range(200)]
    wanted = [f"Echo: {text}" for text in texts]
    assert sorted(str(result.value) for result in executor.as_completed(texts)) == sorted(wanted)
    assert [str(result.value) for result in executor.in_order(iter(texts))] == wanted


def test_an_async_input_can_be_looped_over_too():
    async def texts():
        for number in range(5):
            yield f"{number}"

    assert len(list(ParallelLLMExecutor(EchoProvider()).as_completed(texts()))) == 5


def test_the_first_results_come_while_later_tasks_still_run():
    gate = threading.Event()
    executor = ParallelLLMExecutor(EchoProvider(), 2)
    results = iter(executor.as_completed(["now", DeterministicTask(gate.wait)]))
    assert str(next(results).value) == "Echo: now"
    gate.set()
    assert [result.value for result in results] == [True]


def test_leaving_early_cancels_what_is_in_flight():
    wire = Wire(latency=lambda prompt: 0.0 if prompt == "quick" else 1e6)
    executor = ParallelLLMExecutor(wire, 3)
    for result in executor.as_completed(["quick", "slow", "slow too"]):
        assert str(result.value) == "quick"
        break
    assert wire.in_flight == 0
    assert len(wire.outcomes("cancelled")) + len(wire.outcomes("answered")) == len(wire.ledger)
    run_sync(settled(executor))


async def settled(executor):
    assert_at_rest(executor)


def test_an_error_in_the_loop_closes_too_within_with():
    wire = Wire(latency=lambda prompt: 0.0 if prompt == "quick" else 1e6)
    executor = ParallelLLMExecutor(wire, 3)
    results = executor.as_completed(["quick", "slow"])

    def fail():
        with results:
            for _ in results:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert wire.in_flight == 0
    assert list(results) == []


def test_what_the_input_raises_comes_out_after_the_results_before_it():
    def broken():
        yield "one"
        raise RuntimeError("row 2")

    results = iter(ParallelLLMExecutor(EchoProvider()).as_completed(broken()))
    assert str(next(results).value) == "Echo: one"
    with pytest.raises(RuntimeError, match="row 2"):
        next(results)


async def test_inside_a_running_loop_it_names_async_for():
    executor = ParallelLLMExecutor(EchoProvider())
    with pytest.raises(RuntimeError, match="write `async for result in …`"):
        list(executor.as_completed(["a"]))
    with pytest.raises(RuntimeError, match="write `async for result in …`"):
        for _ in executor.in_order(["a"]):
            pass


def test_in_a_notebook_whose_loop_always_runs_it_works(monkeypatch):
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    executor = ParallelLLMExecutor(EchoProvider())

    async def cell():
        return [str(result.value) for result in executor.as_completed(["a"])]

    assert asyncio.run(cell()) == ["Echo: a"]


def test_run_sync_says_that_results_are_looped_over():
    with pytest.raises(TypeError, match="`for result in"):
        run_sync(ParallelLLMExecutor(EchoProvider()).as_completed(["a"]))  # type: ignore[arg-type]


def test_several_threads_may_loop_at_once():
    executor = ParallelLLMExecutor(EchoProvider(), 4)
    counts = []

    def loop():
        counts.append(sum(1 for _ in executor.as_completed(f"{number}" for number in range(50))))

    threads = [threading.Thread(target=loop) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [50] * 4


def test_a_function_of_a_task_may_loop_even_with_one_slot():
    executor = ParallelLLMExecutor(EchoProvider(), 1)

    def nested():
        return [str(result.value) for result in executor.as_completed(["in", "side"])]

    [outer] = run_sync(executor.gather([DeterministicTask(nested)]))
    assert sorted(outer.unwrap()) == ["Echo: in", "Echo: side"]


def test_results_cannot_move_to_another_loop():
    results = ParallelLLMExecutor(EchoProvider()).as_completed(LLMTask("a") for _ in range(100))
    for _ in results:
        break

    fresh = ParallelLLMExecutor(EchoProvider()).as_completed(["a", "b"])

    async def begin():
        await anext(fresh)
        return fresh

    asyncio.run(begin())
    with pytest.raises(RuntimeError, match="another event loop"):
        list(fresh)
    asyncio.run(asyncio.sleep(0))


SCRIPT = """
from ingather import EchoProvider, ParallelLLMExecutor
executor = ParallelLLMExecutor(EchoProvider({"response_delay": 0}), 2)
results = iter(executor.as_completed(str(n) for n in range(1000)))
print(next(results).success)
"""


def test_a_script_that_ends_in_the_middle_ends():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout, done.returncode) == ("True\n", 0)
