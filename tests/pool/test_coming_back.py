"""A quota that failed as a whole comes back: for the next run at once, for one that is open by single probes."""

import asyncio

import pytest

from ingather import Limits, LLMTask, ParallelLLMExecutor, RetryConfig
from ingather.errors import (
    AuthFailed,
    ModelNotFound,
    Overloaded,
    QuotaExhausted,
    QuotaWait,
    RateLimited,
)
from tests.run.stand_ins import Wire, assert_at_rest, llm_tasks

pytestmark = pytest.mark.looptime


def now():
    return asyncio.get_running_loop().time()


class Feed:
    """A run that stays open, as in a service: prompts go in one by one, results come out."""

    def __init__(self, executor):
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._results = executor.as_completed(self._tasks())

    async def _tasks(self):
        while True:
            yield LLMTask(await self._queue.get())

    async def ask(self, prompt):
        await self._queue.put(prompt)
        return await anext(self._results)

    async def close(self):
        await self._results.aclose()


class Spell:
    """What a provider answers with from `begin` to `end`, in seconds."""

    def __init__(self, begin, end, error):
        self.begin, self.end, self.error = begin, end, error

    def __call__(self, prompt, number):
        return self.error() if self.begin <= now() < self.end else prompt


def away():
    return Overloaded("503", status=503)


FAILURES = {
    "a wrong key": lambda: AuthFailed("401", status=401, code="invalid_api_key"),
    "a model that is gone": lambda: ModelNotFound("404"),
    "an empty account": lambda: QuotaExhausted("no credit", status=429),
    "a long wait": lambda: RateLimited("429", status=429, retry_after=900.0),
    "an outage": away,
}
EACH_FAILURE = pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)


async def until_it_fails(feed):
    for _ in range(300):
        result = await feed.ask("x")
        if not result.success:
            return
        await asyncio.sleep(5.0)
    pytest.fail("it never failed")


@EACH_FAILURE
async def test_a_new_run_is_tried_while_another_is_still_open(failure):
    wire = Wire(Spell(100.0, 1000.0, failure), latency=0.5, retry=RetryConfig())
    executor = ParallelLLMExecutor(wire, 3)
    feed = Feed(executor)
    await until_it_fails(feed)
    await asyncio.sleep(1100.0 - now())
    results = await executor.gather(llm_tasks(10))
    assert all(result.success for result in results)
    await feed.close()
    assert_at_rest(executor, wire)


@EACH_FAILURE
async def test_the_open_run_itself_recovers(failure):
    wire = Wire(Spell(100.0, 1000.0, failure), latency=0.5, retry=RetryConfig())
    executor = ParallelLLMExecutor(wire, 3)
    feed = Feed(executor)
    await until_it_fails(feed)
    await asyncio.sleep(1700.0 - now())
    assert [(await feed.ask("x")).success for _ in range(5)] == [True] * 5
    await feed.close()
    assert_at_rest(executor, wire)


@EACH_FAILURE
async def test_while_it_lasts_few_calls_are_sent(failure):
    wire = Wire(Spell(100.0, 5000.0, failure), latency=0.5, retry=RetryConfig())
    executor = ParallelLLMExecutor(wire, 3)
    feed = Feed(executor)
    await until_it_fails(feed)
    sent = len(wire.ledger)
    for _ in range(100):  # in about 100 s
        assert not (await feed.ask("x")).success
        await asyncio.sleep(1.0)
    assert len(wire.ledger) - sent <= 70
    await feed.close()


async def test_calls_that_waited_have_their_error_and_a_later_one_has_a_fresh_one():
    wire = Wire(Spell(0.0, 1e9, FAILURES["a wrong key"]), latency=0.5)
    executor = ParallelLLMExecutor(wire, 1)
    feed = Feed(executor)
    first = await feed.ask("x")
    assert (await feed.ask("x")).error is first.error
    await asyncio.sleep(70.0)
    later = await feed.ask("x")
    assert isinstance(later.error, AuthFailed)
    assert later.error is not first.error
    assert len(wire.ledger) == 2
    await feed.close()


