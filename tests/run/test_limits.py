"""The whole engine under all limits at once, in virtual time: no minute exceeds, nothing starves, little is lost."""

import asyncio
import random
from itertools import accumulate, pairwise

import pytest

from ingather import (
    DeterministicTask,
    Limits,
    LLMResponse,
    LLMTask,
    ParallelLLMExecutor,
    RetryConfig,
    Usage,
)
from ingather.errors import RateLimited, ServerFault
from ingather.limits.tokens import Tokens
from tests.run.stand_ins import Wire, assert_at_rest, consume, llm_tasks

pytestmark = pytest.mark.looptime(noop_cycles=5)


def now():
    return asyncio.get_running_loop().time()


def prompt_of(tokens_in, tokens_out):
    return f"{tokens_in} {tokens_out}"


def cost_of(prompt):
    tokens_in, tokens_out = prompt.split()[:2]
    return int(tokens_in), int(tokens_out)


def estimate(prompt):
    """Exact for what goes in; what may come out is capped at what will."""
    tokens_in, tokens_out = cost_of(prompt)
    return Tokens(tokens_in, max_output=tokens_out)


def answer(prompt, number):
    return LLMResponse(prompt, usage=Usage(*cost_of(prompt)))


def metered(limits, latency=2.0, **kwargs):
    return Wire(
        kwargs.pop("answer", answer), latency=latency, limits=limits, estimate=estimate, **kwargs
    )


def fullest_minute(moments, costs):
    """The most that any 60 seconds hold, by what really went."""
    sums, end, fullest = [0.0, *accumulate(costs)], 0, 0.0
    for begin, moment in enumerate(moments):
        while end < len(moments) and moments[end] < moment + 60.0 - 1e-6:
            end += 1
        fullest = max(fullest, sums[end] - sums[begin])
    return fullest


def assert_inside(limits, *wires):
    ledger = sorted((sent for wire in wires for sent in wire.ledger), key=lambda sent: sent.began)
    moments = [sent.began for sent in ledger]
    costs = [cost_of(sent.prompt) if sent.outcome == "answered" else (0, 0) for sent in ledger]
    for cap, column in (
        (limits.requests_per_minute, [1] * len(ledger)),
        (limits.tokens_per_minute, [sum(cost) for cost in costs]),
        (limits.input_tokens_per_minute, [cost[0] for cost in costs]),
        (limits.output_tokens_per_minute, [cost[1] for cost in costs]),
    ):
        assert cap is None or fullest_minute(moments, column) <= cap
    if limits.max_concurrency is not None:
        assert sum(wire.peak for wire in wires) <= limits.max_concurrency * len(wires)


@pytest.mark.parametrize("rpm", [1, 10, 60, 600, 3_000])
async def test_requests_a_minute_take_as_long_as_they_must(rpm):
    wire = metered(Limits(requests_per_minute=rpm))
    number = max(3, min(5 * rpm, 3_000))
    await ParallelLLMExecutor(wire, 200).gather([LLMTask(prompt_of(10, 10))] * number)
    assert_inside(wire.limits, wire)
    ideal = (number - 1) * 60 / rpm
    assert ideal - 62.0 <= now() <= ideal * 1.03 + 62.0 / rpm + 2.0
    assert max(later.began - sent.began for sent, later in pairwise(wire.ledger)) <= 60 / rpm + 1.1


@pytest.mark.parametrize(
    ("limits", "per_minute"),
    [
        (Limits(tokens_per_minute=30_000), 100),
        (Limits(input_tokens_per_minute=20_000), 100),
        (Limits(output_tokens_per_minute=5_000), 50),
        (Limits(max_concurrency=3), 90),
        (
            Limits(
                requests_per_minute=80, tokens_per_minute=30_000, input_tokens_per_minute=20_000
            ),
            80,
        ),
        (
            Limits(
                max_concurrency=10,
                requests_per_minute=100,
                tokens_per_minute=30_000,
                input_tokens_per_minute=18_000,
                output_tokens_per_minute=10_000,
            ),
            90,
        ),
    ],
    ids=["tokens", "in", "out", "in flight", "three", "all five"],
)
async def test_the_tightest_of_all_limits_is_used_nearly_whole(limits, per_minute):
    """Requests of 200 tokens in and 100 out, two seconds each."""
    wire = metered(limits)
    await ParallelLLMExecutor(wire, 50).gather([LLMTask(prompt_of(200, 100))] * (10 * per_minute))
    assert_inside(limits, wire)
    assert 540.0 <= now() <= 600 * 1.03 + 2.0


