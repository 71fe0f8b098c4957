"""With a store, identical calls that are in the air at one time share one request, and what becomes of it."""

import asyncio

import pytest
from pydantic import BaseModel

from ingather import Budget, DeterministicTask, LLMTask, RetryConfig
from ingather.errors import (
    AttemptTimeout,
    AuthFailed,
    BadRequest,
    BudgetSpent,
    Cancelled,
    DeadlineExceeded,
    Filtered,
    InvalidAnswer,
    ServerFault,
    TooLong,
)
from ingather.events import Remembered
from tests.run.stand_ins import assert_at_rest, until_in_time


class Person(BaseModel):
    name: str


async def test_followers_share_the_answer(executor_of):
    executor = executor_of(latency=0.02)
    results = await executor.gather([LLMTask("a")] * 5 + [LLMTask("b")])
    assert len(executor.wire.ledger) == 2
    assert [result.value.content for result in results] == ["a"] * 5 + ["b"]
    assert [result.cached for result in results] == [False, True, True, True, True, False]
    assert [result.attempts for result in results] == [1, 0, 0, 0, 0, 1]
    told = [event for event in executor.events if isinstance(event, Remembered)]
    assert [(event.index, event.source) for event in told] == [
        (index, "flight") for index in range(1, 5)
    ]
    assert_at_rest(executor, executor.wire)


async def test_an_answer_is_each_ones_own_to_change(executor_of):
    executor = executor_of(latency=0.01)
    first, second = await executor.gather([LLMTask("a")] * 2)
    first.value.metadata["mine"] = 1
    assert second.value.metadata == {}


async def test_followers_hold_no_slot(executor_of):
    executor = executor_of(latency=lambda prompt: 0.05, max_concurrency=2)
    await executor.gather([LLMTask("a")] * 10 + [LLMTask("b")] * 10)
    assert executor.wire.peak == 2
    assert len(executor.wire.ledger) == 2


async def test_followers_share_the_failure(executor_of):
    executor = executor_of(lambda prompt, number: BadRequest("no"), latency=0.02)
    results = await executor.gather([LLMTask("a")] * 4)
    assert len(executor.wire.ledger) == 1
    assert [str(result.error) for result in results] == ["no"] * 4
    assert [result.attempts for result in results] == [1, 0, 0, 0]


async def test_a_failure_is_shared_once_the_leader_has_retried(executor_of):
    retry = RetryConfig(max_attempts=3, initial_delay=0.001)
    executor = executor_of(lambda prompt, number: ServerFault("down"), default_retry=retry)
    results = await executor.gather([LLMTask("a")] * 4)
    assert len(executor.wire.ledger) == 3
    assert [type(result.error) for result in results] == [ServerFault] * 4


async def test_a_call_after_a_failed_flight_begins_one_of_its_own(executor_of):
    executor = executor_of(lambda prompt, number: ServerFault("down") if number == 1 else prompt)
    await executor.gather([LLMTask("a")] * 2)
    (result,) = await executor.gather([LLMTask("a")])
    assert result.success


@pytest.mark.looptime
async def test_the_next_follower_leads_when_the_leader_runs_out_of_time(executor_of):
    executor = executor_of(latency=0.1)
    leader, *followers = await executor.gather([LLMTask("a", deadline=0.03)] + [LLMTask("a")] * 3)
    assert isinstance(leader.error, DeadlineExceeded)
    assert [(one.success, one.attempts, one.cached) for one in followers] == [
        (True, 1, False),
        (True, 0, True),
        (True, 0, True),
    ]
    assert len(executor.wire.ledger) == 2
    assert_at_rest(executor, executor.wire)


async def test_the_next_follower_leads_when_the_leaders_run_is_left(executor_of):
    executor = executor_of(latency=0.05)
    leaving = executor.as_completed([LLMTask("a")])
    first = asyncio.ensure_future(anext(leaving))
    await until_in_time(lambda: executor.wire.in_flight == 1)
    following = asyncio.ensure_future(executor.gather([LLMTask("a")] * 2))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.wait([first])
    results = await following
    assert [(one.success, one.cached) for one in results] == [(True, False), (True, True)]
    assert [sent.outcome for sent in executor.wire.ledger] == ["cancelled", "answered"]


