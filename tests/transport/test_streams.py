"""Streams: any method, bodies of any size both ways, errors typed in the middle too."""

import asyncio
import gzip
import tracemalloc
import zlib

import pytest

from ingather.errors import AttemptTimeout, BadBody, ConnectFailed, ConnectionLost
from ingather.transport import AiohttpTransport
from tests.servers.raw import RawServer, answer, chunked

PIECE = b"x" * 2**16
MANY = 800  # pieces: 50 MiB


@pytest.fixture
async def transport():
    transport = AiohttpTransport(timeout=30)
    yield transport
    await transport.aclose()


async def read(stream):
    async with stream:
        return b"".join([piece async for piece in stream])


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "POST"])
async def test_any_method_goes_with_its_headers_and_body(transport, method):
    body = None if method in ("GET", "DELETE") else b"{}"
    async with RawServer(answer(b"done", 201, x_id="7")) as server:
        stream = await transport.open(method, f"{server.url}/files/1?a=b", {"X-Key": "k"}, body)
        assert (stream.status, stream.headers["x-id"]) == (201, "7")
        assert await read(stream) == b"done"
    (request,) = server.requests
    assert request.line == f"{method} /files/1?a=b HTTP/1.1"
    assert (request.headers["x-key"], request.body) == ("k", body or b"")


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_any_status_is_an_answer(transport, status):
    async with RawServer(answer(b"no", status, location="/elsewhere")) as server:
        stream = await transport.open("GET", server.url, {})
        assert (stream.status, await read(stream)) == (status, b"no")
    assert len(server.requests) == 1


