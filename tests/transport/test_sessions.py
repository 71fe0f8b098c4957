"""Connections belong to an event loop, and end with it; whatever loop comes next has its own."""

import asyncio
import gc
import threading
import warnings

import pytest

from ingather.transport import Endpoint
from ingather.transport.aiohttp_transport import AiohttpTransport
from tests.servers.raw import RawServer


@pytest.fixture
def served():
    """The endpoint of a server that runs on a thread of its own."""
    started = threading.Event()
    done: list = []

    async def serve():
        stop = asyncio.Event()
        async with RawServer() as server:
            done.extend((asyncio.get_running_loop(), stop, server))
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait()
    loop, stop, server = done
    yield Endpoint(server.url, {})
    loop.call_soon_threadsafe(stop.set)
    thread.join()


def test_loops_one_after_another(served):
    transport = AiohttpTransport()
    for _ in range(3):
        assert asyncio.run(transport.post(served, b"")).status == 200
        assert repr(transport) == "AiohttpTransport(timeout=600, 0 sessions)"
    gc.collect()  # pytest makes a warning about anything left open a failure


def test_loops_in_several_threads(served):
    transport = AiohttpTransport()
    statuses: list[int] = []

    async def several():
        replies = await asyncio.gather(*[transport.post(served, b"") for _ in range(10)])
        statuses.extend(reply.status for reply in replies)

    threads = [threading.Thread(target=lambda: asyncio.run(several())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 40


def test_loop_that_was_closed_the_hard_way_is_dropped_without_a_sound(served):
    transport = AiohttpTransport()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(transport.post(served, b""))
            loop.close()
        assert asyncio.run(transport.post(served, b"")).status == 200
        gc.collect()
    assert repr(transport) == "AiohttpTransport(timeout=600, 0 sessions)"


def test_close_closes_and_a_later_call_opens_again(served):
    async def run():
        transport = AiohttpTransport()
        await transport.post(served, b"")
        assert "1 session)" in repr(transport)
        await transport.aclose()
        assert "0 sessions)" in repr(transport)
        await transport.post(served, b"")
        await transport.aclose()
        await transport.aclose()

    asyncio.run(run())


def test_close_reaches_a_loop_in_another_thread(served):
    transport = AiohttpTransport()
    opened = threading.Event()

    async def there():
        await transport.post(served, b"")
        opened.set()
        while "0 sessions)" not in repr(transport):  # noqa: ASYNC110 - it is the other thread that closes
            await asyncio.sleep(0.001)

    thread = threading.Thread(target=lambda: asyncio.run(there()))
    thread.start()
    opened.wait()
    asyncio.run(transport.aclose())
    thread.join()
    assert "0 sessions)" in repr(transport)


def test_transport_that_is_forgotten_closes_itself(served):
    async def run():
        transport = AiohttpTransport()
        await transport.post(served, b"")
        del transport
        gc.collect()
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(run())
    gc.collect()


def test_one_that_sent_nothing_ends_also_when_the_interpreter_has_cleared_its_module(monkeypatch):
    transport = AiohttpTransport()
    monkeypatch.setattr("ingather.transport.aiohttp_transport.asyncio", None)
    transport.__del__()
