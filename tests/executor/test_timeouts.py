import asyncio
import logging
import threading

import pytest

from ingather import DeterministicTask, EchoProvider, LLMTask, ParallelLLMExecutor, RetryConfig
from ingather.errors import AttemptTimeout, DeadlineExceeded, RateLimited
from ingather.providers.echo import ErrorResponse
from tests.executor.stand_ins import Raising, Sleeper

pytestmark = pytest.mark.looptime


def now():
    return asyncio.get_running_loop().time()


def kinds(results):
    return [type(result.error).__name__ if result.error else "done" for result in results]


# -- timeout: seconds for each attempt


async def test_an_attempt_that_takes_longer_than_its_timeout_fails_with_it():
    provider = Sleeper()
    results = await ParallelLLMExecutor(provider).gather(
        [LLMTask("3", timeout=2), LLMTask("1", timeout=2), LLMTask("3")]
    )
    assert kinds(results) == ["AttemptTimeout", "done", "done"]
    assert isinstance(results[0].error, TimeoutError)
    assert "2 s" in str(results[0].error)
    assert results[0].duration_ms == pytest.approx(2000)
    assert provider.cancelled == ["3"]


async def test_the_executors_timeout_holds_where_the_task_has_none():
    executor = ParallelLLMExecutor(Sleeper(), default_per_task_timeout=2)
    results = await executor.gather(
        [LLMTask("3"), LLMTask("3", timeout=4), LLMTask("1.5", timeout=1)]
    )
    assert kinds(results) == ["AttemptTimeout", "done", "AttemptTimeout"]
    assert [result.duration_ms for result in results] == pytest.approx([2000, 3000, 1000])


async def test_each_attempt_has_the_whole_timeout_again():
    retry = RetryConfig(max_attempts=3, initial_delay=1, backoff_strategy="fixed")
    [result] = await ParallelLLMExecutor(Sleeper()).gather([LLMTask("9", timeout=2, retry=retry)])
    assert isinstance(result.error, AttemptTimeout)
    assert result.attempts == 3
    assert result.duration_ms == pytest.approx(2000 + 1000 + 2000 + 1000 + 2000)


async def test_waiting_for_a_slot_is_no_part_of_the_timeout():
    results = await ParallelLLMExecutor(Sleeper(), max_concurrency=1).gather(
        [LLMTask("2", timeout=3) for _ in range(4)]
    )
    assert kinds(results) == ["done"] * 4


async def test_a_function_has_a_timeout_too():
    cancelled = []

    async def slow():
        try:
            await asyncio.sleep(9)
        except asyncio.CancelledError:
            cancelled.append(now())
            raise

    executor = ParallelLLMExecutor(Sleeper(), default_per_task_timeout=2)
    own, default = await executor.gather(
        [DeterministicTask(slow, timeout=1), DeterministicTask(slow)]
    )
    assert kinds([own, default]) == ["AttemptTimeout", "AttemptTimeout"]
    assert cancelled == pytest.approx([1, 2])


@pytest.mark.looptime(False)
async def test_a_sync_function_that_is_timed_out_gives_its_slot_back_and_its_thread_is_reported(
    caplog,
):
    release = threading.Event()
    executor = ParallelLLMExecutor(EchoProvider(), max_concurrency=1)

    def stuck():
        release.wait(30)

    with caplog.at_level(logging.WARNING, "ingather"):
        results = await executor.gather(
            [DeterministicTask(stuck, timeout=0.01), DeterministicTask(lambda: "next")]
        )
    assert kinds(results) == ["AttemptTimeout", "done"]
    assert "stuck" in caplog.text
    assert "left behind" in caplog.text
    release.set()


