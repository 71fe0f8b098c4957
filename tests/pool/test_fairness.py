"""Who goes next: first in first out within an executor, executors in turn, no one passed over for ever."""

import asyncio
from itertools import pairwise

import pytest

from ingather import DeterministicTask, Limits, LLMTask, ParallelLLMExecutor, RetryConfig
from ingather.errors import RateLimited, ServerFault, TooBig
from ingather.limits.tokens import Tokens
from tests.run.stand_ins import Wire, assert_at_rest, consume, gate_of, llm_tasks

pytestmark = pytest.mark.looptime


def named(name, number):
    return [LLMTask(f"{name}{i}") for i in range(number)]


def order(*wires):
    """The first letters of the prompts, in the order in which they went on the wire."""
    sent = sorted((sent for wire in wires for sent in wire.ledger), key=lambda sent: sent.began)
    return "".join(sent.prompt[0] for sent in sent)


# -- within an executor


async def test_first_in_first_out():
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, 3)
    await executor.gather(llm_tasks(50))
    assert [sent.prompt for sent in wire.ledger] == [str(i) for i in range(50)]


async def test_a_throttled_call_keeps_its_place():
    """The first one is refused; it goes again before all that came after it."""
    wire = Wire(
        lambda prompt, number: (
            RateLimited("429", status=429, retry_after=5.0) if number == 1 else prompt
        ),
        latency=1.0,
    )
    executor = ParallelLLMExecutor(wire, 1)
    await executor.gather(llm_tasks(5))
    assert [sent.prompt for sent in wire.ledger] == ["0", "0", "1", "2", "3", "4"]


@pytest.mark.parametrize("hint", [None, 0.0, 3.0])
async def test_a_whole_wave_that_is_throttled_goes_again_in_its_order(hint):
    wire = Wire(
        lambda prompt, number: (
            RateLimited("429", status=429, retry_after=hint) if number <= 10 else prompt
        ),
        latency=1.0,
    )
    executor = ParallelLLMExecutor(wire, 10)
    await executor.gather(llm_tasks(40))
    again = [int(sent.prompt) for sent in wire.outcomes("answered")]
    assert again == list(range(40))
    assert_at_rest(executor, wire)


async def test_a_retried_call_goes_before_those_that_came_later():
    wire = Wire(
        lambda prompt, number: ServerFault("500", status=500) if number == 1 else prompt,
        latency=1.0,
    )
    executor = ParallelLLMExecutor(wire, 1, default_retry=RetryConfig(initial_delay=2.5))
    await executor.gather(llm_tasks(10))
    assert [sent.prompt for sent in wire.ledger] == [
        "0",
        "1",
        "2",
        "3",
        "0",
        "4",
        "5",
        "6",
        "7",
        "8",
        "9",
    ]


async def test_two_calls_of_one_executor_share_it_by_arrival():
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, 2)
    big = asyncio.create_task(executor.gather(named("b", 100)))
    await asyncio.sleep(5.5)
    await executor.gather(named("s", 10))
    small = [i for i, letter in enumerate(order(wire)) if letter == "s"]
    # in turns, once its tasks stand behind the other's window
    assert small[-1] - small[0] <= 2 * 10 + 2 * (2 * 2 + 16)
    await big


async def test_a_small_call_beside_a_big_one_is_served_within_the_big_ones_window():
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, 2)
    big = asyncio.create_task(executor.gather(named("b", 1000)))
    await asyncio.sleep(5.5)
    begun = asyncio.get_running_loop().time()
    await executor.gather(named("s", 1))
    assert asyncio.get_running_loop().time() - begun <= (2 * 2 + 16) / 2 + 2
    big.cancel()
    await asyncio.wait([big])


