"""How many attempts may be spent on a quota's faults, so that an outage is not multiplied. Arithmetic only."""

from __future__ import annotations

_RESERVE = 10.0  # retries before anything was answered
_SHARE = 0.1  # of the answers
_MOST = 100.0  # that good times may save up for bad ones


class RetryBudget:
    """Ten retries, and one more for every ten answers.

    >>> budget = RetryBudget()
    >>> [budget.take() for _ in range(11)][-2:]
    [True, False]
    """

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = _RESERVE

    def answered(self) -> None:
        """An answer came."""
        if self.left < _MOST:
            self.left += _SHARE

    def take(self) -> bool:
        """Whether one more attempt may be spent on a fault; then it is."""
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True

    def __repr__(self) -> str:
        return f"RetryBudget({self.left:.1f} left)"
