"""A server that does what a test tells it, down to the byte: for every fault that a well-made server has not."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field


def completion(content="Hello", finish="stop", **fields):
    """The body of a chat completion."""
    message = {"role": "assistant", "content": content}
    body = {"id": "chatcmpl-1", "object": "chat.completion", "model": "m-2026", "choices": [
        {"index": 0, "message": message, "finish_reason": finish}
    ], "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}}  # fmt: skip
    return json.dumps({**body, **fields}).encode()


def answer(body=b"{}", status=200, **headers):
    """A whole HTTP answer; `headers` by their names with ``_`` for ``-``."""
    if isinstance(body, str):
        body = body.encode()
    lines = [
        f"HTTP/1.1 {status} Whatever",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    if "transfer_encoding" not in headers and "content_length" not in headers:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(*pieces):
    """A body in chunks, its end included."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


@dataclass
class Exchange:
    """One request that came, and the connection to do with as one likes."""

    line: str
    headers: dict[str, str]
    body: bytes
    nth: int  # of this connection's requests, from 1
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def json(self):
        return json.loads(self.body)

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    def reset(self):
        """Hang up so that the other end gets a reset, not an end."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def hung_up(self):
        """Wait until the client is gone."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass


@dataclass
class RawServer:
    """``async with RawServer(answer) as server``: bytes are the answer to each request, a function makes one.

    The function gets the `Exchange`; a connection it returns from stays open unless it
    closed it.
    """

    reply: bytes | Callable[[Exchange], Awaitable[object]] = field(default_factory=answer)
    tls: object = None
    requests: list[Exchange] = field(default_factory=list)
    connections: int = 0
    _open: set = field(default_factory=set)

    async def __aenter__(self):
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, ssl=self.tls, limit=2**24
        )
        self.port = self._server.sockets[0].getsockname()[1]
        scheme = "http" if self.tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.base_url = f"{self.url}/v1"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    def _serve(self, reader, writer):
        task = asyncio.ensure_future(self._converse(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _converse(self, reader, writer):
        self.connections += 1
        nth = 0
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in head[1:-2])
                }
                body = await self._body(reader, headers)
                nth += 1
                exchange = Exchange(head[0], headers, body, nth, reader, writer)
                self.requests.append(exchange)
                if isinstance(self.reply, bytes):
                    await exchange.send(self.reply)
                else:
                    await self.reply(exchange)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError, OSError):
                await writer.wait_closed()

    async def _body(self, reader, headers):
        if "content-length" in headers:
            return await reader.readexactly(int(headers["content-length"]))
        body = b""
        while "chunked" in headers.get("transfer-encoding", ""):
            size = int((await reader.readline()).strip(), 16)
            body += await reader.readexactly(size)
            await reader.readexactly(2)
            if size == 0:
                break
        return body
