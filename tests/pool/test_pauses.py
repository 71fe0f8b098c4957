"""429s: the quota pauses, no call fails of it, none loses its place; what cannot be waited out fails all at once."""

import asyncio
import traceback
from itertools import pairwise
from typing import Any, cast

import pytest

from ingather import (
    DeterministicTask,
    EchoProvider,
    Limits,
    LLMTask,
    ParallelLLMExecutor,
    RetryConfig,
)
from ingather.errors import (
    AuthFailed,
    DeadlineExceeded,
    ModelNotFound,
    PoolFailure,
    QuotaExhausted,
    QuotaWait,
    RateLimited,
    ServerFault,
)
from ingather.limits.tokens import Tokens
from ingather.response import Allowance, RateLimits
from ingather.testing import ErrorResponse
from tests.run.stand_ins import Wire, assert_at_rest, consume, gate_of, llm_tasks, other_tasks

pytestmark = pytest.mark.looptime


def now():
    return asyncio.get_running_loop().time()


def throttled(hint=None):
    return RateLimited("429: slow down", status=429, retry_after=hint)


class Storm:
    """Refuses whatever comes back before `end`, with `hint`; answers after it."""

    def __init__(self, end, hint=None):
        self.end = end
        self.hint = hint

    def __call__(self, prompt, number):
        return throttled(self.hint) if now() < self.end else prompt


# -- the pause


async def test_a_hint_pauses_the_whole_quota():
    wire = Wire(
        lambda prompt, number: throttled(30.0) if number == 1 else prompt,
        latency=1.0,
        host="hint pauses",
    )
    other = Wire(latency=1.0, host="hint pauses")
    executor, beside = ParallelLLMExecutor(wire, 1), ParallelLLMExecutor(other, 1)
    run = asyncio.create_task(executor.gather(llm_tasks(3)))
    await asyncio.sleep(5.0)
    await beside.gather(llm_tasks(1))
    await run
    assert [sent.began for sent in wire.ledger[:2]] == [0.0, 31.0]
    assert other.ledger[0].began >= 31.0


async def test_without_a_hint_the_pauses_are_1_2_4_seconds():
    limits = Limits(max_wait=600.0)
    wire = Wire(
        lambda prompt, number: throttled() if number <= 7 else prompt, latency=0.5, limits=limits
    )
    (result,) = await ParallelLLMExecutor(wire, 1).gather(llm_tasks(1))
    pauses = [later.began - earlier.ended for earlier, later in pairwise(wire.ledger)]
    assert pauses == pytest.approx([1, 2, 4, 8, 16, 32, 60])
    assert (result.attempts, result.rejected) == (8, 7)


async def test_it_takes_no_attempt_of_the_retry_policy():
    wire = Wire(
        lambda prompt, number: throttled(1.0) if number <= 20 else prompt,
        limits=Limits(max_wait=3600.0),
    )
    (result,) = await ParallelLLMExecutor(
        wire, 1, default_retry=RetryConfig(max_attempts=1)
    ).gather(llm_tasks(1))
    assert result.success
    assert (result.attempts, result.rejected) == (21, 20)


async def test_throttled_and_faulty_attempts_are_counted_apart():
    def answer(prompt, number):
        return {
            1: throttled(1.0),
            2: ServerFault("500"),
            3: throttled(1.0),
            4: ServerFault("500"),
        }.get(number, prompt)

    wire = Wire(answer)
    (result,) = await ParallelLLMExecutor(
        wire, 1, default_retry=RetryConfig(max_attempts=3)
    ).gather(llm_tasks(1))
    assert result.success
    assert (result.attempts, result.rejected) == (5, 2)


async def test_it_never_triggers_fail_fast():
    wire = Wire(lambda prompt, number: throttled(1.0) if number % 3 else prompt, latency=0.1)
    results = await ParallelLLMExecutor(wire, 3, fail_fast=True).gather(llm_tasks(10))
    assert all(result.success for result in results)


