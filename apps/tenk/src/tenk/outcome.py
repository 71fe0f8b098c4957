"""What an analysis gives: the sections, and of each section and component how it came about. Data only."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from tenk.filing import Status
from tenk.models import (
    BusinessAnalysisSection,
    FinancialsAnalysisSection,
    ItemName,
    MDAAnalysisSection,
    RiskFactorAnalysisSection,
    Section,
)

SectionName = Literal["business", "risk_factors", "mda", "financials"]

SECTIONS: tuple[SectionName, ...] = ("business", "risk_factors", "mda", "financials")


class ComponentReport(BaseModel):
    """How one component came about.

    `status`: ``"empty"`` where the text says nothing of it. `origin`: as a part's of ingather's
    `TaskResult`. `calls`: requests, those that failed too; `ms` the last one's milliseconds from
    its first admission to its end.
    """

    status: Literal["ok", "empty", "failed", "skipped"]
    origin: str = ""
    reason: str | None = None
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    ms: float = 0.0


class SectionReport(BaseModel):
    """One section: the Item that it is of, what was read, and what came of it.

    `status`: ``"partial"`` where some components failed, ``"skipped"`` where the filing has no text
    for it, with the `reason`. `place`: where the text stood, if not under the Item's own heading.
    `start`, `end`: of that text, in characters of the filing's plain text, as are the quotes' in
    the analysis. `quotes`, `verified`: how many quotes are shown, and how many of them the text
    has.
    """

    item: ItemName
    item_status: Status
    status: Literal["ok", "partial", "failed", "skipped"]
    reason: str | None = None
    place: str = ""
    words: int = 0
    start: int = 0
    end: int = 0
    quotes: int = 0
    verified: int = 0
    components: dict[str, ComponentReport] = {}


class Analysis(BaseModel):
    """What was found in a filing: a section of each kind, None where it was not asked for or there is none.

    `sections` tells of each that was asked for how it came about. `model`: who answered. `calls`
    and tokens: of all requests; `cost_usd` None where a price is not known. `seconds`: from the
    first request to the last answer.
    """

    filing: str
    form: str
    company: str | None = None
    period_end: str | None = None
    model: str
    split: Literal["fields", "single"]
    business: BusinessAnalysisSection | None = None
    risk_factors: RiskFactorAnalysisSection | None = None
    mda: MDAAnalysisSection | None = None
    financials: FinancialsAnalysisSection | None = None
    sections: dict[SectionName, SectionReport]
    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    seconds: float = 0.0

    @property
    def succeeded(self) -> bool:
        """Whether no component failed."""
        return all(section.status in ("ok", "skipped") for section in self.sections.values())

    def __getitem__(self, name: SectionName) -> Section | None:
        """The section of that name, as ``analysis.business``."""
        if name not in SECTIONS:
            raise KeyError(name)
        section: Section | None = getattr(self, name)
        return section
