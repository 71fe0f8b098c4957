"""A server of one's own says how many requests it answers at once, and so many are in flight from then on."""

import asyncio
import json

import pytest

from ingather import ParallelLLMExecutor, connect
from ingather.providers.server_slots import props_url, total_slots
from ingather.transport import Reply
from tests.run.stand_ins import gate_of, llm_tasks
from tests.servers.llama import serving
from tests.servers.raw import RawServer, answer, completion


class Slots:
    """A server of `count` slots; `props`: what it says of itself."""

    def __init__(self, count=3, props=None, status=200):
        self.props = json.dumps({"total_slots": count} if props is None else props).encode()
        self.status = status
        self.asked = []
        self._slots = asyncio.Semaphore(count)

    async def __call__(self, exchange):
        if exchange.line.startswith("GET"):
            await exchange.send(answer(self.props, self.status))
            self.asked.append(exchange)
            return
        async with self._slots:
            await asyncio.sleep(0.005)
        await exchange.send(answer(completion()))

    async def run(self, count=200, bound=None, model="openai/m", **options):
        async with RawServer(self) as server:
            provider = connect(model, **{"base_url": server.base_url, **options})
            async with ParallelLLMExecutor(provider, bound) as executor:
                results = await executor.gather(llm_tasks(count))
        assert all(result.success for result in results)
        return executor


async def test_as_many_are_in_flight_as_it_says_that_it_answers_at_once():
    server = Slots(3)
    executor = await server.run()
    assert gate_of(executor).controller.window.size == 3
    assert [exchange.line for exchange in server.asked] == [
        "GET /props?model=m&autoload=false HTTP/1.1"
    ]
    (learnt,) = executor.stats().learnt.values()
    assert str(learnt) == "3 calls in flight"


async def test_the_key_goes_there_as_it_goes_with_each_call():
    server = Slots()
    await server.run(api_key="sk-of-my-own")
    assert server.asked[0].headers["authorization"] == "Bearer sk-of-my-own"


@pytest.mark.parametrize(("count", "bound"), [(200, 9), (4, None)])
async def test_it_is_not_asked_where_a_bound_is_given_or_nothing_waits(count, bound):
    server = Slots()
    await server.run(count, bound)
    assert server.asked == []


@pytest.mark.parametrize(
    ("props", "status"),
    [
        ({}, 200),
        ({"error": "no"}, 404),
        ({"total_slots": 2}, 503),
        ({"total_slots": "4"}, 200),
        ([4], 200),
        (4, 200),
    ]
    + [({"total_slots": slots}, 200) for slots in (0, -1, True, None, 2.5, 10**9)],
)
async def test_what_is_no_such_number_is_no_harm(props, status):
    server = Slots(64, props, status)
    executor = await server.run(100)
    assert len(server.asked) == 1
    assert (
        gate_of(executor).controller.window._told is None
    )  # whatever it has learnt from latencies


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("openai", "https://api.openai.com/v1"),
        ("openai", "https://llm.example.com/v1"),
        ("groq", "https://api.groq.com/openai/v1"),
        ("vllm", "http://localhost:8000/v1"),
        ("ollama", "http://localhost:11434/v1"),
        ("anthropic", "http://localhost:8080"),
    ],
)
def test_who_would_not_say_is_not_asked(name, url):
    assert props_url(name, url, "m") is None


@pytest.mark.parametrize(
    ("name", "url", "asked"),
    [
        ("openai", "http://10.0.0.7:8080/v1", "http://10.0.0.7:8080/props"),
        ("openai", "http://llama/api/v1/", "http://llama/api/props"),
        ("openai", "http://localhost:8080", "http://localhost:8080/props"),
        ("llamacpp", "https://llm.example.com/v1", "https://llm.example.com/props"),
    ],
)
def test_it_is_asked_beside_the_api(name, url, asked):
    assert props_url(name, url, "a/b c") == f"{asked}?model=a%2Fb%20c&autoload=false"


def test_what_is_no_json_is_nothing():
    assert total_slots(Reply(200, {}, b"<html>")) is None


async def test_a_server_that_never_says_it_holds_nothing_up():
    async def reply(exchange):
        if not exchange.line.startswith("GET"):
            await asyncio.sleep(0.001)
            await exchange.send(answer(completion()))
        else:
            asked.set()
            await exchange.hung_up()

    asked = asyncio.Event()
    async with RawServer(reply) as server:
        results = await ParallelLLMExecutor(
            connect("openai/m", base_url=server.base_url), None
        ).gather(llm_tasks(100))
        assert all(result.success for result in results)
        await asked.wait()


def test_llama_cpp_s_own_server_gets_as_many_as_it_has_slots():
    async def run(url):
        provider = connect("llamacpp/tiny", base_url=url, max_tokens=8)
        async with ParallelLLMExecutor(provider, None) as executor:
            await executor.gather(llm_tasks(100))
            return gate_of(executor).controller.window.size

    with serving("--parallel", "3") as url:
        assert asyncio.run(run(url)) == 3