async def test_functions_go_on_while_the_quota_is_paused():
    wire = Wire(lambda prompt, number: throttled(60.0) if number <= 2 else prompt)
    executor = ParallelLLMExecutor(wire, 2)
    moments = []

    async def function():
        moments.append(now())

    await executor.gather([*llm_tasks(5), *[DeterministicTask(function)] * 5])
    assert moments == [0.0] * 5
    assert_at_rest(executor, wire)


async def test_no_slot_is_held_in_a_pause():
    wire = Wire(lambda prompt, number: throttled(60.0) if number == 1 else prompt)
    executor = ParallelLLMExecutor(wire, 1)
    run = asyncio.create_task(executor.gather(llm_tasks(3)))
    await asyncio.sleep(30.0)
    assert "0 of 1 in use" in repr(executor)
    await run


async def test_a_deadline_ends_a_wait_for_the_quota():
    wire = Wire(lambda prompt, number: throttled(50.0))
    executor = ParallelLLMExecutor(wire, 1)
    (result,) = await executor.gather([LLMTask("x", deadline=10.0)])
    assert isinstance(result.error, DeadlineExceeded)
    assert isinstance(result.error.__cause__, RateLimited)
    assert now() == 10.0
    assert_at_rest(executor, wire)


# -- storms


@pytest.mark.parametrize("hint", [None, 0.0, 1.0, 7.5])
@pytest.mark.parametrize("bound", [5, 20])
async def test_a_storm_of_a_minute_ends_well(bound, hint):
    """Every call ends, few requests are wasted on it, and no call's attempts are used up."""
    wire = Wire(Storm(60.0, hint), latency=0.5)
    executor = ParallelLLMExecutor(wire, bound, default_retry=RetryConfig(max_attempts=1))
    results = await executor.gather(llm_tasks(200))
    assert all(result.success for result in results)
    assert len(wire.outcomes("RateLimited")) - bound < 60
    assert now() <= 60.0 + 64.0 + 200 / bound
    assert_at_rest(executor, wire)


@pytest.mark.parametrize("bound", [5, 20])
async def test_a_storm_in_the_middle_of_a_run_ends_well(bound):
    wire = Wire(lambda prompt, number: throttled() if 10.0 <= now() < 70.0 else prompt, latency=0.5)
    executor = ParallelLLMExecutor(wire, bound)
    results = await executor.gather(llm_tasks(100 * bound))
    assert all(result.success for result in results)
    assert len(wire.outcomes("RateLimited")) < bound + 60
    assert_at_rest(executor, wire)


async def test_after_the_first_wave_one_call_asks_for_all():
    wire = Wire(Storm(60.0), latency=0.5)
    executor = ParallelLLMExecutor(wire, 20)
    await executor.gather(llm_tasks(40))
    refused = [sent.began for sent in wire.outcomes("RateLimited")]
    assert refused[:20] == [0.0] * 20
    assert len(set(refused[20:])) == len(refused[20:])


async def test_after_a_storm_the_calls_come_back_in_growing_numbers_and_soon_all_at_once():
    wire = Wire(Storm(30.0, 5.0), latency=1.0)
    executor = ParallelLLMExecutor(wire, 20)
    await executor.gather(llm_tasks(400))
    end = min(sent.began for sent in wire.outcomes("answered"))
    starts = [
        sum(1 for sent in wire.ledger if end <= sent.began - second < end + 1)
        for second in range(60)
    ]
    assert starts[0] <= 2
    assert max(starts[:20]) >= 18


async def test_several_executors_in_one_storm_ask_together_as_one():
    wires = [Wire(Storm(60.0), latency=0.5, host="one storm") for _ in range(4)]
    runs = [ParallelLLMExecutor(wire, 5).gather(llm_tasks(20)) for wire in wires]
    for results in await asyncio.gather(*runs):
        assert all(result.success for result in results)
    assert sum(len(wire.outcomes("RateLimited")) for wire in wires) - 20 < 60


# -- what cannot be waited out