async def test_functions_and_calls_of_one_executor_take_its_slots_by_arrival():
    wire = Wire(latency=1.0)
    executor = ParallelLLMExecutor(wire, 1)
    begun = []

    async def function(number):
        begun.append((asyncio.get_running_loop().time(), f"f{number}"))
        await asyncio.sleep(1.0)

    tasks = [LLMTask(f"w{i}") if i % 2 else DeterministicTask(function, (i,)) for i in range(20)]
    await executor.gather(tasks)
    both = sorted(begun + [(sent.began, sent.prompt) for sent in wire.ledger])
    assert [name for _, name in both] == [f"{'wf'[i % 2 == 0]}{i}" for i in range(20)]


# -- executors on one quota


async def test_two_executors_take_turns():
    wires = [Wire(latency=1.0, host="turns", limits=Limits(max_concurrency=1)) for _ in range(2)]
    first, second = (ParallelLLMExecutor(wire, 10) for wire in wires)
    await asyncio.gather(first.gather(named("a", 20)), second.gather(named("b", 20)))
    assert order(*wires) == "a" + "ab" * 19 + "b"  # the first one asked while nobody else did


@pytest.mark.parametrize(
    "limits", [Limits(requests_per_minute=60), Limits(max_concurrency=3)], ids=["rpm", "cap"]
)
async def test_five_executors_get_equal_shares(limits):
    wires = [Wire(latency=1.0, host=f"five {limits}", limits=limits) for _ in range(5)]
    executors = [ParallelLLMExecutor(wire, 20) for wire in wires]
    runs = [asyncio.create_task(executor.gather(llm_tasks(200))) for executor in executors]
    await asyncio.sleep(300.0)
    shares = [len(wire.ledger) for wire in wires]
    assert max(shares) - min(shares) <= 2
    for run in runs:
        run.cancel()
    await asyncio.wait(runs)
    for executor in executors:
        assert_at_rest(executor)


async def test_a_small_job_beside_a_big_one_is_not_starved():
    big, small = (
        Wire(latency=1.0, host="small beside big", limits=Limits(requests_per_minute=60))
        for _ in range(2)
    )
    run = asyncio.create_task(ParallelLLMExecutor(big, 50).gather(named("b", 1000)))
    await asyncio.sleep(30.0)
    begun = asyncio.get_running_loop().time()
    await ParallelLLMExecutor(small, 5).gather(named("s", 10))
    assert asyncio.get_running_loop().time() - begun <= 23.0  # every other second is its own
    run.cancel()
    await asyncio.wait([run])


async def test_an_executor_without_a_free_slot_does_not_hold_up_the_other():
    wires = [
        Wire(latency=seconds, host="no free slot", limits=Limits(max_concurrency=10))
        for seconds in (1000.0, 1.0)
    ]
    stuck = asyncio.create_task(ParallelLLMExecutor(wires[0], 1).gather(named("a", 5)))
    await asyncio.sleep(0.5)
    await ParallelLLMExecutor(wires[1], 3).gather(named("b", 30))
    assert asyncio.get_running_loop().time() == pytest.approx(10.5)
    stuck.cancel()
    await asyncio.wait([stuck])


async def test_a_cancelled_executor_gives_its_turn_up():
    wires = [
        Wire(latency=1.0, host="gives its turn up", limits=Limits(requests_per_minute=60))
        for _ in range(2)
    ]
    executors = [ParallelLLMExecutor(wire, 5) for wire in wires]
    gone = asyncio.create_task(executors[0].gather(named("a", 100)))
    stays = asyncio.create_task(executors[1].gather(named("b", 30)))
    await asyncio.sleep(10.5)
    gone.cancel()
    await asyncio.wait([gone])
    await stays
    moments = [sent.began for sent in wires[1].ledger if sent.began > 10.5]
    assert all(
        after - before == pytest.approx(1.0, abs=0.06) for before, after in pairwise(moments)
    )
    for executor in executors:
        assert_at_rest(executor)


# -- big requests and small ones


def sized(prompt):
    return Tokens(int(prompt.split()[-1]), max_output=0)


