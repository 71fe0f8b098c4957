"""What a run was, from its events: figures, what limited it, what to do about it.

>>> from ingather.report import Report
>>> report = Report()          # ParallelLLMExecutor(provider, on_event=report), and afterwards: print(report.summary())
>>> print(report.summary())
nothing ran
"""

from __future__ import annotations

from ingather.report.summary import ErrorGroup, Summary
from ingather.report.totals import Report

__all__ = ["ErrorGroup", "Report", "Summary"]
