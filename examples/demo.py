"""Seven texts to seven people: one after another, at once, and two hundred through faults, live. No key, no network."""

import asyncio

from ingather import ParallelLLMExecutor, connect
from ingather.cli.five_ways import WAYS, Person, measure, table, tasks
from ingather.progress import Progress
from ingather.testing import Simulator


def tell(person: Person) -> None:
    print(f"  {person.name}, {person.age}, {person.occupation}", flush=True)


async def one_after_another(provider):
    print("Three texts, one after another. A call takes about 0.85 s.")
    executor = ParallelLLMExecutor(provider)
    for task in tasks()[:3]:
        [result] = await executor.gather([task])
        tell(result.unwrap())


async def at_once(provider):
    print("\nAll seven at once, as they finish.")
    async for result in ParallelLLMExecutor(provider, max_concurrency=7).as_completed(tasks()):
        tell(result.unwrap())


async def through_faults(provider):
    print("\nTwo hundred and ten, 35 in flight, while one call in twenty fails.", flush=True)
    progress = Progress()
    executor = ParallelLLMExecutor(provider, max_concurrency=35, on_event=progress)
    await executor.gather(tasks() * 30)
    await asyncio.to_thread(progress.close)
    print(progress.report.summary())


async def five_ways(provider):
    print("\nThe five ways for seven texts, measured here and as told in the article they come from:\n", flush=True)
    print(table([await measure(way, provider) for way in WAYS]))


def main(latency=0.85):
    unwell = Simulator(latency=latency, sigma=0.3, error_rate=0.05, faults="500,503,drop")
    with Simulator(latency=latency, sigma=0.1) as well, unwell:
        provider = connect("openai/simulated", base_url=well.base_url)
        asyncio.run(one_after_another(provider))
        asyncio.run(at_once(provider))
        asyncio.run(through_faults(connect("openai/simulated", base_url=unwell.base_url)))
        asyncio.run(five_ways(provider))


if __name__ == "__main__":
    main()
