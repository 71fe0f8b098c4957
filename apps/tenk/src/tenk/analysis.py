"""A whole filing analysed: its Items in parallel, and within each one call a component, all under one bound.

The result says of each section where its text stood, and of each component how it came about and
what it cost.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ingather import ExtractTask, ParallelLLMExecutor
from ingather.errors import redact
from ingather.events import Listener
from tenk.analyzers import (
    LEAST_WORDS,
    MAX_CONCURRENCY,
    BaseAnalyzer,
    BusinessAnalyzer,
    FinancialsAnalyzer,
    MDAAnalyzer,
    RiskFactorAnalyzer,
    failure,
)
from tenk.evidence import Place, QuoteIndex
from tenk.findings import Findings
from tenk.outcome import Analysis, ComponentReport, SectionName, SectionReport
from tenk.submission import Submission, open_submission

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ingather import Budget, Provider, Store, TaskResult
    from ingather.events import Event
    from tenk.analyzers import Split
    from tenk.filing import Filing, Item
    from tenk.findings import Finding
    from tenk.models import ItemName, Section
    from tenk.source import FilingSource

# tokens; the longest components take a quarter of it, and models may think before
_MAX_OUTPUT = 16_000
ANALYZERS: Mapping[SectionName, type[BaseAnalyzer[Any]]] = {
    "business": BusinessAnalyzer,
    "risk_factors": RiskFactorAnalyzer,
    "mda": MDAAnalyzer,
    "financials": FinancialsAnalyzer,
}


async def comprehensive_analysis(
    source: Submission | Filing | str | Path | bytes,
    include_business: bool = True,
    include_mda: bool = True,
    include_risk_factors: bool = True,
    include_financials: bool = True,
    *,
    provider: Provider | str = "offline/extractive",
    model: str | None = None,
    max_concurrency: int | None = MAX_CONCURRENCY,
    split: Split = "fields",
    tickers: FilingSource | None = None,
    store: Store | None = None,
    deadline: float | None = None,
    budget: Budget | None = None,
    on_event: Callable[[Event], None] | None = None,
    on_finding: Callable[[Finding], None] | None = None,
    on_section: Callable[[SectionName, SectionReport, Section | None], None] | None = None,
) -> Analysis:
    """Analyse a filing: all sections at once, and all components of each.

    `source`: a path, a file's bytes, what was read before, the name of a bundled sample, or a
    ticker, which is fetched through `tickers` (the SEC's EDGAR unless given). `provider`: of
    ingather's, or its name; the default needs no key and no network. `model`: what the result calls
    it. `max_concurrency`: calls in flight, over everything; None: as many as the provider takes.
    `split`: ``"single"`` asks for each section by one prompt. `store`, `deadline`, `budget`,
    `on_event`: as in `ingather.ParallelLLMExecutor`; with a budget an answer has at most 16,000
    tokens. `on_finding`: called with each component as its call ends, its quotes looked up (see
    `tenk.findings`). `on_section`: called with each section as it is complete. What these three
    raise is warned of once, and hurts no analysis.

    An Item that the filing has not, or has elsewhere, is skipped, with the reason. A component that
    fails is None in its section and told of in ``sections``. Raises an error of `tenk.errors` for
    what is no 10-K that can be read.

    >>> import asyncio
    >>> analysis = asyncio.run(comprehensive_analysis("quellmark-2025", include_mda=False, include_financials=False))
    >>> analysis.sections["risk_factors"].status
    'ok'
    """
    wanted: dict[SectionName, bool] = {
        "business": include_business,
        "risk_factors": include_risk_factors,
        "mda": include_mda,
        "financials": include_financials,
    }
    submission = await asyncio.to_thread(open_submission, source, tickers)
    filing = submission.filing
    index = await asyncio.to_thread(index_of, filing)
    job = _Job(submission, index, split)
    tasks = await asyncio.to_thread(
        job.tasks, [section for section, asked in wanted.items() if asked]
    )
    listening = (
        on_event if on_finding is None else Findings(job.analyzers, index, on_finding, on_event)
    )
    async with executor_for(
        provider,
        budget,
        max_concurrency=max_concurrency,
        deadline=deadline,
        store=store,
        on_event=listening,
    ) as executor:
        began = perf_counter()
        results = await _taken(executor, tasks, job, on_section)
        seconds = perf_counter() - began
        named = model or (provider if isinstance(provider, str) else repr(provider))
    return Analysis(
        filing=submission.name,
        form=filing.form,
        company=submission.company,
        period_end=submission.period_end,
        model=named,
        split=split,
        seconds=seconds if tasks else 0.0,
        sections=job.reports,
        **job.found,
        **_spent(results),
    )


async def _taken(
    executor: ParallelLLMExecutor,
    tasks: Mapping[str, ExtractTask],
    job: _Job,
    on_section: Callable[[SectionName, SectionReport, Section | None], None] | None,
) -> list[TaskResult]:
    """The results of the sections' tasks, each taken by `job` as it comes."""
    results: list[TaskResult] = []
    told = None if on_section is None else Listener("on_section", on_section)
    async with executor.as_completed(tasks) as completed:
        async for result in completed:
            results.append(result)
            name: SectionName = result.tag  # type: ignore[assignment]  # the tags are the keys of `tasks`
            job.take(name, result)
            if told is not None:
                told(name, job.reports[name], job.found.get(name))
    return results


def executor_for(
    provider: Provider | str,
    budget: Budget | None,
    *,
    max_concurrency: int | None,
    deadline: float | None,
    store: Store | None,
    on_event: Callable[[Event], None] | None,
) -> ParallelLLMExecutor:
    """An executor whose answers have a limit on their length, where there is a budget that wants one."""
    is_free = provider in ("echo", "offline/extractive") or getattr(provider, "is_free", False)
    limited = budget is not None and budget.caps and not is_free
    can_be_stored = (
        provider != "echo" if isinstance(provider, str) else hasattr(provider, "prepare")
    )
    return ParallelLLMExecutor(
        provider,
        max_concurrency,
        default_config_overrides={"max_tokens": _MAX_OUTPUT} if limited else None,
        deadline=deadline,
        store=store if can_be_stored else None,
        budget=budget,
        on_event=on_event,
    )


class _Job:
    """The sections of one filing on their way: `reports` of all, and what was `found`."""

    def __init__(self, submission: Submission, index: QuoteIndex, split: Split) -> None:
        self.reports: dict[SectionName, SectionReport] = {}
        self.found: dict[SectionName, Section] = {}
        self._submission = submission
        self._index = index
        self._split = split
        self.analyzers: dict[SectionName, BaseAnalyzer[Any]] = {}

    def tasks(self, names: list[SectionName]) -> dict[str, ExtractTask]:
        """A task for each section that has a text; the others are reported as skipped."""
        tasks = dict[str, ExtractTask]()
        for name in names:
            facts = self._submission.facts
            analyzer = (
                FinancialsAnalyzer(facts=facts) if name == "financials" else ANALYZERS[name]()
            )
            item = self._submission.filing.item(analyzer.item)
            report = self.reports[name] = reading(item, analyzer.item)
            if report.status == "skipped":
                fields = analyzer.model.model_fields
                report.components = {
                    field: ComponentReport(status="skipped", reason=report.reason)
                    for field in fields
                }
            else:
                self.analyzers[name] = analyzer
                tasks[name] = analyzer.task(item.body, self._split)
        return tasks

    def take(self, name: SectionName, result: TaskResult) -> None:
        """Put what came back in its place."""
        report, analyzer = self.reports[name], self.analyzers[name]
        section: Section | None = None
        if (error := failure(result)) is not None:
            report.status, report.reason = "failed", said(error)
        else:
            section, (report.quotes, report.verified) = analyzer.finished(result, self._index)
            report.status = "partial" if result.missing else "ok"
            self.found[name] = section
        report.components = {
            field: component_report(
                result, field, None if section is None else getattr(section, field), report.reason
            )
            for field in analyzer.model.model_fields
        }


def index_of(filing: Filing) -> QuoteIndex:
    """The filing's text made searchable for quotes: it knows where the four Items stand, and what they point to."""
    found = list[Place]()
    for analyzer in ANALYZERS.values():
        item = filing.item(analyzer.item)
        if item.status != "absent":
            found.append(Place(analyzer.item, item.start, item.end))
        if item.target is not None:
            found.append(Place(analyzer.item, item.target.start, item.target.end))
    return QuoteIndex(filing.text, found)


def reading(item: Item, number: ItemName) -> SectionReport:
    """What is to be read for an Item; skipped where that is nothing, or no more than a pointer's own words."""
    report = SectionReport(
        item=number, item_status=item.status, status="ok", words=len(item.body.split())
    )
    if item.target is not None:
        report.place, report.start, report.end = (
            item.target.place,
            item.target.start,
            item.target.end,
        )
    elif item.status != "absent":
        report.start, report.end = item.start, item.end
    if report.words < LEAST_WORDS:
        report.status, report.reason = "skipped", _why_skipped(item)
    return report


def _why_skipped(item: Item) -> str:
    own = " ".join(item.text.split())
    said = f" It says: {own[:200]}{'…' * (len(own) > 200)}" if own else ""
    match item.status:
        case "absent":
            return f"The filing has no Item {item.item}."
        case "incorporated_by_reference":
            return f"This filer keeps Item {item.item} in another document, which is not in this file.{said}"
        case "pointer_within_document":
            return (
                f"Item {item.item} points to another place, which was not found in this file.{said}"
            )
        case "not_applicable":
            return f"Item {item.item} does not apply to this filer.{said}"
    return f"Item {item.item} has only {len(own.split())} words.{said}"


def component_report(
    result: TaskResult, field: str, value: object, reason: str | None
) -> ComponentReport:
    part = (result.parts or {}).get(field)
    held = "ok" if has_content(value) else "empty"
    # code adds it when the rest is there; or the task ended before it was asked for
    if part is None:
        return ComponentReport(
            status=held if reason is None else "failed", origin="code", reason=reason
        )
    usage = part.usage
    return ComponentReport(
        status=held if part.success else "failed",
        origin=part.origin,
        reason=None if part.error is None else said(part.error),
        calls=part.attempts,
        input_tokens=0 if usage is None else usage.input_tokens,
        output_tokens=0 if usage is None else usage.output_tokens,
        ms=part.duration_ms,
    )


def has_content(value: object) -> bool:
    """Whether a component holds anything: a list with members, a text, a number.

    >>> from tenk.models import KeyProductList
    >>> has_content(KeyProductList(items=[]))
    False
    """
    if isinstance(value, BaseModel):
        return any(has_content(getattr(value, name)) for name in type(value).model_fields)
    if isinstance(value, list):
        return any(map(has_content, value))
    return value is not None and value != "" and value is not False


def said(error: Exception) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {' '.join(redact(str(error)).split())[:300]}"


def _spent(results: list[TaskResult]) -> dict[str, float | None]:
    usages = [result.usage for result in results if result.usage is not None]
    costs = [result.cost_usd for result in results]
    return {
        "calls": sum(result.attempts for result in results),
        "input_tokens": sum(usage.input_tokens for usage in usages),
        "cached_tokens": sum(usage.cached_tokens for usage in usages),
        "output_tokens": sum(usage.output_tokens for usage in usages),
        "cost_usd": None if None in costs else sum(cost for cost in costs if cost is not None),
    }