async def test_an_outage_that_ended_long_ago_does_not_make_one_more_503_fatal():
    ends = 400.0
    stray: list[int] = []

    def answer(prompt, number):
        if 100.0 <= now() < ends:
            return away()
        if now() > 5000.0 and not stray:
            stray.append(number)
            return away()
        return prompt

    wire = Wire(answer, latency=0.5, retry=RetryConfig())
    executor = ParallelLLMExecutor(wire, 3)
    feed = Feed(executor)
    await until_it_fails(feed)
    await asyncio.sleep(5001.0 - now())
    results = await executor.gather(llm_tasks(10))
    assert all(result.success for result in results)
    assert stray
    await feed.close()


async def test_one_request_that_is_always_503_does_not_end_the_others():
    """Nor is it tried for ever: where others are answered, it uses up its own attempts."""
    wire = Wire(
        lambda prompt, number: away() if prompt == "bad" else prompt,
        latency=0.5,
        retry=RetryConfig(),
    )
    executor = ParallelLLMExecutor(wire, 1)
    tasks = [*llm_tasks(5), LLMTask("bad"), *llm_tasks(40)]
    results = await executor.gather(tasks)
    assert [index for index, result in enumerate(results) if not result.success] == [5]
    assert isinstance(results[5].error, Overloaded)
    assert results[5].attempts <= 8


async def test_a_refusal_in_an_outage_is_no_cause_for_the_others():
    def answer(prompt, number):
        if now() < 2.0:
            return prompt
        return AuthFailed("403", status=403) if prompt == "bad" else away()

    wire = Wire(answer, latency=0.5, retry=RetryConfig(), limits=Limits(max_wait=60.0))
    executor = ParallelLLMExecutor(wire, 4)
    results = await executor.gather(
        [*llm_tasks(12), *[LLMTask("bad", tag="bad")] * 2, *llm_tasks(10)]
    )
    errors = {type(result.error) for result in results if result.tag != "bad"}
    assert errors == {type(None), Overloaded}


# -- 429s that never end


@pytest.mark.parametrize("hint", [None, 0.0, 1.0, 7.5, 30.0, 50.0, 119.0])
@pytest.mark.parametrize("bound", [1, 5])
async def test_max_wait_bounds_the_sum_of_the_waits_of_a_call(hint, bound):
    refusal = RateLimited("429: no more", status=429, retry_after=hint)
    wire = Wire(lambda prompt, number: refusal, latency=0.1)
    executor = ParallelLLMExecutor(wire, bound)
    results = await executor.gather(llm_tasks(30))
    assert {type(result.error) for result in results} == {QuotaWait}
    assert "Limits(max_wait) is 120 s" in str(results[0].error)
    assert now() <= 125.0
    assert_at_rest(executor, wire)


async def test_a_wait_that_is_longer_than_what_is_left_is_not_begun():
    wire = Wire(lambda prompt, number: RateLimited("429", status=429, retry_after=50.0))
    await ParallelLLMExecutor(wire, 1).gather(llm_tasks(3))
    assert 100.0 <= now() <= 105.0
    assert len(wire.ledger) == 4  # the last one is another call's


async def test_a_call_that_is_always_refused_beside_others_that_are_not_fails_alone():
    wire = Wire(
        lambda prompt, number: RateLimited("429", status=429) if prompt == "big" else prompt,
        latency=0.1,
    )
    executor = ParallelLLMExecutor(wire, 2)
    results = await executor.gather([LLMTask("big"), *llm_tasks(500)])
    assert isinstance(results[0].error, QuotaWait)
    assert results[0].error.alone
    assert all(result.success for result in results[1:])


@pytest.mark.parametrize("bound", [1, 3, 5, 50, None])
async def test_the_end_of_an_outage_is_waited_for_whatever_the_bound(bound):
    wire = Wire(Spell(20.0, 80.0, away), latency=0.5, retry=RetryConfig())
    executor = ParallelLLMExecutor(wire, bound)
    for _ in range(10):
        await asyncio.sleep(9.0 - 0.5)
        results = await executor.gather(llm_tasks(8))
        assert all(result.success for result in results)
    assert len(wire.outcomes("Overloaded")) <= 60
    assert_at_rest(executor, wire)
