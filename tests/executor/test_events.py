import asyncio
import linecache

import pytest

from ingather import (
    DeterministicTask,
    EchoProvider,
    LLMResponse,
    LLMTask,
    ParallelLLMExecutor,
    RetryConfig,
    Usage,
)
from ingather.errors import RateLimited
from ingather.events import (
    AttemptEnded,
    AttemptStarted,
    BackedOff,
    Event,
    PoolPaused,
    RunEnded,
    RunStarted,
    TaskEnded,
    TaskStarted,
)
from tests.executor.stand_ins import Raising, Sleeper

pytestmark = pytest.mark.looptime


async def heard(provider, tasks, **options):
    events: list[Event] = []
    await ParallelLLMExecutor(provider, on_event=events.append, **options).gather(tasks)
    assert len({event.run for event in events}) == 1
    assert [event.at for event in events] == sorted(event.at for event in events)
    return events


def names(events):
    return [type(event).__name__ for event in events]


async def test_a_call_that_succeeds():
    answer = LLMResponse("ok", usage=Usage(3, 2))
    provider = EchoProvider(responses=[answer]).set_response_delay(2)
    begun, started, attempt, answered, ended, over = await heard(
        provider, [LLMTask("a", tag="one")]
    )
    run = begun.run
    assert begun == RunStarted(at=0.0, run=run, total=1)
    assert started == TaskStarted(at=0.0, run=run, index=0, tag="one")
    assert attempt == AttemptStarted(at=0.0, run=run, index=0, attempt=1, queued=0.0, waited={})
    assert answered == AttemptEnded(
        at=2.0, run=run, index=0, attempt=1, duration=2.0, error=None, usage=Usage(3, 2)
    )
    assert isinstance(ended, TaskEnded)
    assert (ended.at, ended.result.tag, ended.result.value) == (2.0, "one", answer)
    assert over == RunEnded(at=2.0, run=run, wall=2.0, succeeded=1, failed=0)


async def test_a_function_that_succeeds():
    events = await heard(EchoProvider(), [DeterministicTask(asyncio.sleep, (2,), tag="nap")])
    assert names(events) == [
        "RunStarted",
        "TaskStarted",
        "AttemptStarted",
        "AttemptEnded",
        "TaskEnded",
        "RunEnded",
    ]
    began, ended = events[2], events[3]
    assert (began.attempt, ended.attempt) == (0, 0)
    assert (ended.duration, ended.error, ended.usage) == (2.0, None, None)


async def test_a_call_that_is_tried_again():
    error = OSError("blip")
    retry = RetryConfig(max_attempts=2, initial_delay=3)
    events = await heard(Raising(error), [LLMTask("a")], default_retry=retry)
    assert names(events) == [
        "RunStarted",
        "TaskStarted",
        "AttemptStarted",
        "AttemptEnded",
        "BackedOff",
        "AttemptStarted",
        "AttemptEnded",
        "TaskEnded",
        "RunEnded",
    ]
    run = events[0].run
    assert events[3] == AttemptEnded(
        at=0.0, run=run, index=0, attempt=1, duration=0.0, error=error, usage=None
    )
    assert events[4] == BackedOff(at=0.0, run=run, index=0, attempt=1, delay=3.0, error=error)
    assert events[5] == AttemptStarted(at=3.0, run=run, index=0, attempt=2, queued=0.0, waited={})
    assert events[6].attempt == 2


async def test_a_value_that_is_not_good_enough_backs_off_without_an_error():
    retry = RetryConfig(max_attempts=2, initial_delay=3, retry_on_result=lambda value: True)
    events = await heard(EchoProvider(), [LLMTask("a")], default_retry=retry)
    [backed_off] = [event for event in events if isinstance(event, BackedOff)]
    assert (backed_off.attempt, backed_off.delay, backed_off.error) == (1, 3.0, None)


async def test_a_429_pauses_the_pool_and_is_no_back_off():
    throttled = RateLimited("slow down", retry_after=5.0)
    events = await heard(Raising(throttled), [LLMTask("a")])
    assert names(events) == [
        "RunStarted",
        "TaskStarted",
        "AttemptStarted",
        "PoolPaused",
        "AttemptEnded",
        "AttemptStarted",
        "AttemptEnded",
        "TaskEnded",
        "RunEnded",
    ]
    paused, rejected, again = events[3:6]
    assert isinstance(paused, PoolPaused)
    assert (paused.delay, paused.index) == (5.0, 0)
    assert paused.pool
    assert (rejected.attempt, rejected.error) == (1, throttled)
    assert (again.attempt, again.at, again.queued, again.limited_by) == (2, 5.0, 5.0, "pause")


async def test_a_failure_is_a_task_that_ended():
    events = await heard(Sleeper(), [LLMTask("1 fails")])
    assert names(events)[-3:] == ["AttemptEnded", "TaskEnded", "RunEnded"]
    assert isinstance(events[-3].error, RuntimeError)
    assert not events[-2].result.success
    assert (events[-1].succeeded, events[-1].failed) == (0, 1)


async def test_what_is_no_task_starts_no_attempt():
    events = await heard(EchoProvider(), [42])
    assert names(events) == ["RunStarted", "TaskStarted", "TaskEnded", "RunEnded"]


async def test_an_empty_run_begins_and_ends():
    begun, over = await heard(EchoProvider(), [])
    assert (begun.total, over.succeeded, over.failed) == (0, 0, 0)