async def test_a_big_request_is_not_overtaken_for_ever():
    wire = Wire(latency=0.1, limits=Limits(tokens_per_minute=1000), estimate=sized)
    executor = ParallelLLMExecutor(wire, 20)

    async def small_ones():
        async for _ in executor.as_completed(LLMTask("small 10") for _ in range(400)):
            pass

    run = asyncio.create_task(small_ones())
    await asyncio.sleep(30.0)
    begun = asyncio.get_running_loop().time()
    (big,) = await executor.gather([LLMTask("big 900")])
    assert big.success
    assert asyncio.get_running_loop().time() - begun <= 90.0
    run.cancel()
    await asyncio.wait([run])


async def test_a_big_request_of_another_executor_is_not_overtaken_for_ever():
    small, big = (
        Wire(
            latency=0.1,
            host="big of another",
            limits=Limits(tokens_per_minute=1000),
            estimate=sized,
        )
        for _ in range(2)
    )
    run = asyncio.create_task(ParallelLLMExecutor(small, 20).gather([LLMTask("small 10")] * 1000))
    await asyncio.sleep(30.0)
    begun = asyncio.get_running_loop().time()
    (result,) = await ParallelLLMExecutor(big, 2).gather([LLMTask("big 900")])
    assert result.success
    assert asyncio.get_running_loop().time() - begun <= 70.0
    run.cancel()
    await asyncio.wait([run])


async def test_a_request_that_no_minute_can_hold_fails_at_once_and_alone():
    wire = Wire(limits=Limits(tokens_per_minute=1000), estimate=sized)
    executor = ParallelLLMExecutor(wire, 2)
    results = await executor.gather(
        [LLMTask("small 10"), LLMTask("huge 1001"), LLMTask("small 10")]
    )
    assert [type(result.error) for result in results] == [type(None), TooBig, type(None)]
    assert "1,001" in str(results[1].error)
    assert asyncio.get_running_loop().time() <= 1.0
    assert_at_rest(executor, wire)


async def test_a_model_whose_quota_is_full_does_not_hold_up_another_model():
    limits = Limits(requests_per_minute=1)
    wire = Wire(latency=1.0, limits=limits)
    executor = ParallelLLMExecutor(wire, 2)
    tasks = [
        LLMTask(f"{model}", config_overrides={"model": model})
        for model in ("x", "x", "x", "y", "z")
    ]
    run = asyncio.create_task(executor.gather(tasks))
    await asyncio.sleep(5.0)
    assert order(wire) == "xyz"
    await run
    assert asyncio.get_running_loop().time() == pytest.approx(121.0, abs=0.2)


async def test_cancelled_waiters_leave_no_trace_in_the_queue():
    """Many that give up at every place of the queue, while one waits: turns stay turns, nobody stands there twice."""
    wires = [
        Wire(latency=1.0, host="cancelled waiters", limits=Limits(max_concurrency=1))
        for _ in range(2)
    ]
    executors = [ParallelLLMExecutor(wire, 10) for wire in wires]
    for _ in range(20):
        runs = [asyncio.create_task(executor.gather(llm_tasks(5))) for executor in executors * 2]
        await asyncio.sleep(0.3)
        for run in runs[::2]:
            run.cancel()
        await asyncio.sleep(0.3)
        for run in runs[1::2]:
            run.cancel()
        await asyncio.wait(runs)
    pool = gate_of(executors[0])
    assert list(pool.waiting) == []
    for wire in wires:
        wire.ledger.clear()
    await asyncio.gather(executors[0].gather(named("a", 10)), executors[1].gather(named("b", 10)))
    assert order(*wires) == "a" + "ab" * 9 + "b"


async def test_results_taken_one_by_one_share_the_quota_too():
    wires = [
        Wire(latency=1.0, host="one by one", limits=Limits(max_concurrency=2)) for _ in range(2)
    ]
    first, second = (ParallelLLMExecutor(wire, 10) for wire in wires)
    await asyncio.gather(
        consume(first.as_completed(named("a", 20))), consume(second.in_order(named("b", 20)))
    )
    letters = order(*wires)
    assert abs(letters[:20].count("a") - letters[:20].count("b")) <= 2