@pytest.mark.parametrize(
    "task", [LLMTask("?", timeout=5), DeterministicTask(asyncio.sleep, (0,), timeout=5)]
)
async def test_a_timeout_error_of_its_own_is_no_attempt_timeout(task):
    mine = TimeoutError("the database")

    async def late():
        raise mine

    if isinstance(task, DeterministicTask):
        task.fn, task.args = late, ()
    [result] = await ParallelLLMExecutor(Raising(mine)).gather([task])
    assert result.error is mine


# -- deadline: seconds for the whole task, or the whole run


async def test_a_tasks_deadline_holds_over_all_its_attempts():
    retry = RetryConfig(max_attempts=100, initial_delay=1, backoff_strategy="fixed")
    [result] = await ParallelLLMExecutor(Sleeper()).gather(
        [LLMTask("2 fails", retry=retry, deadline=7)]
    )
    assert isinstance(result.error, DeadlineExceeded)
    assert isinstance(result.error, TimeoutError)
    assert result.attempts == 3
    assert result.duration_ms == pytest.approx(7000)
    # the reason why it took so long is not lost
    assert isinstance(result.error.__cause__, RuntimeError)


async def test_a_deadline_ends_the_sleep_between_attempts():
    retry = RetryConfig(max_attempts=2, initial_delay=50)
    [result] = await ParallelLLMExecutor(Sleeper()).gather(
        [LLMTask("1 fails", retry=retry, deadline=3)]
    )
    assert isinstance(result.error, DeadlineExceeded)
    assert result.backoff_ms == pytest.approx(2000)
    assert now() == pytest.approx(3)


async def test_a_deadline_of_a_function_cancels_it():
    [result] = await ParallelLLMExecutor(Sleeper()).gather(
        [DeterministicTask(asyncio.sleep, (9,), deadline=2)]
    )
    assert isinstance(result.error, DeadlineExceeded)
    assert now() == pytest.approx(2)


async def test_the_tighter_of_timeout_and_deadline_holds():
    results = await ParallelLLMExecutor(Sleeper()).gather(
        [LLMTask("9", timeout=1, deadline=2), LLMTask("9", timeout=3, deadline=2)]
    )
    assert kinds(results) == ["AttemptTimeout", "DeadlineExceeded"]
    assert [result.duration_ms for result in results] == pytest.approx([1000, 2000])


async def test_time_in_the_queue_counts_for_a_tasks_deadline():
    provider = Sleeper()
    executor = ParallelLLMExecutor(provider, max_concurrency=1)
    results = await executor.execute({str(i): LLMTask("2", deadline=5) for i in range(4)})
    assert kinds(results.values()) == ["done", "done", "DeadlineExceeded", "DeadlineExceeded"]
    assert [result.attempts for result in results.values()] == [1, 1, 1, 0]
    assert now() == pytest.approx(5)


async def test_a_task_of_a_dict_or_list_is_in_the_queue_from_the_start_of_the_run():
    executor = ParallelLLMExecutor(Sleeper(), max_concurrency=1)
    # more than are pulled ahead
    results = await executor.gather([LLMTask("2", deadline=51) for _ in range(40)])
    assert kinds(results) == ["done"] * 25 + ["DeadlineExceeded"] * 15


async def test_a_task_of_a_lazy_input_is_in_the_queue_from_when_it_is_pulled():
    # pulls at most 18 tasks ahead: 36 seconds
    executor = ParallelLLMExecutor(Sleeper(), max_concurrency=1)
    results = await executor.gather(LLMTask("2", deadline=40) for _ in range(100))
    assert kinds(results) == ["done"] * 100
    assert max(result.queued_ms for result in results) <= 36_000


async def test_a_step_is_in_the_queue_from_when_it_is_its_turn():
    results = await ParallelLLMExecutor(Sleeper()).execute_sequential(
        [LLMTask("2", deadline=3) for _ in range(4)]
    )
    assert kinds(results) == ["done"] * 4
    assert [result.queued_ms for result in results] == pytest.approx([0] * 4)


