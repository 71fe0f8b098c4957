"""Seven short texts to seven people, in five ways: one after another, and four ways at once, measured."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel

from ingather import LLMTask, ParallelLLMExecutor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ingather.providers.base import Provider
    from ingather.result import TaskResult

TEXTS = (
    "Ines Albrecht is a 41-year-old bridge inspector",
    "Tomas Ferreira is a 29-year-old bookbinder",
    "Grace Okoye is a 36-year-old volcanologist",
    "Henrik Lund is a 52-year-old ferry captain",
    "Mei Tanaka is a 24-year-old piano tuner",
    "Rosa Delgado is a 47-year-old beekeeper",
    "Paul Novak is a 31-year-old stage carpenter",
)


class Person(BaseModel):
    """Who a text is about."""

    name: str
    age: int
    occupation: str


@dataclass(frozen=True, slots=True)
class Way:
    """One of the ways: its name, its calls in flight, what it is for, and the seconds that the article tells."""

    name: str
    concurrency: int
    use: str
    told: float
    run: Callable[[Provider, Sequence[LLMTask], int], Awaitable[list[TaskResult]]]


def tasks() -> list[LLMTask]:
    """One task for each text."""
    return [
        LLMTask(f"Who is this? {text}", response_model=Person, tag=text.split(" is ")[0])
        for text in TEXTS
    ]


async def sequential(provider: Provider, work: Sequence[LLMTask], _: int) -> list[TaskResult]:
    """One after another."""
    return await ParallelLLMExecutor(provider).execute_sequential(list(work))


async def gathered(
    provider: Provider, work: Sequence[LLMTask], concurrency: int
) -> list[TaskResult]:
    """At once; a list in the order of the input."""
    return await ParallelLLMExecutor(provider, concurrency).gather(work)


async def as_completed(
    provider: Provider, work: Sequence[LLMTask], concurrency: int
) -> list[TaskResult]:
    """At once; results as they finish."""
    async with ParallelLLMExecutor(provider, concurrency).as_completed(work) as results:
        return [result async for result in results]


WAYS = (
    Way("one after another", 1, "the baseline", 6.17, sequential),
    Way("gather", 7, "fast, in input order", 0.85, gathered),
    Way("as_completed", 7, "fast, as they finish", 0.95, as_completed),
    Way("gather, 2 at a time", 2, "kind to a small quota", 3.04, gathered),
    Way("as_completed, 2 at a time", 2, "the same, as they finish", 3.26, as_completed),
)
"""The article on asyncio.gather and as_completed that they come from had seven texts and a hosted model."""


async def measure(way: Way, provider: Provider) -> float:
    """Seconds that `way` takes. Raises the first failure, if any."""
    begun = time.perf_counter()
    for result in await way.run(provider, tasks(), way.concurrency):
        result.unwrap()
    return time.perf_counter() - begun


def table(measured: Sequence[float]) -> str:
    """The five ways with the seconds that each took here, beside those that the article tells."""
    lines = [f"{'way':<25}{'in flight':>10}{'here':>9}{'article':>9}  for"]
    for way, took in zip(WAYS, measured, strict=True):
        lines.append(
            f"{way.name:<25}{way.concurrency:>10}{took:>7.2f} s{way.told:>7.2f} s  {way.use}"
        )
    return "\n".join(lines)
