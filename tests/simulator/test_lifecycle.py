import asyncio
import json
import threading
import urllib.request

import aiohttp
import pytest

from ingather.errors import SetupError
from ingather.testing import Simulator
from tests.simulator.asking import asking, body, until


def post(sim):
    request = urllib.request.Request(
        f"{sim.base_url}/chat/completions", json.dumps(body()).encode()
    )
    with urllib.request.urlopen(request) as got:
        return json.load(got)


def test_with_serves_from_a_thread_and_ends_it():
    before = threading.active_count()
    with Simulator() as sim:
        assert threading.active_count() == before + 1
        assert post(sim)["object"] == "chat.completion"
        assert sim.stats()["calls"] == 1
        assert repr(sim) == f"Simulator({sim.base_url}, 1 calls)"
    assert threading.active_count() == before
    assert repr(sim) == "Simulator(closed, 1 calls)"
    assert len(sim.ledger) == 1


def test_it_can_be_opened_again_with_an_empty_ledger():
    sim = Simulator(script=["ok"])
    for _ in range(2):
        with sim:
            post(sim)
            assert sim.stats()["calls"] == 1


async def test_async_with_serves_on_the_running_loop():
    before = threading.active_count()
    async with Simulator() as sim:
        assert threading.active_count() == before
        assert sim.base_url.startswith("http://127.0.0.1:")


async def test_calls_in_flight_end_with_it_and_are_not_the_clients_doing():
    async with aiohttp.ClientSession() as session:
        async with Simulator(script=["hang"]) as sim:
            waiting = asyncio.create_task(
                session.post(f"{sim.base_url}/chat/completions", json=body())
            )
            await until(lambda: sim.stats()["in_flight"])
        with pytest.raises(aiohttp.ClientError):
            await waiting
    assert (sim.stats()["in_flight"], sim.ledger[0].disconnected) == (0, False)


def test_a_port_that_is_taken_is_said_in_both_ways():
    async def again(port):
        async with Simulator(port=port):
            pass

    with Simulator() as sim:
        taken = int(sim.base_url.split(":")[2].split("/")[0])
        for attempt in (
            lambda: Simulator(port=taken).start_thread(),
            lambda: asyncio.run(again(taken)),
        ):
            with pytest.raises(
                SetupError, match=f"port {taken}: Address already in use; port 0 takes a free one"
            ):
                attempt()


async def test_it_cannot_be_opened_twice_nor_asked_before():
    sim = Simulator()
    for use in (lambda: sim.base_url, sim.stats, lambda: sim.ledger, sim.reset):
        with pytest.raises(SetupError, match="not open"):
            use()
    async with sim:
        with pytest.raises(SetupError, match="open already"):
            await sim.start()


async def test_the_same_request_has_the_same_answer_in_another_simulator():
    answers = set()
    for _ in range(2):
        async with asking() as (_, ask):
            answers.add(json.dumps({**(await ask())[2], "created": 0}))
    assert len(answers) == 1
