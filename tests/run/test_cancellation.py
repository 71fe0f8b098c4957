"""However a call of the executor is ended, nothing of it goes on: no task, slot, request or thread that waits."""

import asyncio
import contextlib
import gc
import logging
import threading

import pytest

from ingather import DeterministicTask, EchoProvider, LLMTask, ParallelLLMExecutor, RetryConfig, run_sync
from ingather.errors import Cancelled, NotSent, RateLimited, ServerFault
from tests.run.stand_ins import Wire, assert_at_rest, other_tasks, slots_of

PATIENT = RetryConfig(max_attempts=5, initial_delay=100.0, max_delay=100.0)


async def until(condition):
    """Lets the loop turn until it holds; in virtual time too."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("it never came to hold")


async def until_in_time(condition):
    """The same where threads have to do something: in real time."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)


def llm_tasks(number):
    return [LLMTask(str(i)) for i in range(number)]


async def assert_usable(executor):
    """It still does what it is asked, with all of its slots."""
    executor.provider.answer = lambda prompt, number: prompt
    executor.provider.latency = 0.0
    results = await executor.gather(llm_tasks(3 * executor.max_concurrency))
    assert all(result.success for result in results)


async def consume(results):
    return [result async for result in results]


async def consume_in_block(results):
    async with results:
        return [result async for result in results]


WAYS = pytest.mark.parametrize(
    "way",
    [
        lambda executor, tasks: executor.gather(tasks),
        lambda executor, tasks: executor.execute({str(i): task for i, task in enumerate(tasks)}),
        lambda executor, tasks: executor.execute_sequential(tasks),
        lambda executor, tasks: consume(executor.as_completed(tasks)),
        lambda executor, tasks: consume_in_block(executor.as_completed(tasks)),
        lambda executor, tasks: consume(executor.in_order(iter(tasks))),
    ],
    ids=["gather", "execute", "execute_sequential", "as_completed", "async with as_completed", "in_order"],
)


async def cancelled_after(seconds, coroutine, times=1):
    """Cancels the asyncio task that awaits it, and waits until it has gone."""
    task = asyncio.create_task(coroutine)
    await asyncio.sleep(seconds)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task


# -- cancelled while …


@WAYS
@pytest.mark.looptime
async def test_requests_are_in_flight(way):
    wire = Wire(latency=100.0)
    executor = ParallelLLMExecutor(wire, 3)
    await cancelled_after(1.0, way(executor, llm_tasks(40)))
    assert other_tasks() == set()
    assert len(wire.outcomes("cancelled")) == len(wire.ledger) > 0
    assert asyncio.get_running_loop().time() == 1.0
    assert_at_rest(executor, wire)
    await assert_usable(executor)


@WAYS
@pytest.mark.looptime
async def test_all_of_it_is_queued_behind_another_call(way):
    wire = Wire(latency=100.0)
    executor = ParallelLLMExecutor(wire, 2)
    first = asyncio.create_task(executor.gather(llm_tasks(2)))
    await asyncio.sleep(0.5)
    await cancelled_after(1.0, way(executor, llm_tasks(40)))
    assert len(wire.ledger) == 2
    assert [result.success for result in await first] == [True, True]
    assert other_tasks() == set()
    assert_at_rest(executor, wire)
    await assert_usable(executor)


@WAYS
@pytest.mark.looptime
async def test_a_task_sleeps_before_its_next_attempt(way):
    wire = Wire(lambda prompt, number: ServerFault("500", status=500), retry=PATIENT)
    executor = ParallelLLMExecutor(wire, 3)
    await cancelled_after(50.0, way(executor, llm_tasks(40)))
    assert other_tasks() == set()
    assert asyncio.get_running_loop().time() == 50.0
    assert_at_rest(executor, wire)
    await assert_usable(executor)


@WAYS
@pytest.mark.looptime
async def test_the_quota_is_paused(way):
    wire = Wire(lambda prompt, number: RateLimited("429", status=429, retry_after=100.0))
    executor = ParallelLLMExecutor(wire, 3)
    await cancelled_after(50.0, way(executor, llm_tasks(40)))
    assert other_tasks() == set()
    assert_at_rest(executor, wire)
    await assert_usable(executor)
    assert asyncio.get_running_loop().time() == pytest.approx(100.0)  # the pause was the quota's, not the call's


