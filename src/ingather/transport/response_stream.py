"""A response as it comes, over aiohttp."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from aiohttp import hdrs

from ingather.transport.decompress import GZIP, Inflater, refuse_unknown, wbits_of
from ingather.transport.failures import FAULTS, typed
from ingather.transport.timeouts import Deadline

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    import aiohttp


class ResponseStream:
    """See `ingather.transport.base.Stream`. `idle_timeout`: seconds between two pieces."""

    def __init__(self, response: aiohttp.ClientResponse, host: str, idle_timeout: float) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._host = host
        self._idle_timeout = idle_timeout

    async def __aiter__(self) -> AsyncIterator[bytes]:
        encoding = self.headers.get(hdrs.CONTENT_ENCODING, "")
        try:
            piece = await self._first()
            wbits = wbits_of(piece, encoding)
            if wbits is None:
                refuse_unknown(piece, encoding)
            inflater = None if wbits is None else Inflater(wbits)
            while piece:
                for plain in (piece,) if inflater is None else inflater.pieces(piece):
                    yield plain
                piece = await self._next()
            if inflater is not None:
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
