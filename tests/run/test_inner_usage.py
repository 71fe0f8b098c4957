"""What tasks used that ran inside another belongs to its result too, and is counted once."""

import asyncio

import pytest

from ingather import DeterministicTask, LLMResponse, LLMTask, ParallelLLMExecutor, Usage, run_sync
from ingather.events import RunStarted
from ingather.report import Report


class Priced:
    async def complete(self, messages, config_overrides=None):
        return LLMResponse("x", usage=Usage(10, 5), cost_usd=0.25)


class Unpriced:
    async def complete(self, messages, config_overrides=None):
        return LLMResponse("x", usage=Usage(10, 5))


def executor_of(provider, **options):
    return ParallelLLMExecutor(provider, 2, **options)


def awaiting(executor, levels):
    async def function():
        if levels:
            await executor.gather([DeterministicTask(awaiting(executor, levels - 1))])
        else:
            await executor.gather([LLMTask("a"), LLMTask("b")])

    return function


def crossing(executor, levels):
    def function():
        task = DeterministicTask(crossing(executor, levels - 1)) if levels else LLMTask("a")
        run_sync(executor.gather([task] if levels else [task, LLMTask("b")]))

    return function


@pytest.mark.parametrize("levels", [0, 1, 3])
@pytest.mark.parametrize("inside", [awaiting, crossing])
async def test_usage_and_cost_inside_a_function_are_its_task_s_too(inside, levels):
    report, started = Report(), []

    def on_event(event):
        report(event)
        started.extend([event] if isinstance(event, RunStarted) else [])

    executor = executor_of(Priced(), on_event=on_event)
    (result,) = await executor.gather([DeterministicTask(inside(executor, levels))])
    assert (result.usage, result.cost_usd) == (Usage(20, 10), 0.5)
    stats, found = executor.stats(), report.summary()
    assert (stats.known_usd, stats.cost_usd, stats.attempts) == (0.5, 0.5, 2)
    assert (found.cost_usd, found.input_tokens, found.attempts) == (0.5, 20, 2)
    assert [event.parent for event in started] == [
        None,
        *((event.run, 0) for event in started[:-1]),
    ]
    assert not any(event.is_parts for event in started)


async def test_another_executor_inside_counts_for_the_parent_and_for_itself():
    outer, inner = executor_of(Unpriced()), executor_of(Priced())
    (result,) = await outer.gather([DeterministicTask(awaiting(inner, 0))])
    assert (result.usage, result.cost_usd) == (Usage(20, 10), 0.5)
    assert outer.stats().known_usd == 0.0
    assert inner.stats().known_usd == 0.5


async def test_a_price_that_is_not_known_inside_is_not_known_outside():
    executor = executor_of(Unpriced())
    (result,) = await executor.gather([DeterministicTask(awaiting(executor, 1))])
    assert (result.usage, result.cost_usd) == (Usage(20, 10), None)


async def test_what_a_failed_function_used_is_told_as_well():
    executor = executor_of(Priced())

    async def function():
        await awaiting(executor, 0)()
        raise ValueError("mine")

    (result,) = await executor.gather([DeterministicTask(function)])
    assert not result.success
    assert result.usage == Usage(20, 10)


@pytest.mark.parametrize("tells", [True, False])
async def test_a_bare_provider_that_calls_an_executor_counts_once(tells):
    inner = executor_of(Priced())

    class Chain:
        async def complete(self, messages, config_overrides=None):
            await asyncio.sleep(0)
            await awaiting(inner, 0)()
            return (
                LLMResponse("x", usage=Usage(20, 10), cost_usd=0.5) if tells else LLMResponse("x")
            )

    report = Report()
    (result,) = await executor_of(Chain(), on_event=report).gather([LLMTask("a")])
    assert (result.usage, result.cost_usd) == (Usage(20, 10), 0.5)
    assert report.summary().input_tokens == (20 if tells else 0)
