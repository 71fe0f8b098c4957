import asyncio
from typing import Any

import pytest

from ingather import (
    DeterministicTask,
    EchoProvider,
    LLMResponse,
    LLMTask,
    ParallelLLMExecutor,
    RetryConfig,
)
from ingather.errors import Cancelled, NotSent, RateLimited
from ingather.providers.echo import ErrorResponse
from ingather.task import Task
from tests.executor.stand_ins import Sleeper


def kinds(results):
    return [type(result.error).__name__ if result.error else "done" for result in results]


@pytest.mark.looptime
async def test_the_first_failure_cancels_what_is_in_flight_and_sends_nothing_more():
    provider = Sleeper()
    executor = ParallelLLMExecutor(provider, max_concurrency=3, fail_fast=True)
    results = await executor.execute(
        {
            name: LLMTask(prompt)
            for name, prompt in zip("abcdef", ["1", "2 fails", "9", "8", "7", "6"], strict=True)
        }
    )
    assert list(results) == list("abcdef")
    assert kinds(results.values()) == [
        "done",
        "RuntimeError",
        "Cancelled",
        "Cancelled",
        "NotSent",
        "NotSent",
    ]
    assert provider.prompts == ["1", "2 fails", "9", "8"]
    assert sorted(provider.cancelled) == ["8", "9"]
    assert asyncio.get_running_loop().time() == pytest.approx(2.0)


@pytest.mark.looptime
async def test_what_was_stopped_is_a_failed_result_that_names_the_failure():
    executor = ParallelLLMExecutor(Sleeper(), max_concurrency=2, fail_fast=True)
    results = await executor.execute(
        {"bad": LLMTask("1 fails"), "cut": LLMTask("5"), "left": LLMTask("5")}
    )
    cut, left = results["cut"], results["left"]
    assert (cut.success, cut.value, cut.attempts) == (False, None, 1)
    assert (left.success, left.value, left.attempts) == (False, None, 0)
    assert isinstance(cut.error, Cancelled)
    assert isinstance(left.error, NotSent)
    assert all(isinstance(result.error, Exception) for result in results.values())
    assert "bad" in str(cut.error)
    assert "bad" in str(left.error)
    assert (cut.tag, left.tag) == ("cut", "left")


@pytest.mark.looptime
async def test_by_default_a_failure_stops_nothing():
    results = await ParallelLLMExecutor(Sleeper(), 1).gather(
        [LLMTask("1 fails"), LLMTask("1"), LLMTask("1")]
    )
    assert kinds(results) == ["RuntimeError", "done", "done"]


@pytest.mark.looptime
@pytest.mark.parametrize(
    "method",
    ["execute", "execute_mixed", "execute_sequential", "gather", "as_completed", "in_order"],
)
@pytest.mark.parametrize(
    ("default", "own", "stops"), [(False, True, True), (True, False, False), (True, None, True)]
)
async def test_each_call_may_say_otherwise(method, default, own, stops):
    executor = ParallelLLMExecutor(Sleeper(), max_concurrency=1, fail_fast=default)
    tasks = [LLMTask("1 fails"), LLMTask("1"), LLMTask("1")]
    if method.startswith("execute") and method != "execute_sequential":
        results = list(
            (await getattr(executor, method)(dict(enumerate(tasks)), fail_fast=own)).values()
        )
    elif method in ("gather", "execute_sequential"):
        results = await getattr(executor, method)(tasks, fail_fast=own)
    else:
        results = [result async for result in getattr(executor, method)(tasks, fail_fast=own)]
    # as in the seed: its list ends where it stopped
    left = [] if method == "execute_sequential" else ["NotSent"] * 2
    assert kinds(results) == ["RuntimeError", *(left if stops else ["done"] * 2)]


@pytest.mark.looptime
async def test_only_a_task_whose_attempts_are_used_up_has_failed():
    seen = set()

    def blips(messages):
        prompt = messages[-1].content
        if prompt in seen:
            return "ok"
        seen.add(prompt)
        return ErrorResponse(ConnectionError("blip"))

    retry = RetryConfig(max_attempts=2, initial_delay=1)
    executor = ParallelLLMExecutor(
        EchoProvider(response_fn=blips), default_retry=retry, fail_fast=True
    )
    assert kinds(await executor.gather(LLMTask(str(i)) for i in range(8))) == ["done"] * 8


@pytest.mark.looptime
async def test_a_429_stops_nothing():
    class Throttled:
        calls = 0

        async def complete(self, messages, config_overrides=None):
            self.calls += 1
            if self.calls <= 3:
                raise RateLimited("slow down", status=429, retry_after=2.0)
            return LLMResponse("ok")

    results = await ParallelLLMExecutor(Throttled(), fail_fast=True).gather(
        LLMTask(str(i)) for i in range(6)
    )
    assert kinds(results) == ["done"] * 6
    assert sum(result.rejected for result in results) == 3


