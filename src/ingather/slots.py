"""An executor's bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingather.lease import Lane


class Slots:
    """An executor's bound on requests on the wire and running functions, over all its calls and nesting levels."""

    __slots__ = ("capacity", "in_use", "waiting")

    def __init__(self, capacity: float) -> None:
        self.capacity = capacity
        self.in_use = 0
        self.waiting: list[Lane] = []

    def __repr__(self) -> str:
        return (
            f"Slots({self.in_use} of {self.capacity} in use, {sum(len(lane.queue) for lane in self.waiting)} waiting)"
        )
