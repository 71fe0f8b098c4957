"""Synchronous functions: a thread each while they run, the caller's context variables, their errors as they are."""

import asyncio
import contextvars
import gc
import logging
import threading
import weakref
from functools import partial

import pytest

from ingather import DeterministicTask, EchoProvider, ParallelLLMExecutor
from ingather.errors import AttemptTimeout
from ingather.process import threads as module
from ingather.process.threads import run_in_thread
from tests.bridge.programs import run
from tests.run.stand_ins import until_in_time

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="nobody")


def workers():
    return {thread for thread in threading.enumerate() if thread.name == "ingather-function"}


# -- what comes out


async def test_it_gives_what_the_function_returns():
    assert await run_in_thread(lambda: 42, "answer") == 42
    assert await run_in_thread(lambda: None, "nothing") is None


async def test_it_runs_in_another_thread():
    assert await run_in_thread(threading.get_ident, "where") != threading.get_ident()


class Abort(BaseException):
    """Somebody's own."""


@pytest.mark.parametrize(
    "error", [ValueError("v"), Abort("a"), asyncio.CancelledError("c"), TimeoutError()], ids=repr
)
async def test_what_the_function_raises_is_raised_with_its_own_traceback(error):
    def function():
        innermost()

    def innermost():
        raise error

    with pytest.raises(type(error)) as raised:
        await run_in_thread(function, "function")
    assert raised.value is error
    assert [entry.name for entry in raised.traceback][-2:] == ["function", "innermost"]


async def test_stop_iteration_is_a_failure_and_no_end_of_anything():
    with pytest.raises(RuntimeError, match="StopIteration") as raised:
        await run_in_thread(lambda: next(iter(())), "next")
    assert isinstance(raised.value.__cause__, StopIteration)
    (result,) = await ParallelLLMExecutor(EchoProvider()).gather(
        [DeterministicTask(next, (iter(()),))]
    )
    assert isinstance(result.error, RuntimeError)


async def test_a_failed_function_is_not_kept():
    class Heavy:
        pass

    def function():
        heavy = Heavy()
        kept.append(weakref.ref(heavy))
        raise ValueError

    kept: list[weakref.ref] = []
    with pytest.raises(ValueError):
        await run_in_thread(function, "function")
    gc.collect()
    assert kept[0]() is None


async def test_a_result_is_not_kept_by_the_idle_thread():
    class Heavy:
        pass

    result = await run_in_thread(Heavy, "heavy")
    kept = weakref.ref(result)
    del result
    await until_in_time(lambda: gc.collect() is not None and kept() is None)


# -- whose context


async def test_the_callers_context_variables_travel_and_stay():
    def function():
        seen = variable.get()
        variable.set("function")
        return seen

    variable.set("caller")
    assert await run_in_thread(function, "function") == "caller"
    assert variable.get() == "caller"
    variable.set("other caller")
    # and not what the thread ran before
    assert await run_in_thread(variable.get, "get") == "other caller"


# -- how many threads


async def test_an_idle_thread_is_used_again():
    first = await run_in_thread(threading.current_thread, "first")
    await until_in_time(lambda: first in module._idle)
    for _ in range(20):
        again = await run_in_thread(threading.current_thread, "again")
        assert again is first
        await until_in_time(lambda: first in module._idle)


async def test_as_many_run_at_once_as_are_asked_for():
    """Two hundred that all wait for each other: any cap would stop them for ever."""
    together = threading.Barrier(200)
    await asyncio.gather(
        *(run_in_thread(lambda: together.wait(60), "together") for _ in range(200))
    )


async def test_the_executors_bound_is_the_only_one():
    together = threading.Barrier(200)
    executor = ParallelLLMExecutor(EchoProvider(), 200)
    results = await executor.gather([DeterministicTask(together.wait, (60,))] * 200)
    assert sorted(result.unwrap() for result in results) == list(range(200))


async def test_where_no_thread_can_be_had_the_task_fails_and_its_slot_is_free(monkeypatch):
    monkeypatch.setattr(module, "_idle", [])
    executor = ParallelLLMExecutor(EchoProvider(), 1)
    with monkeypatch.context() as patch:
        patch.setattr(
            module._Thread,
            "start",
            lambda self: (_ for _ in ()).throw(RuntimeError("can't start new thread")),
        )
        (result,) = await executor.gather([DeterministicTask(max, (1, 2))])
    assert "can't start new thread" in str(result.error)
    assert (await executor.gather([DeterministicTask(max, (1, 2))]))[0].unwrap() == 2


async def test_idle_threads_end_after_a_while(monkeypatch):
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.01)
    before = workers()
    threads = {await run_in_thread(threading.current_thread, "x") for _ in range(3)}
    await until_in_time(lambda: not (threads - before) & workers())
    assert not (threads - before) & set(module._idle)
    assert await run_in_thread(lambda: 42, "still works") == 42


async def test_a_thread_that_is_handed_a_job_as_it_ends_does_it(monkeypatch):
    """Idle for so short that nearly every job meets a thread which is about to go."""
    monkeypatch.setattr(module, "_IDLE_SECONDS", 1e-4)
    for i in range(500):
        assert await run_in_thread(partial(abs, i), "x") == i
        if i % 3 == 0:
            await asyncio.sleep(1e-4)


# -- left behind


async def test_a_cancelled_ones_thread_is_left_behind_said_and_used_again(caplog):
    begun, release = threading.Event(), threading.Event()
    seen = []

    def slow():
        seen.append(threading.current_thread())
        begun.set()
        release.wait(30)
        raise ValueError("nobody hears this")

    task = asyncio.create_task(run_in_thread(slow, "slow"))
    await until_in_time(begun.is_set)
    task.cancel()
    with caplog.at_level(logging.WARNING, "ingather"), pytest.raises(asyncio.CancelledError):
        await task
    assert "slow" in caplog.text
    assert "left behind" in caplog.text
    assert seen[0].is_alive()
    assert seen[0] not in module._idle
    release.set()
    await until_in_time(lambda: seen[0] in module._idle)


async def test_a_function_that_times_out_fails_and_its_slot_is_free():
    executor = ParallelLLMExecutor(EchoProvider(), 1)
    release = threading.Event()
    results = await executor.gather(
        [DeterministicTask(release.wait, (30,), timeout=0.02), DeterministicTask(lambda: "next")]
    )
    assert isinstance(results[0].error, AttemptTimeout)
    assert results[1].unwrap() == "next"
    release.set()


def test_a_loop_that_has_ended_does_not_disturb_a_thread_left_behind():
    release, ended = threading.Event(), threading.Event()

    def slow():
        release.wait(30)
        ended.set()

    async def main():
        task = asyncio.create_task(run_in_thread(slow, "slow"))
        await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(main())
    release.set()
    assert ended.wait(30)
    assert asyncio.run(run_in_thread(lambda: 42, "answer")) == 42


def test_a_thread_left_behind_does_not_hold_up_the_end_of_the_program():
    code, said, complained = run("""
async def main():
    executor = ParallelLLMExecutor(EchoProvider(), 2)
    (result,) = await executor.gather([DeterministicTask(threading.Event().wait, timeout=0.05)])
    print(type(result.error).__name__)

asyncio.run(main())
""")
    assert (code, said, complained) == (0, ["AttemptTimeout"], "")


def test_idle_threads_do_not_hold_up_the_end_of_the_program():
    code, said, complained = run("""
print(run_sync(ParallelLLMExecutor(EchoProvider()).gather([DeterministicTask(max, (1, 2))]))[0].value)
""")
    assert (code, said, complained) == (0, ["2"], "")
