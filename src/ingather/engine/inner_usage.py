"""What tasks used that ran inside another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingather.response import Usage
    from ingather.result import TaskResult


class InnerUsage:
    """Tokens and USD, added up; None where not known."""

    __slots__ = ("cost_usd", "is_priced", "usage")

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.cost_usd: float | None = None
        self.is_priced = True

    def add(self, result: TaskResult) -> None:
        """Add one more task's."""
        if result.usage is not None:
            self.usage = result.usage if self.usage is None else self.usage + result.usage
        if result.cost_usd is not None:
            self.cost_usd = result.cost_usd + (self.cost_usd or 0.0)
        elif result.usage is not None or result.attempts > result.rejected:
            self.is_priced = False

    def __repr__(self) -> str:
        return f"InnerUsage({self.usage!r}, {self.cost_usd if self.is_priced else None} USD)"
