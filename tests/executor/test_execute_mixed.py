import asyncio
import functools
import threading
from contextvars import ContextVar

import pytest

from ingather import DeterministicTask, EchoProvider, LLMTask, ParallelLLMExecutor, RetryConfig
from ingather.errors import RateLimited
from ingather.task import Task
from tests.executor.stand_ins import Raising, Sleeper

request_id = ContextVar("request_id", default="none")


def executor(**options):
    return ParallelLLMExecutor(EchoProvider(), **options)


async def value_of(fn, *args, **kwargs):
    results = await executor().execute_mixed({"it": DeterministicTask(fn, args, kwargs)})
    return results["it"].unwrap()


async def test_models_and_functions_answer_side_by_side():
    results = await executor().execute_mixed(
        {
            "model": LLMTask("hello"),
            "sum": DeterministicTask(sum, ([1, 2, 3],)),
            "again": LLMTask("bye"),
        }
    )
    assert list(results) == ["model", "sum", "again"]
    assert results["model"].value.content == "Echo: hello"
    assert results["sum"].value == 6
    assert [result.tag for result in results.values()] == ["model", "sum", "again"]


async def test_execute_takes_functions_too():
    results = await executor().execute({"sum": DeterministicTask(sum, ([1, 2],))})
    assert results["sum"].value == 3


async def test_a_sync_function_gets_its_arguments():
    assert await value_of(sorted, [2, 3, 1], reverse=True) == [3, 2, 1]


async def test_an_async_function_is_awaited_with_its_arguments():
    async def fetch(record, *, upper=False):
        await asyncio.sleep(0)
        return record.upper() if upper else record

    assert await value_of(fetch, "ada", upper=True) == "ADA"


async def add(a, b):
    await asyncio.sleep(0)
    return a + b


class Adder:
    async def __call__(self, a, b):
        return await add(a, b)

    async def method(self, a, b):
        return await add(a, b)


@pytest.mark.parametrize(
    "fn",
    [
        add,
        functools.partial(add),
        lambda *numbers: add(*numbers),  # noqa: PLW0108 - not marked as async
        Adder(),
        Adder().method,
        lambda a, b: asyncio.run_coroutine_threadsafe(add(a, b), loops[-1]).result(),
    ],
    ids=["async def", "partial", "lambda", "async __call__", "method", "sync"],
)
async def test_whatever_can_be_awaited_is_awaited(fn):
    loops.append(asyncio.get_running_loop())
    assert await value_of(fn, 1, 2) == 3


loops: list[asyncio.AbstractEventLoop] = []


async def test_a_sync_function_does_not_block_the_loop():
    assert await value_of(threading.get_ident) != threading.get_ident()


async def test_an_async_function_runs_on_the_loop():
    async def where():
        return threading.get_ident()

    assert await value_of(where) == threading.get_ident()


async def test_a_sync_function_sees_the_callers_context_variables():
    token = request_id.set("r-17")
    try:
        assert await value_of(request_id.get) == "r-17"
    finally:
        request_id.reset(token)


async def test_a_function_that_sets_a_context_variable_sets_it_for_itself_only():
    assert await value_of(request_id.set, "inner") is not None
    assert request_id.get() == "none"


async def test_none_is_a_value():
    results = await executor().execute_mixed({"nothing": DeterministicTask(lambda: None)})
    assert results["nothing"].success
    assert results["nothing"].value is None


@pytest.mark.looptime
async def test_functions_and_models_share_one_bound():
    provider = Sleeper()

    async def busy():
        await provider.complete(LLMTask("1").messages)  # the same ledger, as if it were on the wire

    tasks = {f"model {i}": LLMTask("1") for i in range(4)} | {
        f"fn {i}": DeterministicTask(busy) for i in range(4)
    }
    await ParallelLLMExecutor(provider, max_concurrency=2).execute_mixed(tasks)
    assert provider.peak == 2
    assert asyncio.get_running_loop().time() == pytest.approx(4.0)


@pytest.mark.looptime
async def test_functions_do_not_wait_for_models_that_wait_out_a_429():
    throttled = [RateLimited("slow down", retry_after=10.0) for _ in range(2)]
    runner = ParallelLLMExecutor(Raising(*throttled), max_concurrency=1)
    tasks: list[Task] = [
        LLMTask("a"),
        LLMTask("b"),
        DeterministicTask(asyncio.sleep, (1,)),
        LLMTask("c"),
    ]
    results = runner.as_completed(tasks)
    first = await anext(results)
    assert first.index == 2
    assert asyncio.get_running_loop().time() == pytest.approx(1.0)
    assert {result.index async for result in results} == {0, 1, 3}


async def test_as_many_sync_functions_run_at_once_as_there_are_slots():
    # more than any default thread pool has: fewer would wait here for ever
    together = threading.Barrier(48)
    results = await executor(max_concurrency=48).execute_mixed(
        {str(i): DeterministicTask(together.wait, (20.0,)) for i in range(48)}
    )
    assert sorted(result.unwrap() for result in results.values()) == list(range(48))


async def test_a_function_is_never_retried():
    calls = []

    def failing():
        calls.append(1)
        raise ConnectionError("down")

    retry = RetryConfig(max_attempts=5, initial_delay=0)
    results = await executor(default_retry=retry).execute_mixed({"a": DeterministicTask(failing)})
    assert isinstance(results["a"].error, ConnectionError)
    assert len(calls) == 1


async def test_a_function_has_no_attempts_on_the_wire_and_no_usage():
    results = await executor().execute_mixed({"a": DeterministicTask(lambda: 1)})
    assert (results["a"].attempts, results["a"].rejected) == (0, 0)
    assert results["a"].response is None
    assert results["a"].usage is None
    assert results["a"].cost_usd is None


async def test_a_failing_function_hurts_no_other_task():
    results = await executor().execute_mixed(
        {"bad": DeterministicTask(lambda: 1 / 0), "good": LLMTask("hello")}
    )
    assert isinstance(results["bad"].error, ZeroDivisionError)
    assert results["good"].success


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_stray_stop_iteration_is_a_failed_task(kind):
    def sync():
        next(iter(()))

    async def coroutine():
        next(iter(()))

    results = await executor().execute_mixed(
        {"a": DeterministicTask(sync if kind == "sync" else coroutine)}
    )
    assert isinstance(results["a"].error, RuntimeError)
    assert isinstance(results["a"].error.__cause__, StopIteration)


async def test_wrong_arguments_are_that_tasks_own_failure():
    results = await executor().execute_mixed(
        {"a": DeterministicTask(len, (1, 2)), "b": DeterministicTask(add, (1,))}
    )
    assert [type(result.error) for result in results.values()] == [TypeError, TypeError]
