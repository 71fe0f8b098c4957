import asyncio
import itertools

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
from ingather.errors import (
    AuthFailed,
    BadRequest,
    ConnectionLost,
    Overloaded,
    RateLimited,
    Truncated,
)
from ingather.providers.echo import ErrorResponse
from tests.executor.stand_ins import Raising

pytestmark = pytest.mark.looptime


def now():
    return asyncio.get_running_loop().time()


def retry(max_attempts=3, **options):
    return RetryConfig(
        max_attempts, **{"initial_delay": 1.0, "backoff_strategy": "fixed", **options}
    )


async def one(provider, task=None, **options):
    [result] = await ParallelLLMExecutor(provider, **options).gather([task or LLMTask("hello")])
    return result


def failing(times, error=ConnectionError):
    return Raising(*(error(f"failure {i + 1}") for i in range(times)))


# -- whose policy holds


async def test_with_no_policy_anywhere_there_is_one_attempt():
    result = await one(provider := failing(1))
    assert isinstance(result.error, ConnectionError)
    assert (provider.calls, result.attempts) == (1, 1)


async def test_the_executors_policy_holds_for_tasks_without_one():
    result = await one(provider := failing(2), default_retry=retry(3))
    assert result.value.content == "done"
    assert (provider.calls, result.attempts) == (3, 3)


async def test_the_tasks_policy_goes_over_the_executors():
    assert (
        await one(failing(9), LLMTask("hello", retry=retry(1)), default_retry=retry(5))
    ).attempts == 1
    assert (
        await one(failing(9), LLMTask("hello", retry=retry(4)), default_retry=retry(2))
    ).attempts == 4


async def test_the_providers_policy_holds_where_there_is_no_other():
    provider = failing(9)
    provider.retry = retry(4)
    assert (await one(provider)).attempts == 4
    assert (await one(provider, default_retry=retry(2))).attempts == 2
    assert (await one(provider, LLMTask("hello", retry=retry(1)))).attempts == 1


async def test_max_attempts_includes_the_first():
    result = await one(provider := failing(9), default_retry=retry(1))
    assert (provider.calls, result.attempts) == (1, 1)


async def test_a_function_is_never_retried():
    calls = []

    async def down():
        calls.append(1)
        raise ConnectionError("down")

    result = await one(EchoProvider(), DeterministicTask(down), default_retry=retry(5))
    assert isinstance(result.error, ConnectionError)
    assert len(calls) == 1


# -- what is tried again


@pytest.mark.parametrize(
    "error", [RuntimeError("x"), TimeoutError("x"), OSError("x"), KeyError("x")]
)
async def test_with_no_filter_any_foreign_exception_is_tried_again(error):
    assert (await one(Raising(error), default_retry=retry(2))).attempts == 2


@pytest.mark.parametrize("kind", [Overloaded, ConnectionLost])
async def test_with_no_filter_our_transient_errors_are_tried_again(kind):
    assert (await one(Raising(kind("x")), default_retry=retry(2))).success


@pytest.mark.parametrize("kind", [BadRequest, AuthFailed, Truncated])
async def test_with_no_filter_our_other_errors_are_final(kind):
    result = await one(Raising(error := kind("x")), default_retry=retry(5))
    assert result.error is error
    assert result.attempts == 1


async def test_only_listed_exceptions_are_tried_again():
    policy = retry(5, retry_on_exceptions=[ConnectionError, KeyError])
    result = await one(
        Raising(ConnectionResetError(), KeyError(), ValueError("final")), default_retry=policy
    )
    assert isinstance(result.error, ValueError)
    assert result.attempts == 3


async def test_a_list_goes_over_our_own_judgement():
    assert (
        await one(
            Raising(BadRequest("x")), default_retry=retry(2, retry_on_exceptions=[BadRequest])
        )
    ).success
    assert not (
        await one(Raising(Overloaded("x")), default_retry=retry(2, retry_on_exceptions=[KeyError]))
    ).success


