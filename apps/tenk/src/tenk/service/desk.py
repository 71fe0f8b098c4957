"""The analyses of the service: taken in, run in turns, watched, cancelled, asked again, and taken up after a restart.

Each analysis has an executor of its own over a provider and a store that all share: the provider's
pool lets executors take turns, and what one has paid for another gets from the store.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from tenk.errors import TenkError
from tenk.service.feed import Feed
from tenk.service.reading import Reader
from tenk.service.state import Card, summary_of
from tenk.service.work import Live, Means, settle, work

if TYPE_CHECKING:
    from ingather import Store
    from tenk.outcome import SectionName
    from tenk.service.records import Kept, Records
    from tenk.service.settings import Settings
    from tenk.service.state import AnalysisState, Summary


class Busy(TenkError):
    """Too many analyses wait already."""


class Conflict(TenkError):
    """This cannot be done with an analysis as it stands."""


class Unknown(TenkError):
    """There is no such analysis."""


class Desk:
    """Where all analyses lie. `records`, `store`: the two sides of the service's file."""

    def __init__(self, settings: Settings, records: Records, store: Store) -> None:
        self._settings = settings
        self._records = records
        self._means = Means(settings, store, Reader(records, settings.tickers))
        self._live: dict[str, Live] = {}
        self._turns = asyncio.Semaphore(settings.caps.running)
        self._alike: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._watches: set[asyncio.Task[None]] = set()
        self._closing = False

    async def open(self) -> None:
        """Take up what was under way when the service ended."""
        for state, digest in await self._records.unfinished():
            self._begin(Live(state, digest))

    async def close(self) -> None:
        """Stop all that runs; it goes on when the service starts again."""
        self._closing = True
        self.hang_up()
        for live in self._live.values():
            if live.task is not None:
                live.task.cancel()
        await asyncio.gather(*self._watches)

    def hang_up(self) -> None:
        """End all streams of events; their readers are to come again."""
        for live in self._live.values():
            live.feed.close()

    async def submit(self, state: AnalysisState, content: bytes | None) -> AnalysisState:
        """Take in an analysis; gives its state, with its id. `content`: of the filing, None where it is to be fetched.

        Raises `Busy`.
        """
        caps = self._settings.caps
        if len(self._live) >= caps.running + caps.waiting:
            raise Busy(f"{len(self._live)} analyses are under way: try again when some have ended")
        state.id, state.created = secrets.token_hex(8), time.time()
        # before anything is awaited, so that the cap holds
        live = self._live[state.id] = Live(state)
        try:
            if content is None:
                await self._records.save(state, None)
            else:
                live.digest = await self._records.keep(state, content)
            await self._records.prune(caps.kept)
        except BaseException:
            del self._live[state.id]
            raise
        self._begin(live)
        return state

    async def state(self, analysis: str) -> AnalysisState:
        """How an analysis stands. Raises `Unknown`."""
        live = self._live.get(analysis)
        return live.state if live is not None else (await self._kept(analysis)).state

    async def recent(self) -> list[Summary]:
        """All analyses as they stand, the newest first."""
        kept = await self._records.recent(self._settings.caps.kept)
        return [
            summary_of(self._live[each.id].state) if each.id in self._live else each
            for each in kept
        ]

    async def feed(self, analysis: str) -> Feed:
        """The events of an analysis; of one that has ended, its state and the end. Raises `Unknown`."""
        live = self._live.get(analysis)
        if live is not None:
            return live.feed
        state = await self.state(analysis)
        feed = Feed(lambda: state.model_dump(mode="json"))
        feed.end()
        return feed

    async def cancel(self, analysis: str) -> AnalysisState | None:
        """End an analysis and all its calls at once; what it found stays. One that has ended is forgotten: None.

        Raises `Unknown`.
        """
        live = self._live.get(analysis)
        if live is None:
            await self._kept(analysis)
            await self._records.forget(analysis)
            return None
        live.stop("It was cancelled.")
        if live.watch is not None:
            await asyncio.wait([live.watch])
        return live.state

    async def retry(
        self, analysis: str, section: SectionName | None, component: str | None
    ) -> AnalysisState:
        """Ask again for one component that failed, or for all that did. Raises `Unknown`, `Conflict`."""
        live = self._live.get(analysis)
        if (
            live is not None
            and live.task is not None
            and live.task.done()
            and live.watch is not None
        ):
            await asyncio.wait([live.watch])  # it is over, and just being kept
        kept = await self._kept(analysis) if analysis not in self._live else None
        if kept is None or analysis in self._live:
            raise Conflict("the analysis is under way: wait for its end, or cancel it")
        state = kept.state
        again = [
            (shown, each)
            for name, shown in state.sections.items()
            for each, card in shown.cards.items()
            if card.status in ("failed", "cancelled")
            and section in (None, name)
            and component in (None, each)
        ]
        if state.sections and not again:
            raise Conflict("there is nothing to ask again: no such component has failed")
        for shown, each in again:
            shown.cards[each] = Card()
            shown.status, shown.reason = "waiting", None
        state.status, state.reason = "waiting", None
        self._begin(Live(state, kept.digest))
        await self._records.save(state, kept.digest)
        return state

    async def shown(self, analysis: str) -> bytes | None:
        """What is displayed of its filing: JSON in gzip; None as long as it has not been read. Raises `Unknown`."""
        await self.state(analysis)
        return await self._records.shown(analysis)

    async def _kept(self, analysis: str) -> Kept:
        kept = await self._records.load(analysis)
        if kept is None:
            raise Unknown(f"there is no analysis {analysis!r}")
        return kept

    def _begin(self, live: Live) -> None:
        self._live[live.state.id] = live
        live.task = asyncio.create_task(self._turn(live), name=f"analysis {live.state.id}")
        live.watch = asyncio.create_task(self._watched(live, live.task))
        self._watches.add(live.watch)
        live.watch.add_done_callback(self._watches.discard)

    async def _turn(self, live: Live) -> None:
        """Its work, when it may: those of one filing and model go one after another, so that one pays for all."""
        state = live.state
        alike = (live.digest or f"{state.kind} {state.name}", state.model)
        async with self._alike.setdefault(alike, asyncio.Lock()), self._turns:
            await work(live, self._means)

    async def _watched(self, live: Live, task: asyncio.Task[None]) -> None:
        """Wait for the end of an analysis, and keep what there is then: however it ended, it is told."""
        await asyncio.wait([task])
        if task.cancelled() and self._closing:
            return
        changed = settle(live, None if task.cancelled() else task.exception())
        await self._records.save(live.state, live.digest)
        live.feed.publish(changed)
        live.feed.end()
        del self._live[live.state.id]

    def __repr__(self) -> str:
        return f"Desk({len(self._live)} under way)"