async def test_time_in_the_queue_of_another_call_counts_for_a_tasks_deadline():
    provider = Sleeper()
    executor = ParallelLLMExecutor(provider, max_concurrency=1)
    busy = asyncio.create_task(executor.gather([LLMTask("10")]))
    await asyncio.sleep(1)
    [result] = await executor.gather([LLMTask("1", deadline=4)])
    assert isinstance(result.error, DeadlineExceeded)
    assert (result.attempts, result.duration_ms) == (0, 0)
    assert result.queued_ms == pytest.approx(4000)
    assert "before anything was sent" in str(result.error)
    assert provider.prompts == ["10"]
    assert kinds(await busy) == ["done"]


async def test_the_deadline_of_a_run_is_for_all_its_tasks_together():
    provider = Sleeper()
    executor = ParallelLLMExecutor(provider, max_concurrency=2, deadline=5)
    results = await executor.execute({str(i): LLMTask("2") for i in range(8)})
    assert kinds(results.values()) == ["done"] * 4 + ["DeadlineExceeded"] * 4
    assert [result.attempts for result in results.values()] == [1] * 6 + [0] * 2
    assert provider.in_flight == 0
    assert now() == pytest.approx(5)


async def test_each_call_of_a_method_has_the_whole_deadline_again():
    executor = ParallelLLMExecutor(Sleeper(), deadline=3)
    for _ in range(3):
        assert kinds(await executor.gather([LLMTask("2")])) == ["done"]


async def test_the_tighter_of_the_tasks_and_the_runs_deadline_holds():
    executor = ParallelLLMExecutor(Sleeper(), deadline=4)
    results = await executor.gather([LLMTask("9", deadline=2), LLMTask("9", deadline=6)])
    assert kinds(results) == ["DeadlineExceeded"] * 2
    assert [result.duration_ms for result in results] == pytest.approx([2000, 4000])


async def test_a_lazy_input_is_pulled_no_further_after_the_runs_deadline():
    pulled = 0

    def source():
        nonlocal pulled
        while True:
            pulled += 1
            yield LLMTask("2")

    results = await ParallelLLMExecutor(Sleeper(), max_concurrency=2, deadline=5).gather(source())
    assert len(results) == pulled == 6
    assert kinds(results) == ["done"] * 4 + ["DeadlineExceeded"] * 2


async def test_an_async_input_that_has_nothing_yet_does_not_hold_up_the_runs_deadline():
    async def source():
        yield LLMTask("1")
        await asyncio.sleep(3600)
        yield LLMTask("1")

    assert kinds(await ParallelLLMExecutor(Sleeper(), deadline=5).gather(source())) == ["done"]
    assert now() == pytest.approx(5)


async def test_an_endless_429_ends_at_the_deadline():
    provider = Raising(*(RateLimited("slow down", status=429, retry_after=2.0) for _ in range(50)))
    [result] = await ParallelLLMExecutor(provider).gather([LLMTask("?", deadline=9)])
    assert isinstance(result.error, DeadlineExceeded)
    assert isinstance(result.error.__cause__, RateLimited)
    assert (result.attempts, result.rejected) == (5, 5)
    assert now() == pytest.approx(9)


async def test_slots_come_back_after_deadlines():
    provider = Sleeper()
    executor = ParallelLLMExecutor(provider, max_concurrency=2)
    await executor.gather([LLMTask("9", deadline=1) for _ in range(6)])
    assert kinds(await executor.gather([LLMTask("1"), LLMTask("1")])) == ["done", "done"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_attempts_are_not_begun_after_the_last_moment_has_passed():
    provider = EchoProvider(responses=[ErrorResponse(OSError("blip")), "late"])
    retry = RetryConfig(max_attempts=2, initial_delay=2)
    [result] = await ParallelLLMExecutor(provider).gather([LLMTask("?", retry=retry, deadline=2)])
    assert isinstance(result.error, DeadlineExceeded)
    assert provider.call_count == 1