async def test_a_large_body_is_sent_as_it_comes_and_never_held_whole(transport):
    taken = 0
    received = asyncio.Event()

    async def serve(reader, writer):
        nonlocal taken
        await reader.readuntil(b"\r\n\r\n")
        while size := int((await reader.readline()).strip(), 16):
            taken += len(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readexactly(2)
        writer.write(answer(b"ok"))
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        received.set()

    async def pieces():
        for _ in range(MANY):
            yield PIECE

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    tracemalloc.start()
    try:
        stream = await transport.open("POST", f"http://127.0.0.1:{port}/", {}, pieces())
        assert await read(stream) == b"ok"
        assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    finally:
        tracemalloc.stop()
        server.close()
    await received.wait()
    assert taken == MANY * len(PIECE)


async def test_a_large_response_has_no_cap_and_is_never_held_whole(transport):
    async def send(exchange):
        await exchange.send(answer(b"", content_length=MANY * len(PIECE)))
        for _ in range(MANY):
            await exchange.send(PIECE)

    async with RawServer(send) as server:
        tracemalloc.start()
        try:
            size = 0
            async with await transport.open("GET", server.url, {}) as stream:
                async for piece in stream:
                    size += len(piece)
            assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
        finally:
            tracemalloc.stop()
    assert size == MANY * len(PIECE)


async def test_pieces_come_as_the_server_sends_them(transport):
    seen = [asyncio.Event() for _ in range(3)]

    async def send(exchange):
        await exchange.send(
            answer(b"", transfer_encoding="chunked", content_type="text/event-stream")
        )
        for number, event in enumerate(seen):
            await exchange.send(chunked(b"data: %d\n\n" % number)[: -len(chunked())])
            await event.wait()  # the next only when this was read
        await exchange.send(chunked())

    async with RawServer(send) as server:
        found = []
        async with await transport.open("POST", server.url, {}, b"{}") as stream:
            async for piece in stream:
                found.append(piece)
                seen[len(found) - 1].set()
    assert found == [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]


@pytest.mark.parametrize("how", ["closed", "reset"])
async def test_a_cut_in_the_middle_is_a_typed_error_after_what_came(transport, how):
    async def send(exchange):
        await exchange.send(answer(b"half", content_length=8))
        await asyncio.sleep(0.05)
        exchange.writer.close() if how == "closed" else exchange.reset()

    async with RawServer(send) as server:
        pieces = aiter(await transport.open("GET", server.url, {}))
        assert await anext(pieces) == b"half"
        with pytest.raises(ConnectionLost):
            await anext(pieces)


async def test_leaving_early_closes_the_connection(transport):
    gone = asyncio.Event()

    async def send(exchange):
        await exchange.send(answer(b"some", content_length=100))
        await exchange.hung_up()
        gone.set()

    async with RawServer(send) as server:
        async with await transport.open("GET", server.url, {}) as stream:
            async for _ in stream:
                break
        await asyncio.wait_for(gone.wait(), 10)


async def test_cancelling_closes_the_connection(transport):
    gone, began = asyncio.Event(), asyncio.Event()

    async def send(exchange):
        await exchange.send(answer(b"some", content_length=100))
        await exchange.hung_up()
        gone.set()

    async def reading(url):
        async for _ in await transport.open("GET", url, {}):
            began.set()

    async with RawServer(send) as server:
        task = asyncio.ensure_future(reading(server.url))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(gone.wait(), 10)


async def test_a_connection_whose_body_was_read_is_used_again(transport):
    async with RawServer(answer(b"ok")) as server:
        for path in ("/a", "/b", "/c"):
            assert await read(await transport.open("GET", server.url + path, {})) == b"ok"
    assert server.connections == 1


async def test_a_silent_server_is_a_timeout(transport):
    async def send(exchange):
        await exchange.send(answer(b"some", content_length=100))
        await exchange.hung_up()

    async with RawServer(send) as server:
        stream = await transport.open("GET", server.url, {}, idle_timeout=0.05)
        with pytest.raises(AttemptTimeout):
            await read(stream)


async def test_no_head_in_time_is_a_timeout(transport):
    async def send(exchange):
        await exchange.hung_up()

    async with RawServer(send) as server:
        with pytest.raises(AttemptTimeout):
            await transport.open("GET", server.url, {}, timeout=0.05)


async def test_nobody_there_is_a_failed_connection(transport):
    async with RawServer() as server:
        url = server.url
    with pytest.raises(ConnectFailed):
        await transport.open("GET", url, {})


@pytest.mark.parametrize("step", [1, 7, 1000])
async def test_a_compressed_body_is_decompressed_as_it_comes(transport, step):
    whole = b"0123456789" * 1000
    packed = gzip.compress(whole)

    async def send(exchange):
        await exchange.send(answer(b"", content_length=len(packed), content_encoding="gzip"))
        for start in range(0, len(packed), step):
            await exchange.send(packed[start : start + step])

    async with RawServer(send) as server:
        assert await read(await transport.open("GET", server.url, {})) == whole


async def test_a_compressed_body_that_is_cut_is_no_whole_one(transport):
    packed = gzip.compress(b"0123456789" * 1000)[:-9]
    async with RawServer(answer(packed, content_encoding="gzip")) as server:
        stream = await transport.open("GET", server.url, {})
        with pytest.raises(BadBody, match="truncated"):
            await read(stream)


@pytest.mark.parametrize("step", [1, 7, 10_000])
async def test_several_members_and_padding_are_one_body(transport, step):
    packed = gzip.compress(b"one ") + gzip.compress(b"two") + bytes(9)

    async def send(exchange):
        await exchange.send(answer(b"", content_length=len(packed), content_encoding="gzip"))
        for start in range(0, len(packed), step):
            await exchange.send(packed[start : start + step])

    async with RawServer(send) as server:
        assert await read(await transport.open("GET", server.url, {})) == b"one two"


async def test_deflate_without_a_head_is_decompressed_too(transport):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(b"plain text") + packer.flush()
    async with RawServer(answer(packed, content_encoding="deflate")) as server:
        assert await read(await transport.open("GET", server.url, {})) == b"plain text"


async def test_a_compression_that_is_not_known_is_refused_by_name(transport):
    async with RawServer(answer(b"\x1b\x0f\x00\xf8", content_encoding="br")) as server:
        stream = await transport.open("GET", server.url, {})
        with pytest.raises(BadBody, match="compressed with br"):
            await read(stream)


async def test_no_key_is_in_what_it_shows(transport):
    async with RawServer(answer(b"ok")) as server:
        stream = await transport.open("GET", server.url, {"Authorization": "Bearer sk-secret"})
        assert "secret" not in repr(stream) + repr(transport)
        await stream.aclose()