async def test_a_predicate_decides_on_exceptions():
    seen = []

    def is_busy(error):
        seen.append(str(error))
        return "busy" in str(error)

    provider = Raising(RuntimeError("busy 1"), RuntimeError("busy 2"), RuntimeError("broken"))
    result = await one(provider, default_retry=retry(9, retry_on_exception=is_busy))
    assert str(result.error) == "broken"
    assert seen == ["busy 1", "busy 2", "broken"]


async def test_the_last_exception_is_the_tasks_error():
    first, last = RuntimeError("first"), RuntimeError("last")
    result = await one(Raising(first, last), default_retry=retry(2))
    assert result.error is last


async def test_a_429_is_no_attempt_of_the_policy():
    provider = Raising(*(RateLimited("slow down", retry_after=1.0) for _ in range(5)))
    result = await one(provider, default_retry=retry(1))
    assert result.success
    assert (result.attempts, result.rejected) == (6, 5)


async def test_429s_and_failures_are_counted_apart():
    provider = Raising(
        RateLimited("x", retry_after=1.0),
        OSError("1"),
        RateLimited("x", retry_after=1.0),
        OSError("2"),
        OSError("3"),
    )
    result = await one(provider, default_retry=retry(3))
    assert str(result.error) == "3"
    assert (result.attempts, result.rejected) == (5, 2)
    assert result.backoff_ms == pytest.approx(2000)  # a pause of the pool is no sleep of the task


# -- results that are not good enough


async def test_a_bad_value_is_tried_again():
    provider = EchoProvider(responses=["bad", "bad", "good", "unused"])
    result = await one(
        provider, default_retry=retry(5, retry_on_result=lambda value: value.content == "bad")
    )
    assert result.value.content == "good"
    assert (result.attempts, provider.call_count) == (3, 3)


async def test_a_bad_value_of_the_last_attempt_is_given_all_the_same():
    provider = EchoProvider(responses=["bad 1", "bad 2"])
    result = await one(provider, default_retry=retry(2, retry_on_result=lambda value: True))
    assert result.success
    assert result.error is None
    assert result.value.content == "bad 2"


async def test_an_exception_of_the_predicate_is_a_failed_attempt():
    calls = []

    def picky(value):
        calls.append(value.content)
        if len(calls) == 1:
            raise ValueError("cannot judge")
        return False

    result = await one(
        EchoProvider(responses=["one", "two"]), default_retry=retry(2, retry_on_result=picky)
    )
    assert result.value.content == "two"
    assert calls == ["one", "two"]


async def test_bad_values_and_exceptions_use_up_the_same_attempts():
    provider = EchoProvider(responses=["bad", ErrorResponse(OSError("blip")), "bad", "unused"])
    result = await one(
        provider, default_retry=retry(3, retry_on_result=lambda value: value.content == "bad")
    )
    assert result.value.content == "bad"
    assert result.attempts == 3


# -- hooks


async def test_hooks_hear_of_each_failure_before_the_sleep_and_of_the_end():
    heard: list[object] = []
    policy = retry(
        3,
        on_retry=lambda attempt, error: heard.append(("retry", attempt, str(error), now())),
        on_failure=lambda error: heard.append(("failure", str(error), now())),
    )
    result = await one(failing(9), default_retry=policy)
    assert heard == [
        ("retry", 1, "failure 1", 0.0),
        ("retry", 2, "failure 2", 1.0),
        ("failure", "failure 3", 2.0),
    ]
    assert str(result.error) == "failure 3"


async def test_no_hook_hears_of_a_success():
    heard: list[object] = []
    await one(failing(0), default_retry=retry(3, on_retry=heard.append, on_failure=heard.append))
    assert heard == []


async def test_on_failure_is_not_called_where_attempts_remain():
    heard: list[object] = []
    policy = retry(3, retry_on_exceptions=[KeyError], on_failure=heard.append)
    await one(failing(9), default_retry=policy)
    assert heard == []


async def test_on_failure_is_called_with_a_single_attempt():
    heard: list[object] = []
    await one(failing(1), default_retry=retry(1, on_failure=heard.append))
    assert [str(error) for error in heard] == ["failure 1"]


