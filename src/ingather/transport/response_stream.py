"""A response as it comes, over aiohttp."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Self

from aiohttp import hdrs

from ingather.errors import BadBody
from ingather.transport.decompress import GZIP
from ingather.transport.failures import FAULTS, typed
from ingather.transport.timeouts import Deadline

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    import aiohttp

_EITHER = zlib.MAX_WBITS | 32  # tells gzip and zlib apart by itself
_STEP = 2**20  # bytes that a compressed piece may become at a time


class ResponseStream:
    """See `ingather.transport.base.Stream`. `idle_timeout`: seconds between two pieces."""

    def __init__(self, response: aiohttp.ClientResponse, host: str, idle_timeout: float) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._host = host
        self._idle_timeout = idle_timeout

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            first = await self._first()
            if not _is_compressed(first, self.headers.get(hdrs.CONTENT_ENCODING, "").lower()):
                while first:
                    yield first
                    first = await self._next()
                return
            inflater = _Inflater()
            while first:
                for piece in inflater.pieces(first):
                    yield piece
                first = await self._next()
            inflater.end()
        except BaseException:
            self._response.close()
            raise

    async def _first(self) -> bytes:
        """As much of the body as tells whether it is compressed."""
        first = await self._next()
        while len(first) < len(GZIP) and (more := await self._next()):
            first += more
        return first

    async def _next(self) -> bytes:
        """The next piece as it came; empty at the end."""
        try:
            async with Deadline(asyncio.get_running_loop().time() + self._idle_timeout):
                return await self._response.content.readany()
        except FAULTS as fault:
            error = typed(fault, self._host, self._idle_timeout)
        # out here, so that it drags no frames along whose locals hold what the server sent
        raise error

    async def aclose(self) -> None:
        """Close the connection, unless the body was read to its end."""
        if not self._response.content.is_eof():
            self._response.close()
        self._response.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"ResponseStream({self.status} from {self._host})"


def _is_compressed(first: bytes, named: str) -> bool:
    """Whether a body that begins so is compressed: what its header says is believed only so far."""
    is_zlib = first[:1] != b"" and first[0] & 15 == zlib.DEFLATED
    is_zlib = is_zlib and not int.from_bytes(first[:2], "big") % 31
    return first.startswith(GZIP) or ("deflate" in named and is_zlib)


class _Inflater:
    """Decompresses piece by piece, each in steps, so that a bomb costs no more than what is read."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=_EITHER)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while data:
            try:
                inflated = self._stream.decompress(data, _STEP)
            except zlib.error as error:
                raise BadBody(f"corrupt compressed response: {error}") from None
            data = self._stream.unconsumed_tail
            if inflated:
                yield inflated

    def end(self) -> None:
        if not self._stream.eof:
            raise BadBody("truncated compressed response")
