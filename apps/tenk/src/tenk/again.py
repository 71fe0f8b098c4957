"""Some components of a section asked for again, the others left as they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from tenk.analysis import ANALYZERS, component_report, executor_for, index_of, said
from tenk.analyzers import MAX_CONCURRENCY, FinancialsAnalyzer, failure
from tenk.findings import Findings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ingather import Budget, Provider, Store
    from ingather.events import Event
    from tenk.analyzers import BaseAnalyzer
    from tenk.evidence import Counts
    from tenk.findings import Finding
    from tenk.models import Section
    from tenk.outcome import ComponentReport, SectionName
    from tenk.submission import Submission


class Again(NamedTuple):
    """The section as it is now, how the components came about that were asked for, and how many quotes it shows."""

    section: Section
    components: Mapping[str, ComponentReport]
    quotes: Counts


async def components_again(
    submission: Submission,
    before: Section,
    components: Collection[str],
    by_code: Collection[str] = (),
    *,
    provider: Provider | str = "offline/extractive",
    max_concurrency: int | None = MAX_CONCURRENCY,
    store: Store | None = None,
    deadline: float | None = None,
    budget: Budget | None = None,
    on_event: Callable[[Event], None] | None = None,
    on_finding: Callable[[Finding], None] | None = None,
) -> Again:
    """Ask for `components` of a section again; what else `before` holds stays, and what code makes of it is made anew.

    `before`: the section as it is, of any of the four kinds. `by_code`: those of its components
    that code made. The rest as in `tenk.comprehensive_analysis`. A component that fails again has
    its reason, and stays as it was.

    >>> from tenk import comprehensive_analysis, open_submission
    >>> filing = open_submission("quellmark-2025")
    >>> async def mended():
    ...     analysis = await comprehensive_analysis(filing, True, False, False, False)
    ...     return await components_again(filing, analysis.business, ["key_products"])
    >>> asyncio.run(mended()).components["key_products"].status
    'ok'
    """
    name = _name(before)
    filing = submission.filing
    analyzer: BaseAnalyzer[Any] = ANALYZERS[name]()
    if name == "financials":
        analyzer = FinancialsAnalyzer(facts=submission.facts)
    index = await asyncio.to_thread(index_of, filing)
    listening = (
        on_event if on_finding is None else Findings({name: analyzer}, index, on_finding, on_event)
    )
    task = analyzer.task(filing.item(analyzer.item).body, only=components)
    async with executor_for(
        provider,
        budget,
        max_concurrency=max_concurrency,
        deadline=deadline,
        store=store,
        on_event=listening,
    ) as executor:
        [result] = await executor.gather([task])
    made_by_code = set(by_code).difference(components)
    after = before.model_copy(deep=True)
    error = failure(result)
    parts = result.parts or {}
    if error is None:
        filled = {
            field: getattr(result.value, field)
            for field in components
            if field not in result.missing
        }
        after = after.model_copy(update=filled)
        made_by_code |= {field for field, part in parts.items() if part.origin == "code"}
    after, quotes = analyzer.proven(after, made_by_code, index)
    reason = None if error is None else said(error)
    reports = {
        field: component_report(result, field, getattr(after, field), reason)
        for field in components
    }
    return Again(after, reports, quotes)


def _name(section: Section) -> SectionName:
    """Which of the four it is."""
    return next(name for name, analyzer in ANALYZERS.items() if isinstance(section, analyzer.model))
