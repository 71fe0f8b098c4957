"""What a run says of itself is true: prepared runs of each cause, whose truth is known or measured."""

import asyncio
import json
import random
from typing import Any

import pytest

from ingather import (
    Budget,
    DeterministicTask,
    Hedge,
    Limits,
    LLMResponse,
    LLMTask,
    ParallelLLMExecutor,
    RetryConfig,
    Usage,
    connect,
)
from ingather.errors import ConnectFailed, RateLimited, ServerFault
from ingather.report import Report
from ingather.transport import Reply

pytestmark = pytest.mark.looptime


class Server:
    """Answers `slots` calls at a time, the others in their order; latencies are lognormal, of the prompt alone."""

    def __init__(self, slots=10**9, latency=1.0, sigma=0.3, seed=0, answer=None, limits=None):
        self.slots = asyncio.Semaphore(slots)
        self.latency, self.sigma, self.seed = latency, sigma, seed
        self.answer = answer
        self.calls = 0
        self.limits = limits
        self.retry = RetryConfig(max_attempts=4, initial_delay=0.5)

    def takes(self, prompt):
        return self.latency * random.Random(f"{self.seed} {prompt}").lognormvariate(0.0, self.sigma)

    async def complete(self, messages, config_overrides=None):
        self.calls += 1
        prompt = messages[0].content
        if self.answer is not None:
            await self.answer(self.calls)
        async with self.slots:
            await asyncio.sleep(self.takes(prompt))
        return LLMResponse(prompt, usage=Usage(10, 10))


class Sharing(Server):
    """All calls at once, each the slower the more there are beyond `slots`."""

    async def complete(self, messages, config_overrides=None):
        self.calls += 1
        left = self.takes(messages[0].content)
        self.beside = getattr(self, "beside", 0) + 1
        try:
            while left > 1e-9:
                step = min(left, self.latency / 4)
                await asyncio.sleep(step * max(1.0, self.beside / self.slots._value))
                left -= step
        finally:
            self.beside -= 1
        return LLMResponse("x", usage=Usage(10, 10))


def tasks(count):
    return [LLMTask(str(number)) for number in range(count)]


async def reported(server, asked, most=None, **options):
    report = Report()
    executor = ParallelLLMExecutor(server, most, on_event=report, **options)
    begun = asyncio.get_running_loop().time()
    await executor.gather(asked)
    return report.summary(), asyncio.get_running_loop().time() - begun, executor


async def speedup(kind, count, most, **options):
    """What a run says of its own speed, and the truth: the same tasks one after another."""
    found, took, _ = await reported(kind(**options), tasks(count), most)
    _, alone, _ = await reported(kind(**options), tasks(count), 1)
    return found.speedup, alone / took


SEEDS = pytest.mark.parametrize("seed", range(2))


@SEEDS
@pytest.mark.parametrize("kind", [Server, Sharing])
@pytest.mark.parametrize("slots", [1, 16, 10**6])
@pytest.mark.parametrize("most", [5, 50, None])
async def test_a_speed_is_true_or_is_not_told(kind, slots, most, seed):
    told, truth = await speedup(kind, 300, most, slots=slots, seed=seed)
    assert told is None or truth / 1.5 < told < truth * 1.5


@SEEDS
@pytest.mark.parametrize("slots", [50, 10**6])
async def test_a_speed_is_told_where_the_run_began_with_few_in_flight(slots, seed):
    told, truth = await speedup(Server, 800, None, slots=slots, seed=seed)
    assert told == pytest.approx(truth, rel=0.3)


@SEEDS
@pytest.mark.parametrize("rpm", [60, 300, 1200])
@pytest.mark.parametrize("latency", [0.1, 5.0])
async def test_a_speed_under_a_limit_is_true_or_is_not_told(rpm, latency, seed):
    limits = Limits(requests_per_minute=rpm)
    told, truth = await speedup(Server, 150, None, latency=latency, limits=limits, seed=seed)
    assert told is None or told < 1.05 or truth / 1.5 < told < truth * 1.5


