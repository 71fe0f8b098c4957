import asyncio
from types import SimpleNamespace

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
from ingather.errors import BadRequest, RateLimited
from ingather.providers.echo import ErrorResponse
from tests.executor.stand_ins import Raising, Sleeper


async def one(provider, task=None, **options):
    [result] = await ParallelLLMExecutor(provider, **options).gather([task or LLMTask("hello")])
    return result


async def test_a_success_has_a_value_and_no_error():
    task = LLMTask("hello", tag="greeting")
    result = await one(EchoProvider(), task)
    assert (result.tag, result.index, result.success, result.error) == ("greeting", 0, True, None)
    assert result.task is task
    assert result.value is result.response
    assert (result.attempts, result.rejected, result.cached, result.parts, result.missing) == (
        1,
        0,
        False,
        None,
        (),
    )


async def test_a_failure_has_an_error_and_no_value():
    result = await one(Raising(error := RuntimeError("down")))
    assert (result.success, result.value, result.error, result.response) == (
        False,
        None,
        error,
        None,
    )


async def test_unwrap_gives_the_value_or_raises_the_error():
    assert (await one(EchoProvider())).unwrap().content == "Echo: hello"
    failed = await one(Raising(error := RuntimeError("down")))
    with pytest.raises(RuntimeError, match="down") as caught:
        failed.unwrap()
    assert caught.value is error


async def test_a_repr_is_short_and_says_how_it_ended():
    done = await one(EchoProvider(), LLMTask("x" * 5000, tag="long"))
    failed = await one(Raising(RuntimeError("y" * 5000)))
    assert "'long'" in repr(done)
    assert "RuntimeError" in repr(failed)
    assert "attempts=1" in repr(failed)
    assert len(repr(done)) < 250
    assert len(repr(failed)) < 250


@pytest.mark.looptime
async def test_the_duration_is_that_of_the_attempt():
    results = await ParallelLLMExecutor(Sleeper()).gather([LLMTask("2"), LLMTask("3 fails")])
    # of failures also
    assert [result.duration_ms for result in results] == pytest.approx([2000, 3000])
    assert [result.backoff_ms for result in results] == [0, 0]


@pytest.mark.looptime
async def test_time_in_the_queue_is_no_part_of_the_duration():
    results = await ParallelLLMExecutor(Sleeper(), max_concurrency=1).gather(
        [LLMTask("2"), LLMTask("3"), LLMTask("1")]
    )
    assert [result.duration_ms for result in results] == pytest.approx([2000, 3000, 1000])
    assert [result.queued_ms for result in results] == pytest.approx([0, 2000, 5000])


@pytest.mark.looptime
async def test_time_behind_another_call_is_time_in_the_queue():
    executor = ParallelLLMExecutor(Sleeper(), max_concurrency=1)
    busy = asyncio.create_task(executor.gather([LLMTask("4")]))
    await asyncio.sleep(1)
    [result] = await executor.gather([LLMTask("2")])
    assert result.queued_ms == pytest.approx(3000)
    assert result.duration_ms == pytest.approx(2000)
    await busy


@pytest.mark.looptime
async def test_waiting_out_a_429_is_part_of_the_duration():
    result = await one(Raising(RateLimited("slow down", retry_after=3.0)))
    assert result.duration_ms == pytest.approx(3000)
    assert (result.queued_ms, result.backoff_ms) == (0, 0)


@pytest.mark.looptime
async def test_the_duration_of_a_function_is_measured_too():
    result = await one(EchoProvider(), DeterministicTask(asyncio.sleep, (2,)))
    assert result.duration_ms == pytest.approx(2000)


async def test_what_cannot_even_be_asked_has_neither_duration_nor_attempts():
    result = await one(EchoProvider(), 42)
    assert (result.duration_ms, result.attempts) == (0, 0)


# -- usage and money: an unknown price is None, never 0


def answer(text="ok", usage=None, cost_usd=None):
    return LLMResponse(text, usage=usage, cost_usd=cost_usd)


async def test_usage_and_cost_are_those_of_the_answer():
    result = await one(EchoProvider(responses=[answer(usage=Usage(10, 5, 2, 1), cost_usd=0.01)]))
    assert result.usage == Usage(10, 5, 2, 1)
    assert result.usage.total_tokens == 15
    assert result.cost_usd == pytest.approx(0.01)


async def test_what_the_provider_does_not_say_stays_unknown():
    result = await one(EchoProvider(responses=[answer()]))
    assert result.usage is None
    assert result.cost_usd is None


async def test_a_price_of_nothing_is_nothing():
    assert (await one(EchoProvider())).cost_usd == 0.0


TWICE = RetryConfig(
    max_attempts=2, initial_delay=0, retry_on_result=lambda value: value.content == "bad"
)


async def test_usage_and_cost_are_over_all_attempts():
    answers = [answer("bad", Usage(10, 5, 4, 3), 0.25), answer("ok", Usage(20, 6, 2, 1), 0.5)]
    result = await one(EchoProvider(responses=answers), default_retry=TWICE)
    assert result.usage == Usage(30, 11, 6, 4)
    assert result.cost_usd == pytest.approx(0.75)


@pytest.mark.parametrize("costs", [(0.25, None), (None, 0.25), (None, None)])
async def test_one_unknown_price_makes_the_sum_unknown(costs):
    answers = [answer("bad", cost_usd=costs[0]), answer("ok", cost_usd=costs[1])]
    assert (await one(EchoProvider(responses=answers), default_retry=TWICE)).cost_usd is None


async def test_usage_that_is_known_of_one_attempt_is_not_lost():
    answers = [answer("bad", Usage(10, 5)), answer("ok")]
    assert (await one(EchoProvider(responses=answers), default_retry=TWICE)).usage == Usage(10, 5)


async def test_a_failure_before_any_answer_cost_nothing_that_is_known():
    result = await one(Raising(RuntimeError("down")))
    assert result.usage is None
    assert result.cost_usd is None


async def test_a_failed_attempt_does_not_make_the_price_unknown():
    provider = EchoProvider(
        responses=[ErrorResponse(OSError("blip")), answer("ok", Usage(1, 1), 0.5)]
    )
    result = await one(provider, default_retry=RetryConfig(max_attempts=2, initial_delay=0))
    assert result.cost_usd == pytest.approx(0.5)


async def test_the_answer_of_an_earlier_attempt_stays_where_a_later_one_fails():
    provider = EchoProvider(
        responses=[bad := answer("bad", Usage(10, 5), 0.5), ErrorResponse(BadRequest("no"))]
    )
    result = await one(provider, default_retry=TWICE)
    assert isinstance(result.error, BadRequest)
    assert result.response is bad
    assert result.usage == Usage(10, 5)
    assert result.cost_usd == pytest.approx(0.5)


@pytest.mark.parametrize("value", [SimpleNamespace(text="hi"), object()])
async def test_a_provider_of_your_own_may_answer_with_an_object_of_its_own(value):
    class Bare:
        async def complete(self, messages, config_overrides=None):
            return value

    result = await one(Bare())
    assert result.success
    assert result.value == value
    assert result.usage is None
    assert result.cost_usd is None
