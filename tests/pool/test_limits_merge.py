"""Two providers with different limits on one quota: the tighter of each holds, and that is said once."""

import asyncio
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import Limits, LLMTask, ParallelLLMExecutor
from ingather.limits.tokens import Tokens
from tests.run.stand_ins import Wire, gate_of, llm_tasks

pytestmark = pytest.mark.looptime


async def use(*wires):
    """An executor for each, which has sent one request."""
    executors = [ParallelLLMExecutor(wire, 5) for wire in wires]
    for executor in executors:
        await executor.gather([LLMTask("x")])
    return executors


def said(caplog):
    return [
        record.getMessage()
        for record in caplog.records
        if "two sets of limits" in record.getMessage()
    ]


async def test_the_tighter_of_each_field_holds():
    first = Wire(host="each field", limits=Limits(requests_per_minute=100, tokens_per_minute=5_000))
    second = Wire(
        host="each field",
        limits=Limits(requests_per_minute=200, tokens_per_minute=1_000, max_concurrency=2),
    )
    executors = await use(first, second)
    assert gate_of(executors[0]) is gate_of(executors[1])
    tightest = Limits(requests_per_minute=100, tokens_per_minute=1_000, max_concurrency=2)
    assert gate_of(executors[0]).controller.limits == tightest


async def test_the_tighter_ones_hold_for_whoever_was_there_first():
    wires = [
        Wire(latency=1.0, host="for the first"),
        Wire(host="for the first", limits=Limits(max_concurrency=2)),
    ]
    executors = await use(*wires)
    wires[0].peak = 0
    await executors[0].gather(llm_tasks(20))
    assert wires[0].peak == 2


async def test_it_is_said_once(caplog):
    wires = [
        Wire(host="said once", limits=Limits(requests_per_minute=rpm)) for rpm in (100, 50, 100, 50)
    ]
    with caplog.at_level(logging.WARNING, "ingather"):
        executors = await use(*wires)
        for executor in executors * 3:
            await executor.gather(llm_tasks(2))
    assert len(said(caplog)) == 1
    assert "said once" in said(caplog)[0]
    assert "50" in said(caplog)[0]


async def test_it_is_said_to_whoever_brings_looser_ones_too(caplog):
    """Who asks for 200 and gets 100 shall know why."""
    wires = [Wire(host="looser", limits=Limits(requests_per_minute=rpm)) for rpm in (100, 200, 200)]
    with caplog.at_level(logging.WARNING, "ingather"):
        await use(*wires)
    assert len(said(caplog)) == 1
    assert "100" in said(caplog)[0]


@pytest.mark.parametrize("limits", [Limits(requests_per_minute=100), Limits(), None])
async def test_equal_ones_are_not_worth_a_word(limits, caplog):
    with caplog.at_level(logging.WARNING, "ingather"):
        await use(*(Wire(host=f"equal {limits}", limits=limits) for _ in range(3)))
    assert said(caplog) == []


async def test_none_beside_some_is_not_worth_a_word(caplog):
    wires = [
        Wire(host="none beside", limits=limits)
        for limits in (None, Limits(requests_per_minute=10), None)
    ]
    with caplog.at_level(logging.WARNING, "ingather"):
        executors = await use(*wires)
    assert said(caplog) == []
    assert gate_of(executors[0]).controller.limits.requests_per_minute == 10


async def test_quotas_of_other_hosts_and_models_keep_their_own():
    first = Wire(limits=Limits(requests_per_minute=10))
    second = Wire(limits=Limits(requests_per_minute=20))
    executors = await use(first, second)
    assert [gate_of(executor).controller.limits.requests_per_minute for executor in executors] == [
        10,
        20,
    ]


async def test_what_was_sent_before_the_tighter_limit_came_counts():
    """Sixty at once without a limit; then one of 60 a minute: nothing more until the minute is over."""
    free = Wire(host="counts before")
    await ParallelLLMExecutor(free, 60).gather(llm_tasks(60))
    tight = Wire(host="counts before", limits=Limits(requests_per_minute=60))
    await ParallelLLMExecutor(tight, 60).gather(llm_tasks(120))
    moments = [sent.began for sent in tight.ledger]
    assert (
        max(sum(1 for moment in moments if begin <= moment < begin + 60) for begin in moments) <= 60
    )


async def test_waiting_calls_obey_a_tighter_limit_that_comes_meanwhile():
    wires = [
        Wire(latency=0.1, host="meanwhile", limits=Limits(requests_per_minute=rpm))
        for rpm in (600, 60)
    ]
    executors = [ParallelLLMExecutor(wire, 10) for wire in wires]
    run = asyncio.create_task(executors[0].gather(llm_tasks(300)))
    await asyncio.sleep(10.0)
    tighter = asyncio.create_task(executors[1].gather(llm_tasks(1)))
    await asyncio.sleep(0.1)
    before = len(wires[0].ledger)
    assert before > 60
    await asyncio.sleep(49.0)
    assert len(wires[0].ledger) == before  # this minute holds too many already
    await asyncio.gather(run, tighter)


async def test_a_request_that_fitted_before_is_too_big_after():
    wires = [
        Wire(
            host="too big after",
            limits=Limits(tokens_per_minute=tpm),
            estimate=lambda prompt: Tokens(500),
        )
        for tpm in (1_000, 600)
    ]
    executors = await use(*wires)
    wires[0].estimate = lambda prompt: Tokens(700)
    (result,) = await executors[0].gather([LLMTask("y")])
    assert "600" in str(result.error)


LIMITS = st.builds(
    Limits,
    max_concurrency=st.none() | st.integers(1, 100),
    requests_per_minute=st.none() | st.floats(1, 1e6),
    tokens_per_minute=st.none() | st.integers(1, 10**9),
    max_wait=st.floats(0, 1e5),
)


@given(LIMITS, LIMITS, LIMITS)
def test_tightening_has_no_order(a, b, c):
    assert a.tightest(b) == b.tightest(a)
    assert a.tightest(b.tightest(c)) == a.tightest(b).tightest(c)
    assert a.tightest(a) == a
    assert a.tightest(Limits(max_wait=1e9)) == a
