"""Responses that come compressed, though we ask for none: decoded in steps, so that a bomb costs no more than a cap.

What a server says about an encoding is believed only as far as the bytes bear it out: many say
``utf-8``, or name a compression that a proxy has already undone.
"""

from __future__ import annotations

import re
import zlib

from ingather.errors import AnswerTooLarge, BadBody

GZIP = b"\x1f\x8b"
_MEMBERS = 64  # a gzip response is one member; many are a way around caps
_LAYERS = 4
_EITHER = zlib.MAX_WBITS | 32  # tells gzip and zlib apart by itself
_UNKNOWN = re.compile(r"\b(br|zstd|compress|x-compress|lz4|xz|bzip2)\b")
_TEXT = (
    b"{",
    b"[",
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"<",
    b'"',
    b"\xef\xbb\xbf",
    b"data:",
    b"event:",
    b"null",
)


def decoded(body: bytes, encoding: str, cap: int) -> bytes:
    """`body` as it was before it was compressed; never more than `cap` bytes. `encoding`: what its header says.

    Raises `BadBody` for damaged data or a compression that is not understood, `AnswerTooLarge`
    above the cap.

    >>> decoded(b"{}", "utf-8", cap=100)
    b'{}'
    """
    named = encoding.lower()
    deflated = named.count("deflate")
    for _ in range(_LAYERS):
        if body.startswith(GZIP):
            body = _inflated(body, _EITHER, cap)
        elif deflated and body and not body.startswith(_TEXT):
            deflated -= 1
            is_zlib = body[0] & 15 == zlib.DEFLATED and not int.from_bytes(body[:2], "big") % 31
            body = _inflated(body, _EITHER if is_zlib else -zlib.MAX_WBITS, cap)
        else:
            break
    if (compression := _UNKNOWN.search(named)) and not body.startswith(_TEXT):
        raise BadBody(
            f"the response is compressed with {compression[0]}, which was not asked for "
            f"and is not supported"
        )
    return body


def _inflated(data: bytes, wbits: int, cap: int) -> bytes:
    pieces: list[bytes] = []
    left, members = cap, 0
    while data:
        members += 1
        if members > _MEMBERS:
            raise BadBody(f"the response is compressed in more than {_MEMBERS} parts")
        stream = zlib.decompressobj(wbits=wbits)
        try:
            piece = stream.decompress(data, left + 1)
        except zlib.error as error:
            raise BadBody(f"corrupt compressed response: {error}") from None
        left -= len(piece)
        if left < 0:
            raise AnswerTooLarge(f"the response is larger than {cap:,} bytes once decompressed")
        if not stream.eof:
            raise BadBody("truncated compressed response")
        pieces.append(piece)
        # padding is no part of it
        data = stream.unused_data if stream.unused_data.startswith(GZIP) else b""
    return b"".join(pieces)
