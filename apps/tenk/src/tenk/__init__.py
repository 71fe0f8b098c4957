"""Reads a company's 10-K and fills a structured analysis, every claim with its proof in the filing."""

from __future__ import annotations

TYPE_CHECKING = False  # the import of typing takes longer than all else that a program does first
if TYPE_CHECKING:
    from tenk.analysis import comprehensive_analysis
    from tenk.analyzers import (
        BaseAnalyzer,
        BusinessAnalyzer,
        FinancialsAnalyzer,
        MDAAnalyzer,
        RiskFactorAnalyzer,
    )
    from tenk.filing import Filing, Item, read_filing
    from tenk.models import (
        BusinessAnalysisSection,
        FinancialsAnalysisSection,
        KeyProductList,
        MDAAnalysisSection,
        RiskFactorAnalysisSection,
    )
    from tenk.outcome import Analysis, ComponentReport, SectionReport
    from tenk.report import markdown
    from tenk.submission import Submission, open_submission

_HOME = {
    "Analysis": "outcome",
    "BaseAnalyzer": "analyzers",
    "BusinessAnalysisSection": "models",
    "BusinessAnalyzer": "analyzers",
    "ComponentReport": "outcome",
    "Filing": "filing",
    "FinancialsAnalysisSection": "models",
    "FinancialsAnalyzer": "analyzers",
    "Item": "filing",
    "KeyProductList": "models",
    "MDAAnalysisSection": "models",
    "MDAAnalyzer": "analyzers",
    "RiskFactorAnalysisSection": "models",
    "RiskFactorAnalyzer": "analyzers",
    "SectionReport": "outcome",
    "Submission": "submission",
    "comprehensive_analysis": "analysis",
    "markdown": "report",
    "open_submission": "submission",
    "read_filing": "filing",
}

__all__ = [  # noqa: RUF022 - in the order in which one meets them
    "comprehensive_analysis", "Analysis", "SectionReport", "ComponentReport", "markdown",
    "BaseAnalyzer", "BusinessAnalyzer", "RiskFactorAnalyzer", "MDAAnalyzer", "FinancialsAnalyzer",
    "BusinessAnalysisSection", "RiskFactorAnalysisSection", "MDAAnalysisSection", "FinancialsAnalysisSection",
    "KeyProductList",
    "read_filing", "Filing", "Item", "open_submission", "Submission",
]  # fmt: skip


def __getattr__(name: str) -> object:  # each name is imported when first asked for, as in ingather
    if name not in _HOME:
        raise AttributeError(f"module 'tenk' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"tenk.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
