"""``ingather bench``: the five ways of running seven calls, and what our own machinery costs, on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingather.response import LLMResponse
    from ingather.task import LLMMessage

Latency = Annotated[
    float, typer.Option(min=0.0, metavar="S", help="Seconds that a call takes, in the median.")
]
Quick = Annotated[
    bool, typer.Option("--quick", help="Shorter and rougher: calls of 0.1 s, a tenth as many.")
]


def bench(latency: Latency = 0.85, *, quick: Quick = False) -> None:
    """Measure five ways to run seven calls against a simulated provider, and what ingather itself costs a call.

    Needs no key and no network. Takes about 20 seconds.

    \b
    Examples:
      ingather bench
      ingather bench --quick
    """  # noqa: D301 - typer's mark for "keep these lines as they are"
    import asyncio
    import os
    import platform

    from ingather.cli.five_ways import table
    from ingather.cli.fold import say

    latency = min(latency, 0.1) if quick else latency
    say(
        f"Python {platform.python_version()}, {os.cpu_count()} cores. Seven calls of {latency:g} s "
        f"(median):\n"
    )
    say(table(asyncio.run(_five_ways(latency))))
    calls = 2_000 if quick else 20_000
    engine = asyncio.run(_engine(calls))
    say(
        f"\nengine alone, {calls:,} calls to a provider that suspends once: {engine * 1e6:.1f} µs "
        f"of CPU a call"
    )
    calls //= 10
    http = asyncio.run(_http(calls))
    say(
        f"over HTTP, {calls:,} calls, 100 in flight, client and simulator in one process: "
        f"{http:,.0f} calls/s"
    )


async def _five_ways(latency: float) -> list[float]:
    from ingather import connect
    from ingather.cli.five_ways import WAYS, measure
    from ingather.testing import Simulator

    with Simulator(latency=latency, sigma=0.1) as simulator:
        provider = connect("openai/simulated", base_url=simulator.base_url)
        return [await measure(way, provider) for way in WAYS]


class _Suspending:
    """The least that a provider can do: it lets the loop go round once."""

    def __init__(self, answer: LLMResponse) -> None:
        self._answer = answer

    async def complete(
        self, messages: Sequence[LLMMessage], config_overrides: Mapping[str, object] | None = None
    ) -> LLMResponse:
        import asyncio

        del messages, config_overrides
        await asyncio.sleep(0)
        return self._answer


async def _engine(calls: int) -> float:
    """CPU seconds a call."""
    import time

    from ingather import LLMResponse, LLMTask, ParallelLLMExecutor

    work = [LLMTask("x") for _ in range(calls)]
    executor = ParallelLLMExecutor(_Suspending(LLMResponse("y")), max_concurrency=100)
    await executor.gather(work[:100])
    begun = time.process_time()
    await executor.gather(work)
    return (time.process_time() - begun) / calls


async def _http(calls: int) -> float:
    """Calls a second."""
    import time

    from ingather import LLMTask, ParallelLLMExecutor, connect
    from ingather.testing import Simulator

    with Simulator(model="echo") as simulator:
        executor = ParallelLLMExecutor(
            connect("openai/simulated", base_url=simulator.base_url), max_concurrency=100
        )
        await executor.gather([LLMTask("warm up") for _ in range(100)])
        begun = time.perf_counter()
        results = await executor.gather([LLMTask(f"call {number}") for number in range(calls)])
        took = time.perf_counter() - begun
    for result in results:
        result.unwrap()
    return calls / took
