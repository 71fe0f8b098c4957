"""`drain` sends nothing more and lets what is in flight end; `Results.stop` ends that too, and reports every task."""

import asyncio

from ingather import EchoProvider, Limits, LLMResponse, LLMTask, ParallelLLMExecutor
from ingather.errors import Cancelled, NotSent


class Held(EchoProvider):
    """Answers when it is let go, one call at a time."""

    def __init__(self):
        super().__init__(limits=Limits(max_concurrency=1))
        self.entered, self.free = asyncio.Event(), asyncio.Event()

    async def complete(self, messages, config_overrides=None):
        self.entered.set()
        await self.free.wait()
        return LLMResponse("done")


async def test_what_waits_is_not_sent_and_what_is_in_flight_ends():
    provider = Held()
    executor = ParallelLLMExecutor(provider, max_concurrency=3)
    running = asyncio.create_task(executor.gather([LLMTask(f"{i}") for i in range(3)]))
    await provider.entered.wait()
    executor.drain("the lamp went out")
    provider.free.set()
    first, *others = await running
    assert first.success
    assert [(type(result.error), str(result.error), result.attempts) for result in others] == [
        (NotSent, "not sent: the lamp went out", 0)
    ] * 2


async def test_the_next_run_begins_as_ever():
    provider = Held()
    provider.free.set()
    executor = ParallelLLMExecutor(provider, max_concurrency=3)
    await executor.gather([LLMTask("a")])
    executor.drain("over")
    [result] = await executor.gather([LLMTask("b")])
    assert result.success


async def test_stop_reports_every_task_that_was_pulled():
    provider = Held()
    results = ParallelLLMExecutor(provider, max_concurrency=3).as_completed(
        LLMTask(f"{i}") for i in range(100)
    )
    reading = asyncio.create_task(anext(results))
    await provider.entered.wait()
    results.stop("enough")
    ended = [await reading] + [result async for result in results]
    assert sorted(result.index for result in ended) == list(range(len(ended)))
    assert len(ended) == 3
    assert {type(result.error) for result in ended} == {Cancelled, NotSent}
    assert (
        str(next(result.error for result in ended if isinstance(result.error, Cancelled)))
        == "cancelled: enough"
    )
