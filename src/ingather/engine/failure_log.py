"""Failures in the log: few of those that are alike, and at the end how many there were."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ingather.redact import plain

if TYPE_CHECKING:
    from ingather.result import TaskResult

logger = logging.getLogger("ingather")

_FEW = 10  # logged one by one
_REASONS = 100  # counted apart; tasks that fail for yet another reason are all logged


class FailureLog:
    """Of one run: ten thousand equal lines would hide all others, and take longer than the tasks.

    Of failures that are alike, the hundredth, thousandth and so on are logged as well: a run may
    never end.
    """

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def failed(self, result: TaskResult) -> None:
        """Log a task's failure, where it is not one of many; at level debug, always."""
        if not logger.isEnabledFor(logging.WARNING):
            return
        why = f"{type(result.error).__name__}: {result.error}"
        count = self._counts.get(why, 0) + 1
        if count > 1 or len(self._counts) < _REASONS:
            self._counts[why] = count
        if count <= _FEW or str(count).rstrip("0") == "1" or logger.isEnabledFor(logging.DEBUG):
            logger.warning("task %s failed: %s", plain(result.tag or result.index), plain(why))

    def ended(self) -> None:
        """Log how many failed alike: the run is over."""
        for why, count in self._counts.items():
            if count > _FEW:
                logger.warning("%d tasks failed alike: %s", count, plain(why))
        self._counts.clear()

    def __repr__(self) -> str:
        return f"FailureLog({self._counts})"
