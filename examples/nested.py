"""A function that a task runs may call the executor again, as deep as it likes, even with a single slot.

With a semaphore of one's own this stops for ever: each parent holds a permit while it waits for its
children, and the children wait for a permit:

    async def book(semaphore):
        async with semaphore:                                      # takes the only permit …
            await asyncio.gather(*(chapter(semaphore) for _ in range(3)))    # … for which these now wait

Here a function gives its slot back the moment it calls the executor. Only what is on the wire or
computing holds one.
"""

import asyncio

from ingather import DeterministicTask, EchoProvider, LLMTask, ParallelLLMExecutor, run_sync


class Counting(EchoProvider):
    """Knows how many of its calls were ever in flight together."""

    in_flight = most = 0

    async def complete(self, messages, config_overrides=None):
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            return await super().complete(messages, config_overrides)
        finally:
            self.in_flight -= 1


provider = Counting().set_response_delay(0.001)
executor = ParallelLLMExecutor(provider, max_concurrency=1)


async def book(title):
    chapters = [DeterministicTask(chapter, (f"{title}, chapter {n}",)) for n in (1, 2, 3)]
    return [line for result in await executor.gather(chapters) for line in result.unwrap()]


def chapter(name):  # a sync function, in a thread: it reaches the executor through run_sync
    pages = {f"page {n}": LLMTask(f"Summarise {name}, page {n}") for n in (1, 2, 3, 4)}
    return [result.unwrap().content for result in run_sync(executor.execute(pages)).values()]


async def main():
    titles = [f"Volume {n}" for n in range(1, 6)]
    shelf = await executor.gather(DeterministicTask(book, (title,)) for title in titles)
    lines = [line for result in shelf for line in result.unwrap()]
    print(f"{len(lines)} pages of {len(shelf)} books; the last line: {lines[-1]}")
    print(f"calls in flight together, at most: {provider.most}")


if __name__ == "__main__":
    asyncio.run(main())
