"""What a call found, the moment it ends: one component, its quotes looked up, long before its section is complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ValidationError

from ingather import DeterministicTask
from ingather.events import Listener, TaskEnded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ingather import TaskResult
    from ingather.events import Event
    from tenk.analyzers import BaseAnalyzer
    from tenk.evidence import Counts, QuoteIndex
    from tenk.models import Part
    from tenk.outcome import SectionName

    Analyzers = Mapping[SectionName, BaseAnalyzer[Any]]  # each of its own kind of section


class Finding(NamedTuple):
    """A component as its call found it: `value` None where the text says nothing of it; how many quotes it shows."""

    section: SectionName
    component: str
    value: Part | None
    quotes: Counts


class Findings:
    """Subscribe it to a run (``on_event=Findings(…)``): `on_finding` is called as each call ends that found something.

    `analyzers`: those whose sections are filled. `index`: where quotes are looked up. `then`: a
    subscriber that hears of each event before. What is told is a copy, and not the last word: the
    section, once complete, may say otherwise of a component that a later call mended, and code adds
    what needs several components.
    """

    def __init__(
        self,
        analyzers: Analyzers,
        index: QuoteIndex,
        on_finding: Callable[[Finding], None],
        then: Callable[[Event], None] | None = None,
    ) -> None:
        self._analyzers = analyzers
        self._index = index
        self._on_finding = Listener("on_finding", on_finding)
        self._then = None if then is None else Listener("on_event", then)

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        if self._then is not None:
            self._then(event)
        if isinstance(event, TaskEnded) and event.result.success:
            found = self._found(event.result)
            if found is not None:
                self._on_finding(found)

    def _found(self, result: TaskResult) -> Finding | None:
        """What a call for one component found; None for other tasks, and for a call that asked for several."""
        section, _, component = result.tag.partition(".")
        for name, analyzer in self._analyzers.items():
            if name == section and component in analyzer.model.model_fields:
                break
        else:
            return None
        value = result.value.model_copy(deep=True) if isinstance(result.value, BaseModel) else None
        try:
            alone = analyzer.model(**{component: value})
        except (
            ValidationError
        ):  # an answer of another form, that of the one prompt: its section will tell
            return None
        by_code = {component} if isinstance(result.task, DeterministicTask) else set[str]()
        proven, quotes = analyzer.proven(alone, by_code, self._index)
        return Finding(name, component, getattr(proven, component), quotes)

    def __repr__(self) -> str:
        return f"Findings({', '.join(self._analyzers)})"