@WAYS
@pytest.mark.looptime
async def test_nested_calls_are_in_flight(way):
    wire = Wire(latency=100.0)
    executor = ParallelLLMExecutor(wire, 2)

    async def parent(depth):
        below = [DeterministicTask(parent, (depth - 1,)) if depth else LLMTask("leaf") for _ in range(5)]
        return await executor.gather(below)

    await cancelled_after(1.0, way(executor, [DeterministicTask(parent, (3,)) for _ in range(10)]))
    assert other_tasks() == set()
    assert len(wire.outcomes("cancelled")) == len(wire.ledger) == 2
    assert_at_rest(executor, wire)
    await assert_usable(executor)


@WAYS
async def test_a_thread_waits_for_nested_calls(way):
    """The thread gets `Cancelled` out of its `run_sync`, and its requests are gone before the call is."""
    wire = Wire(latency=1000.0)
    executor = ParallelLLMExecutor(wire, 2)
    released = []

    def parent():
        try:
            run_sync(executor.gather([LLMTask("leaf"), LLMTask("leaf")]))
        except BaseException as error:
            released.append(error)
            raise

    task = asyncio.create_task(way(executor, [DeterministicTask(parent) for _ in range(5)]))
    await until_in_time(lambda: wire.in_flight == 2)
    waiting = len([thread for thread in threading.enumerate() if thread.name == "ingather-function"])
    assert waiting >= 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert other_tasks() == set()
    assert_at_rest(executor, wire)
    await until_in_time(lambda: len(released) >= 1)
    assert {type(error) for error in released} == {Cancelled}
    await assert_usable(executor)


