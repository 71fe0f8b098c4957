"""Everything that can go wrong on the wire is one typed error."""

import asyncio
import errno
import socket

import pytest

from ingather.errors import AttemptTimeout, BadBody, ConnectFailed, ConnectionLost, ProviderError
from ingather.transport import aiohttp_transport as http1
from tests.servers.raw import RawServer, answer, chunked


@pytest.fixture
def closed_port():
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


async def test_refused(post, closed_port):
    with pytest.raises(ConnectFailed, match=f"127.0.0.1:{closed_port}"):
        await post(f"http://127.0.0.1:{closed_port}")


async def test_name_that_nobody_knows(post, monkeypatch):
    async def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    with pytest.raises(ConnectFailed, match=r"the name api\.example cannot be resolved"):
        await post("http://api.example/v1")


async def test_name_look_up_that_hangs_ends_with_the_connect_timeout(post, monkeypatch):
    async def hanging(*_, **__):
        await asyncio.Event().wait()

    monkeypatch.setattr(http1, "CONNECT_TIMEOUT", 0.05)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", hanging)
    with pytest.raises(ConnectFailed, match="in time"):
        await post("http://api.example/v1")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
async def test_too_many_open_files_are_named(post, monkeypatch, number):
    async def exhausted(*_, **__):
        raise OSError(number, "Too many open files")

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", exhausted)
    with pytest.raises(ConnectFailed, match=r"too many open files.*ulimit -[nH]"):
        await post("http://127.0.0.1:9")


async def reset(exchange):
    exchange.reset()


async def hang_up(exchange):
    exchange.writer.close()


async def reset_in_the_head(exchange):
    await exchange.send(b"HTTP/1.1 200 OK\r\nconte")
    exchange.reset()


async def hang_up_in_the_head(exchange):
    await exchange.send(b"HTTP/1.1 200 OK\r\nconte")
    exchange.writer.close()


async def hang_up_in_the_body(exchange):
    await exchange.send(answer(b'{"half', content_length=100))
    exchange.writer.close()


async def reset_in_the_body(exchange):
    await exchange.send(answer(b'{"half', content_length=100))
    exchange.reset()


async def hang_up_in_the_chunks(exchange):
    await exchange.send(answer(chunked(b'{"half')[:-5], transfer_encoding="chunked"))
    exchange.writer.close()


LOST = [
    reset,
    hang_up,
    reset_in_the_head,
    hang_up_in_the_head,
    hang_up_in_the_body,
    reset_in_the_body,
    hang_up_in_the_chunks,
]


@pytest.mark.parametrize("fault", LOST)
async def test_connection_that_breaks_before_the_whole_answer_is_lost(post, fault):
    async with RawServer(fault) as server:
        with pytest.raises(ConnectionLost):
            await post(server.url)
    assert len(server.requests) == 1


NO_HTTP = {
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "a header without end": b"HTTP/1.1 200 OK\r\nx-long: " + b"a" * 70_000 + b"\r\n\r\n",
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"x-many: 1\r\n" * 5000 + b"\r\n",
    "broken chunks": answer(b"zz\r\nnonsense\r\n", transfer_encoding="chunked"),
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    "a length that is none": b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n{}",
}


@pytest.mark.parametrize("reply", NO_HTTP.values(), ids=NO_HTTP)
async def test_answer_that_is_no_http_is_a_bad_body(post, reply):
    async with RawServer(reply) as server:
        with pytest.raises(BadBody, match="malformed HTTP response"):
            await post(server.url)


async def test_answer_that_never_comes_ends_with_the_timeout(post):
    async def silent(exchange):
        await exchange.hung_up()

    async with RawServer(silent) as server:
        with pytest.raises(AttemptTimeout, match=r"within 0\.05 s"):
            await post(server.url, timeout=0.05)


async def test_answer_that_trickles_ends_with_the_timeout(post):
    async def trickling(exchange):
        await exchange.send(answer(b"", content_length=1000))
        while not exchange.writer.is_closing():
            await exchange.send(b"x")
            await asyncio.sleep(0.005)

    async with RawServer(trickling) as server:
        with pytest.raises(AttemptTimeout):
            await post(server.url, timeout=0.1)


async def test_timeout_hangs_up(post):
    came, gone = asyncio.Event(), asyncio.Event()

    async def silent(exchange):
        came.set()
        await exchange.hung_up()
        gone.set()

    async with RawServer(silent) as server:
        while not came.is_set():  # on a busy machine, the first may not even be sent in time
            with pytest.raises(AttemptTimeout):
                await post(server.url, timeout=0.05)
        await gone.wait()


@pytest.mark.parametrize("fault", [reset, reset_in_the_body, hang_up_in_the_chunks])
async def test_error_drags_no_foreign_frames_along(post, fault):
    async with RawServer(fault) as server:
        with pytest.raises(ProviderError) as caught:
            await post(server.url)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_the_next_call_after_a_fault_goes_through(post):
    async def first_breaks(exchange):
        if len(server.requests) == 1:
            exchange.reset()
        else:
            await exchange.send(answer())

    async with RawServer(first_breaks) as server:
        with pytest.raises(ConnectionLost):
            await post(server.url)
        assert (await post(server.url)).status == 200
