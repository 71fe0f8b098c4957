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

    def aside(self, cause: str = "", permit: Permit | None = None) -> Aside:
        """A context in which the call waits: for ``"budget"``, ``"backoff"``, …, or for a permit."""
        return Aside(self, cause, permit)

    async def granted(self, permit: Permit) -> None:
        """Wait until `permit` is granted. Raises what its queue fails with."""
        if not permit.granted:
            with self.aside(permit=permit):
                await permit.wait()
            if permit.error is not None:
                # shared by all who waited: its traceback must not grow with each
                raise permit.error.with_traceback(None)
        if self.deadline <= self.loop.time():
            permit.give_up()
            # the deadline ends it, once all that came in time has been read
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


class Aside:
    """See `Waiting.aside`."""

    __slots__ = ("_cause", "_permit", "_waiting")

    def __init__(self, waiting: Waiting, cause: str, permit: Permit | None) -> None:
        self._waiting = waiting
        self._cause = cause
        self._permit = permit

    def __enter__(self) -> None:
        waiting = self._waiting
        waiting.record.waits_for(self._cause, waiting.loop.time(), self._permit)
        waiting.window.step_aside()

    def __exit__(self, *failure: object) -> None:
        waiting = self._waiting
        waiting.window.step_back()
        waiting.record.waited_for(self._cause, waiting.loop.time(), self._permit)