async def test_bad_values_call_no_hook():
    heard: list[object] = []
    policy = retry(
        2,
        retry_on_result=lambda value: True,
        on_retry=lambda *what: heard.append(what),
        on_failure=heard.append,
    )
    assert (await one(EchoProvider(), default_retry=policy)).success
    assert heard == []


async def test_a_hook_that_raises_fails_its_own_task_only():
    def broken(attempt, error):
        raise ZeroDivisionError("in the hook")

    executor = ParallelLLMExecutor(provider := failing(1), max_concurrency=1)
    results = await executor.gather([LLMTask("a", retry=retry(3, on_retry=broken)), LLMTask("b")])
    assert isinstance(results[0].error, ZeroDivisionError)
    assert results[1].success
    assert provider.calls == 2


# -- time


async def test_the_duration_holds_the_sleeps_and_backoff_ms_is_the_part_of_it():
    provider = EchoProvider(
        responses=[ErrorResponse(OSError("1")), ErrorResponse(OSError("2")), "ok"]
    ).set_response_delay(0.5)
    policy = RetryConfig(3, initial_delay=2.0, backoff_strategy="exponential")
    result = await one(provider, default_retry=policy)
    assert result.duration_ms == pytest.approx(3 * 500 + 2000 + 4000)
    assert result.backoff_ms == pytest.approx(6000)
    assert result.queued_ms == 0


@pytest.mark.parametrize(
    ("strategy", "sleeps"),
    [
        ("fixed", [2, 2, 2]),
        ("linear", [2, 4, 5]),
        ("exponential", [2, 4, 5]),
        ("jitter", [2, 4, 5]),
    ],
)
async def test_sleeps_follow_the_strategy_up_to_the_cap(strategy, sleeps):
    begun = []

    class Down:
        async def complete(self, messages, config_overrides=None):
            begun.append(now())
            raise OSError("down")

    policy = RetryConfig(4, 2.0, 5.0, strategy, jitter_range=0.0)
    await one(Down(), default_retry=policy)
    assert [later - earlier for earlier, later in itertools.pairwise(begun)] == pytest.approx(
        sleeps
    )


async def test_no_slot_is_held_while_sleeping():
    provider = EchoProvider(
        response_fn=lambda messages: fails_once(messages[-1].content)
    ).set_response_delay(1)
    failed = set()

    def fails_once(prompt):
        if prompt in failed:
            return "ok"
        failed.add(prompt)
        return ErrorResponse(OSError("blip"))

    executor = ParallelLLMExecutor(
        provider, max_concurrency=1, default_retry=retry(2, initial_delay=10)
    )
    results = await executor.gather([LLMTask(word) for word in "abc"])
    assert all(result.success for result in results)
    assert now() == pytest.approx(1 + 1 + 1 + 8 + 1 + 1 + 1)


async def test_a_wait_that_the_provider_asks_for_is_the_least():
    result = await one(Raising(Overloaded("busy", retry_after=7.0)), default_retry=retry(2))
    assert result.backoff_ms == pytest.approx(7000)
    result = await one(Raising(Overloaded("busy", retry_after=0.1)), default_retry=retry(2))
    assert result.backoff_ms == pytest.approx(1000)


# -- what it all cost


async def test_answers_that_were_not_good_enough_were_paid_for():
    answers = [
        LLMResponse(text, usage=Usage(10, 2), cost_usd=0.25) for text in ("bad", "bad", "good")
    ]
    policy = retry(3, retry_on_result=lambda value: value.content == "bad")
    result = await one(EchoProvider(responses=answers), default_retry=policy)
    assert result.usage == Usage(30, 6)
    assert result.cost_usd == pytest.approx(0.75)
    assert result.response is answers[2]


async def test_a_typed_failure_that_brings_an_answer_was_paid_for():
    half = LLMResponse("half an ans", finish_reason="length", usage=Usage(10, 5), cost_usd=0.5)
    result = await one(Raising(Truncated("cut", response=half)))
    assert not result.success
    assert result.response is half
    assert result.usage == Usage(10, 5)
    assert result.cost_usd == pytest.approx(0.5)
