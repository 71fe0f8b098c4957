"""An executor's bound."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingather.admission.permit import Permit, Queue


class Slots:
    """An executor's bound on requests on the wire and running functions, over all nesting levels.

    `is_adaptive`: nobody has set it, so that the quota alone says how many calls are right.
    """

    __slots__ = ("_held", "capacity", "in_use", "is_adaptive", "waiting")

    def __init__(self, capacity: float, *, is_adaptive: bool = False) -> None:
        self.capacity = capacity
        self.is_adaptive = is_adaptive
        self.in_use = 0
        # weakly, so that neither permits nor their loops are kept from being collected; by id, which
        # is cheaper than a WeakSet
        self._held: dict[int, weakref.ref[Permit]] = {}
        self.waiting: list[Queue] = []

    @property
    def held(self) -> list[Permit]:
        """The permits in use."""
        return [permit for held in tuple(self._held.values()) if (permit := held()) is not None]

    @property
    def is_full(self) -> bool:
        """Whether all are in use."""
        return self.in_use >= self.capacity

    def take(self, permit: Permit) -> None:
        """One more is in use."""
        self.in_use += 1
        self._held[id(permit)] = weakref.ref(permit)

    def free(self, permit: Permit) -> None:
        """One less is."""
        self.in_use -= 1
        self._held.pop(id(permit), None)

    def __repr__(self) -> str:
        waiting = sum(len(queue.heap) for queue in self.waiting)
        return f"Slots({self.in_use} of {self.capacity} in use, {waiting} waiting)"
