"""Telling a real cancellation from an exception of the same name."""

from __future__ import annotations

import asyncio


def really_cancelled() -> bool:
    """Whether this asyncio task was cancelled, rather than that its code raised CancelledError."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
