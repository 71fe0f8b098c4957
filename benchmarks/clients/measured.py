"""What all clients share: their arguments, their prompts, and the line of JSON that they print."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import time
from collections.abc import Awaitable, Callable

PROMPT = "Summarise the following passage in one sentence. " + "The quick brown fox jumps over the lazy dog. " * 15


def main(run: Callable[[str, int, int], Awaitable[int]], close: Callable[[], Awaitable[object]]) -> None:
    """Run `run(base_url, calls, concurrency)`, which gives how many calls were answered, and print its cost."""
    parser = argparse.ArgumentParser()
    parser.add_argument("base_url")
    parser.add_argument("--calls", type=int, default=5_000)
    parser.add_argument("--concurrency", type=int, default=100)
    arguments = parser.parse_args()

    async def measured() -> None:
        await run(arguments.base_url, min(arguments.calls, 2 * arguments.concurrency), arguments.concurrency)  # warm
        wall, cpu = time.perf_counter(), time.process_time()
        answered = await run(arguments.base_url, arguments.calls, arguments.concurrency)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        await close()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({"answered": answered, "wall": wall, "cpu": cpu, "peak_kb": peak}))

    asyncio.run(measured())
