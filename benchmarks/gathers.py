"""Many gathers of one executor at once: what each costs must not grow with their number."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Iterator

from engine import Suspending
from figure import Figure

from ingather import LLMTask, ParallelLLMExecutor

_COUNTS = 500, 1000, 2000, 4000
_TASKS = [LLMTask("Hello"), LLMTask("How are you?")]


async def cpu_per_gather(count: int, *, heard: bool) -> float:
    """CPU seconds a gather of two tasks, `count` of them open at once. `heard`: somebody listens to events."""
    executor = ParallelLLMExecutor(
        Suspending(), max_concurrency=100, on_event=_heard if heard else None
    )
    begun = time.process_time()
    found = await asyncio.gather(*(executor.gather(_TASKS) for _ in range(count)))
    taken = time.process_time() - begun
    assert all(result.success for results in found for result in results)
    return taken / count


def _heard(event: object) -> None:
    pass


def _median_costs(rounds: int, *, heard: bool) -> dict[int, float]:
    """Microseconds a gather, by how many are open."""
    costs: dict[int, list[float]] = {count: [] for count in _COUNTS}
    for _ in range(rounds):
        for count, taken in costs.items():
            gc.collect()
            taken.append(asyncio.run(cpu_per_gather(count, heard=heard)))
    return {count: statistics.median(taken) * 1e6 for count, taken in costs.items()}


def figures(*, quick: bool) -> Iterator[Figure]:
    rounds = 3 if quick else 9
    for heard, name in ((False, "concurrent gathers"), (True, "the same, with events")):
        collected = _median_costs(rounds, heard=heard)
        # whose full rounds look at all that lives, so that they cost any program more as it holds
        # more
        gc.disable()
        try:
            alone = _median_costs(rounds, heard=heard)
        finally:
            gc.enable()
        shown = ", ".join(f"{count:,}: {cost:.0f}" for count, cost in collected.items())
        detail = f"{shown} µs; {_growth(alone):.2f} × without Python's garbage collection"
        yield Figure(
            f"{name}: CPU each, 4,000 open over 500",
            _growth(collected),
            "×",
            most=1.5,
            detail=detail,
        )


def _growth(costs: dict[int, float]) -> float:
    return costs[_COUNTS[-1]] / costs[_COUNTS[0]]
