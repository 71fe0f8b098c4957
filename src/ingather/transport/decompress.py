"""Responses that come compressed, though we ask for none: decoded in steps, so that a bomb costs no more than a cap.

What a server says about an encoding is believed only as far as the bytes bear it out: many say
``utf-8``, or name a compression that a proxy has already undone.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from ingather.errors import AnswerTooLarge, BadBody

if TYPE_CHECKING:
    from collections.abc import Iterator

GZIP = b"\x1f\x8b"
_MEMBERS = 64  # a gzip response is one member; many are a way around caps
_LAYERS = 4
_STEP = 2**20  # bytes that a piece may become at a time
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
        wbits = wbits_of(body, "deflate" if deflated else "")
        if wbits is None:
            break
        deflated -= not body.startswith(GZIP)
        body = _inflated(body, wbits, cap)
    refuse_unknown(body, named)
    return body


def wbits_of(body: bytes, encoding: str) -> int | None:
    """How zlib is to read a body that begins so; None where it is not compressed.

    >>> wbits_of(b"{}", "gzip") is None
    True
    """
    if body.startswith(GZIP):
        return _EITHER
    if "deflate" not in encoding.lower() or not body or body.startswith(_TEXT):
        return None
    is_zlib = body[0] & 15 == zlib.DEFLATED and not int.from_bytes(body[:2], "big") % 31
    return _EITHER if is_zlib else -zlib.MAX_WBITS


def refuse_unknown(body: bytes, encoding: str) -> None:
    """Raise `BadBody` for a compression that is not understood."""
    if (compression := _UNKNOWN.search(encoding.lower())) and not body.startswith(_TEXT):
        raise BadBody(
            f"the response is compressed with {compression[0]}, which was not asked for "
            f"and is not supported"
        )


class Inflater:
    """Decompresses what comes piece by piece, in steps: a bomb costs no more than what is taken.

    Raises `BadBody` for damaged data, and in `end` for data that were cut.
    """

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._stream = zlib.decompressobj(wbits=wbits)
        self._members = 1
        self._between = b""  # behind a member: another one, or padding

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What `data` says."""
        is_full = False  # then more may come out, though nothing more goes in
        while data or is_full:
            if self._stream.eof:
                data, is_full = self._next_member(data), False
                continue
            try:
                piece = self._stream.decompress(data, _STEP)
            except zlib.error as error:
                raise BadBody(f"corrupt compressed response: {error}") from None
            data = self._stream.unconsumed_tail or self._stream.unused_data
            is_full = len(piece) == _STEP
            if piece:
                yield piece

    def end(self) -> None:
        """There is no more."""
        if not self._stream.eof:
            raise BadBody("truncated compressed response")

    def _next_member(self, data: bytes) -> bytes:
        """The beginning of the next member; nothing for padding, which is no part of it."""
        self._between += data
        if len(self._between) < len(GZIP) or not self._between.startswith(GZIP):
            self._between = self._between[: len(GZIP)]
            return b""
        self._members += 1
        if self._members > _MEMBERS:
            raise BadBody(f"the response is compressed in more than {_MEMBERS} parts")
        data, self._between = self._between, b""
        self._stream = zlib.decompressobj(wbits=self._wbits)
        return data


def _inflated(data: bytes, wbits: int, cap: int) -> bytes:
    inflater, pieces, left = Inflater(wbits), [], cap
    for piece in inflater.pieces(data):
        left -= len(piece)
        if left < 0:
            raise AnswerTooLarge(f"the response is larger than {cap:,} bytes once decompressed")
        pieces.append(piece)
    inflater.end()
    return b"".join(pieces)