@pytest.mark.parametrize(("source", "total"), [(list, 3), (tuple, 3), (iter, None)])
async def test_the_total_is_said_where_it_is_known(source, total):
    events = await heard(EchoProvider(), source([LLMTask("a"), LLMTask("b"), LLMTask("c")]))
    assert events[0].total == total


async def test_a_task_that_waits_for_a_slot_says_so():
    events: list[Event] = []
    executor = ParallelLLMExecutor(Sleeper(), max_concurrency=1, on_event=events.append)
    busy = asyncio.create_task(executor.gather([LLMTask("4")]))
    await asyncio.sleep(1)
    await executor.gather([LLMTask("1")])
    await busy
    _, waited = [event for event in events if isinstance(event, AttemptStarted)]
    assert (waited.at, waited.queued, waited.limited_by) == (4.0, 3.0, "slots")


async def test_a_task_that_is_stopped_in_flight_ends_its_attempt_and_itself():
    events = await heard(Sleeper(), [LLMTask("1 fails"), LLMTask("9")], fail_fast=True)
    of_second = [
        event for event in events if getattr(event, "index", None) == 1 or _is_result_of(event, 1)
    ]
    assert names(of_second) == ["TaskStarted", "AttemptStarted", "AttemptEnded", "TaskEnded"]
    assert isinstance(of_second[2].error, asyncio.CancelledError)


async def test_every_task_that_ends_was_started():
    events = await heard(
        Sleeper(),
        [LLMTask("1 fails"), LLMTask("9"), LLMTask("9")],
        fail_fast=True,
        max_concurrency=1,
    )
    started = [event.index for event in events if isinstance(event, TaskStarted)]
    ended = [event.result.index for event in events if isinstance(event, TaskEnded)]
    assert sorted(started) == sorted(ended) == [0, 1, 2]


def _is_result_of(event, index):
    return isinstance(event, TaskEnded) and event.result.index == index


async def test_each_call_is_a_run_of_its_own():
    events: list[Event] = []
    executor = ParallelLLMExecutor(EchoProvider(), on_event=events.append)
    await asyncio.gather(executor.gather([LLMTask("a")]), executor.gather([LLMTask("b")]))
    started = [event for event in events if isinstance(event, RunStarted)]
    ended = [event for event in events if isinstance(event, RunEnded)]
    assert len({event.run for event in started}) == 2
    assert sorted(event.run for event in started) == sorted(event.run for event in ended)


async def test_a_sequence_is_one_run_of_numbered_tasks():
    events: list[Event] = []
    executor = ParallelLLMExecutor(EchoProvider(), on_event=events.append)
    await executor.execute_sequential([LLMTask("a"), LLMTask("b")])
    assert names(events).count("RunStarted") == names(events).count("RunEnded") == 1
    assert [event.index for event in events if isinstance(event, TaskStarted)] == [0, 1]


async def test_results_that_are_closed_early_end_their_run():
    events: list[Event] = []
    async with ParallelLLMExecutor(Sleeper(), on_event=events.append).as_completed(
        [LLMTask("1"), LLMTask("9")]
    ) as results:
        await anext(results)
    assert names(events)[-1] == "RunEnded"
    assert names(events).count("TaskEnded") == names(events).count("TaskStarted") == 2


@pytest.mark.parametrize(
    "kind",
    [
        RunStarted,
        TaskStarted,
        AttemptStarted,
        AttemptEnded,
        BackedOff,
        PoolPaused,
        TaskEnded,
        RunEnded,
    ],
)
async def test_a_subscriber_that_raises_is_logged_and_the_run_goes_on(kind, caplog):
    def subscriber(event):
        if type(event) is kind:
            raise LookupError("in the subscriber")

    provider = Raising(RateLimited("x", retry_after=1.0), OSError("blip"))
    policy = RetryConfig(max_attempts=2, initial_delay=1)
    executor = ParallelLLMExecutor(provider, 1, policy, on_event=subscriber)
    async with asyncio.timeout(100):
        [result] = await executor.gather([LLMTask("a")])
    assert result.success
    assert (provider.calls, result.attempts, result.rejected) == (3, 3, 1)
    assert "in the subscriber" in caplog.text
    assert kind.__name__ in caplog.text
    assert executor._slots.in_use == 0
    assert not executor._runs
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_a_subscriber_raises_is_warned_of_once_at_its_own_line():
    told = []

    def subscriber(event):
        told.append(event)
        raise LookupError("in the subscriber")

    executor = ParallelLLMExecutor(EchoProvider(), on_event=subscriber)
    with pytest.warns(RuntimeWarning) as warned:
        results = await executor.gather(["a", "b"])
    assert [result.success for result in results] == [True, True]
    assert len(told) > len(warned) == 1
    assert str(warned[0].message).startswith(
        "on_event raised LookupError: in the subscriber: the run goes on"
    )
    assert warned[0].filename == __file__
    assert linecache.getline(__file__, warned[0].lineno).strip().startswith("raise LookupError")


async def test_a_subscriber_written_in_c_is_warned_of_too():
    with pytest.warns(RuntimeWarning, match="on_event raised TypeError: "):
        await ParallelLLMExecutor(EchoProvider(), on_event=len).gather(["a"])  # type: ignore[arg-type]


async def asynchronous(event):
    pass


class Asynchronous:
    async def __call__(self, event):
        pass


@pytest.mark.parametrize("wrong", ["print", 1, asynchronous, Asynchronous()])
async def test_what_cannot_be_told_of_events_is_a_type_error(wrong):
    with pytest.raises(
        TypeError,
        match=r"on_event is a function \(not async\) that takes an "
        r"event",
    ):
        ParallelLLMExecutor(EchoProvider(), on_event=wrong)
