"""Five ways to ask the same questions, and what each takes. Against a simulated provider: no key, no network.

Which one? Sequential: when each call needs the one before. `gather`: all results at once, in input
order. `as_completed`: something to show or to store as soon as it is there. Either with a smaller
`max_concurrency`: when the provider, or somebody else who uses it, cannot take more.
"""

import asyncio
import time
from dataclasses import dataclass

from ingather import LLMTask, ParallelLLMExecutor, connect
from ingather.testing import Simulator

TEXTS = [
    "Ana Silva is a 41-year-old marine biologist.",
    "Tom Okafor is a 29-year-old bridge inspector.",
    "Mei Tanaka is a 35-year-old pastry chef.",
    "Lars Berg is a 52-year-old ferry captain.",
    "Nadia Haddad is a 38-year-old court interpreter.",
    "Piotr Nowak is a 27-year-old violin maker.",
    "Grace Mwangi is a 44-year-old seismologist.",
]


@dataclass
class Person:
    name: str
    age: int
    occupation: str


def tasks():
    return [LLMTask(f"Extract the person: {text}", response_model=Person) for text in TEXTS]


async def as_completed(executor, tasks):
    return [result async for result in executor.as_completed(tasks)]


sequential, gather = ParallelLLMExecutor.execute_sequential, ParallelLLMExecutor.gather
WAYS = [(sequential, 7), (gather, 7), (as_completed, 7), (gather, 2), (as_completed, 2)]


async def main():
    async with Simulator(latency=0.1, sigma=0.3) as simulator:
        provider = connect("openai/simulated", base_url=simulator.base_url)
        for way, limit in WAYS:
            begun = time.perf_counter()
            results = await way(ParallelLLMExecutor(provider, limit), tasks())
            people = [result.unwrap() for result in results]
            seconds = time.perf_counter() - begun
            took = f"at most {limit} at once  {seconds:5.2f} s"
            print(f"{way.__name__:<18}  {took}   first: {people[0]}")


if __name__ == "__main__":
    asyncio.run(main())