async def test_what_a_thread_had_asked_for_is_awaited_before_the_call_is_over():
    """A request that takes a moment to go holds its slot until it has gone, nested by `run_sync` too."""
    wire = Wire(latency=1000.0, farewell=0.05)
    executor = ParallelLLMExecutor(wire, 2)

    def parent():
        return run_sync(executor.gather(llm_tasks(2)))

    task = asyncio.create_task(executor.gather([DeterministicTask(parent)]))
    await until_in_time(lambda: wire.in_flight == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert wire.in_flight == 0
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


async def test_a_synchronous_function_runs_its_thread_is_left_behind_and_that_is_said(caplog):
    executor = ParallelLLMExecutor(Wire(), 1)
    running, release, ended = threading.Event(), threading.Event(), threading.Event()

    def slow_function():
        running.set()
        release.wait(30)
        ended.set()

    task = asyncio.create_task(executor.gather([DeterministicTask(slow_function)]))
    await until_in_time(running.is_set)
    task.cancel()
    with caplog.at_level(logging.WARNING, "ingather"), pytest.raises(asyncio.CancelledError):
        await task
    assert "slow_function" in caplog.text
    assert "left behind" in caplog.text
    assert not ended.is_set()
    assert other_tasks() == set()
    assert_at_rest(executor)
    await assert_usable(executor)
    release.set()
    await until_in_time(ended.is_set)


@pytest.mark.looptime
async def test_the_input_is_awaited():
    executor = ParallelLLMExecutor(Wire(), 3)
    closed = []

    async def slow_input():
        yield LLMTask("x")
        try:
            await asyncio.sleep(1000.0)
        finally:
            closed.append(True)

    await cancelled_after(1.0, executor.gather(slow_input()))
    assert closed == [True]
    assert other_tasks() == set()
    assert_at_rest(executor)


@pytest.mark.looptime
async def test_a_consumer_is_slow_and_the_workers_wait_for_room():
    wire = Wire()
    executor = ParallelLLMExecutor(wire, 2)

    async def slow_consumer():
        async for _ in executor.as_completed(LLMTask("x") for _ in range(1000)):
            await asyncio.sleep(1000.0)

    with pytest.warns(ResourceWarning, match="async with"):
        await cancelled_after(5.0, slow_consumer())
        await until(lambda: other_tasks() == set())
    assert_at_rest(executor, wire)


# -- at every moment


def mix(executor, wire):
    """Calls that answer, fail, are retried and are throttled; functions; functions that ask again."""

    async def function():
        await asyncio.sleep(0.3)

    async def parent():
        return await executor.gather([LLMTask("nested"), DeterministicTask(function), LLMTask("nested too")])

    async def raising():
        await asyncio.sleep(0)
        raise ValueError

    def answer(prompt, number):
        if number % 7 == 3:
            return RateLimited("429", status=429, retry_after=0.5)
        if number % 5 == 1:
            return ServerFault("500", status=500)
        return prompt

    wire.answer = answer
    wire.retry = None
    kinds = [
        lambda: LLMTask("x"),
        lambda: DeterministicTask(function),
        lambda: DeterministicTask(parent),
        lambda: LLMTask("y", timeout=0.05),
        lambda: LLMTask("z", deadline=0.9),
        lambda: DeterministicTask(raising),
    ]
    return [kinds[i % len(kinds)]() for i in range(30)]


@pytest.mark.parametrize("latency", [0.0, 0.1])
@pytest.mark.parametrize("bound", [1, 3])
@WAYS
@pytest.mark.looptime
async def test_at_every_turn_of_the_loop(way, bound, latency):
    """Cancelled after the Nth turn, for every N there is at first; then all invariants, and it works again."""
    policy = RetryConfig(max_attempts=3, initial_delay=0.2)
    for turns in range(61):
        wire = Wire(latency=latency)
        executor = ParallelLLMExecutor(wire, bound, default_retry=policy)
        task = asyncio.create_task(way(executor, mix(executor, wire)))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert task.cancelled() or latency == 0.0
        assert other_tasks() == set(), turns
        assert wire.peak <= bound
        assert_at_rest(executor, wire)
        await assert_usable(executor)


@pytest.mark.parametrize("bound", [1, 3])
@WAYS
@pytest.mark.looptime
async def test_at_every_tenth_of_a_second(way, bound):
    """The same deeper in: in back-off, in pauses, in nested calls, at deadlines."""
    policy = RetryConfig(max_attempts=3, initial_delay=0.2)
    for tenths in range(0, 60, 2):
        wire = Wire(latency=0.1)
        executor = ParallelLLMExecutor(wire, bound, default_retry=policy)
        task = asyncio.create_task(way(executor, mix(executor, wire)))
        await asyncio.sleep(tenths / 10 + 0.05)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert other_tasks() == set(), tenths
        assert wire.peak <= bound
        assert_at_rest(executor, wire)
        await assert_usable(executor)


@pytest.mark.parametrize("gap", [0, 1, 2, 3])
@pytest.mark.looptime
async def test_twice_at_every_turn_of_the_loop(gap):
    """A second cancellation while the first one is being cleaned up after."""
    for turns in range(40):
        wire = Wire(latency=0.1, farewell=1.0)
        executor = ParallelLLMExecutor(wire, 2)
        task = asyncio.create_task(executor.gather(mix(executor, wire)))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        for _ in range(gap):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert other_tasks() == set(), turns
        assert_at_rest(executor, wire)
        await assert_usable(executor)


# -- other ways to an end


@WAYS
@pytest.mark.looptime
async def test_a_timeout_around_it_is_a_timeout_and_cleans_up(way):
    wire = Wire(latency=100.0)
    executor = ParallelLLMExecutor(wire, 3)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2.0):
            await way(executor, llm_tasks(10))
    assert asyncio.get_running_loop().time() == 2.0
    assert other_tasks() == set()
    assert_at_rest(executor, wire)
    assert asyncio.current_task().cancelling() == 0
    await assert_usable(executor)


@pytest.mark.looptime
async def test_a_task_group_that_fails_takes_its_calls_with_it():
    wire = Wire(latency=100.0)
    executor = ParallelLLMExecutor(wire, 3)

    async def fails():
        await asyncio.sleep(1.0)
        raise ValueError

    with pytest.raises(ExceptionGroup):
        async with asyncio.TaskGroup() as group:
            group.create_task(executor.gather(llm_tasks(10)))
            group.create_task(consume(executor.as_completed(llm_tasks(10))))
            group.create_task(fails())
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


