"""What a run costs in memory: nothing for what is still to come, nothing for what has gone."""

import asyncio
import gc
import subprocess
import sys
import tracemalloc
import weakref

import pytest

from ingather import LLMTask, ParallelLLMExecutor
from tests.run.stand_ins import until

MEGABYTE = 1 << 20

LAZY = """
import asyncio, resource, sys
from ingather import LLMResponse, LLMTask, ParallelLLMExecutor

ANSWER = LLMResponse("yes")

class Provider:
    async def complete(self, messages, config_overrides=None):
        await asyncio.sleep(0)
        return ANSWER

def tasks(number):
    for i in range(number):
        yield LLMTask(str(i))

async def main(method, number):
    executor = ParallelLLMExecutor(Provider(), 100)
    count = 0
    async for result in getattr(executor, method)(tasks(number)):
        assert result.success
        count += 1
    assert count == number

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
if sys.platform == "linux":  # where getrusage would give the parent's peak, if that was higher
    print(int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) * 1024)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


def peak_of(method, number):
    """Bytes that a process of its own had resident at most."""
    ran = subprocess.run(
        [sys.executable, "-c", LAZY, method, str(number)],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(ran.stdout)


@pytest.mark.slow  # a minute for each
@pytest.mark.parametrize("method", ["as_completed", "in_order"])
def test_a_million_lazily_fed_tasks_cost_what_ten_thousand_do(method):
    assert peak_of(method, 1_000_000) - peak_of(method, 10_000) < 30 * MEGABYTE


@pytest.mark.parametrize("method", ["as_completed", "in_order"])
def test_fifty_thousand_lazily_fed_tasks_cost_what_a_thousand_do(method):
    assert peak_of(method, 50_000) - peak_of(method, 1_000) < 10 * MEGABYTE


class Stalled:
    """Never answers."""

    def __init__(self):
        self.asked = 0

    async def complete(self, messages, config_overrides=None):
        self.asked += 1
        await asyncio.Event().wait()


@pytest.mark.parametrize("method", ["gather", "execute", "as_completed"])
async def test_a_queued_list_costs_at_most_100_bytes_a_task_beyond_the_tasks(method):
    number = 100_000
    tasks = [LLMTask("x")] * number
    keyed = {str(i): task for i, task in enumerate(tasks)}
    provider = Stalled()
    executor = ParallelLLMExecutor(provider, 100)
    run = {
        "gather": lambda: executor.gather(tasks),
        "execute": lambda: executor.execute(keyed),
        "as_completed": lambda: executor.as_completed(tasks).__anext__(),
    }[method]
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    waiting = asyncio.ensure_future(run())
    await until(lambda: provider.asked == 100)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert after - before <= 100 * number
    assert after - before <= 2 * MEGABYTE  # in fact: the window's worth, whatever the number


async def test_results_that_were_taken_are_not_kept():
    """What `as_completed` gave is the consumer's alone."""

    class Answer:
        pass

    class Provider:
        async def complete(self, messages, config_overrides=None):
            await asyncio.sleep(0)
            return Answer()

    executor = ParallelLLMExecutor(Provider(), 3)
    kept = []
    async with executor.as_completed(LLMTask("x") for _ in range(200)) as results:
        for _ in range(100):
            kept.append(weakref.ref((await anext(results)).value))  # noqa: PERF401 - one by one
        gc.collect()
        assert [ref() for ref in kept] == [None] * 100
