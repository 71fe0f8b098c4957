"""`run_sync`: one door for scripts, threads, notebooks and functions that an executor runs."""

import asyncio
import concurrent.futures
import contextvars
import threading

import pytest

from ingather import DeterministicTask, EchoProvider, LLMTask, ParallelLLMExecutor, run_sync
from ingather.engine import sync as bridge
from ingather.errors import AttemptTimeout, Cancelled
from tests.run.stand_ins import Wire, assert_at_rest, llm_tasks, other_tasks, until_in_time


async def answer(value=42):
    await asyncio.sleep(0)
    return value


async def fail(error):
    await asyncio.sleep(0)
    raise error


# -- where it works


def test_in_a_script():
    assert run_sync(answer()) == 42
    executor = ParallelLLMExecutor(EchoProvider())
    assert run_sync(executor.execute({"q": LLMTask("hello")}))["q"].value.content == "Echo: hello"


def test_one_loop_serves_every_call():
    async def loop():
        return asyncio.get_running_loop()

    assert run_sync(loop()) is run_sync(loop())


def test_in_many_threads_at_once_that_share_an_executor():
    wire = Wire(latency=0.001)
    executor = ParallelLLMExecutor(wire, 4)
    together = threading.Barrier(20)

    def ask(number):
        together.wait(30)
        return [
            result.unwrap().content
            for result in run_sync(executor.gather([LLMTask(f"{number}")] * 10))
        ]

    with concurrent.futures.ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(ask, range(20)))
    assert answers == [[str(number)] * 10 for number in range(20)]
    assert wire.peak == 4
    assert_at_rest(executor, wire)


@pytest.mark.blocking_ok  # as a notebook's cell does, which runs inside the notebook's loop
async def test_inside_a_running_loop_as_in_a_notebook():
    executor = ParallelLLMExecutor(EchoProvider())
    assert run_sync(answer()) == 42
    assert run_sync(executor.gather([LLMTask("hello")]))[0].success


async def test_in_a_thread_beside_a_running_loop():
    executor = ParallelLLMExecutor(EchoProvider())
    results = await asyncio.to_thread(lambda: run_sync(executor.gather(llm_tasks(3))))
    assert [result.success for result in results] == [True] * 3


async def test_in_a_function_of_an_executor_it_runs_on_that_executors_loop():
    executor = ParallelLLMExecutor(EchoProvider(), 1)
    here = asyncio.get_running_loop()

    async def loop():
        return asyncio.get_running_loop()

    (result,) = await executor.gather([DeterministicTask(lambda: run_sync(loop()))])
    assert result.unwrap() is here


async def test_a_function_may_ask_again_and_again():
    executor = ParallelLLMExecutor(EchoProvider(), 1)

    def function():
        return [run_sync(executor.gather(llm_tasks(2)))[i % 2].value.content for i in range(10)]

    (result,) = await executor.gather([DeterministicTask(function)])
    assert result.unwrap() == ["Echo: 0", "Echo: 1"] * 5


def test_a_function_may_ask_while_its_executor_was_itself_asked_by_run_sync():
    executor = ParallelLLMExecutor(EchoProvider(), 1)

    def below(depth):
        if depth == 0:
            return "bottom"
        return run_sync(executor.gather([DeterministicTask(below, (depth - 1,))]))[0].unwrap()

    assert below(10) == "bottom"


def test_iterating_results_takes_one_coroutine():
    executor = ParallelLLMExecutor(EchoProvider())

    async def all_of_them():
        return [result.value.content async for result in executor.in_order(llm_tasks(3))]

    assert run_sync(all_of_them()) == ["Echo: 0", "Echo: 1", "Echo: 2"]


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="nobody")


def test_it_carries_the_callers_context_variables():
    async def seen():
        return variable.get()

    context = contextvars.copy_context()
    context.run(variable.set, "caller")
    assert context.run(run_sync, seen()) == "caller"
    assert run_sync(seen()) == "nobody"


# -- what comes out


class Abort(BaseException):
    """Somebody's own."""


@pytest.mark.parametrize(
    "error", [ValueError("v"), TimeoutError("t"), Cancelled("c"), Abort("a")], ids=repr
)
def test_what_the_coroutine_raises_is_raised_here(error):
    with pytest.raises(type(error)) as raised:
        run_sync(fail(error))
    assert raised.value is error


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt("k")], ids=repr)
def test_what_would_end_a_loop_is_raised_here_and_the_loop_goes_on(error):
    with pytest.raises(type(error)) as raised:
        run_sync(fail(error))
    assert raised.value is error
    assert run_sync(answer()) == 42


