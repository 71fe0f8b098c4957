"""Context variables: those of whoever called the executor, and nobody else's."""

import asyncio
import contextvars

import pytest

from ingather import DeterministicTask, LLMTask, ParallelLLMExecutor, run_sync
from ingather.errors import Cancelled
from tests.run.stand_ins import Wire, assert_at_rest

BOUNDS = pytest.mark.parametrize("bound", [1, 3])


request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="nobody")


async def test_every_function_sees_the_variables_of_whoever_called_the_executor():
    executor = ParallelLLMExecutor(Wire(), 3)
    request_id.set("caller")

    async def seen():
        await asyncio.sleep(0)
        return request_id.get()

    tasks = [
        DeterministicTask(seen),
        DeterministicTask(request_id.get),
        DeterministicTask(lambda: run_sync(seen())),
    ]
    results = await executor.gather(tasks * 10)
    assert {result.unwrap() for result in results} == {"caller"}


@BOUNDS
async def test_what_a_function_sets_is_seen_by_no_other_task(bound):
    executor = ParallelLLMExecutor(Wire(), bound)
    request_id.set("caller")

    async def sets(name):
        before = request_id.get()
        request_id.set(name)
        await asyncio.sleep(0)
        assert request_id.get() == name
        return before

    def sets_in_a_thread(name):
        before = request_id.get()
        request_id.set(name)
        return before

    tasks = [
        DeterministicTask(fn, (f"task {i}",)) for i, fn in enumerate([sets, sets_in_a_thread] * 20)
    ]
    assert {result.unwrap() for result in await executor.gather(tasks)} == {"caller"}
    assert request_id.get() == "caller"


@BOUNDS
async def test_a_worker_hired_while_a_function_waits_does_not_inherit_its_variables(bound):
    executor = ParallelLLMExecutor(Wire(), bound)
    pulled_under = []

    async def parent(name):
        request_id.set(name)
        await executor.gather([LLMTask("x")])

    async def seen():
        return request_id.get()

    def tasks():
        for i in range(30):
            pulled_under.append(request_id.get())
            yield (
                DeterministicTask(parent, (f"parent {i}",))
                if i % 2 == 0
                else DeterministicTask(seen)
            )

    results = await executor.gather(tasks())
    assert {result.unwrap() for result in results[1::2]} == {"nobody"}
    assert set(pulled_under) == {"nobody"}


async def test_nested_calls_see_the_variables_of_their_parent():
    executor = ParallelLLMExecutor(Wire(), 2)

    async def child():
        return request_id.get()

    async def parent(name):
        request_id.set(name)
        return [result.unwrap() for result in await executor.gather([DeterministicTask(child)] * 3)]

    def threaded_parent(name):
        request_id.set(name)
        return [
            result.unwrap() for result in run_sync(executor.gather([DeterministicTask(child)] * 3))
        ]

    tasks = [
        DeterministicTask(fn, (f"p{i}",)) for i, fn in enumerate([parent, threaded_parent] * 5)
    ]
    results = await executor.gather(tasks)
    assert [result.unwrap() for result in results] == [[f"p{i}"] * 3 for i in range(10)]


async def test_run_sync_in_a_function_whose_task_is_over_raises_cancelled():
    executor = ParallelLLMExecutor(Wire(), 1)
    scopes = []

    async def leaks_its_context():
        scopes.append(contextvars.copy_context())

    await executor.gather([DeterministicTask(leaks_its_context)])
    with pytest.raises(Cancelled):
        await asyncio.to_thread(scopes[0].run, lambda: run_sync(executor.gather([LLMTask("x")])))
    assert_at_rest(executor)
