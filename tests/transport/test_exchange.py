"""What is sent, and what comes back, where nothing goes wrong."""

import asyncio
import gzip
import zlib

import pytest

from ingather.errors import AnswerTooLarge, BadBody
from tests.servers.raw import RawServer, answer, chunked


async def test_reply_is_status_headers_and_body(post):
    async with RawServer(answer(b'{"a": 1}', 418, X_Request_Id="r1")) as server:
        reply = await post(server.url)
    assert (reply.status, reply.body, reply.headers["x-request-ID"]) == (418, b'{"a": 1}', "r1")


async def test_request_is_the_body_and_headers_as_given(post):
    async with RawServer() as server:
        await post(
            f"{server.url}/v1/chat", b'{"b": 2}', {"Authorization": "Bearer k", "User-Agent": "me"}
        )
    (request,) = server.requests
    assert (request.line, request.body) == ("POST /v1/chat HTTP/1.1", b'{"b": 2}')
    assert (
        request.headers.items()
        >= {"authorization": "Bearer k", "user-agent": "me", "accept-encoding": "identity"}.items()
    )


@pytest.mark.parametrize("size", [0, 100, 2**20, 2**20 + 1, 5 * 2**20])
async def test_body_of_any_size_arrives_whole(post, size):
    body = bytes(range(256)) * (size // 256 + 1)
    async with RawServer() as server:
        await post(server.url, body[:size])
    assert server.requests[0].body == body[:size]


@pytest.mark.parametrize("size", [1000, 3 * 2**20])
async def test_long_answer_arrives_whole(post, size):
    async with RawServer(answer(b"x" * size)) as server:
        assert (await post(server.url)).body == b"x" * size


async def test_answer_in_chunks(post):
    async with RawServer(
        answer(chunked(b"ab", b"c" * 70_000, b"d"), transfer_encoding="chunked")
    ) as server:
        assert (await post(server.url)).body == b"ab" + b"c" * 70_000 + b"d"


async def test_answer_that_ends_with_its_connection(post):
    async def until_the_end(exchange):
        await exchange.send(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nto the end")
        exchange.writer.close()

    async with RawServer(until_the_end) as server:
        assert (await post(server.url)).body == b"to the end"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_is_an_answer_and_nobody_follows_it(post, status):
    async with (
        RawServer() as elsewhere,
        RawServer(answer(b"", status, location=elsewhere.url)) as server,
    ):
        assert (await post(server.url)).status == status
    assert elsewhere.requests == []


async def test_cookies_are_not_kept(post):
    async with RawServer(answer(set_cookie="session=1")) as server:
        await post(server.url)
        await post(server.url)
    assert all("cookie" not in request.headers for request in server.requests)


@pytest.mark.parametrize(
    ("name", "encode"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("X-GZIP", gzip.compress),
        ("identity", bytes),
    ],
)
async def test_answer_that_is_encoded_all_the_same_is_decoded(post, name, encode):
    text = b"encoded " * 10_000
    async with RawServer(answer(encode(text), content_encoding=name)) as server:
        assert (await post(server.url)).body == text


async def test_gzip_in_several_members_is_decoded(post):
    text = gzip.compress(b"one ") + gzip.compress(b"two")
    async with RawServer(answer(text, content_encoding="gzip")) as server:
        assert (await post(server.url)).body == b"one two"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"anything", "br"),
        (gzip.compress(b"x" * 9999)[:20] + bytes(20), "gzip"),
        (gzip.compress(b"x" * 9999)[:-9], "gzip"),
        (gzip.compress(b"") * 65, "gzip"),
    ],
    ids=["unknown", "damaged", "cut", "too many members"],
)
async def test_encoding_that_is_wrong_is_a_bad_body(post, body, encoding):
    async with RawServer(answer(body, content_encoding=encoding)) as server:
        with pytest.raises(BadBody):
            await post(server.url)


ONE_MEGABYTE = 2**20
LARGE = {
    "announced": answer(b"x" * (ONE_MEGABYTE + 1)),
    "in chunks": answer(chunked(*[b"x" * 65_536] * 17), transfer_encoding="chunked"),
    "a bomb": answer(gzip.compress(bytes(50 * ONE_MEGABYTE)), content_encoding="gzip"),
    "a bomb of members": answer(
        gzip.compress(bytes(ONE_MEGABYTE // 2)) * 4, content_encoding="gzip"
    ),
}


@pytest.mark.parametrize("reply", LARGE.values(), ids=LARGE)
async def test_answer_above_the_cap_is_refused(post, reply):
    async with RawServer(reply) as server:
        with pytest.raises(AnswerTooLarge, match=r"1,048,576 bytes"):
            await post(server.url, max_response_bytes=ONE_MEGABYTE)


async def test_small_answer_above_a_small_cap_is_refused(post):
    async with RawServer(answer(b"x" * 101)) as server:
        with pytest.raises(AnswerTooLarge):
            await post(server.url, max_response_bytes=100)


async def test_answer_at_the_cap_is_taken(post):
    async with RawServer(answer(b"x" * ONE_MEGABYTE)) as server:
        assert len((await post(server.url, max_response_bytes=ONE_MEGABYTE)).body) == ONE_MEGABYTE


async def test_ten_megabytes_are_above_the_cap_that_nobody_set(post):
    async with RawServer(answer(b"", content_length=10 * ONE_MEGABYTE)) as server:
        with pytest.raises(AnswerTooLarge):
            await post(server.url)


async def test_connection_is_kept_for_the_next_request(post):
    async with RawServer() as server:
        for _ in range(5):
            await post(server.url)
    assert server.connections == 1


async def test_more_calls_than_any_default_limit_are_in_flight_at_once(post):
    all_here = asyncio.Barrier(300)

    async def together(exchange):
        await all_here.wait()
        await exchange.send(answer())

    async with RawServer(together) as server:
        replies = await asyncio.gather(*[post(server.url) for _ in range(300)])
    assert {reply.status for reply in replies} == {200}
