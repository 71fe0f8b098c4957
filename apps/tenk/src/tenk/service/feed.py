"""What happens to one analysis, as server-sent events: written once, read by any number at their own pace.

Readers hold a place in one list, no buffer of their own: a slow one costs nothing and holds up
nobody. Whoever falls too far behind, or comes with a place that is not known, is told the whole
state and goes on from there.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from typing import TYPE_CHECKING

from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

_KEPT = 2000  # events
# seconds of silence after which a comment is sent, so that a dead connection is noticed
_PING = 15.0


class Feed:
    r"""The events of one analysis. `snapshot`: gives the whole state as JSON.

    >>> async def told(feed):
    ...     return [piece.split(b"\n")[-3] async for piece in feed.read("")]
    >>> feed = Feed(lambda: {"status": "done"})
    >>> feed.end()
    >>> asyncio.run(told(feed))
    [b'data: {"status":"done"}', b'data: {}']
    """

    def __init__(self, snapshot: Callable[[], object]) -> None:
        self._snapshot = snapshot
        self._epoch = secrets.token_hex(4)  # tells these events from those before a restart
        self._events: deque[bytes] = deque(maxlen=_KEPT)
        self._count = 0
        self._ended = False
        self._changed = asyncio.Event()

    def publish(self, change: object) -> None:
        """Tell all readers of a change: a part of the state, to be merged into it."""
        self._count += 1
        self._events.append(_event("update", change, f"{self._epoch}-{self._count}"))
        self._wake()

    def end(self) -> None:
        """Nothing more will happen; readers are told so once they have read all."""
        self._ended = True
        self._wake()

    def close(self) -> None:
        """As `end`, but readers are to come back: the service stops."""
        self._epoch = ""
        self.end()

    async def read(self, last: str) -> AsyncGenerator[bytes]:
        """What a reader is to be sent whose last event was `last` (a ``Last-Event-ID``, or nothing)."""
        at = self._place_of(last)
        while True:
            changed = self._changed
            if at is None or self._count - at > len(self._events):
                at = self._count
                yield _event("snapshot", self._snapshot(), f"{self._epoch}-{at}")
                continue
            if (new := self._count - at) > 0:
                at = self._count
                yield b"".join(list(self._events)[-new:])
                continue
            if self._ended:
                if self._epoch:
                    yield _event("end", {})
                return
            try:
                async with asyncio.timeout(_PING):
                    await changed.wait()
            except TimeoutError:
                yield b": still here\n\n"

    def _place_of(self, last: str) -> int | None:
        epoch, _, count = last.partition("-")
        if self._epoch and epoch == self._epoch and count.isdecimal() and int(count) <= self._count:
            return int(count)
        return None

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def __repr__(self) -> str:
        return f"Feed({self._count} events{', ended' * self._ended})"


def _event(kind: str, data: object, number: str = "") -> bytes:
    told = to_json(data)  # one line: JSON escapes every line break
    head = f"id: {number}\nevent: {kind}\n" if number else f"event: {kind}\n"
    return b"%sdata: %s\n\n" % (head.encode(), told)
