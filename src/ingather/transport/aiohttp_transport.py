"""HTTP by aiohttp. Imports it, which takes a third of a second: import this module only where requests will be sent."""

from __future__ import annotations

import asyncio
import gc
import io
import os
import warnings
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import hdrs
from yarl import URL

from ingather.errors import AnswerTooLarge, ProviderError
from ingather.process.exit import at_the_end, used
from ingather.transport.base import Endpoint, Reply
from ingather.transport.connections import Client, Connector, Request
from ingather.transport.decompress import GZIP, decoded
from ingather.transport.failures import FAULTS, typed
from ingather.transport.proxies import proxy_for
from ingather.transport.response_stream import ResponseStream
from ingather.transport.timeouts import Deadline

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping

CONNECT_TIMEOUT = 5.0  # seconds for name look-up, connection and TLS handshake
MAX_RESPONSE_BYTES = 8 * 2**20
MAX_FIELD_BYTES = 2**16  # of a header
MAX_HEADERS = 1000
_LARGE = 2**20  # bytes of a body that aiohttp wants as a file, to send it in pieces


class AiohttpTransport:
    """Posts over HTTP/1.1 with kept-alive connections: as many as there are calls in flight, the caller is the bound.

    `timeout`: seconds for a whole exchange. `max_response_bytes`: the cap on an answer, decoded. An
    endpoint has a session of its own on each event loop, made on first use; it closes by `aclose`,
    or with its loop. Proxies are taken from the environment as it is at that moment; redirects are
    not followed, cookies not kept, certificates always checked: by `tls`, which is this machine's
    unless given.

    >>> AiohttpTransport(timeout=30)
    AiohttpTransport(timeout=30, 0 sessions)
    """

    def __init__(
        self,
        *,
        timeout: float = 600.0,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout = timeout
        self._tls = tls
        self._cap = max_response_bytes
        self._pid = os.getpid()
        self._sessions: dict[_Where, _Session] = {}
        self._origins: dict[str, Endpoint] = {}
        self._lives: dict[_Where, AsyncGenerator[None]] = {}
        _transports.add(self)

    async def post(self, endpoint: Endpoint, body: bytes) -> Reply:
        """Send `body` and read the answer; see `Transport`."""
        return await self._exchange(endpoint, body, self._timeout)

    async def get(self, endpoint: Endpoint, timeout: float) -> Reply:
        """What stands there, within `timeout` seconds. Raises as `post` does."""
        return await self._exchange(endpoint, None, timeout)

    async def open(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | AsyncIterable[bytes] | None = None,
        *,
        timeout: float | None = None,
        idle_timeout: float | None = None,
    ) -> ResponseStream:
        """Send a request and read the response's head; see `StreamingTransport`."""
        loop = asyncio.get_running_loop()
        origin = self._origin(url)
        session = self._sessions.get((origin, loop)) or await self._opened(origin, loop)
        timeout = self._timeout if timeout is None else timeout
        idle_timeout = self._timeout if idle_timeout is None else idle_timeout
        try:
            async with Deadline(loop.time() + timeout):
                response = await session.request(method, URL(url), body, headers)
        except FAULTS as fault:
            error = typed(fault, session.host, timeout)
        else:
            return ResponseStream(response, session.host, idle_timeout)
        raise error  # out here, as in `_exchange`

    def _origin(self, url: str) -> Endpoint:
        """Streams of one origin share connections, whatever their paths and headers."""
        origin = str(URL(url).origin())
        endpoint = self._origins.get(origin)
        if endpoint is None:
            endpoint = self._origins[origin] = Endpoint(origin, {})
        return endpoint

    async def _exchange(self, endpoint: Endpoint, body: bytes | None, timeout: float) -> Reply:
        loop = asyncio.get_running_loop()
        session = self._sessions.get((endpoint, loop)) or await self._opened(endpoint, loop)
        try:
            async with Deadline(loop.time() + timeout):
                return await session.exchange(body)
        except FAULTS as fault:
            error = typed(fault, session.host, timeout)
        except ProviderError as refused:
            error = refused.with_traceback(None)
        # out here, so that it drags no frames along whose locals hold the key, or what the server
        # sent
        raise error

    async def aclose(self) -> None:
        """Close this loop's sessions; those of other running loops are told to close."""
        here = asyncio.get_running_loop()
        for (_, loop), life in list(self._lives.items()):
            if loop is here:
                await life.aclose()
            elif loop.is_running():
                asyncio.run_coroutine_threadsafe(life.aclose(), loop)

    async def _opened(self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop) -> _Session:
        self.let_go()
        used(loop)
        where = (endpoint, loop)
        session = self._sessions[where] = _Session(endpoint, self._cap, self._tls)
        life = self._lives[where] = _life(session.client, where, weakref.WeakMethod(self._forget))
        await anext(life)
        return session

    def let_go(self) -> None:
        """Drop the sessions of loops that were closed without closing them."""
        if gone := [where for where in self._lives if where[1].is_closed()]:
            _abandon([self._lives.pop(where) for where in gone])

    def __del__(self) -> None:
        """Nobody uses it any more: close at once what this thread may close, since a loop may end before its turn."""
        lives = getattr(self, "_lives", {})
        if not lives:
            # before anything of this module is needed: as the interpreter ends, its names may be
            # gone
            return
        if self._pid != os.getpid():
            return  # a child's copy: it shares what the parent's loop waits by
        here = asyncio._get_running_loop()  # noqa: SLF001 - the public form raises where there is none
        for where in [where for where in lives if where[1] is here or not where[1].is_running()]:
            life, session = lives.pop(where), self._sessions.pop(where, None)
            if session is not None and not where[1].is_closed():
                session.connector.drop()
            _end(life)

    def _forget(self, where: _Where) -> None:
        self._sessions.pop(where, None)
        self._lives.pop(where, None)

    def __repr__(self) -> str:
        count = len(self._sessions)
        return f"AiohttpTransport(timeout={self._timeout:g}, {count} session{'s' * (count != 1)})"


class _Session:
    """An endpoint on a loop: its connections, and all that is the same for each request."""

    def __init__(self, endpoint: Endpoint, cap: int, tls: ssl.SSLContext | None = None) -> None:
        proxy = proxy_for(endpoint.url)
        self._url = URL(endpoint.url)
        self._proxy = None if proxy is None else URL(proxy)
        self._cap = cap
        self.host = self._url.authority
        self.connector = Connector(CONNECT_TIMEOUT, tls)
        self.client = Client(
            connector=self.connector,
            request_class=Request,
            headers={hdrs.ACCEPT_ENCODING: "identity", **endpoint.headers},
            timeout=aiohttp.ClientTimeout(),
            max_line_size=MAX_FIELD_BYTES,
            max_field_size=MAX_FIELD_BYTES,
            max_headers=MAX_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def exchange(self, body: bytes | None) -> Reply:
        """One request and its whole answer: a GET where there is no body."""
        method = hdrs.METH_GET if body is None else hdrs.METH_POST
        response = await self.request(method, self._url, body)
        content, headers = response.content, response.headers
        try:  # most are whole by now, and have given their connection back
            answer = (
                self._fitting(content.read_nowait())
                if content.is_eof()
                else await self._read(response)
            )
            if hdrs.CONTENT_ENCODING in headers or answer.startswith(GZIP):
                answer = decoded(
                    answer, ",".join(headers.getall(hdrs.CONTENT_ENCODING, [])), self._cap
                )
        except BaseException:
            response.close()
            raise
        return Reply(response.status, headers, answer)

    async def request(
        self,
        method: str,
        url: URL,
        body: bytes | AsyncIterable[bytes] | None,
        headers: Mapping[str, str] | None = None,
    ) -> aiohttp.ClientResponse:
        """The response, once its head is there.

        A kept-alive connection that was closed before we wrote costs nothing: on to the next.
        """
        while True:
            data = io.BytesIO(body) if isinstance(body, bytes) and len(body) > _LARGE else body
            try:
                return await self.client.request(
                    method,
                    url,
                    data=data,
                    headers=headers,
                    proxy=self._proxy,
                    allow_redirects=False,
                )
            except FAULTS as fault:
                if not getattr(fault, "is_stale", False):
                    raise

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        if (response.content_length or 0) > self._cap:
            raise self._too_large()
        pieces: list[bytes] = []
        left = self._cap
        while piece := await response.content.readany():
            left -= len(piece)
            if left < 0:
                raise self._too_large()
            pieces.append(piece)
        return b"".join(pieces)

    def _fitting(self, answer: bytes) -> bytes:
        if len(answer) > self._cap:
            raise self._too_large()
        return answer

    def _too_large(self) -> AnswerTooLarge:
        return AnswerTooLarge(
            f"the answer is larger than the cap of {self._cap:,} bytes: ask for a shorter one"
        )


_Where = tuple["Endpoint", asyncio.AbstractEventLoop]


async def _life(
    client: aiohttp.ClientSession,
    where: _Where,
    forget: weakref.WeakMethod[Callable[[_Where], None]],
) -> AsyncGenerator[None]:
    """A session, from first use to its end. A generator, because a loop that ends closes those that are left.

    It holds its transport weakly, and so ends with that too.
    """
    try:
        yield
    finally:
        if known := forget():
            known(where)
        await client.close()


def _end(life: AsyncGenerator[None]) -> None:
    """Without its loop: nothing in it waits, once the connections are closed, or their loop is."""
    with suppress(StopIteration):
        life.aclose().send(None)


def _abandon(lives: list[AsyncGenerator[None]]) -> None:
    """Their loops turn no more: let go of all they have, without the warnings about what was left open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        while lives:
            _end(lives.pop())
        # sockets sit in cycles of asyncio's, and would warn when those are found later
        gc.collect()


def _let_go() -> None:
    for transport in tuple(_transports):
        transport.let_go()


_transports: weakref.WeakSet[AiohttpTransport] = weakref.WeakSet()
# a child must not touch the parent's connections
os.register_at_fork(after_in_child=_transports.clear)
at_the_end(_let_go)
