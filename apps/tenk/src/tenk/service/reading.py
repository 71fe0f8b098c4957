"""Filings read for the service: from an upload, a sample or a ticker, few at a time, in threads."""

from __future__ import annotations

import asyncio
import gzip
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

import orjson

from tenk.analysis import ANALYZERS, reading
from tenk.samples import sample
from tenk.service.display import blocks
from tenk.service.state import AnalysisState, Card, ItemState, SectionState
from tenk.source import checked_ticker
from tenk.submission import Submission, open_submission

if TYPE_CHECKING:
    from tenk.filing import Filing
    from tenk.service.records import Records
    from tenk.source import FilingSource

_AT_ONCE = 1  # filing read at a time: it is work for the processor, which the loop shares
_REMEMBERED = 4  # filings kept in memory, for components that are asked again


class Read(NamedTuple):
    """A filing, and under which digest it is kept."""

    submission: Submission
    digest: str


class Reader:
    """Reads what an analysis is of, and keeps what is displayed of it.

    `tickers`: where filings come from that are named by a ticker, the SEC's EDGAR unless given.
    """

    def __init__(self, records: Records, tickers: FilingSource | None = None) -> None:
        self._records = records
        self._tickers = tickers
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._remembered: OrderedDict[str, Submission] = OrderedDict()

    async def read(self, state: AnalysisState, digest: str | None) -> Read:
        """The filing of an analysis. Raises an error of `tenk.errors` that says what it is instead."""
        if digest is None:
            content = await asyncio.to_thread(self._fetched, state.kind, state.name)
            digest = await self._records.keep(state, content)
        async with self._turns:
            if digest in self._remembered:
                submission = self._remembered[digest]
            else:
                content = await self._records.filing(digest)
                submission, shown = await asyncio.to_thread(_opened, content, state.name)
                await self._records.show(digest, shown)
            self._remembered[digest] = submission
            self._remembered.move_to_end(digest)
            while len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        return Read(submission, digest)

    def _fetched(self, kind: str, name: str) -> bytes:
        if kind == "sample":
            return sample(name).read()
        if self._tickers is not None:
            return self._tickers.fetch(checked_ticker(name)).content
        from tenk.edgar import EdgarSource

        return EdgarSource().fetch(checked_ticker(name)).content

    def __repr__(self) -> str:
        return f"Reader({len(self._remembered)} filings in memory)"


def fill(state: AnalysisState, submission: Submission) -> None:
    """Put into `state` what the filing says of itself, and a card for each component that will be asked for."""
    filing = submission.filing
    state.form, state.company, state.period_end = (
        filing.form,
        submission.company,
        submission.period_end,
    )
    state.length = len(filing.text)
    state.items = _items(filing)
    state.sections = {}
    for name in state.wanted:
        analyzer = ANALYZERS[name]
        report = reading(filing.item(analyzer.item), analyzer.item)
        card = Card(
            status="skipped" if report.status == "skipped" else "waiting", reason=report.reason
        )
        state.sections[name] = SectionState(
            item=report.item,
            item_status=report.item_status,
            status="skipped" if report.status == "skipped" else "waiting",
            reason=report.reason,
            place=report.place,
            words=report.words,
            start=report.start,
            end=report.end,
            cards={component: card.model_copy() for component in analyzer.model.model_fields},
        )


def _items(filing: Filing) -> list[ItemState]:
    return [
        ItemState(
            item=item.item,
            title=item.title,
            status=item.status,
            start=item.start,
            end=item.end,
            words=len((item.target or item).text.split()),
            target_start=None if item.target is None else item.target.start,
            target_end=None if item.target is None else item.target.end,
        )
        for item in filing.items
    ]


def _opened(content: bytes, name: str) -> tuple[Submission, bytes]:
    """The filing, and what is displayed of it: JSON in gzip."""
    submission = open_submission(content)
    shown = {
        "length": len(submission.filing.text),
        "blocks": [[*block] for block in blocks(submission.filing)],
    }
    return Submission(name, submission.filing, submission.facts), gzip.compress(
        orjson.dumps(shown), 5
    )
