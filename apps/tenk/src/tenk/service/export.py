"""From what is shown of an analysis to the `Analysis` that ``tenk analyze`` gives, for who takes it along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenk.outcome import Analysis, ComponentReport, SectionReport
from tenk.service.work import section_of

if TYPE_CHECKING:
    from tenk.service.state import AnalysisState, Card, SectionState


def analysis_of(state: AnalysisState) -> Analysis:
    """What has been found so far; a component that is not there yet is reported as skipped, and its status is why."""
    ledger = state.ledger
    there = {
        name: shown
        for name, shown in state.sections.items()
        if any(c.value for c in shown.cards.values())
    }
    return Analysis(
        filing=state.name,
        form=state.form or "",
        company=state.company,
        period_end=state.period_end,
        model=state.model,
        split="fields",
        sections={name: _report(shown) for name, shown in state.sections.items()},
        calls=ledger.calls,
        input_tokens=ledger.input_tokens,
        cached_tokens=ledger.cached_tokens,
        output_tokens=ledger.output_tokens,
        cost_usd=ledger.cost_usd,
        seconds=ledger.elapsed_ms / 1000,
        **{name: section_of(name, shown) for name, shown in there.items()},
    )


def _report(shown: SectionState) -> SectionReport:
    cards = shown.cards.values()
    return SectionReport(
        item=shown.item,
        item_status=shown.item_status,
        status=shown.status
        if shown.status in ("ok", "partial", "failed", "skipped")
        else "partial",
        reason=shown.reason,
        place=shown.place,
        words=shown.words,
        start=shown.start,
        end=shown.end,
        quotes=sum(card.quotes for card in cards),
        verified=sum(card.verified for card in cards),
        components={component: _component(card) for component, card in shown.cards.items()},
    )


def _component(card: Card) -> ComponentReport:
    is_settled = card.status in ("ok", "empty", "failed", "skipped")
    return ComponentReport(
        status=card.status if is_settled else "skipped",
        origin=card.origin,
        reason=card.reason if is_settled else f"it is {card.status}",
        calls=card.calls,
        input_tokens=card.input_tokens,
        output_tokens=card.output_tokens,
        ms=max(0.0, (card.ended_ms or 0.0) - (card.began_ms or 0.0)),
    )