async def test_estimates_far_too_high_cost_little_once_the_answers_have_taught_better():
    """Answers may be of 1,000 tokens, and are of 50."""
    limits = Limits(tokens_per_minute=30_000)
    wire = metered(limits)
    wire.estimate = lambda prompt: Tokens(200, max_output=1_000)
    wire.answer = lambda prompt, number: LLMResponse("", usage=Usage(200, 50))
    await ParallelLLMExecutor(wire, 50).gather([LLMTask("200 50")] * 1_200)  # ten minutes' worth
    moments = [sent.began for sent in wire.ledger]
    assert fullest_minute(moments, [250] * len(moments)) <= 30_000
    assert now() <= 600 * 1.1


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_comes_no_minute_exceeds_and_every_call_ends(seed):
    """Costs, latencies, faults, 429s, functions and nested calls by chance, under limits by chance.

    Answers are of one length, so that what was learnt of them is true: a longer one is found out
    too late.
    """
    dice = random.Random(seed)
    length = dice.choice([0, 100, 1_000])
    limits = Limits(
        max_concurrency=dice.choice([None, 2, 10]),
        requests_per_minute=dice.choice([None, 30, 200]),
        tokens_per_minute=dice.choice([None, 20_000]),
        input_tokens_per_minute=dice.choice([None, 9_000]),
        output_tokens_per_minute=dice.choice([None, 6_000]),
    )

    def chance(prompt, number):
        if dice.random() < 0.05:
            return RateLimited("429", status=429, retry_after=dice.choice([None, 2.0, 20.0]))
        return ServerFault("500", status=500) if dice.random() < 0.05 else answer(prompt, number)

    wire = metered(limits, lambda prompt: dice.choice([0.2, 2.0, 20.0]), answer=chance)
    executor = ParallelLLMExecutor(
        wire, dice.choice([1, 8, 50]), default_retry=RetryConfig(max_attempts=20)
    )

    def call():
        return LLMTask(prompt_of(dice.choice([10, 500, 5_000]), length))

    async def function():
        await asyncio.sleep(1.0)
        return await executor.gather([call() for _ in range(3)])

    tasks = [DeterministicTask(function) if dice.random() < 0.1 else call() for _ in range(150)]
    results = await executor.gather(tasks)
    assert all(result.success for result in results)
    answered = [sent for sent in wire.ledger if sent.outcome != "ServerFault"]
    # a fault may have been paid for: its tokens stay reserved, but nobody knows
    wire.ledger = answered
    assert_inside(limits, wire)
    assert_at_rest(executor, wire)


async def test_big_and_small_requests_share_a_quota_and_none_starves():
    """Each waits for those before it, and for no other: they go in their order."""
    limits = Limits(tokens_per_minute=1_000)
    wire = metered(limits, latency=1.0)
    executor = ParallelLLMExecutor(wire, 30)
    tasks = [LLMTask(prompt_of(500, 0) if i % 10 == 0 else prompt_of(10, 0)) for i in range(100)]
    began = {}
    for result in await executor.gather(tasks):
        began[result.index] = result.queued_ms / 1000
    assert_inside(limits, wire)
    # in their order
    assert [sent.prompt for sent in wire.ledger] == [task.messages[0].content for task in tasks]
    total = sum(sum(cost_of(sent.prompt)) for sent in wire.ledger)
    assert now() <= (total / 1_000 + 1) * 60 * 1.5


async def test_five_executors_with_nested_functions_under_one_quota():
    limits = Limits(requests_per_minute=120, max_concurrency=7)
    wires = [metered(limits, host="five executors") for _ in range(5)]
    executors = [ParallelLLMExecutor(wire, 4) for wire in wires]

    async def parent(executor):
        return await executor.gather([LLMTask(prompt_of(1, 1)) for _ in range(4)])

    await asyncio.gather(
        *(
            executor.gather([DeterministicTask(parent, (executor,)) for _ in range(12)])
            for executor in executors
        )
    )
    assert_inside(limits, *wires)
    assert sum(len(wire.ledger) for wire in wires) == 5 * 12 * 4
    assert now() <= 240 / 120 * 60 * 1.03 + 10
    for executor in executors:
        assert_at_rest(executor)


async def test_what_was_cancelled_in_the_queue_takes_nothing_from_the_quota():
    limits = Limits(requests_per_minute=60, tokens_per_minute=60_000)
    wire = metered(limits)
    executor = ParallelLLMExecutor(wire, 30)
    for _ in range(20):
        run = asyncio.create_task(executor.gather([LLMTask(prompt_of(900, 0))] * 50))
        await asyncio.sleep(0.01)
        run.cancel()
        await asyncio.wait([run])
    sent = len(wire.ledger)
    begun = now()
    await executor.gather([LLMTask(prompt_of(900, 0))] * (60 - sent))
    assert now() - begun <= 62.0
    assert_at_rest(executor, wire)


async def test_queue_time_is_told_apart_from_duration():
    wire = metered(Limits(requests_per_minute=60), latency=1.0)
    results = await ParallelLLMExecutor(wire, 1).gather(llm_tasks_of(5))
    assert [round(result.duration_ms) for result in results] == [1000] * 5


def llm_tasks_of(number):
    return [LLMTask(prompt_of(1, 1)) for _ in range(number)]


async def test_a_lazy_input_is_paced_by_the_limits():
    """Pulled as the quota allows, not at once."""
    wire = Wire(limits=Limits(requests_per_minute=60))
    executor = ParallelLLMExecutor(wire, 2)
    pulled = []

    def tasks():
        for task in llm_tasks(120):
            pulled.append(now())
            yield task

    await consume(executor.as_completed(tasks()))
    assert pulled[60] >= 60.0 - 2 * (2 * 2 + 16)
    assert now() >= 118.0
