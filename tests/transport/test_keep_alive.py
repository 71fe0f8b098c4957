"""A server may close an idle connection just as we write: that request goes again, once, and only where it is safe."""

import pytest

from ingather.errors import ConnectionLost
from ingather.transport import http1
from tests.servers.raw import RawServer, answer


def closing_at(*which, how="end", before=b""):
    """Answers, but hangs up on the `which`-th requests of all, after sending `before`."""

    async def serve(exchange):
        if len(server.requests) not in which:
            await exchange.send(answer())
            return
        if before:
            await exchange.send(before)
        if how == "reset":
            exchange.reset()
        else:
            exchange.writer.close()

    server = RawServer(serve)
    return server


@pytest.mark.parametrize("how", ["end", "reset"])
async def test_request_on_a_connection_that_was_closing_goes_again(post, how):
    async with closing_at(2, how=how) as server:
        await post(server.url, b"1")
        assert (await post(server.url, b"2")).status == 200
    assert [request.body for request in server.requests] == [b"1", b"2", b"2"]


async def test_it_goes_again_once_only(post):
    async with closing_at(2, 3) as server:
        await post(server.url)
        with pytest.raises(ConnectionLost):
            await post(server.url)
    assert len(server.requests) == 3


async def test_request_on_a_new_connection_does_not_go_again(post):
    async with closing_at(1) as server:
        with pytest.raises(ConnectionLost):
            await post(server.url)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "before", [b"H", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"], ids=["a byte", "half a body"]
)
@pytest.mark.parametrize("how", ["end", "reset"])
async def test_after_a_byte_of_the_answer_it_does_not_go_again(post, before, how):
    async with closing_at(2, before=before, how=how) as server:
        await post(server.url)
        with pytest.raises(ConnectionLost):
            await post(server.url)
    assert len(server.requests) == 2


async def test_when_the_server_took_its_time_it_may_have_worked_and_it_does_not_go_again(post, monkeypatch):
    monkeypatch.setattr(http1, "_RACE", -1.0)  # so that any time is too long
    async with closing_at(2) as server:
        await post(server.url)
        with pytest.raises(ConnectionLost):
            await post(server.url)
    assert len(server.requests) == 2


async def test_connection_that_the_server_closed_while_idle_is_not_used(post):
    async def answer_and_close(exchange):
        await exchange.send(answer())
        exchange.writer.close()
        await exchange.writer.wait_closed()

    async with RawServer(answer_and_close) as server:
        for _ in range(3):
            assert (await post(server.url)).status == 200
    assert server.connections == len(server.requests) == 3