def test_a_loop_that_ends_by_an_exception_leaves_nothing():
    wire = Wire(latency=1000.0)
    executor = ParallelLLMExecutor(wire, 3)
    left = []

    async def main():
        left.append(asyncio.create_task(executor.gather(llm_tasks(10))))
        results = executor.as_completed(llm_tasks(10))
        left.append(asyncio.create_task(anext(results)))
        while wire.in_flight < 3:
            await asyncio.sleep(0)
        raise ValueError("main")

    with pytest.raises(ValueError, match="main"):
        asyncio.run(main())
    assert [task.cancelled() for task in left] == [True, True]
    assert_at_rest(executor, wire)

    async def again():
        await assert_usable(executor)

    asyncio.run(again())


@pytest.mark.looptime
async def test_closing_early_cancels_what_is_in_flight_and_awaits_it():
    wire = Wire(latency=lambda prompt: 0.1 if prompt == "0" else 100.0, farewell=2.0)
    executor = ParallelLLMExecutor(wire, 3)
    results = executor.as_completed(llm_tasks(10))
    assert (await anext(results)).tag == ""
    await results.aclose()
    assert asyncio.get_running_loop().time() == pytest.approx(2.1)
    assert len(wire.outcomes("cancelled")) == 3
    assert other_tasks() == set()
    assert_at_rest(executor, wire)
    with pytest.raises(StopAsyncIteration):
        await anext(results)
    await results.aclose()  # once more does nothing


@pytest.mark.looptime
async def test_leaving_the_block_early_closes_the_results():
    wire = Wire(latency=1.0, farewell=2.0)
    executor = ParallelLLMExecutor(wire, 3)
    async with executor.as_completed(llm_tasks(10)) as results:
        async for _ in results:
            break
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_a_consumer_that_raises_in_the_block_closes_the_results():
    wire = Wire(latency=1.0, farewell=2.0)
    executor = ParallelLLMExecutor(wire, 3)
    with pytest.raises(ValueError, match="consumer"):
        async with executor.in_order(llm_tasks(10)) as results:
            async for _ in results:
                raise ValueError("consumer")
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_abandoned_results_warn_and_are_cleaned_up():
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, 3)
    with pytest.warns(ResourceWarning, match="async with"):
        async for _ in executor.as_completed(llm_tasks(10)):
            break
        gc.collect()
    await until(lambda: other_tasks() == set())
    assert_at_rest(executor, wire)
    await assert_usable(executor)


@pytest.mark.looptime
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_abandoned_results_are_cleaned_up_where_warnings_are_errors_too():
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, 3)
    async for _ in executor.as_completed(llm_tasks(10)):
        break
    gc.collect()
    await until(lambda: other_tasks() == set())
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_a_consumer_that_raises_without_a_block_is_cleaned_up_after_too():
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, 3)
    with pytest.warns(ResourceWarning, match="async with"):
        with contextlib.suppress(ValueError):
            async for _ in executor.as_completed(llm_tasks(10)):
                raise ValueError
        gc.collect()
    await until(lambda: other_tasks() == set())
    assert_at_rest(executor, wire)


async def test_results_that_were_never_begun_or_are_exhausted_need_no_closing():
    executor = ParallelLLMExecutor(Wire(), 3)
    executor.as_completed(llm_tasks(3))
    assert len([result async for result in executor.as_completed(llm_tasks(3))]) == 3
    gc.collect()
    assert_at_rest(executor)


@pytest.mark.looptime
async def test_two_consumers_may_share_one_iterator():
    executor = ParallelLLMExecutor(Wire(latency=1.0), 2)
    results = executor.as_completed(llm_tasks(20))
    async with asyncio.timeout(1000):
        mine, yours = await asyncio.gather(consume(results), consume(results))
    assert sorted(result.index for result in mine + yours) == list(range(20))
    assert other_tasks() == set()


