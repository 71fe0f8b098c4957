"""How the bytes of an answer leave: whole, piece by piece, or not as they should."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

from aiohttp import web

from ingather.testing.simulator.forms import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PIECES = 20  # of a slow body
_PAGE = b"<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>\n"


def respond(wire: Wire, headers: Mapping[str, str]) -> web.Response:
    """An answer in one piece."""
    return web.Response(
        body=wire.body,
        status=wire.status,
        headers={"Content-Type": wire.content_type, **headers, **wire.headers},
    )


def broken(how: str, wire: Wire) -> Wire:
    """The answer with another body: ``malformed``, ``html``, ``empty`` or ``null``; itself for other faults."""
    match how:
        case "malformed":
            return Wire(wire.body[: -max(1, len(wire.body) // 8)])
        case "html":
            return Wire(_PAGE, content_type="text/html; charset=utf-8")
        case "empty":
            return Wire(b"")
        case "null":
            return Wire(b"null")
    return wire


async def trickle(
    request: web.BaseRequest, wire: Wire, headers: Mapping[str, str], pause: float
) -> web.StreamResponse:
    """The answer in small pieces, `pause` seconds apart."""
    response = await _open(request, wire, headers)
    size = max(1, -(-len(wire.body) // _PIECES))
    for at in range(0, len(wire.body), size):
        await response.write(wire.body[at : at + size])
        await asyncio.sleep(pause)
    await response.write_eof()
    return response


async def truncate(
    request: web.BaseRequest, wire: Wire, headers: Mapping[str, str]
) -> web.StreamResponse:
    """All of the head, half of the body, and the end of the connection."""
    response = await _open(request, wire, headers)
    await response.write(wire.body[: len(wire.body) // 2])
    _end(request)
    return response


def drop(request: web.BaseRequest, *, reset: bool = False) -> web.Response:
    """Not a byte: the connection ends, with a reset if asked. The response that comes back is never sent."""
    if request.transport is not None and reset:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    _end(request)
    return web.Response()


async def stream(
    request: web.BaseRequest,
    events: Iterator[bytes],
    headers: Mapping[str, str],
    *,
    how: str = "",
    pause: float = 0.0,
) -> web.StreamResponse:
    """Server-sent events; ``truncate`` ends the connection in the middle of them, ``slow`` pauses after each."""
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", **headers}
    )
    await response.prepare(request)
    sent = list(events)
    for event in sent[: len(sent) // 2] if how == "truncate" else sent:
        await response.write(event)
        if how == "slow":
            await asyncio.sleep(pause)
    if how == "truncate":
        _end(request)
    else:
        await response.write_eof()
    return response


async def _open(
    request: web.BaseRequest, wire: Wire, headers: Mapping[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(
        status=wire.status, headers={"Content-Type": wire.content_type, **headers}
    )
    response.content_length = len(wire.body)
    await response.prepare(request)
    return response


def _end(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.close()
