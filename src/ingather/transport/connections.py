"""Connections of aiohttp's that know when nothing of a request was sent, and take oddly made responses."""

from __future__ import annotations

import asyncio
import errno
import select
import warnings
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

from ingather.transport.heads import HeadTooLarge, ResponseBytes
from ingather.transport.timeouts import Deadline

if TYPE_CHECKING:
    import ssl

    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.connector import Connection

NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)
_LOOK_AGAIN = 0.05  # seconds
_DIALS = 256  # handshakes at once: a thousand would starve each other past the connect timeout


with warnings.catch_warnings():
    # aiohttp would have us wrap it, which silences nothing
    warnings.simplefilter("ignore", DeprecationWarning)

    class Client(aiohttp.ClientSession):
        """A session that says nothing when its loop has ended, or was dropped, without closing it."""

        def __del__(self, _warnings: object = None) -> None:
            self.detach()


class Connector(aiohttp.TCPConnector):
    """As many connections as are asked for, but not all handshakes at once.

    Where files run short, one waits for another. `connect_timeout`: seconds for one. `tls`: what
    checks certificates, this machine's unless given.
    """

    def __init__(self, connect_timeout: float, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(limit=0, ttl_dns_cache=60, ssl=True if tls is None else tls)
        self._factory = partial(_Responses, loop=self._loop)  # type: ignore[assignment]
        self._dials = asyncio.Semaphore(_DIALS)
        self._connect_timeout = connect_timeout
        _connectors.add(self)

    def __del__(self, _warnings: object = None) -> None:
        """Say nothing: whoever drops a loop that never ended in order cannot be told to close us."""

    def drop(self) -> None:
        """Close what is open, and wait for nothing: `close` makes a task, for which a loop may not turn again."""
        self._close()

    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> ResponseHandler:
        async with self._dials:
            short: aiohttp.ClientConnectorError | None = None
            try:
                async with Deadline(self._loop.time() + self._connect_timeout):
                    while True:
                        try:
                            return await super()._create_connection(req, traces, timeout)
                        except aiohttp.ClientConnectorError as error:
                            if error.os_error.errno not in NO_DESCRIPTOR or not self._make_room():
                                raise
                            short = error
                        await asyncio.sleep(_LOOK_AGAIN)  # until one of the others is done
            except TimeoutError:
                if short is None:
                    raise
                raise short from None

    def _make_room(self) -> bool:
        """Close what is idle on this loop; gives whether anything was, or is in use and will be free again."""
        others = [connector for connector in _connectors if connector.loop is self.loop]
        return sum(connector.shrink() for connector in others) > 1  # a place is held for this one

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Its only one."""
        return self._loop

    def shrink(self) -> int:
        """Close the idle connections; gives how many there were, those in use included."""
        count = len(self._acquired)
        for idle in self._conns.values():
            count += len(idle)
            while idle:
                idle.popleft()[0].close()
        return count


_connectors: weakref.WeakSet[Connector] = weakref.WeakSet()


class Request(aiohttp.ClientRequest):
    """Looks at its connection right before the first byte: where the server has hung up, nothing is written."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        if isinstance(conn.protocol, _Responses):
            conn.protocol.wrote = not self.body  # without one, aiohttp sends the headers by itself
        return await super().send(conn)

    async def write_bytes(
        self, writer: AbstractStreamWriter, conn: Connection, content_length: int | None = None
    ) -> None:
        connection = conn.protocol
        if not isinstance(connection, _Responses):
            return  # it was lost, and given up, before it was our turn
        if not connection.is_open():
            connection.set_exception(aiohttp.ServerDisconnectedError())
            return
        connection.wrote = True
        await super().write_bytes(writer, conn, content_length)


class _Responses(ResponseHandler):
    """One connection. Errors that it ends with tell whether anything was written before.

    `wrote`: whether any byte of the current request may have gone out.
    """

    _requests = 0
    wrote = False
    _response = ResponseBytes()
    _poll: select.poll | None = None

    def set_response_params(self, **params: Any) -> None:
        self._requests += 1
        self._response = ResponseBytes()
        super().set_response_params(**params)

    def is_open(self) -> bool:
        """Whether the server has neither hung up nor, before it was asked anything, said anything."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return False
        sock = transport.get_extra_info("socket")
        if self._requests < 2 or sock is None or not hasattr(select, "poll"):
            # a new one may have something to say: of a TLS handshake, or why it will not serve us
            return True
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(sock.fileno(), select.POLLIN)
        return not self._poll.poll(0)

    def data_received(self, data: bytes) -> None:
        if not data:  # reading goes on after a pause
            super().data_received(data)
            return
        response = self._response
        try:
            ready = response.feed(data)
        except HeadTooLarge as error:
            self.set_exception(HttpProcessingError(message=str(error)))
            response.must_close = True
            ready = b""
        if ready:
            super().data_received(ready)
        if response.must_close:
            self.force_close()
            if self.transport is not None:
                self.transport.close()

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        if not self.wrote:
            exc.is_unsent = True  # type: ignore[attr-defined]
            exc.is_stale = self._requests > 1  # type: ignore[attr-defined]
        super().set_exception(exc, *cause)
