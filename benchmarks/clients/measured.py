"""What all clients share: their arguments, their prompts, and the line of JSON that they print."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable

PROMPT = (
    "Summarise the following passage in one sentence. "
    + "The quick brown fox jumps over the lazy dog. " * 15
)
Run = Callable[[str, int, int], Awaitable[int]]


def main(run: Run, close: Callable[[], Awaitable[object]]) -> None:
    """Run `run(base_url, calls, concurrency)`, which gives how many calls were answered, and print its cost."""
    parser = argparse.ArgumentParser()
    parser.add_argument("base_url")
    parser.add_argument("--calls", type=int, default=5_000)
    parser.add_argument("--concurrency", type=int, default=100)
    parser.add_argument("--cold", action="store_true", help="no calls beforehand to warm up")
    parser.add_argument(
        "--queued", action="store_true", help="of a server that never answers: what the queue holds"
    )
    arguments = parser.parse_args()
    asyncio.run(queued(run, arguments) if arguments.queued else measured(run, close, arguments))


async def measured(
    run: Run, close: Callable[[], Awaitable[object]], arguments: argparse.Namespace
) -> None:
    """Print CPU and wall seconds of the calls, the answered among them, and the process's peak memory."""
    calls, concurrency = arguments.calls, arguments.concurrency
    if not arguments.cold:
        await run(arguments.base_url, min(calls, 2 * concurrency), concurrency)
    wall, cpu = time.perf_counter(), time.process_time()
    count = await run(arguments.base_url, calls, concurrency)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    await close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"answered": count, "wall": wall, "cpu": cpu, "peak_kb": peak}))


async def queued(run: Run, arguments: argparse.Namespace) -> None:
    """Print the bytes that Python holds once all calls are made and wait, those in flight included."""
    tracemalloc.start()
    waiting = asyncio.ensure_future(run(arguments.base_url, arguments.calls, arguments.concurrency))
    sizes = [0.0]
    while len(sizes) < 12 or max(sizes[-6:]) > 1.002 * min(sizes[-6:]):
        await asyncio.sleep(0.25)
        if waiting.done():
            raise RuntimeError("calls ended, though nothing answers them")
        sizes.append(tracemalloc.get_traced_memory()[0])
    print(json.dumps({"bytes": sizes[-1]}), flush=True)
    os._exit(0)  # calls are in flight that nobody will answer


async def gathered(one: Callable[[], Awaitable[object]], calls: int, concurrency: int) -> int:
    """The usual way, where a library has none of its own: a semaphore, and asyncio.gather over all calls."""
    semaphore = asyncio.Semaphore(concurrency)

    async def bounded() -> object:
        async with semaphore:
            return await one()

    return answered(
        await asyncio.gather(*(bounded() for _ in range(calls)), return_exceptions=True)
    )


def answered(outcomes: Iterable[object]) -> int:
    """How many are answers; what the others are is said on standard error."""
    count, lost = 0, Counter[str]()
    for outcome in outcomes:
        if outcome and not isinstance(outcome, BaseException):
            count += 1
        else:
            lost[f"{type(outcome).__name__}: {str(outcome)[:160]}"] += 1
    for what, number in lost.most_common(3):
        print(f"{number} x {what}", file=sys.stderr)
    return count
