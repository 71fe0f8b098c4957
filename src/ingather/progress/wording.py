"""A run as it goes, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingather.stats import counted, seconds

if TYPE_CHECKING:
    from ingather.progress.pace import Rates
    from ingather.report import Summary

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_BAR = 10  # characters, where there is room


def count(found: Summary) -> str:
    """How many are done, and of how many where that is known."""
    return f"{found.done:,}" if found.total is None else f"{found.done:,}/{found.total:,}"


def status(found: Summary, rates: Rates) -> str:
    """What goes on, without the count of what is done."""
    parts = [f"{found.in_flight:,} in flight", f"{rates.calls:,.1f} calls/s"]
    if found.tokens:
        parts.append(f"{rates.tokens:,.0f} tokens/s")
    return ", ".join([*parts, *_trouble(found)])


def line(found: Summary, rates: Rates, width: int) -> str:
    """For a terminal: at most `width` characters, what matters most first; what has no room is left out."""
    share = "" if not found.total else f"{100 * found.done // found.total:>3} % "
    bar = f"|{_bar(found.done / found.total)}| " if found.total and width >= 60 else ""
    done = "" if found.total is not None else " done"
    shown = f"{share}{bar}{count(found)}{done}"
    when = f"{seconds(rates.left)} left" if rates.left else f"after {seconds(found.wall)}"
    parts = [when, *_trouble(found), f"{rates.calls:,.1f} calls/s"]
    if found.in_flight:
        parts.append(f"{found.in_flight:,} in flight")
    if found.tokens:
        parts.append(f"{rates.tokens:,.0f} tokens/s")
    for part in parts:
        if len(shown) + len(part) + 2 <= width:
            shown += f", {part}"
    return shown[:width]


def _trouble(found: Summary) -> list[str]:
    parts = []
    if found.failed:
        parts.append(f"{found.failed:,} failed")
    if found.pause_left > 0:
        parts.append(f"waiting {seconds(found.pause_left)} after a 429")
    if found.rejected:
        parts.append(f"{found.rejected:,} × 429 (paused {seconds(found.paused)})")
    if found.backoffs:
        parts.append(counted(found.backoffs, "retry", "retries"))
    if found.reasked:
        parts.append(counted(found.reasked, "re-ask"))
    return parts


def _bar(share: float) -> str:
    eighths = int(min(share, 1.0) * _BAR * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if full < _BAR else "")).ljust(_BAR)
