"""What nobody needs in the head of a response may be malformed: the answer is kept, however it comes in pieces."""

import gzip
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import LLMTask, ParallelLLMExecutor, connect
from ingather.errors import BadBody
from ingather.transport.heads import MAX_HEAD_BYTES, HeadTooLarge, ResponseBytes
from tests.servers.raw import RawServer, chunked, completion

BODY = b'{"a":1}'
LENGTH = b"content-length: %d"


def response(*headers, status=b"HTTP/1.1 200 OK", body=BODY, newline=b"\r\n", length=LENGTH):
    own = [length % len(body) if b"%" in length else length] if length else []
    return newline.join([status, *headers, *own, b"", b""]) + body


KEPT = {
    "a long header": response(b"x-long: " + b"a" * 60_000),
    "a long name": response(b"x" * 9000 + b": a"),
    "a long reason": response(status=b"HTTP/1.1 200 " + b"O" * 9000),
    "200 headers": response(*[b"x-%d: 1" % number for number in range(200)]),
    "900 headers": response(*[b"x-%d: 1" % number for number in range(900)]),
    "many long headers": response(*[b"x-%d: " % number + b"a" * 9000 for number in range(40)]),
    "UTF-8": response("x-h: ünï".encode()),
    "Latin-1": response(b"x-h: \xff\xfe"),
    "controls": response(b"x-h: a\x00b", b"x-g: \x01\x7f"),
    "a space in a name": response(b"x h: a"),
    "a space after a name": response(b"x-h : a"),
    "a name of letters that are none": response("x-ü: a".encode(), b"x(h): a"),
    "no name": response(b": a"),
    "no colon": response(b"garbage"),
    "folded": response(b"x-h: a", b"  goes on"),
    "folded from the start": response(b"  goes on"),
    "no reason": response(status=b"HTTP/1.1 200"),
    "a reason that is no text": response(status=b"HTTP/1.1 200 \xff\x00"),
    "two spaces": response(status=b"HTTP/1.1  200  OK"),
    "tabs": response(status=b"HTTP/1.1\t200\tOK"),
    "small letters": response(status=b"http/1.1 200 ok"),
    "HTTP/1.0": response(status=b"HTTP/1.0 200 OK"),
    "HTTP/2": response(status=b"HTTP/2 200"),
    "line feeds alone": response(b"x-h: a", newline=b"\n"),
    "empty lines before": b"\r\n\n" + response(),
    "interim responses before": b"HTTP/1.1 100\r\n\r\nHTTP/1.1 103 Early\r\nlink: \xff\r\n\r\n"
    + response(),
    "many interim responses": b"HTTP/1.1 102 Processing\r\n\r\n" * 3000 + response(),
    "the same length twice": response(b"content-length: 7"),
    "the same length in a list": response(length=b"content-length: 7, 7"),
    "a space after content-length": response(length=b"content-length : 7"),
    "transfer-encoding: identity": response(b"transfer-encoding: identity"),
    "a charset that nobody knows": response(b"content-type: application/json; charset=klingon"),
    "types that contradict": response(b"content-type: text/html", b"content-type: ;;;="),
    "a date that is none": response(
        b"date: yesterday", b"keep-alive: timeout=soon", b"retry-after: \x01"
    ),
    "a cookie that is none": response(b"set-cookie: \xff;;;=;\x01"),
    "a header that speaks of length": response(b"access-control-expose-headers: content-length"),
    "chunks with extensions": response(
        b"transfer-encoding: Chunked",
        body=b"7;a=b\r\n" + BODY + b"\r\n0\r\nx-t: 1\r\n\r\n",
        length=b"",
    ),
    "odd headers and chunks": response(
        b"x h", b"transfer-encoding: chunked", body=chunked(BODY), length=b""
    ),
    "more than was announced": response() + b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nother",
}


@pytest.mark.parametrize("sent", KEPT.values(), ids=KEPT)
async def test_answer_with_an_odd_head_is_kept(post, sent):
    async with RawServer(sent) as server:
        for _ in range(2):
            reply = await post(server.url)
            assert (reply.status, reply.body) == (200, BODY)
    assert len(server.requests) == 2


raw_deflate = zlib.compressobj(wbits=-15)
ENCODED = {
    "utf-8": BODY, "UTF8": BODY, "Identity": BODY, "none": BODY, "": BODY, "8bit": BODY, "binary": BODY, "json": BODY,
    "gzip": BODY, "deflate": BODY, "br": BODY, "zstd": BODY,  # undone on the way, and still said
    "GZip": gzip.compress(BODY), "x-gzip": gzip.compress(BODY), "gzip, identity": gzip.compress(BODY),
    "identity, gzip, utf-8": gzip.compress(BODY), "gzip, gzip": gzip.compress(gzip.compress(BODY)),
    "gzip,gzip": gzip.compress(BODY), "banana": gzip.compress(BODY), "gzip ": gzip.compress(BODY) + bytes(8),
    "deflate ": zlib.compress(BODY), "Deflate": raw_deflate.compress(BODY) + raw_deflate.flush(),
    "deflate, gzip": gzip.compress(zlib.compress(BODY)),
}  # fmt: skip