async def test_followers_that_are_cancelled_leave_the_leader_alone(executor_of):
    executor = executor_of(latency=0.05)
    leading = asyncio.ensure_future(executor.gather([LLMTask("a")]))
    await until_in_time(lambda: executor.wire.in_flight == 1)
    following = asyncio.ensure_future(executor.gather([LLMTask("a")] * 3))
    await asyncio.sleep(0.01)
    following.cancel()
    await asyncio.wait([following])
    (result,) = await leading
    assert result.success
    assert executor._context.single_flight._flights[asyncio.get_running_loop()] == {}


async def test_who_is_made_the_leader_and_cancelled_at_once_hands_on(executor_of):
    executor = executor_of(latency=0.05)
    runs = [asyncio.ensure_future(executor.gather([LLMTask("a")])) for _ in range(4)]
    await until_in_time(lambda: executor.wire.in_flight == 1)
    for run in runs[:3]:  # all in one turn of the loop: each is made the leader by the one before
        run.cancel()
    (result,) = await runs[3]
    assert result.success
    await asyncio.wait(runs)
    assert executor._context.single_flight._flights[asyncio.get_running_loop()] == {}
    assert_at_rest(executor, executor.wire)


async def test_a_follower_that_wants_more_of_an_answer_asks_for_itself(executor_of):
    answers = ["no json", '{"name": "Emma"}']
    executor = executor_of(lambda prompt, number: answers[number - 1], latency=0.02)
    plain = LLMTask("a", retry=RetryConfig())
    picky = LLMTask("a", retry=RetryConfig(retry_on_result=lambda value: "no" in value.content))
    first, second = await executor.gather([plain, picky])
    assert (first.value.content, second.value.content) == tuple(answers)
    assert not second.cached


async def test_an_answer_that_is_not_to_be_kept_is_not_shared(executor_of):
    retry = RetryConfig(max_attempts=1, retry_on_result=lambda value: True)
    executor = executor_of(lambda prompt, number: str(number), default_retry=retry, latency=0.01)
    results = await executor.gather([LLMTask("a")] * 3)
    assert sorted(result.value.content for result in results) == ["1", "2", "3"]


@pytest.mark.parametrize("slots", [1, 3])
async def test_nested_calls_follow_without_a_deadlock(executor_of, slots):
    executor = executor_of(latency=0.01, max_concurrency=slots)

    async def parent():
        return (await executor.gather([LLMTask("same")]))[0].unwrap().content

    results = await executor.gather(
        [DeterministicTask(parent) for _ in range(8)] + [LLMTask("same")]
    )
    assert [result.success for result in results] == [True] * 9
    assert len(executor.wire.ledger) == 1


async def test_fail_fast_reports_each_follower(executor_of):
    executor = executor_of(lambda prompt, number: BadRequest("no"), latency=0.01)
    results = await executor.gather([LLMTask("a")] * 4, fail_fast=True)
    assert len(results) == 4
    assert all(isinstance(result.error, BadRequest | Cancelled) for result in results[:1])
    assert not any(result.success for result in results)


# -- what is the leader's own affair


async def test_a_leaders_timeout_is_its_own(executor_of):
    executor = executor_of(latency=0.2)
    hasty, patient, other = await executor.gather(
        [LLMTask("a", timeout=0.02), LLMTask("a"), LLMTask("a", timeout=30)]
    )
    assert isinstance(hasty.error, AttemptTimeout)
    assert [(one.success, one.attempts, one.cached) for one in (patient, other)] == [
        (True, 1, False),
        (True, 0, True),
    ]
    assert len(executor.wire.ledger) == 2
    assert_at_rest(executor, executor.wire)


async def test_who_would_wait_no_longer_shares_the_timeout(executor_of):
    executor = executor_of(latency=0.2)
    tasks = [LLMTask("a", timeout=0.04), LLMTask("a", timeout=0.04), LLMTask("a", timeout=0.02)]
    results = await executor.gather(tasks)
    assert [type(one.error) for one in results] == [AttemptTimeout] * 3
    assert len(executor.wire.ledger) == 1


