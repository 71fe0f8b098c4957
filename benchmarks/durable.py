"""What durability costs: CPU a call with a store beside without one; and what a store gives back, small and large."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from figure import Figure
from harness import Client, alternate

from ingather import LLMResponse, LLMTask, ParallelLLMExecutor, Store, Usage, connect
from ingather.store.answer_table import row_of
from ingather.store.inserts import insert
from ingather.store.key import Key

WITHOUT = Client("without a store", "ingather_executor.py")
WITH = Client("with a store", "ingather_store.py")

_ANSWER = LLMResponse(
    "An answer of a usual length. " * 27, "bench-model", usage=Usage(180, 150), metadata={"id": "x"}
)
# nobody is there: it must not be asked
_PROVIDER = connect("openai/bench-model", base_url="http://127.0.0.1:9/v1")
_CHUNK = 10_000


def task(number: int) -> LLMTask:
    return LLMTask("Hello", sample=number)


def key(number: int) -> Key:
    return Key(_PROVIDER.prepare(task(number).messages), number)


def filled(path: Path, count: int) -> None:
    """A store of `count` answers of 1 KB."""
    with Store(path) as store:
        for start in range(0, count, _CHUNK):
            rows = [
                row_of(key(number), _ANSWER) for number in range(start, min(start + _CHUNK, count))
            ]
            store.ask(
                lambda connection, rows=rows: insert(connection, "answers", rows), writes=True
            )


async def replayed(path: Path, count: int, runs: int) -> float:
    """Median tasks a second of one core's time, where each answer is in the store already."""
    tasks = [task(number) for number in range(count)]
    rates = []
    async with ParallelLLMExecutor(_PROVIDER, 100, store=path) as executor:
        for _ in range(runs):
            # of both threads: what one core had to do, whatever else it did
            begun = time.process_time()
            results = await executor.gather(tasks)
            rates.append(count / (time.process_time() - begun))
            assert all(result.cached for result in results)
    return statistics.median(rates)


def replay(count: int, runs: int) -> None:
    """On one core, where the system lets us choose."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        filled(Path(folder) / "run.db", count)
        print(asyncio.run(replayed(Path(folder) / "run.db", count, runs)))


async def look_up(store: Store, count: int, chance: random.Random) -> float:
    """Seconds of a look-up, at random among `count` answers, 100 at once."""
    keys = [key(chance.randrange(count)) for _ in range(5_000)]
    begun = time.perf_counter()
    for start in range(0, len(keys), 100):
        found = await asyncio.gather(*(store.find(one) for one in keys[start : start + 100]))
        assert None not in found
    return (time.perf_counter() - begun) / len(keys)


def looked_up(counts: list[int], runs: int) -> tuple[list[float], float]:
    """For a store of each size the median seconds of a look-up, taken in turn; and how long the last took to open."""
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        stores = []
        for count in counts:
            filled(Path(folder) / f"{count}.db", count)
            begun = time.perf_counter()
            stores.append(stack.enter_context(Store(Path(folder) / f"{count}.db")))
            opening = time.perf_counter() - begun
        taken: list[list[float]] = [[] for _ in counts]
        for _ in range(runs):
            for store, count, times in zip(stores, counts, taken, strict=True):
                times.append(asyncio.run(look_up(store, count, chance)))
    return [statistics.median(times) for times in taken], opening


def figures(*, quick: bool) -> Iterator[Figure]:
    cost = alternate(
        [WITH, WITHOUT], latency=0.0, calls=5_000, concurrency=100, runs=3 if quick else 9
    )
    ours, bare = cost[WITH.name].cpu_per_call, cost[WITHOUT.name].cpu_per_call
    detail = f"{ours * 1e6:.0f} against {bare * 1e6:.0f} µs"
    yield Figure(
        "100 in flight: CPU a call with a store over without",
        ours / bare,
        "x",
        most=1.5,
        detail=detail,
    )
    yield Figure(
        "10,000 tasks, all in the store: tasks a second of a core",
        _alone("replay", 10_000),
        "per s",
        least=20_000,
    )

    many = 100_000 if quick else 1_000_000
    (small, large), opening = looked_up([10_000, many], runs=9)
    detail = f"{large * 1e6:.1f} against {small * 1e6:.1f} µs"
    yield Figure(
        f"{many:,} stored answers: a look-up over 10,000's",
        large / small,
        "x",
        most=2,
        detail=detail,
    )
    yield Figure(f"{many:,} stored answers: opening", opening * 1000, "ms", most=1_000)


def _alone(what: str, count: int) -> float:
    command = [sys.executable, str(Path(__file__)), what, str(count)]
    return float(
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    )


if __name__ == "__main__":
    {"replay": replay}[sys.argv[1]](int(sys.argv[2]), 5)
