import asyncio
from typing import Any

import pytest

from ingather import DeterministicTask, EchoProvider, LLMMessage, LLMTask, ParallelLLMExecutor
from ingather.errors import Cancelled
from tests.executor.stand_ins import Raising, Sleeper


class MyError(Exception):
    def __init__(self, code, *, detail):
        super().__init__(code)
        self.detail = detail


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("down"),
        MyError(7, detail="x"),
        ExceptionGroup("both", [ValueError(), KeyError()]),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("kind", ["provider", "sync function", "async function"])
async def test_any_exception_is_the_tasks_error_unchanged(kind, error):
    def sync():
        raise error

    async def coroutine():
        raise error

    task = {
        "sync function": DeterministicTask(sync),
        "async function": DeterministicTask(coroutine),
    }.get(kind)
    executor = ParallelLLMExecutor(
        Raising(error) if kind == "provider" else EchoProvider(), max_concurrency=1
    )
    broken, whole = await executor.gather([task or LLMTask("a"), LLMTask("b")])
    assert broken.error is error
    assert whole.success


async def test_the_traceback_of_a_failure_leads_to_the_code_that_raised():
    def down(messages):
        raise ValueError("in the users code")

    [result] = await ParallelLLMExecutor(EchoProvider(response_fn=down)).gather([LLMTask("a")])
    assert result.error is not None
    frames, frame = [], result.error.__traceback__
    while frame:
        frames.append(frame.tb_frame.f_code.co_name)
        frame = frame.tb_next
    assert frames[-1] == "down"


class Alarm(BaseException):
    """What is no Exception is not for us to keep."""


@pytest.mark.looptime
@pytest.mark.parametrize("kind", ["provider", "function"])
async def test_a_base_exception_goes_through(kind):
    async def ring(*_, **__):
        await asyncio.sleep(1)
        raise Alarm("stop everything")

    provider = Sleeper()
    if kind == "provider":
        provider.complete = ring  # type: ignore[method-assign]
    executor = ParallelLLMExecutor(provider, max_concurrency=2)
    task = LLMTask("1") if kind == "provider" else DeterministicTask(ring)
    with pytest.raises(Alarm, match="stop everything"):
        await executor.execute({"alarm": task})
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert executor._slots.in_use == 0


@pytest.mark.looptime
async def test_a_base_exception_begins_nothing_new():
    async def ring():
        await asyncio.sleep(1)
        raise Alarm("stop everything")

    provider = Sleeper()
    executor = ParallelLLMExecutor(provider, max_concurrency=2)
    with pytest.raises(Alarm):
        await executor.gather([DeterministicTask(ring), LLMTask("2"), LLMTask("3"), LLMTask("4")])
    assert provider.prompts == ["2"]
    assert provider.in_flight == 0


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("where", ["sync function", "async function"])
def test_an_exit_goes_through(kind, where):
    async def leave():
        raise kind(3)

    def leave_thread():
        raise kind(3)

    executor = ParallelLLMExecutor(EchoProvider())
    task = DeterministicTask(leave if where == "async function" else leave_thread)
    with pytest.raises(kind):
        asyncio.run(executor.execute({"exit": task, "other": LLMTask("hello")}))


@pytest.mark.parametrize("kind", ["provider", "sync function", "async function"])
async def test_a_cancelled_error_of_the_tasks_own_code_is_its_failure(kind):
    def sync(*_, **__):
        raise asyncio.CancelledError("mine")

    async def coroutine(*_, **__):
        raise asyncio.CancelledError("mine")

    provider = EchoProvider()
    task = DeterministicTask(sync if kind == "sync function" else coroutine)
    if kind == "provider":
        first = [True]

        def cancels_once(messages):
            if first:
                first.pop()
                raise asyncio.CancelledError("mine")
            return "ok"

        provider.set_response_function(cancels_once)
    executor = ParallelLLMExecutor(provider, max_concurrency=1)
    broken, whole = await executor.gather(
        [LLMTask("a") if kind == "provider" else task, LLMTask("b")]
    )
    assert isinstance(broken.error, Cancelled)
    assert isinstance(broken.error.__cause__, asyncio.CancelledError)
    assert not broken.success
    assert whole.success


async def test_a_future_that_was_cancelled_elsewhere_is_a_failed_task():
    future = asyncio.get_running_loop().create_future()
    future.cancel()

    async def wait_for_it():
        await future

    executor = ParallelLLMExecutor(EchoProvider(), max_concurrency=1)
    results = await executor.gather([DeterministicTask(wait_for_it), LLMTask("b")])
    assert [type(result.error) for result in results] == [Cancelled, type(None)]


@pytest.mark.parametrize(
    "bad", [42, None, b"bytes", {"messages": "hi"}, LLMMessage("user", "hi"), object()]
)
async def test_what_is_no_task_is_its_own_failed_result(bad):
    provider = EchoProvider()
    results = await ParallelLLMExecutor(provider).gather([LLMTask("a"), bad, LLMTask("b")])
    assert [result.success for result in results] == [True, False, True]
    assert isinstance(results[1].error, TypeError)
    assert "LLMTask" in str(results[1].error)
    assert provider.call_count == 2


async def test_what_is_no_task_is_its_own_failed_result_in_a_dict_too():
    tasks: dict[str, Any] = {"good": LLMTask("a"), "bad": 42}
    results = await ParallelLLMExecutor(EchoProvider()).execute(tasks)
    assert [result.success for result in results.values()] == [True, False]
    assert results["bad"].tag == "bad"


async def test_an_answer_that_cannot_be_awaited_is_a_failed_task():
    class NotAsync:
        def complete(self, messages, config_overrides=None):
            return "no coroutine"

    [result] = await ParallelLLMExecutor(NotAsync()).gather([LLMTask("a")])
    assert isinstance(result.error, TypeError)