@pytest.mark.looptime
async def test_of_a_lazy_input_all_that_was_pulled_is_reported_and_nothing_more_is_pulled():
    pulled = []

    def source():
        for prompt in ["1", "2 fails", *["5"] * 1000]:
            pulled.append(prompt)
            yield LLMTask(prompt)

    executor = ParallelLLMExecutor(Sleeper(), max_concurrency=3, fail_fast=True)
    results = await executor.gather(source())
    assert len(pulled) < 20
    assert len(results) == len(pulled)
    assert kinds(results)[:4] == ["done", "RuntimeError", "Cancelled", "Cancelled"]


@pytest.mark.looptime
async def test_of_an_async_input_all_that_was_pulled_is_reported():
    pulled = []

    async def source():
        for prompt in ["1 fails", *["5"] * 1000]:
            await asyncio.sleep(0.3)
            pulled.append(prompt)
            yield LLMTask(prompt)

    results = [
        result
        async for result in ParallelLLMExecutor(Sleeper(), fail_fast=True).as_completed(source())
    ]
    assert sorted(result.index for result in results) == list(range(len(pulled)))
    assert {*kinds(results)} <= {"RuntimeError", "Cancelled", "NotSent"}
    assert len(pulled) <= 5


@pytest.mark.looptime
async def test_an_async_input_that_has_nothing_yet_is_not_waited_for():
    async def source():
        yield LLMTask("1 fails")
        await asyncio.sleep(3600)
        yield LLMTask("1")

    results = await ParallelLLMExecutor(Sleeper(), fail_fast=True).gather(source())
    assert kinds(results) == ["RuntimeError"]
    assert asyncio.get_running_loop().time() == pytest.approx(1.0)


@pytest.mark.looptime
async def test_what_sleeps_between_attempts_is_cancelled():
    provider = Sleeper()
    tasks = {
        "sleeps": LLMTask("1 fails", retry=RetryConfig(max_attempts=2, initial_delay=50)),
        "bad": LLMTask("2 fails"),
    }
    results = await ParallelLLMExecutor(provider, fail_fast=True).execute(tasks)
    assert kinds(results.values()) == ["Cancelled", "RuntimeError"]
    assert results["sleeps"].attempts == 1
    assert asyncio.get_running_loop().time() == pytest.approx(2.0)


@pytest.mark.looptime
async def test_functions_fail_fast_and_are_cancelled_as_calls_are():
    async def endless():
        await asyncio.sleep(100)

    async def broken():
        await asyncio.sleep(1)
        raise ValueError("bad data")

    tasks: dict[str, Task] = {
        "endless": DeterministicTask(endless),
        "broken": DeterministicTask(broken),
        "model": LLMTask("50"),
    }
    results = await ParallelLLMExecutor(Sleeper(), max_concurrency=2, fail_fast=True).execute_mixed(
        tasks
    )
    assert kinds(results.values()) == ["Cancelled", "ValueError", "NotSent"]


@pytest.mark.looptime
async def test_a_task_that_is_no_task_fails_fast_too():
    bad: Any = 42
    executor = ParallelLLMExecutor(Sleeper(), max_concurrency=1, fail_fast=True)
    results = await executor.gather([bad, LLMTask("1")])
    assert kinds(results) == ["TypeError", "NotSent"]


@pytest.mark.looptime
async def test_all_slots_come_back():
    provider = Sleeper()
    executor = ParallelLLMExecutor(provider, max_concurrency=2, fail_fast=True)
    for _ in range(3):
        await executor.gather([LLMTask("1 fails"), LLMTask("5"), LLMTask("5")])
    assert kinds(await executor.gather([LLMTask("1"), LLMTask("1")])) == ["done", "done"]
    assert asyncio.get_running_loop().time() == pytest.approx(4.0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.looptime
async def test_another_call_of_the_same_executor_goes_on():
    executor = ParallelLLMExecutor(Sleeper(), fail_fast=True)
    broken, whole = await asyncio.gather(
        executor.gather([LLMTask("1 fails"), LLMTask("3")]),
        executor.gather([LLMTask("2"), LLMTask("3")]),
    )
    assert kinds(broken) == ["RuntimeError", "Cancelled"]
    assert kinds(whole) == ["done", "done"]


@pytest.mark.looptime
async def test_the_tasks_of_a_nested_call_end_with_the_function_that_asked_for_them():
    provider = Sleeper()
    executor = ParallelLLMExecutor(provider, max_concurrency=4, fail_fast=True)

    async def fan_out():
        return await executor.gather([LLMTask("50"), LLMTask("60")])

    results = await executor.execute_mixed(
        {"nested": DeterministicTask(fan_out), "bad": LLMTask("1 fails")}
    )
    assert kinds(results.values()) == ["Cancelled", "RuntimeError"]
    assert sorted(provider.cancelled) == ["50", "60"]
    assert asyncio.all_tasks() == {asyncio.current_task()}
