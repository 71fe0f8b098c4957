"""What one sees of an analysis while it goes on: the words of the API. Data only."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from tenk.filing import Status as ItemStatus
from tenk.models import ItemName
from tenk.outcome import SECTIONS, SectionName

AnalysisStatus = Literal["waiting", "reading", "running", "done", "partial", "failed", "cancelled"]
CardStatus = Literal["waiting", "running", "again", "ok", "empty", "failed", "skipped", "cancelled"]

UNDER_WAY = frozenset({"waiting", "reading", "running"})
OPEN = frozenset({"waiting", "running", "again"})  # cards that nothing has come of yet


class View(BaseModel):
    """The base of what is shown: closed, so that a slip is an error."""

    model_config = ConfigDict(extra="forbid")


class Card(View):
    """One component.

    `status`: ``"again"`` after a call that failed, while another is made; ``"empty"`` where the
    text says nothing of it. `origin`: ``"part"`` a call of its own, ``"retry"`` asked again,
    ``"single"`` by the one prompt for what was missing, ``"code"``, ``"cache"``. `began_ms`,
    `ended_ms`: since the analysis began its calls; `queued_ms` it waited before. `value`: the
    component as the analysis holds it, its quotes looked up.
    """

    status: CardStatus = "waiting"
    origin: str = ""
    cached: bool = False
    reason: str | None = None
    began_ms: float | None = None
    ended_ms: float | None = None
    queued_ms: float = 0.0
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    quotes: int = 0
    verified: int = 0
    value: dict[str, JsonValue] | None = None


class SectionState(View):
    """One section: the Item that it is of, where its text stands (in characters of the source), its cards by name."""

    item: ItemName
    item_status: ItemStatus
    status: Literal["waiting", "ok", "partial", "failed", "skipped", "cancelled"] = "waiting"
    reason: str | None = None
    place: str = ""
    words: int = 0
    start: int = 0
    end: int = 0
    cards: dict[str, Card] = {}


class ItemState(View):
    """One item of the filing, for the strip: where it stands in the source, in characters, and where it points."""

    item: str
    title: str
    status: ItemStatus
    start: int
    end: int
    words: int
    target_start: int | None = None
    target_end: int | None = None


class Ledger(View):
    """What it took. `remembered`: answers from the store; `fallbacks`: components that a second or third call filled.

    `cost_usd`: None where a price is not known. `serial_ms`: the calls' milliseconds one after
    another, 0 unknown.
    """

    calls: int = 0
    rejected: int = 0
    in_flight: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0
    remembered: int = 0
    fallbacks: int = 0
    quotes: int = 0
    verified: int = 0
    serial_ms: float = 0.0
    elapsed_ms: float = 0.0


class AnalysisState(View):
    """An analysis. `status`: ``"partial"`` where some components failed. `created`: seconds since 1970.

    `name`: of the file, the sample or the ticker. `length`: of the source, in characters; 0 until
    it is read.
    """

    id: str
    status: AnalysisStatus = "waiting"
    reason: str | None = None
    name: str
    kind: Literal["file", "sample", "ticker"]
    model: str
    created: float
    wanted: list[SectionName] = list(SECTIONS)
    form: str | None = None
    company: str | None = None
    period_end: str | None = None
    length: int = 0
    items: list[ItemState] = []
    sections: dict[SectionName, SectionState] = {}
    ledger: Ledger = Ledger()


class Summary(View):
    """An analysis in the list. `done`: components that are there, of `components` in all."""

    id: str
    status: AnalysisStatus
    reason: str | None
    name: str
    company: str | None
    period_end: str | None
    model: str
    created: float
    done: int
    components: int
    quotes: int
    verified: int
    elapsed_ms: float


def summary_of(state: AnalysisState) -> Summary:
    """What the list says of an analysis."""
    cards = [card for section in state.sections.values() for card in section.cards.values()]
    due = [card for card in cards if card.status != "skipped"]
    return Summary(
        **{
            name: getattr(state, name)
            for name in ("id", "status", "reason", "name", "company", "period_end")
        },
        model=state.model,
        created=state.created,
        done=sum(card.status in ("ok", "empty") for card in due),
        components=len(due),
        quotes=state.ledger.quotes,
        verified=state.ledger.verified,
        elapsed_ms=state.ledger.elapsed_ms,
    )