async def test_followers_of_growing_patience_lead_one_after_another(executor_of):
    executor = executor_of(latency=0.3)
    results = await executor.gather(
        [LLMTask("a", timeout=timeout) for timeout in (0.02, 0.04, 30.0)]
    )
    assert [one.success for one in results] == [False, False, True]
    assert len(executor.wire.ledger) == 3


async def test_a_follower_that_tries_more_often_leads_on(executor_of):
    executor = executor_of(
        lambda prompt, number: prompt if number > 2 else ServerFault("500"), latency=0.02
    )
    often = RetryConfig(max_attempts=4, initial_delay=0.001)
    once, same, more = await executor.gather(
        [
            LLMTask("a", retry=retry)
            for retry in (RetryConfig(max_attempts=1), RetryConfig(max_attempts=1), often)
        ]
    )
    assert [type(one.error) for one in (once, same)] == [ServerFault] * 2
    assert more.success
    assert len(executor.wire.ledger) == 3


async def test_so_does_one_that_tries_again_after_this_error(executor_of):
    executor = executor_of(
        lambda prompt, number: prompt if number > 1 else BadRequest("once"), latency=0.02
    )
    stubborn = RetryConfig(max_attempts=2, initial_delay=0.001, retry_on_exceptions=[BadRequest])
    plain, other = await executor.gather([LLMTask("a"), LLMTask("a", retry=stubborn)])
    assert (plain.success, other.success) == (False, True)


async def test_a_failure_of_the_leaders_own_policy_is_its_own(executor_of):
    def broken(value):
        raise LookupError("a bug")

    executor = executor_of(latency=0.02)
    leader, follower = await executor.gather(
        [LLMTask("a", retry=RetryConfig(retry_on_result=broken)), LLMTask("a")]
    )
    assert isinstance(leader.error, LookupError)
    assert follower.success


async def test_a_failing_policy_of_a_followers_fails_that_one(executor_of):
    def broken(error):
        raise LookupError("a bug")

    executor = executor_of(lambda prompt, number: BadRequest("no"), latency=0.02)
    policy = RetryConfig(retry_on_exception=broken)
    results = await executor.gather([LLMTask("a"), LLMTask("a", retry=policy), LLMTask("a")])
    assert [type(one.error) for one in results] == [BadRequest, LookupError, BadRequest]
    assert_at_rest(executor, executor.wire)


async def test_a_budget_is_asked_by_each_for_itself(executor_of):
    executor = executor_of(latency=0.02, budget=Budget(max_tokens=1))
    results = await executor.gather([LLMTask("a", config_overrides={"max_tokens": 5})] * 3)
    assert [type(one.error) for one in results] == [BudgetSpent] * 3
    assert len({id(one.error) for one in results}) == 3


async def test_how_often_a_misfit_is_sent_back_is_each_ones_own(executor_of):
    executor = executor_of(
        lambda prompt, number: '{"name": "Emma"}' if number > 2 else "no", latency=0.02
    )
    shy, bold = await executor.gather(
        [
            LLMTask("a", response_model=Person, reasks=reasks, retry=RetryConfig(max_attempts=1))
            for reasks in (0, 1)
        ]
    )
    assert isinstance(shy.error, InvalidAnswer)
    assert bold.value == Person(name="Emma")


async def test_who_would_send_it_back_less_often_shares_the_misfit(executor_of):
    executor = executor_of(lambda prompt, number: "no", latency=0.02)
    once = RetryConfig(max_attempts=1)
    tasks = [
        LLMTask("a", response_model=Person, reasks=reasks, retry=once) for reasks in (2, 0, 1, 2)
    ]
    results = await executor.gather(tasks)
    assert [type(one.error) for one in results] == [InvalidAnswer] * 4
    assert len(executor.wire.ledger) == 3


@pytest.mark.parametrize(
    "error", [BadRequest("no"), Filtered("no"), AuthFailed("no", status=403), TooLong("long")]
)
async def test_what_is_wrong_with_the_request_itself_is_everybodys(executor_of, error):
    executor = executor_of(lambda prompt, number: error, latency=0.02)
    tasks = [
        LLMTask("a", timeout=5.0),
        LLMTask("a"),
        LLMTask("a", retry=RetryConfig(max_attempts=9)),
    ]
    results = await executor.gather(tasks)
    assert [type(one.error) for one in results] == [type(error)] * 3
    assert len(executor.wire.ledger) == 1