@pytest.mark.parametrize("most", [4, 16])
async def test_functions_that_hold_each_other_up_are_not_told_as_faster(most):
    lock = asyncio.Lock()

    async def compute():
        async with lock:
            await asyncio.sleep(1.0)

    found, _, _ = await reported(Server(), [DeterministicTask(compute)] * 100, most)
    assert found.speedup is None
    assert found.limited_by == "functions"


# -- what limited it


async def limited(server, asked, most=None, **options):
    found, _, executor = await reported(server, asked, most, **options)
    assert executor.stats().limited_by == found.limited_by
    return found.limited_by


@SEEDS
@pytest.mark.parametrize("count", [100, 1000])
async def test_limited_by_ones_own_slots(count, seed):
    assert await limited(Server(seed=seed), tasks(count), 10) == "slots"


@SEEDS
@pytest.mark.parametrize("rpm", [60, 600])
async def test_limited_by_requests(rpm, seed):
    assert (
        await limited(Server(seed=seed, limits=Limits(requests_per_minute=rpm)), tasks(300))
        == "requests"
    )
    assert (
        await limited(Server(seed=seed, limits=Limits(requests_per_minute=rpm)), tasks(300), 50)
        == "requests"
    )


@SEEDS
@pytest.mark.parametrize("most", [None, 20])
async def test_limited_by_the_budget(most, seed):
    budget = Budget(max_tokens=1_000_000)
    budget.reserve(type(budget.spent)(0.0, 1_000_000 - 200 * 20 - 4000))  # room for a few at a time
    asked = [LLMTask(str(number), config_overrides={"max_tokens": 1000}) for number in range(200)]
    assert await limited(Server(seed=seed), asked, most, budget=budget) == "budget"


@SEEDS
async def test_limited_by_pauses(seed):
    async def answer(number):
        if number % 40 == 20:
            raise RateLimited("slow down", status=429, retry_after=30.0)

    assert await limited(Server(seed=seed, answer=answer), tasks(200), 20) == "pause"


@SEEDS
async def test_limited_by_an_outage(seed):
    loop = asyncio.get_running_loop()
    begun = loop.time()

    async def answer(number):
        if 3.0 < loop.time() - begun < 90.0:
            raise ConnectFailed("nobody there")

    assert await limited(Server(seed=seed, answer=answer), tasks(200), 20) == "pause"


@SEEDS
@pytest.mark.parametrize("most", [None, 1000])
async def test_limited_by_stragglers(most, seed):
    class Slow(Server):
        def takes(self, prompt):
            return 120.0 if prompt in ("7", "500") else super().takes(prompt)

    assert await limited(Slow(seed=seed), tasks(600), most) == "stragglers"


@SEEDS
@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_limited_by_the_input(kind, seed):
    async def slowly():
        for task in tasks(60):
            await asyncio.sleep(2.0)
            yield task

    assert await limited(Server(latency=0.5, seed=seed), slowly(), 20) == "input"


@SEEDS
@pytest.mark.parametrize("method", ["as_completed", "in_order"])
async def test_limited_by_the_consumer(method, seed):
    report = Report()
    executor = ParallelLLMExecutor(Server(latency=0.5, seed=seed), 5, on_event=report)
    async for _ in getattr(executor, method)(iter(tasks(200))):
        await asyncio.sleep(1.0)
    assert report.summary().limited_by == executor.stats().limited_by == "consumer"


@SEEDS
async def test_limited_by_backoff(seed):
    async def answer(number):
        if number <= 4:
            raise ServerFault("500")

    server = Server(latency=0.2, seed=seed, answer=answer)
    server.retry = RetryConfig(max_attempts=4, initial_delay=20.0)
    assert await limited(server, tasks(4), 10) == "backoff"


