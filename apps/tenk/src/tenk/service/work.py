"""The work on one analysis, from its filing to its last card; and what is said of it when it has ended, however."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NamedTuple

from ingather.errors import IngatherError
from tenk.again import components_again
from tenk.analysis import ANALYZERS, comprehensive_analysis, said
from tenk.errors import TenkError
from tenk.service.feed import Feed
from tenk.service.money import budget_of
from tenk.service.progress import Progress
from tenk.service.reading import fill
from tenk.service.state import OPEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather import Budget, Store
    from tenk.models import Section
    from tenk.outcome import SectionName
    from tenk.service.reading import Reader
    from tenk.service.settings import Settings
    from tenk.service.state import AnalysisState, AnalysisStatus, SectionState
    from tenk.submission import Submission

logger = logging.getLogger("tenk.service")


class Live:
    """An analysis under way.

    `digest`: of its filing, once that is here. `task`: its work, which may be cancelled; `watch`:
    who waits for that and tells the end. `why`: for which reason it was stopped, if it was.
    """

    def __init__(self, state: AnalysisState, digest: str | None = None) -> None:
        self.state = state
        self.digest = digest
        self.feed = Feed(lambda: state.model_dump(mode="json"))
        self.task: asyncio.Task[None] | None = None
        self.watch: asyncio.Task[None] | None = None
        self.why: str | None = None

    def stop(self, why: str) -> None:
        """End it and all its calls at once, for a reason that is shown."""
        if self.why is None and self.task is not None:
            self.why = why
            self.task.cancel()

    def __repr__(self) -> str:
        return f"Live({self.state.id}, {self.state.status})"


class Means(NamedTuple):
    """What all analyses share."""

    settings: Settings
    store: Store
    reader: Reader


async def work(live: Live, means: Means) -> None:
    """Read the filing and ask for all components; where there are cards already, only for those that are open.

    Raises what stands in the way of all of it; a component that fails is its card's business.
    """
    state = live.state
    if state.model not in means.settings.models:
        raise TenkError(
            f"this service has no model {state.model} now: start it with --model {state.model}"
        )
    state.status = "reading"
    live.feed.publish({"status": state.status})
    submission, live.digest = await means.reader.read(state, live.digest)
    again = _open_cards(state)
    if not state.sections:
        fill(state, submission)
    state.status = "running"
    progress = Progress(state, live.feed.publish)
    budget = budget_of(means.settings, state.model, state.ledger)
    live.feed.publish(state.model_dump(mode="json"))
    try:
        if again:
            parts = (
                _some(live, means, submission, progress, name, each, budget)
                for name, each in again.items()
            )
            await asyncio.gather(*parts)
        else:
            await _whole(live, means, submission, progress, budget)
    finally:
        state.ledger.elapsed_ms = progress.now()


async def _whole(
    live: Live, means: Means, submission: Submission, progress: Progress, budget: Budget | None
) -> None:
    state = live.state
    await comprehensive_analysis(
        submission,
        "business" in state.wanted,
        "mda" in state.wanted,
        "risk_factors" in state.wanted,
        "financials" in state.wanted,
        provider=means.settings.models[state.model],
        model=state.model,
        max_concurrency=means.settings.caps.calls,
        store=means.store,
        deadline=means.settings.caps.seconds,
        budget=budget,
        on_event=progress,
        on_finding=progress.found,
        on_section=progress.completed,
    )


async def _some(
    live: Live,
    means: Means,
    submission: Submission,
    progress: Progress,
    name: SectionName,
    components: list[str],
    budget: Budget | None,
) -> None:
    shown = live.state.sections[name]
    found = await components_again(
        submission,
        section_of(name, shown),
        components,
        [each for each, card in shown.cards.items() if card.origin == "code"],
        provider=means.settings.models[live.state.model],
        max_concurrency=means.settings.caps.calls,
        store=means.store,
        deadline=means.settings.caps.seconds,
        budget=budget,
        on_event=progress,
        on_finding=progress.found,
    )
    progress.filled(name, found.components, found.section)


def section_of(name: SectionName, shown: SectionState) -> Section:
    """The section that the cards hold.

    >>> from tenk.service.state import SectionState
    >>> section_of("mda", SectionState(item="7", item_status="present")).missing[:2]
    ['performance_overview', 'metrics']
    """
    values = {
        component: card.value for component, card in shown.cards.items() if card.value is not None
    }
    section: Section = ANALYZERS[name].model.model_validate(values)
    return section


def settle(live: Live, error: BaseException | None) -> dict[str, object]:
    """Give all that is open its last status; gives what has changed. `error`: what ended the work, if not its end."""
    state = live.state
    if error is not None and not isinstance(error, TenkError | IngatherError):
        logger.error("analysis %s crashed: %r", state.id, said_of(error), exc_info=error)
    why = live.why or ("" if error is None else said_of(error))
    changed: dict[str, object] = {}
    for name, section in state.sections.items():
        cards = {
            component: card for component, card in section.cards.items() if card.status in OPEN
        }
        for card in cards.values():
            card.status, card.reason = (
                "cancelled" if live.why else "failed",
                why or "no answer came",
            )
        _settle_section(section)
        told = {component: card.model_dump(mode="json") for component, card in cards.items()}
        changed[name] = {"status": section.status, "reason": section.reason, "cards": told}
    state.ledger.in_flight = 0
    state.status, state.reason = _status(state.sections), why or None
    if live.why:
        state.status = "cancelled"
    elif error is not None and not any(
        section.status == "ok" for section in state.sections.values()
    ):
        state.status = "failed"
    ledger = state.ledger.model_dump(mode="json")
    return {"status": state.status, "reason": state.reason, "ledger": ledger, "sections": changed}


def said_of(error: BaseException) -> str:
    """An error as it is shown: those of this project say what to do, of others the kind is named too."""
    if isinstance(error, TenkError):
        return " ".join(str(error).split())
    return said(error) if isinstance(error, Exception) else type(error).__name__


def _open_cards(state: AnalysisState) -> dict[SectionName, list[str]]:
    found = {
        name: [component for component, card in section.cards.items() if card.status in OPEN]
        for name, section in state.sections.items()
    }
    return {name: components for name, components in found.items() if components}


def _settle_section(section: SectionState) -> None:
    states = {card.status for card in section.cards.values()}
    if states == {"skipped"}:
        return
    if not states & {"failed", "cancelled"}:
        section.status, section.reason = "ok", None
    elif states == {"failed"}:
        section.status = "failed"
    elif states <= {"cancelled", "failed"}:
        section.status = "cancelled"
    else:
        section.status, section.reason = "partial", None


def _status(sections: Mapping[SectionName, SectionState]) -> AnalysisStatus:
    states = {section.status for section in sections.values()} - {"skipped"}
    if states <= {"ok"}:
        return "done"
    return "failed" if states <= {"failed", "cancelled"} else "partial"
