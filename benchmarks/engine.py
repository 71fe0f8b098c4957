"""The engine alone: CPU a call on a provider in this process that suspends once."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence

from figure import Figure

from ingather import LLMMessage, LLMResponse, LLMTask, ParallelLLMExecutor

_ANSWER = LLMResponse("an answer")


class Suspending:
    """A provider that costs nothing but one turn of the event loop."""

    async def complete(
        self, messages: Sequence[LLMMessage], config_overrides: Mapping[str, object] | None = None
    ) -> LLMResponse:
        await asyncio.sleep(0)
        return _ANSWER


async def cpu_per_call(calls: int, runs: int) -> float:
    """Median CPU seconds a call, at 100 in flight, over tasks made beforehand."""
    executor = ParallelLLMExecutor(Suspending(), max_concurrency=100)
    tasks = [LLMTask("Hello") for _ in range(calls)]
    taken = []
    for _ in range(runs):
        begun = time.process_time()
        results = await executor.gather(tasks)
        taken.append(time.process_time() - begun)
        assert all(result.success for result in results)
    return statistics.median(taken) / calls


def figures(*, quick: bool) -> Iterator[Figure]:
    cost = asyncio.run(cpu_per_call(20_000, 3 if quick else 9))
    yield Figure("engine alone, 100 in flight: CPU a call", cost * 1e6, "µs", most=15)