@pytest.mark.looptime
async def test_two_consumers_of_results_in_order_get_them_in_order():
    executor = ParallelLLMExecutor(Wire(latency=lambda prompt: float(int(prompt) % 3)), 4)
    results, seen = executor.in_order(llm_tasks(20)), []

    async def take():
        seen.extend([result.index async for result in results])

    async def note():
        async for result in results:
            seen.append(result.index)  # noqa: PERF401 - in the order in which both consumers come

    async with asyncio.timeout(1000):
        await asyncio.gather(note(), note())
    assert seen == list(range(20))


# -- the executor's own end


@pytest.mark.looptime
async def test_leaving_the_executor_cancels_what_is_in_flight_and_awaits_it():
    wire = Wire(latency=100.0, farewell=2.0)
    async with ParallelLLMExecutor(wire, 3) as executor:
        results = executor.as_completed(llm_tasks(10))
        first = asyncio.create_task(anext(results))
        await asyncio.sleep(1.0)
    assert asyncio.get_running_loop().time() == pytest.approx(3.0)
    assert_at_rest(executor, wire)
    assert isinstance((await first).error, Cancelled)
    assert other_tasks() == set()


@pytest.mark.parametrize("method", ["gather", "execute"])
@pytest.mark.looptime
async def test_closing_the_executor_while_another_task_awaits_it_reports_every_task(method):
    wire = Wire(latency=lambda prompt: 1.0 if int(prompt) < 3 else 100.0)
    executor = ParallelLLMExecutor(wire, 3)
    tasks = llm_tasks(10)
    call = (
        executor.gather(tasks) if method == "gather" else executor.execute(dict(zip("abcdefghij", tasks, strict=True)))
    )
    waiting = asyncio.create_task(call)
    await asyncio.sleep(2.0)
    await executor.aclose()
    results = await waiting
    results = list(results.values()) if method == "execute" else results
    kinds = [type(result.error) for result in results]
    assert kinds == [type(None)] * 3 + [Cancelled] * 3 + [NotSent] * 4
    assert asyncio.get_running_loop().time() == 2.0
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


@pytest.mark.looptime
async def test_leaving_the_executor_by_an_exception_closes_it():
    wire = Wire(latency=100.0)
    with pytest.raises(ValueError, match="body"):
        async with ParallelLLMExecutor(wire, 3) as executor:
            results = executor.as_completed(llm_tasks(10))
            waiting = asyncio.create_task(anext(results))
            await asyncio.sleep(1.0)
            raise ValueError("body")
    assert_at_rest(executor, wire)
    assert waiting.done()
    assert isinstance(waiting.result().error, Cancelled)


@pytest.mark.looptime
async def test_a_closed_executor_can_be_used_again():
    executor = ParallelLLMExecutor(Wire(), 3)
    await executor.aclose()
    await executor.aclose()
    assert [result.success for result in await executor.gather(llm_tasks(3))] == [True] * 3


@pytest.mark.parametrize("nested_first", [False, True])
@pytest.mark.looptime
async def test_closing_the_executor_from_inside_one_of_its_own_functions_ends(nested_first):
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, 2)

    async def helpful():
        async with executor:
            if nested_first:
                return len(await executor.gather(llm_tasks(2)))
            return 2

    waiting = asyncio.create_task(executor.gather([DeterministicTask(helpful), *llm_tasks(5)]))
    for _ in range(20_000):
        await asyncio.sleep(0)
        if waiting.done():
            break
    await asyncio.sleep(50.0)
    assert waiting.done()
    assert len(await waiting) == 6
    assert other_tasks() == set()
    assert_at_rest(executor, wire)


# -- whose cancellation it is


@pytest.mark.looptime
async def test_a_cancelled_error_that_user_code_raises_is_a_failed_task():
    executor = ParallelLLMExecutor(Wire(latency=1.0), 2)

    async def raises():
        raise asyncio.CancelledError("mine")

    def raises_in_a_thread():
        raise asyncio.CancelledError("mine too")

    async def awaits_something_cancelled():
        task = asyncio.create_task(asyncio.sleep(1000.0))
        await asyncio.sleep(0)
        task.cancel()
        await task

    functions = [raises, raises_in_a_thread, awaits_something_cancelled]
    results = await executor.gather([*(DeterministicTask(fn) for fn in functions), *llm_tasks(5)])
    assert [type(result.error) for result in results] == [Cancelled] * 3 + [type(None)] * 5
    assert isinstance(results[0].error.__cause__, asyncio.CancelledError)
    assert other_tasks() == set()
    assert_at_rest(executor)


