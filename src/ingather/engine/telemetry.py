"""What one run reports while it goes on: events, rows of the journal, and figures."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from ingather.engine.meter import Meter, UnderWay
    from ingather.events import Event
    from ingather.store.journal import Journal

_numbers = itertools.count(1)


class Telemetry:
    """Of one run, on its loop. `number`: tells runs apart. `emit`: told all events, where anybody listens.

    `records`: what each worker is doing.
    """

    __slots__ = ("emit", "journal", "loop", "meter", "number", "records")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        emit: Callable[[Event], None] | None,
        journal: Journal | None,
    ) -> None:
        self.number = next(_numbers)
        self.loop = loop
        self.emit = emit
        self.journal = journal
        self.meter: Meter  # once the run has begun
        self.records: dict[asyncio.Task[None], UnderWay] = {}

    def tell(self, kind: Callable[..., Event], **what: object) -> None:
        """Emit an event of a task."""
        if self.emit is not None:
            self.emit(kind(at=self.loop.time(), run=self.number, **what))

    def tell_all(self, kind: Callable[..., Event], **what: object) -> None:
        """Emit an event of the run itself, which the journal notes too."""
        event = kind(at=self.loop.time(), run=self.number, **what)
        for tell in (self.emit, self.journal):
            if tell is not None:
                tell(event)

    def __repr__(self) -> str:
        return f"Telemetry(run {self.number}, {len(self.records)} tasks under way)"
