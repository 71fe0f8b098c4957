"""``ingather run --dry-run``: what a run would take, without asking anybody or writing anything."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ingather.admission.saved import recall
from ingather.cli.plan import make_recipe
from ingather.cli.spending import Appraiser
from ingather.errors import SetupError
from ingather.jobs import Source, check
from ingather.limits.tokens import BYTES_PER_TOKEN
from ingather.providers.capabilities import capabilities_of
from ingather.response import Usage
from ingather.stats import counted
from ingather.store import Store
from ingather.store.key import Key
from ingather.store.nearest import Nearest

if TYPE_CHECKING:
    import sqlite3

    from ingather.cli.again import Again
    from ingather.cli.plan import Ask, Target
    from ingather.cli.spending import Spending
    from ingather.engine.prepared import PreparedRequest
    from ingather.hedge import Hedge
    from ingather.money.budget import Budget
    from ingather.providers.base import Provider, QuotaKey
    from ingather.task import LLMTask

_HEDGES = "hedges  not in these figures: --hedge asks a second time where an answer is slow, and both are paid for"
_BEFORE = """
SELECT count(*), avg(output_tokens), avg(ended - sent) FROM (
    SELECT output_tokens, attempts.ended, sent FROM attempts JOIN runs ON runs.id = attempts.run
    WHERE outcome = 'answered' AND output_tokens IS NOT NULL AND what LIKE ? ESCAPE '!'
    ORDER BY attempts.ended DESC LIMIT 1000
)"""


class Before(NamedTuple):
    """What a store tells of answers of the same provider: how many, their mean tokens, and seconds."""

    answers: int = 0
    output: float | None = None
    latency: float | None = None


@dataclass(slots=True)
class Sums:
    """Over all calls that would be sent. `unlimited`: those without a limit on their output; `unpriced`: likewise."""

    tasks: int = 0
    stored: int = 0
    calls: int = 0
    size: int = 0
    output: int = 0
    unlimited: int = 0
    unpriced: int = 0
    input_usd: float = 0.0
    expected_usd: float = 0.0
    most_usd: float = 0.0
    quotas: set[QuotaKey] = field(default_factory=set)

    @property
    def input(self) -> float:
        """Tokens in, a guess."""
        return self.size / BYTES_PER_TOKEN


def estimate(
    tasks: str,
    ask: Ask,
    target: Target,
    again: Again,
    spending: Spending,
    max_concurrency: int | None,
    hedge: Hedge | None = None,
) -> str:
    """What the run would take, as text. Raises SetupError as the run itself would before its first call."""
    source = Source(tasks, ask.format)
    if not source.rereadable:
        raise SetupError(f"--dry-run reads a file of tasks to its end; {source.name} is none")
    budget = spending.budget()
    try:
        recipe, provider, _ = make_recipe(source, ask, target)
    except SetupError:  # perhaps only the key is not there, and nothing is sent
        recipe, provider, _ = make_recipe(source, ask, replace(target, api_key_env=""))
    store = (
        Store(again.store, read_only=True)
        if again.store is not None and Path(again.store).exists()
        else None
    )
    try:
        before = (
            Before()
            if store is None
            else store.ask(lambda connection: _before(connection, provider))
        )
        sums = Sums()
        adding = _Adding(sums, provider, Appraiser(provider, recipe, budget), before)
        if store is not None and not again.refresh:
            adding.stored = Nearest(store)
        sums.tasks = check(source, recipe, adding).tasks
    finally:
        if store is not None:
            store.close()
    return "\n  ".join(
        [
            f"{source.name}: nothing was sent, nothing written",
            _calls(sums, again.store),
            *_tokens(sums, before, again.store),
            _money(sums, before, budget),
            _time(sums, before, target, max_concurrency, again.store),
            *([] if hedge is None else [_HEDGES]),
        ]
    )


class _Adding:
    """Adds up what each task would take; `stored`: where those are looked up that need not be sent."""

    stored: Nearest | None = None

    def __init__(
        self, sums: Sums, provider: Provider, appraiser: Appraiser, before: Before
    ) -> None:
        self._sums = sums
        self._provider = provider
        self._appraiser = appraiser
        self._before = before
        self._seen: set[bytes] = set()

    def __call__(self, task: LLMTask) -> None:
        prepared = self._appraiser.prepared(task)
        if self._is_stored(prepared, task):
            self._sums.stored += 1
            return
        sums = self._sums
        request, price = prepared.request, prepared.price
        size = (
            len(request.asked)
            if request is not None
            else int(prepared.estimate.input * BYTES_PER_TOKEN)
        )
        choices = 1 if request is None else request.choices
        limit = prepared.estimate.max_output or capabilities_of(self._provider).max_output
        limit = limit and limit * choices
        sums.calls += 1
        sums.size += size
        sums.output += limit or 0
        sums.unlimited += limit is None
        sums.unpriced += price is None
        if request is not None:
            sums.quotas.add(request.quota)
        if price is not None:
            sent = round(size / BYTES_PER_TOKEN)
            usual = (self._before.output or 0.0) * choices
            likely = min(usual, limit or usual)
            sums.input_usd += price.of(Usage(sent, 0))
            sums.expected_usd += price.of(Usage(sent, round(likely)))
            sums.most_usd += (
                prepared.worst.usd
                if prepared.worst is not None
                else price.at_most(size, limit or 0)
            )

    def _is_stored(self, prepared: PreparedRequest, task: LLMTask) -> bool:
        request = prepared.request
        if request is None or self.stored is None:
            return False
        key = Key(request, task.sample)
        if key.hash in self._seen or self.stored.has(key):
            return True
        self._seen.add(key.hash)  # what is asked twice is sent once
        return False


def _before(connection: sqlite3.Connection, provider: Provider) -> Before:
    target = repr(provider).split(", key")[0].rstrip(")")
    escaped = target.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return Before(*connection.execute(_BEFORE, (f"{escaped}%",)).fetchone())


def _calls(sums: Sums, store: str | None) -> str:
    stored = "1 is" if sums.stored == 1 else f"{sums.stored:,} are"
    there = (
        "" if store is None else f"; {stored} answered in {store} already, or by another of them"
    )
    return f"calls   {sums.calls:,}, for {counted(sums.tasks, 'task')}{there}"


def _tokens(sums: Sums, before: Before, store: str | None) -> tuple[str, str]:
    sent = f"in      about {counted(round(sums.input), 'token')} (4 bytes of a request each), at most {sums.size:,}"
    if sums.unlimited:
        most = f"no limit for {counted(sums.unlimited, 'call')} (--param max_tokens=N sets one)"
    else:
        most = f"at most {counted(sums.output, 'token')}"
    if before.output is None:
        unknown = "how many to expect is unknown, as long as a --store holds no such answers"
        return sent, f"out     {most}; {unknown}"
    likely = (
        before.output * sums.calls
        if sums.unlimited
        else min(before.output * sums.calls, sums.output)
    )
    known = f"as {counted(before.answers, 'answer')} in {store}"
    return sent, f"out     about {counted(round(likely), 'token')} ({known}); {most}"


def _money(sums: Sums, before: Before, budget: Budget | None) -> str:
    if not sums.calls:
        return "money   none"
    if sums.unpriced:
        which = (
            ""
            if sums.unpriced == sums.calls
            else f" for {sums.unpriced:,} of {counted(sums.calls, 'call')}"
        )
        return f"money   unknown{which}: no price; give --price IN:OUT, USD for a million tokens"
    most = (
        "with no limit" if sums.unlimited and sums.most_usd else f"at most {sums.most_usd:,.4f} USD"
    )
    if before.output is None:
        said = f"about {sums.input_usd:,.4f} USD for what goes in; with answers {most}"
    else:
        said = f"about {sums.expected_usd:,.4f} USD, {most}"
    cap = None if budget is None else budget.max_cost_usd
    if cap is not None and sums.most_usd > cap:
        said += f"; --max-cost {cap:g} may end it before"
    return f"money   {said}"


def _time(
    sums: Sums, before: Before, target: Target, max_concurrency: int | None, store: str | None
) -> str:
    """The slowest of what is known to hold it up."""
    if not sums.calls:
        return "time    none"
    learnt = [each for each in map(recall, sums.quotas) if each is not None]
    out = (
        sums.output
        if before.output is None
        else min(before.output * sums.calls, sums.output or float("inf"))
    )
    tokens = sums.input + out
    found: list[tuple[float, str]] = []
    if target.rpm is not None:
        found.append((sums.calls / target.rpm * 60, f"--rpm {target.rpm:,g}"))
    if target.tpm is not None:
        found.append((tokens / target.tpm * 60, f"--tpm {target.tpm:,g}"))
    if len(learnt) == 1:
        known = learnt[0]
        for amount, rates in (
            (sums.calls, (known.requests, known.announced_requests)),
            (tokens, (known.tokens, known.announced_tokens)),
        ):
            paces = [
                rate[0] if isinstance(rate, tuple) else rate for rate in rates if rate is not None
            ]
            found += [(amount / pace, f"limits learnt within a day: {known}") for pace in paces]
    at_once = max_concurrency or next((each.cap or each.flying for each in learnt), None)
    if before.latency is not None and at_once:
        why = f"{before.latency:.2g} s a call, as in {store}, {at_once:,.0f} at once"
        found.append((sums.calls * before.latency / min(at_once, sums.calls), why))
    if not found:
        return (
            "time    unknown: no --rpm or --tpm, and nothing was learnt of this quota within a day"
        )
    seconds, why = max(found)
    return f"time    about {_spoken(seconds)} ({why})"


def _spoken(seconds: float) -> str:
    """Seconds in words.

    >>> _spoken(0.4), _spoken(75), _spoken(7300)
    ('1 s', '75 s', '2 h 2 min')
    """
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60:,} h {minutes % 60} min"