@pytest.mark.looptime
async def test_a_provider_that_raises_cancelled_error_has_failed_that_task():
    def answer(prompt, number):
        return asyncio.CancelledError("from inside the client") if prompt == "1" else prompt

    executor = ParallelLLMExecutor(Wire(answer), 2)
    results = await executor.gather(llm_tasks(4))
    assert [type(result.error) for result in results] == [type(None), Cancelled, type(None), type(None)]
    assert_at_rest(executor)


@pytest.mark.parametrize("then_awaits", [False, True])
@pytest.mark.looptime
async def test_a_function_that_cancels_its_own_task_harms_no_other(then_awaits):
    executor = ParallelLLMExecutor(Wire(latency=1.0), 1)

    async def cancels_itself():
        asyncio.current_task().cancel()
        if then_awaits:
            await asyncio.sleep(0)
        return "done"

    results = await executor.gather([LLMTask("before"), DeterministicTask(cancels_itself), *llm_tasks(5)])
    assert [type(result.error) for result in results] == [type(None), Cancelled] + [type(None)] * 5
    assert other_tasks() == set()
    assert_at_rest(executor)


@pytest.mark.looptime
async def test_a_function_that_shrugs_off_cancellation_is_waited_for():
    executor = ParallelLLMExecutor(Wire(), 1)
    ended = []

    async def stubborn():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(1000.0)
        await asyncio.sleep(5.0)
        ended.append(asyncio.get_running_loop().time())

    await cancelled_after(1.0, executor.gather([DeterministicTask(stubborn), *llm_tasks(3)]))
    assert ended == [6.0]
    assert other_tasks() == set()
    assert_at_rest(executor)


@pytest.mark.looptime
async def test_a_provider_that_turns_cancellation_into_an_error_is_not_asked_again():
    calls = []

    class Client:
        async def complete(self, messages, config_overrides=None):
            calls.append(asyncio.get_running_loop().time())
            try:
                await asyncio.sleep(10.0)
            except asyncio.CancelledError:
                raise ConnectionError("request was aborted") from None

    executor = ParallelLLMExecutor(Client(), 2, default_retry=PATIENT)
    await cancelled_after(1.0, executor.gather(llm_tasks(5)))
    assert calls == [0.0, 0.0]
    assert asyncio.get_running_loop().time() == 1.0
    assert other_tasks() == set()
    assert_at_rest(executor)


# -- fail_fast


@pytest.mark.looptime
async def test_fail_fast_and_a_real_cancellation_in_every_order():
    """The failure and the cancellation in one turn of the loop, one before the other, or apart."""
    for turns in range(12):
        for first in ("failure", "cancellation"):
            wire = Wire(latency=100.0, farewell=0.5)
            executor = ParallelLLMExecutor(wire, 3, fail_fast=True)
            release = asyncio.Event()

            async def fails(release=release):
                await release.wait()
                raise ValueError

            task = asyncio.create_task(executor.gather([DeterministicTask(fails), *llm_tasks(10)]))
            await asyncio.sleep(1.0)
            steps = [release.set, task.cancel]
            for step in steps if first == "failure" else reversed(steps):
                step()
                for _ in range(turns):
                    await asyncio.sleep(0)
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert task.cancelled()
            assert other_tasks() == set(), (turns, first)
            assert_at_rest(executor, wire)
            await assert_usable(executor)


