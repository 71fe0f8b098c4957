"""A cancelled call hangs up at once: a provider that is not told goes on working, and billing."""

import asyncio

import pytest

from ingather.transport import Endpoint
from ingather.transport.aiohttp_transport import AiohttpTransport
from tests.servers.raw import RawServer, answer


class Watching:
    """Reads requests, sends the first `bytes_sent` of an answer, and counts who came and who left."""

    def __init__(self, sent=b""):
        self.sent = sent
        self.here = 0
        self.gone = 0
        self.changed = asyncio.Condition()

    async def __call__(self, exchange):
        if self.sent:
            await exchange.send(self.sent)
        await self._count(here=1)
        await exchange.hung_up()
        await self._count(gone=1)
        exchange.writer.close()

    async def _count(self, here=0, gone=0):
        async with self.changed:
            self.here += here
            self.gone += gone
            self.changed.notify_all()

    async def until(self, condition):
        async with self.changed:
            await self.changed.wait_for(condition)


@pytest.mark.parametrize(
    "sent", [b"", answer(b"half", content_length=1000)], ids=["waiting", "reading"]
)
async def test_cancelled_calls_hang_up(post, sent):
    watching = Watching(sent)
    async with RawServer(watching) as server:
        calls = [asyncio.ensure_future(post(server.url)) for _ in range(50)]
        await watching.until(lambda: watching.here == 50)
        for call in calls:
            call.cancel()
        await watching.until(lambda: watching.gone == 50)
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError}


async def test_a_timeout_of_the_caller_hangs_up(post):
    watching = Watching()

    async def until_it_is_there():
        async with asyncio.timeout(None) as clock:
            arrival = asyncio.ensure_future(watching.until(lambda: watching.here == 1))
            arrival.add_done_callback(lambda _: clock.reschedule(0))
            await post(server.url)

    async with RawServer(watching) as server:
        with pytest.raises(TimeoutError):
            await until_it_is_there()
        await watching.until(lambda: watching.gone == 1)


@pytest.mark.parametrize(
    "sent", [b"", answer(b"half", content_length=1000)], ids=["waiting", "reading"]
)
async def test_close_hangs_up_on_what_is_in_flight(sent):
    watching = Watching(sent)
    transport = AiohttpTransport()
    async with RawServer(watching) as server:
        call = asyncio.ensure_future(transport.post(Endpoint(server.url, {}), b""))
        await watching.until(lambda: watching.here == 1)
        await transport.aclose()
        await watching.until(lambda: watching.gone == 1)
        (outcome,) = await asyncio.gather(call, return_exceptions=True)
    assert type(outcome).__name__ == "ConnectionLost"