@pytest.mark.parametrize("is_async", [False, True])
def test_system_exit_of_a_function_is_raised_here_and_the_loop_goes_on(is_async):
    executor = ParallelLLMExecutor(Wire(latency=1000.0), 2)

    def leaves():
        raise SystemExit(3)

    async def leaves_async():
        raise SystemExit(3)

    task = DeterministicTask(leaves_async if is_async else leaves)
    with pytest.raises(SystemExit):
        run_sync(executor.gather([task, LLMTask("x")]))
    assert run_sync(answer()) == 42
    assert_at_rest(executor)


def test_a_traceback_names_both_sides():
    with pytest.raises(ValueError, match="v") as raised:
        run_sync(fail(ValueError("v")))
    names = [entry.name for entry in raised.traceback]
    assert names[0] == "test_a_traceback_names_both_sides"
    assert names[-1] == "fail"


def test_a_coroutine_that_cancels_itself_raises_cancelled():
    async def cancels_itself():
        raise asyncio.CancelledError

    with pytest.raises(Cancelled):
        run_sync(cancels_itself())
    assert run_sync(answer()) == 42


@pytest.mark.parametrize("nothing", [42, None, answer])
def test_what_is_no_coroutine_is_a_type_error(nothing):
    with pytest.raises(TypeError, match="coroutine"):
        run_sync(nothing)


# -- where it would wait for itself


async def test_in_an_async_function_of_an_executor_it_says_await():
    executor = ParallelLLMExecutor(EchoProvider())

    async def function():
        return run_sync(answer())

    (result,) = await executor.gather([DeterministicTask(function)])
    assert isinstance(result.error, RuntimeError)
    assert "await" in str(result.error)


def test_in_a_coroutine_of_its_own_it_says_await():
    async def outer():
        return run_sync(answer())

    with pytest.raises(RuntimeError, match="await"):
        run_sync(outer())


async def test_in_a_bare_provider_it_says_await():
    class Provider:
        async def complete(self, messages, config_overrides=None):
            return run_sync(answer())

    (result,) = await ParallelLLMExecutor(Provider()).gather([LLMTask("x")])
    assert isinstance(result.error, RuntimeError)
    assert "await" in str(result.error)


# -- its end


async def test_a_function_whose_task_timed_out_gets_cancelled_out_of_its_wait():
    wire = Wire(latency=1000.0)
    executor = ParallelLLMExecutor(wire, 1)
    released = []

    def function():
        try:
            run_sync(executor.gather([LLMTask("x")]))
        except Cancelled as error:
            released.append(error)
            raise

    (result,) = await executor.gather([DeterministicTask(function, timeout=0.05)])
    assert isinstance(result.error, AttemptTimeout)
    await until_in_time(lambda: len(released) == 1)
    await until_in_time(lambda: other_tasks() == set())
    assert_at_rest(executor, wire)


async def test_a_function_left_behind_cannot_ask_any_more():
    provider = EchoProvider()
    executor = ParallelLLMExecutor(provider, 1)
    release, raised = threading.Event(), []

    def function():
        release.wait(30)
        try:
            run_sync(executor.gather([LLMTask("x")]))
        except Cancelled as error:
            raised.append(error)

    await executor.gather([DeterministicTask(function, timeout=0.01)])
    release.set()
    await until_in_time(lambda: len(raised) == 1)
    assert "over" in str(raised[0])
    assert provider.call_count == 0


async def test_a_function_whose_task_ends_at_the_very_moment_it_asks_asks_for_nothing(monkeypatch):
    """The task is over between the question whether it is and the asking."""
    wire = Wire(latency=1000.0)
    executor = ParallelLLMExecutor(wire, 1)
    asked, go_on, outcome = threading.Event(), threading.Event(), []
    crossing = bridge._Crossing

    def slow_crossing(*arguments):
        asked.set()
        go_on.wait(30)
        return crossing(*arguments)

    def function():
        try:
            run_sync(executor.gather([LLMTask("x")]))
        except BaseException as error:
            outcome.append(error)
            raise

    monkeypatch.setattr(bridge, "_Crossing", slow_crossing)
    task = asyncio.create_task(executor.gather([DeterministicTask(function)]))
    await until_in_time(asked.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    await until_in_time(lambda: len(outcome) == 1)
    assert isinstance(outcome[0], Cancelled)
    await until_in_time(lambda: other_tasks() == set())
    assert wire.ledger == []


def test_a_loop_that_ends_while_a_function_asks_leaves_no_thread_waiting():
    """Many times: a thread asks again and again while its loop is being ended."""
    for _ in range(50):
        executor = ParallelLLMExecutor(EchoProvider(), 1)
        begun, ended = threading.Event(), threading.Event()

        def function(executor=executor, begun=begun, ended=ended):
            try:
                while True:
                    begun.set()
                    run_sync(executor.gather([LLMTask("x")]))
            finally:
                ended.set()

        async def main(executor=executor, begun=begun, function=function):
            task = asyncio.create_task(executor.gather([DeterministicTask(function)]))
            await until_in_time(begun.is_set)
            del task

        asyncio.run(main())
        assert ended.wait(30)
