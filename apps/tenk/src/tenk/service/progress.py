"""The state of an analysis from the events of its run: who is waiting, running, done, and what it took."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ingather import DeterministicTask, LLMTask
from ingather.errors import Stopped
from ingather.events import AttemptEnded, AttemptStarted, Remembered, TaskEnded, TaskStarted
from ingather.report import Report
from tenk.analysis import has_content, said
from tenk.service.state import OPEN, Card

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ingather import TaskResult
    from ingather.events import Event
    from tenk.findings import Finding
    from tenk.models import Section
    from tenk.outcome import ComponentReport, SectionName, SectionReport
    from tenk.service.state import AnalysisState


class Progress:
    """Subscribe it (``on_event=progress, on_finding=progress.found, on_section=progress.completed``).

    `state` is kept up to date. `publish`: told of each change, as a part of the state to be merged
    into it.
    """

    def __init__(self, state: AnalysisState, publish: Callable[[dict[str, object]], None]) -> None:
        self._state = state
        self._publish = publish
        self._report = Report()
        self._serial_before = state.ledger.serial_ms
        self._tags: dict[tuple[int, int], str] = {}
        # asked again, it goes on from there
        self._began = time.monotonic() - state.ledger.elapsed_ms / 1000

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        self._report(event)
        match event:
            case TaskStarted():
                self._tags[event.run, event.index] = event.tag
            case AttemptStarted():
                self._state.ledger.in_flight += event.attempt > 0
                self._started(self._tags.get((event.run, event.index), ""), event.queued)
            case AttemptEnded():
                self._state.ledger.in_flight -= event.attempt > 0
            case Remembered():
                self._state.ledger.remembered += 1
            case TaskEnded():
                tag = self._tags.pop((event.run, event.result.index), "")
                if isinstance(event.result.task, LLMTask | DeterministicTask):
                    self._ended(tag, event.result)
            case _:
                pass

    def found(self, finding: Finding) -> None:
        """A call has ended that filled a component."""
        card = self._state.sections[finding.section].cards[finding.component]
        card.status = "ok" if has_content(finding.value) else "empty"
        card.value = None if finding.value is None else finding.value.model_dump(mode="json")
        card.quotes, card.verified = finding.quotes
        card.reason = None
        self.tell(finding.section, [finding.component])

    def completed(self, name: SectionName, report: SectionReport, section: Section | None) -> None:
        """A section is complete: its cards as they will stay. What was found before it failed as a whole stays too."""
        shown = self._state.sections[name]
        shown.status, shown.reason = report.status, report.reason
        reports = {
            component: _because(each, report.reason)
            for component, each in report.components.items()
            if section is not None or shown.cards[component].status in OPEN
        }
        self.filled(name, reports, section)

    def filled(
        self, name: SectionName, reports: Mapping[str, ComponentReport], section: Section | None
    ) -> None:
        """What a section holds now, and how the components came about that were asked for."""
        for component, card in self._state.sections[name].cards.items():
            value = None if section is None else getattr(section, component)
            if value is not None:
                card.value = value.model_dump(mode="json")
                card.quotes, card.verified = _counts(card.value)
            if (report := reports.get(component)) is not None:
                card.status, card.origin, card.reason = report.status, report.origin, report.reason
                card.cached = report.origin == "cache"
                card.calls = max(card.calls, report.calls)
                card.ended_ms = self.now() if card.ended_ms is None else card.ended_ms
            elif section is not None and card.status in (
                "ok",
                "empty",
            ):  # code may have made more of it, or less
                card.status = "ok" if has_content(value) else "empty"
        self.tell(name)

    def tell(self, name: SectionName, components: list[str] | None = None) -> None:
        """Publish cards of a section, all of them unless some are named, and the ledger."""
        section = self._state.sections[name]
        cards = {
            each: section.cards[each].model_dump(mode="json")
            for each in components or section.cards
        }
        change: dict[str, object] = {"cards": cards}
        if components is None:
            change |= {"status": section.status, "reason": section.reason}
        self._publish({"sections": {name: change}, "ledger": self._ledger()})

    def _ledger(self) -> dict[str, object]:
        ledger = self._state.ledger
        cards = [
            card for section in self._state.sections.values() for card in section.cards.values()
        ]
        ledger.quotes = sum(card.quotes for card in cards)
        ledger.verified = sum(card.verified for card in cards)
        ledger.fallbacks = sum(
            card.origin in ("retry", "single") and card.status in ("ok", "empty") for card in cards
        )
        ledger.elapsed_ms = self.now()
        # None where calls beside each other may have been slower
        serial = self._report.summary().serial
        ledger.serial_ms = 0.0 if serial is None else self._serial_before + serial * 1000
        return ledger.model_dump(mode="json")

    def _started(self, tag: str, queued: float) -> None:
        for name, component, card in self._cards(tag):
            if card.status in OPEN:
                card.status = "running"
                if card.began_ms is None:
                    card.began_ms, card.queued_ms = self.now(), queued * 1000
                self.tell(name, [component])

    def _ended(self, tag: str, result: TaskResult) -> None:
        cards = list(self._cards(tag))
        if isinstance(result.task, LLMTask):
            self._pay(result)
        for name, component, card in cards:
            card.ended_ms = self.now()
            if card.began_ms is None:
                card.began_ms = card.ended_ms - result.duration_ms
            card.calls += result.attempts
            card.cached = result.cached
            card.origin = card.origin or (
                "code" if isinstance(result.task, DeterministicTask) else "part"
            )
            if result.usage is not None:
                card.input_tokens += result.usage.input_tokens
                card.output_tokens += result.usage.output_tokens
            if result.error is not None and not isinstance(result.error, Stopped):
                card.status, card.reason, card.origin = "again", said(result.error), "retry"
                self.tell(name, [component])

    def _pay(self, result: TaskResult) -> None:
        ledger = self._state.ledger
        ledger.calls += result.attempts
        ledger.rejected += result.rejected
        if result.usage is not None:
            ledger.input_tokens += result.usage.input_tokens
            ledger.cached_tokens += result.usage.cached_tokens
            ledger.output_tokens += result.usage.output_tokens
        if result.attempts > result.rejected:
            unknown = result.cost_usd is None or ledger.cost_usd is None
            ledger.cost_usd = (
                None if unknown else (ledger.cost_usd or 0.0) + (result.cost_usd or 0.0)
            )

    def _cards(self, tag: str) -> Iterator[tuple[SectionName, str, Card]]:
        """The cards that a call is for: ``"business.key_products+competition"``."""
        section, _, components = tag.partition(".")
        for name, shown in self._state.sections.items():
            if name == section:
                for component in components.split("+"):
                    if component in shown.cards:
                        yield name, component, shown.cards[component]

    def now(self) -> float:
        """Milliseconds since the calls began; of an analysis that is asked again, those of before included."""
        return (time.monotonic() - self._began) * 1000

    def __repr__(self) -> str:
        return f"Progress({self._state.id}, {self._state.status})"


def _because(report: ComponentReport, why: str | None) -> ComponentReport:
    """A component that failed only because its section was ended says why that was."""
    if why is None or not (report.reason or "").startswith(("Cancelled:", "NotSent:")):
        return report
    return report.model_copy(update={"reason": why})


def _counts(value: object) -> tuple[int, int]:
    """How many quotes a dumped component shows, and how many of them are verified."""
    if isinstance(value, dict):
        if "quote" in value and "verified" in value:
            return 1, int(value["verified"] is True)
        value = list(value.values())
    if isinstance(value, list):
        inner = [_counts(each) for each in value]
        return sum(shown for shown, _ in inner), sum(verified for _, verified in inner)
    return 0, 0