@SEEDS
async def test_limited_by_functions(seed):
    async def compute():
        await asyncio.sleep(1.0)

    assert await limited(Server(seed=seed), [DeterministicTask(compute)] * 5, 10) == "functions"


@SEEDS
async def test_limited_by_the_start(seed):
    assert await limited(Server(latency=2.0, seed=seed), tasks(100)) == "start"


@SEEDS
@pytest.mark.parametrize("count", [10, 12, 20, 40])
async def test_a_run_that_is_over_before_much_was_known_had_no_slots_to_raise(count, seed):
    assert await limited(Server(seed=seed), tasks(count)) in ("start", "latency", "stragglers")


@SEEDS
@pytest.mark.parametrize("slots", [4, 16])
async def test_limited_by_what_the_server_takes_at_once(slots, seed):
    assert await limited(Server(slots, seed=seed), tasks(3000)) == "concurrency"


@SEEDS
@pytest.mark.parametrize("slots", [1, 4, 12])
@pytest.mark.parametrize("most", [60, 1000])
async def test_limited_by_the_servers_slots_though_all_are_sent_at_once(slots, most, seed):
    assert await limited(Server(slots, seed=seed), tasks(60), most) == "concurrency"


@SEEDS
@pytest.mark.parametrize("most", [60, 1000])
@pytest.mark.parametrize("sigma", [0.0, 0.3, 0.6])
async def test_all_sent_at_once_to_a_server_with_room_for_all_is_latency(sigma, most, seed):
    said = await limited(Server(sigma=sigma, seed=seed), tasks(60), most)
    assert said in ("latency", "stragglers")


class Wire:
    """The same server behind one of the library's own dialects, which can be hedged and stored."""

    def __init__(self, server):
        self.server = server

    async def post(self, endpoint, body):
        prompt = json.loads(body)["messages"][0]["content"]
        async with self.server.slots:
            await asyncio.sleep(self.server.takes(prompt))
        choice = {"message": {"content": prompt}, "finish_reason": "stop"}
        return Reply(200, {}, json.dumps({"choices": [choice]}).encode())

    async def aclose(self):
        pass


def wired(server):
    provider: Any = connect("openai/m", base_url="http://localhost:8000/v1")
    provider._transport = Wire(server)
    return provider


class Stuck(Server):
    """The first request of one prompt in ten takes very long, its second copy does not."""

    def __init__(self, **options):
        super().__init__(**options)
        self.seen = set()

    def takes(self, prompt):
        if prompt.endswith("7") and prompt not in self.seen:
            self.seen.add(prompt)
            return 60.0
        return super().takes(prompt)


@SEEDS
async def test_slow_calls_that_were_sent_twice_no_longer_limit_it(seed):
    assert await limited(wired(Stuck(seed=seed)), tasks(60), 100) == "stragglers"
    hedge = Hedge(4.0, max_extra=0.5)
    found, took, executor = await reported(wired(Stuck(seed=seed)), tasks(60), 100, hedge=hedge)
    assert found.hedges >= 6
    assert took < 12.0
    assert found.limited_by == executor.stats().limited_by == "latency"


@SEEDS
async def test_what_the_store_held_is_no_call_that_limits(seed, tmp_path):
    async def stored(asked):
        provider = wired(Server(seed=seed))
        found, _, executor = await reported(provider, asked, 10, store=tmp_path / "store.db")
        said = executor.stats().limited_by
        await executor.aclose()
        assert said == found.limited_by
        return found

    asked = tasks(100)
    assert (await stored(asked)).limited_by == "slots"
    found = await stored(asked)
    assert (found.cached, found.limited_by) == (100, "")
    found = await stored([*asked, *(LLMTask(f"new {number}") for number in range(5))])
    assert (found.cached, found.attempts, found.limited_by) == (100, 5, "latency")


@SEEDS
async def test_limited_by_latency_alone(seed):
    assert await limited(Server(seed=seed), tasks(10), 50) == "latency"