@pytest.mark.looptime
async def test_fail_fast_reports_every_task_of_a_list():
    wire = Wire(
        lambda prompt, number: ValueError() if prompt == "2" else prompt, latency=lambda prompt: 0.5 * (int(prompt) + 1)
    )
    executor = ParallelLLMExecutor(wire, 4, fail_fast=True)
    results = await executor.gather(llm_tasks(10))
    assert [type(result.error).__name__ for result in results] == (
        ["NoneType", "NoneType", "ValueError", "Cancelled", "Cancelled", "Cancelled"] + ["NotSent"] * 4
    )
    assert [result.index for result in results] == list(range(10))
    assert asyncio.get_running_loop().time() == 1.5


@pytest.mark.parametrize("method", ["gather", "as_completed"])
@pytest.mark.looptime
async def test_fail_fast_does_not_wait_for_an_input_that_waits(method):
    """A queue that nobody fills any more, behind an async generator."""
    executor = ParallelLLMExecutor(Wire(latency=5.0), 2, fail_fast=True)

    async def fails():
        await asyncio.sleep(1.0)
        raise ValueError

    async def tasks():
        yield DeterministicTask(fails)
        yield LLMTask("x")
        await asyncio.sleep(1e6)
        yield LLMTask("never")

    run = executor.gather(tasks()) if method == "gather" else consume(executor.as_completed(tasks()))
    results = await run
    assert sorted(type(result.error).__name__ for result in results) == ["Cancelled", "ValueError"]
    assert asyncio.get_running_loop().time() == 1.0
    assert other_tasks() == set()


@pytest.mark.looptime
async def test_a_deadline_does_not_wait_for_an_input_that_waits():
    executor = ParallelLLMExecutor(Wire(latency=1.0), 2, deadline=10.0)

    async def tasks():
        yield LLMTask("x")
        await asyncio.sleep(1e6)
        yield LLMTask("never")

    results = await executor.gather(tasks())
    assert [result.success for result in results] == [True]
    assert asyncio.get_running_loop().time() == 10.0


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


# -- turns of the loop


async def test_tasks_that_never_suspend_let_others_have_their_turn():
    turns = 0

    async def tick():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def instant():
        return 1

    def failing():
        raise AssertionError("never called")

    ticker = asyncio.create_task(tick())
    try:
        for tasks, arguments in (
            ([DeterministicTask(instant)] * 5_000, {}),
            ([LLMTask("x")] * 5_000, {}),
            ([DeterministicTask(failing, kwargs={"no such": 1}), *[LLMTask("x")] * 5_000], {"fail_fast": True}),
        ):
            turns = 0
            await ParallelLLMExecutor(EchoProvider(), 2).gather(tasks, **arguments)
            assert turns >= 40
    finally:
        ticker.cancel()


async def test_an_endless_input_of_instant_tasks_can_be_cancelled():
    class Instant:
        async def complete(self, messages, config_overrides=None):
            return None

    def endless():
        while True:
            yield LLMTask("x")

    executor = ParallelLLMExecutor(Instant(), 2)
    task = asyncio.create_task(executor.gather(endless()))
    for _ in range(10):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert_at_rest(executor)


# -- subscribers


@pytest.mark.parametrize(
    "kind",
    ["RunStarted", "TaskStarted", "AttemptStarted", "AttemptEnded", "BackedOff", "PoolPaused", "TaskEnded", "RunEnded"],
)
@pytest.mark.looptime
async def test_a_subscriber_that_raises_takes_no_slot_with_it(kind):
    def answer(prompt, number):
        return {1: ServerFault("500", status=500), 2: RateLimited("429", status=429, retry_after=1.0)}.get(
            number, prompt
        )

    broken = True

    def subscriber(event):
        if broken and type(event).__name__ == kind:
            raise ValueError("subscriber")

    wire = Wire(answer, latency=1.0)
    executor = ParallelLLMExecutor(wire, 1, default_retry=RetryConfig(), on_event=subscriber)
    with contextlib.suppress(ValueError):
        await executor.gather(llm_tasks(4))
    broken = False
    assert other_tasks() == set()
    assert_at_rest(executor, wire)
    await assert_usable(executor)


def test_slots_say_how_many_are_in_use():
    executor = ParallelLLMExecutor(EchoProvider(), 3)
    assert "0 of 3 in use" in repr(slots_of(executor))
    assert "0 of 3 in use" in repr(executor)
