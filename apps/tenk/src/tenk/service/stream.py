"""Server-sent events on the wire."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message, Receive, Scope, Send

    from tenk.service.feed import Feed

_PATIENCE = 30.0  # seconds in which a reader takes what it is sent, or is dropped


class EventStream(StreamingResponse):
    """The events of a `Feed` from `last` (a ``Last-Event-ID``) on. A reader that stalls is dropped; it may come again.

    `left`: called when it is over, however.
    """

    media_type = "text/event-stream"

    def __init__(self, feed: Feed, last: str, left: Callable[[], None]) -> None:
        self._events = feed.read(last)
        super().__init__(
            self._events, headers={"cache-control": "no-store", "x-accel-buffering": "no"}
        )
        self._left = left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the analysis ends, or the reader goes."""

        async def patiently(message: Message) -> None:
            async with asyncio.timeout(_PATIENCE):
                await send(message)

        try:
            with contextlib.suppress(ClientDisconnect, TimeoutError):
                await super().__call__(scope, receive, patiently)
        finally:
            self._left()
            await self._events.aclose()