@pytest.mark.parametrize(("said", "body"), ENCODED.items(), ids=ENCODED)
async def test_what_is_said_of_the_encoding_is_believed_as_far_as_the_bytes_bear_it_out(
    post, said, body
):
    async with RawServer(response(b"content-encoding: " + said.encode(), body=body)) as server:
        assert (await post(server.url)).body == BODY


async def test_encoding_that_is_not_said_or_said_twice(post):
    packed = gzip.compress(BODY)
    async with RawServer(
        response(b"content-encoding: gzip", b"content-encoding: gzip", body=packed)
    ) as server:
        assert (await post(server.url)).body == BODY
    coded = response(b"transfer-encoding: gzip, chunked", body=chunked(packed), length=b"")
    async with RawServer(coded) as server:
        assert (await post(server.url)).body == BODY


REFUSED = {
    "a header above 64 KiB": response(b"x-long: " + b"a" * 70_000),
    "more than 1,000 headers": response(*[b"x: 1"] * 1001),
    "headers above the cap": response(*[b"x: " + b"a" * 60_000] * 10),
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"x: a\r\n" * 100_000,
    "two lengths": response(b"content-length: 8"),
    "two lengths in a list": response(length=b"content-length: 7, 8"),
    "a length with a sign": response(length=b"content-length: +7"),
    "a length in bad form": response(length=b"content-length: 7\x00"),
    "a length without a colon": response(length=b"content-length 7"),
    "a length beside chunks": response(b"transfer-encoding: chunked", body=chunked(BODY)),
    "an odd length beside chunks": response(
        b"x h: a", b"transfer-encoding: chunked", body=chunked(BODY)
    ),
    "chunks in bad form": response(
        b"transfer encoding: chunked\x00transfer-encoding", body=chunked(BODY)
    ),
    "no status": response(status=b"HTTP/1.1 OK"),
    "four digits": response(status=b"HTTP/1.1 2000 OK"),
    "an unknown protocol": b"220 mail.example ESMTP\r\n",
}


@pytest.mark.parametrize("sent", REFUSED.values(), ids=REFUSED)
async def test_where_a_response_ends_is_never_guessed(post, sent):
    async with RawServer(sent) as server:
        with pytest.raises(BadBody):
            await post(server.url)


@pytest.mark.parametrize(
    "extra", [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nsmuggled!", b"\r\n", b"x"]
)
async def test_what_follows_a_response_is_never_the_answer_to_the_next_request(post, extra):
    async def serve(exchange):
        await exchange.send(response() + extra)

    async with RawServer(serve) as server:
        for _ in range(3):
            assert (await post(server.url)).body == BODY
    assert len(server.requests) == server.connections == 3


async def test_request_id_of_bytes_that_are_no_text_can_be_written_down():
    headers = [b"x-request-id: req-\xff\xfe", b"content-type: application/json"]
    async with RawServer(response(*headers, body=completion())) as server:
        provider = connect("openai/m", base_url=server.base_url, api_key="k")
        [result] = await ParallelLLMExecutor(provider).gather([LLMTask("?")])
    assert result.success
    assert result.value.request_id == "req-\ufffd\ufffd"
    result.value.request_id.encode()


@given(
    sent=st.sampled_from([sent for sent in KEPT.values() if len(sent) < 2000]),
    cuts=st.lists(st.integers(0, 400), max_size=6),
)
def test_pieces_make_no_difference(sent, cuts):
    whole, pieces = ResponseBytes(), ResponseBytes()
    places = [0, *sorted(cuts), len(sent)]
    passed = b"".join(pieces.feed(sent[start:end]) for start, end in pairwise(places))
    assert passed == whole.feed(sent)
    assert pieces.must_close == whole.must_close


@given(st.binary(max_size=300), st.lists(st.binary(max_size=40), max_size=4))
def test_any_bytes_are_taken(first, others):
    response = ResponseBytes()
    for data in [b"HTTP/1.1 200 OK\r\n" + first, *others]:
        response.feed(data)


def test_regular_response_passes_as_it_is():
    sent = response(b"x-request-id: 1", b"date: Mon, 30 Nov 2026 10:00:00 GMT")
    assert ResponseBytes().feed(sent) == sent


def test_head_without_end_is_held_back_up_to_a_bound():
    response = ResponseBytes()
    assert response.feed(b"HTTP/1.1 200 OK\r\n") == b""
    with pytest.raises(HeadTooLarge):
        response.feed(b"x" * MAX_HEAD_BYTES)
