"""A run as it goes: one line in a terminal, a bar in a notebook, a plain line every few seconds anywhere else."""

from __future__ import annotations

from ingather.progress.show import Progress

__all__ = ["Progress"]
