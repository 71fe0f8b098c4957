"""How a call waits: without a slot, in its place in the queue, never after its deadline.

While it waits another worker of its run takes its turn: `Waiting.aside` is the one place for that.
"""

from __future__ import annotations

import math
from itertools import count
from typing import TYPE_CHECKING

from ingather.engine.throttling import Throttling

if TYPE_CHECKING:
    import asyncio

    from ingather.admission.funds import Funds, Reservation
    from ingather.admission.permit import Arrival, Permit
    from ingather.engine.record import Record
    from ingather.engine.window import Window
    from ingather.money.budget import Spend

_places = count()


class Waiting:
    """Of one call. `arrival`: its place in every queue, for life.

    `deadline`: the time on the loop's clock after which nothing is begun.
    """

    __slots__ = ("_throttling", "arrival", "deadline", "loop", "record", "window")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        window: Window,
        record: Record,
        prefix: Arrival,
    ) -> None:
        self.loop = loop
        self.window = window
        self.record = record
        self.arrival: Arrival = (*prefix, next(_places))
        self.deadline = math.inf
        self._throttling: Throttling | None = None

    @property
    def throttling(self) -> Throttling:
        """What 429s have done to its requests."""
        if self._throttling is None:
            self._throttling = Throttling()
        return self._throttling

    def to_the_back(self) -> None:
        """Others that wait go first from now on."""
        self.arrival = (*self.arrival[:-1], next(_places))

    def aside(self, cause: str = "", permit: Permit | None = None) -> Waiting:
        """Begin to wait: for ``"budget"``, ``"backoff"``, …, or for a permit; ``with`` ends it."""
        self.record.waits_for(cause, self.loop.time(), permit)
        self.window.step_aside()
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *failure: object) -> None:
        self.window.step_back()
        self.record.record_wait(self.loop.time())

    async def in_time(self, permit: Permit) -> None:
        """Give `permit` back where the deadline has passed, and wait for its alarm."""
        if self.deadline <= self.loop.time():
            permit.give_up()
            # it goes off once all that came in time has been read
            await self.loop.create_future()

    async def funded(self, funds: Funds, worst: Spend) -> Reservation:
        """Reserve the most that a request may cost. Raises `BudgetSpent`."""
        reservation = funds.reserve_now(worst)
        if reservation is None:
            with self.aside("budget"):
                reservation = await funds.reserve(worst)
        return reservation

    def __repr__(self) -> str:
        return f"Waiting({self.arrival}, {self.record!r})"