async def test_a_wait_beyond_max_wait_fails_all_that_wait_with_one_cause():
    wire = Wire(lambda prompt, number: throttled(86_400.0) if number == 1 else prompt, latency=1.0)
    executor = ParallelLLMExecutor(wire, 1)
    results = await executor.gather(llm_tasks(30))
    assert {type(result.error) for result in results} == {QuotaWait}
    assert len({id(result.error) for result in results}) == 1
    error = results[0].error
    assert isinstance(error, QuotaWait)
    assert error.retry_after == 86_400.0
    assert "86,400" in str(error)
    assert "max_wait" in str(error)
    assert len(wire.ledger) == 1
    assert now() == 1.0
    assert_at_rest(executor, wire)


async def test_max_wait_is_the_users_to_set():
    wire = Wire(
        lambda prompt, number: throttled(300.0) if number == 1 else prompt,
        limits=Limits(max_wait=600.0),
    )
    (result,) = await ParallelLLMExecutor(wire, 1).gather(llm_tasks(1))
    assert result.success
    assert now() == pytest.approx(300.0)


@pytest.mark.parametrize("count", [1, 12])
async def test_max_wait_bounds_the_waits_for_what_headers_announce_as_well(count):
    """A day's quota that is used up looks in the headers as if it came back within the minute, call by call."""
    told = RateLimits(Allowance(50, 0, 93_780.0))
    wire = Wire(
        lambda prompt, number: RateLimited("429", status=429, rate_limits=told),
        latency=0.01, limits=Limits(max_wait=3.0),
    )  # fmt: skip
    executor = ParallelLLMExecutor(wire, 4)
    results = await executor.gather(llm_tasks(count))
    assert {type(result.error) for result in results} == {QuotaWait}
    assert now() < 3.0 + 6.1 * min(count, 2)  # one wait begins in time, and one other call is tried
    assert_at_rest(executor, wire)


def wrong_key():
    return AuthFailed("wrong key", status=401, code="invalid_api_key")


FATAL: list[Exception] = [
    QuotaExhausted("no credit", status=429),
    wrong_key(),
    ModelNotFound("no such model"),
]


