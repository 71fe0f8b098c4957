"""HTTP: the seam that providers send through, and `AiohttpTransport` behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingather.transport.base import Endpoint, Reply, Stream, StreamingTransport, Transport

if TYPE_CHECKING:
    from ingather.transport.aiohttp_transport import AiohttpTransport

__all__ = [
    "AiohttpTransport",
    "Endpoint",
    "Reply",
    "Stream",
    "StreamingTransport",
    "Transport",
]


def __getattr__(name: str) -> object:  # it imports aiohttp, which takes a third of a second
    if name != "AiohttpTransport":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ingather.transport.aiohttp_transport import AiohttpTransport

    return AiohttpTransport
