"""An executor's bound."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingather.admission.permit import Permit, Queue


class Slots:
    """An executor's bound on requests on the wire and running functions, over all its calls and nesting levels.

    `is_adaptive`: nobody has set it, so that the quota alone says how many calls are right. `held`:
    the leases that are in use; it keeps none of them, nor their loops, from being collected.
    """

    __slots__ = ("capacity", "held", "in_use", "is_adaptive", "waiting")

    def __init__(self, capacity: float, *, is_adaptive: bool = False) -> None:
        self.capacity = capacity
        self.is_adaptive = is_adaptive
        self.in_use = 0
        self.held: weakref.WeakSet[Permit] = weakref.WeakSet()
        self.waiting: list[Queue] = []

    def take(self, permit: Permit) -> None:
        """One more in use."""
        self.in_use += 1
        self.held.add(permit)

    def free(self, permit: Permit) -> None:
        """One less."""
        self.in_use -= 1
        self.held.discard(permit)

    def __repr__(self) -> str:
        return (
            f"Slots({self.in_use} of {self.capacity} in use, "
            f"{sum(len(queue.heap) for queue in self.waiting)} waiting)"
        )