@pytest.mark.parametrize("error", FATAL, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("method", ["gather", "as_completed"])
async def test_what_fails_one_call_of_a_quota_fails_all_within_one_round_trip(error, method):
    wire = Wire(lambda prompt, number: error, latency=1.0, retry=RetryConfig())
    executor = ParallelLLMExecutor(wire, 5)
    tasks = llm_tasks(500)
    results = await (
        executor.gather(tasks)
        if method == "gather"
        else consume(executor.as_completed(iter(tasks)))
    )
    assert len(results) == 500
    assert {type(result.error) for result in results} == {type(error)}
    assert len(wire.ledger) == 5
    assert now() == 1.0
    assert_at_rest(executor, wire)


async def test_it_fails_the_other_executors_of_the_quota_too():
    error = wrong_key()
    wires = [
        Wire(lambda prompt, number: error, latency=latency, host="fails the others")
        for latency in (1.0, 50.0)
    ]
    executors = [ParallelLLMExecutor(wire, 1) for wire in wires]
    runs = [asyncio.create_task(executor.gather(llm_tasks(5))) for executor in executors]
    results = await runs[1]
    assert {type(result.error) for result in results} == {AuthFailed}
    assert len(wires[1].ledger) == 1
    assert now() == 50.0  # its own request was in flight, and is waited for
    await runs[0]


async def test_it_fails_no_other_quota():
    def answer(prompt, number):
        return AuthFailed("not for this model", status=403) if prompt == "forbidden" else prompt

    wire = Wire(answer, latency=1.0)
    executor = ParallelLLMExecutor(wire, 2)
    forbidden = [LLMTask("forbidden", config_overrides={"model": "secret"}) for _ in range(5)]
    results = await executor.gather([*forbidden, *llm_tasks(5)])
    assert [type(result.error) for result in results] == [AuthFailed] * 5 + [type(None)] * 5


async def test_a_new_run_tries_again():
    broken = True
    wire = Wire(lambda prompt, number: wrong_key() if broken else prompt, latency=1.0)
    executor = ParallelLLMExecutor(wire, 2)
    assert not any(result.success for result in await executor.gather(llm_tasks(5)))
    asked = len(wire.ledger)
    assert not any(result.success for result in await executor.gather(llm_tasks(5)))
    assert len(wire.ledger) > asked
    broken = False
    assert all(result.success for result in await executor.gather(llm_tasks(5)))


async def test_a_new_run_tries_again_while_an_older_one_of_its_executor_is_still_open():
    """As in a service, where some call of the executor is always open."""
    broken = True
    wire = Wire(lambda prompt, number: wrong_key() if broken else prompt, latency=1.0)
    executor = ParallelLLMExecutor(wire, 3)
    always_open = asyncio.create_task(
        executor.gather([DeterministicTask(asyncio.sleep, (1000.0,))])
    )
    assert not any(result.success for result in await executor.gather(llm_tasks(5)))
    broken = False
    assert all(result.success for result in await executor.gather(llm_tasks(5)))
    await always_open


async def test_a_nested_run_is_no_new_one():
    """Or else a hundred parents would each ask once more with the wrong key."""
    wire = Wire(lambda prompt, number: wrong_key(), latency=1.0)
    executor = ParallelLLMExecutor(wire, 2)

    async def parent():
        return await executor.gather(llm_tasks(2))

    results = await executor.gather([DeterministicTask(parent) for _ in range(100)])
    assert {type(below.error) for result in results for below in result.unwrap()} == {AuthFailed}
    assert len(wire.ledger) <= 2


async def test_its_shared_cause_does_not_grow_with_those_who_share_it():
    wire = Wire(lambda prompt, number: QuotaExhausted("no credit", status=429))
    results = await ParallelLLMExecutor(wire, 1).gather(llm_tasks(200))
    (error,) = {result.error for result in results}
    assert error is not None
    assert len(traceback.extract_tb(error.__traceback__)) < 30


async def test_errors_of_a_bare_provider_pause_and_fail_its_own_pool():
    provider = EchoProvider(
        responses=[ErrorResponse(throttled(20.0)), "fine", ErrorResponse(FATAL[1]), "never"]
    )
    executor = ParallelLLMExecutor(provider, 1)
    results = await executor.gather(llm_tasks(5))
    assert 20.0 <= now() <= 22.0
    assert [isinstance(result.error, PoolFailure) for result in results] == [
        False,
        True,
        True,
        True,
        True,
    ]
    beside = await ParallelLLMExecutor(EchoProvider(), 1).gather(llm_tasks(1))
    assert beside[0].success


# -- its timers


def timers():
    loop = cast("Any", asyncio.get_running_loop())
    return [timer for timer in loop._scheduled if not timer.cancelled()]


async def test_a_pause_that_is_cancelled_leaves_nothing_that_keeps_ringing():
    wire = Wire(lambda prompt, number: throttled(100.0) if number <= 2 else prompt)
    executor = ParallelLLMExecutor(wire, 2)
    for _ in range(20):
        run = asyncio.create_task(executor.gather(llm_tasks(10)))
        await asyncio.sleep(1.0)
        run.cancel()
        await asyncio.wait([run])
    await asyncio.sleep(500.0)
    assert timers() == []
    assert other_tasks() == set()
    assert list(gate_of(executor).waiting) == []


async def test_big_requests_that_give_up_do_not_multiply_the_timers():
    """Each time one at the head is cancelled, the next one needs an earlier ring."""

    def sized(prompt):
        return Tokens(int(prompt), max_output=0)

    wire = Wire(limits=Limits(tokens_per_minute=6000), estimate=sized)
    executor = ParallelLLMExecutor(wire, 50)
    small = asyncio.create_task(executor.gather([LLMTask("100")] * 600))
    for _ in range(50):
        big = asyncio.create_task(executor.gather([LLMTask("5000")] * 2))
        await asyncio.sleep(0.3)
        big.cancel()
        await asyncio.wait([big])
    await asyncio.sleep(200.0)
    assert len([timer for timer in timers() if "_ring" in repr(timer)]) <= 3
    small.cancel()
    await asyncio.wait([small])
