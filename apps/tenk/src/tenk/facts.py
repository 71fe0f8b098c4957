"""The numbers that a filing tags: inline-XBRL facts, read from its HTML as they stand there. No network, no taxonomy.

Filings of the 1990s have a small tagged schedule instead, `schedule.py`, which is read into the
same shape.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHORTEST_YEAR, _LONGEST_YEAR = 350, 380  # days: 52 or 53 weeks, and what a filer makes of them
_NEARLY = 3  # days by which a balance sheet's date may differ from the end of its year
_DRIFT = 15  # days by which the ends of two fiscal years may be off a whole number of years
_LEAP = 365.25


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to `end`, both included; an instant, as a balance sheet has it, where `start` is None."""

    start: date | None
    end: date

    @property
    def days(self) -> int:
        """Its length; 0 for an instant."""
        return 0 if self.start is None else (self.end - self.start).days + 1

    @property
    def is_year(self) -> bool:
        """Whether it is as long as a fiscal year."""
        return _SHORTEST_YEAR <= self.days <= _LONGEST_YEAR


@dataclass(frozen=True, slots=True)
class Fact:
    """One tagged number.

    `concept`: with its taxonomy's usual prefix (``"us-gaap:Assets"``). `value`: multiplied out.
    `unit`: ``"USD"``, ``"shares"``, ``"USD/shares"``, ``"pure"``. `scale`: the power of ten that
    its printed form counts in (6 for millions). `decimals`: to how many places it is exact, None
    for wholly. `dimensions`: of what part of the company it speaks; empty for the whole. `label`:
    of its table row, as printed. `table`: which table it stands in, -1 for none.
    """

    concept: str
    value: float
    unit: str
    period: Period
    scale: int = 0
    decimals: int | None = None
    dimensions: tuple[str, ...] = ()
    label: str = ""
    table: int = -1

    @property
    def exactness(self) -> float:
        """To how many decimal places the value holds; infinite for one that is not rounded."""
        return inf if self.decimals is None else self.decimals


@dataclass(frozen=True)
class Facts:
    """The facts of one filing. Empty, and false, where it tags none.

    `source`: what they are. `about`: what the filing says of itself, by the names of the `dei`
    taxonomy (``"EntityRegistrantName"``). `document`: the period that it covers, where it says so.

    >>> year = Period(date(2023, 1, 1), date(2023, 12, 31))
    >>> facts = Facts((Fact("us-gaap:Revenues", 5e6, "USD", year, scale=6),))
    >>> facts.find(["us-gaap:SalesRevenueNet", "us-gaap:Revenues"], year).value
    5000000.0
    >>> facts.fiscal_years
    {2023: Period(start=datetime.date(2023, 1, 1), end=datetime.date(2023, 12, 31))}
    """

    facts: tuple[Fact, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)
    document: Period | None = None
    source: str = "xbrl"

    def __bool__(self) -> bool:
        return bool(self.facts)

    def __len__(self) -> int:
        return len(self.facts)

    @cached_property
    def _whole(self) -> dict[tuple[str, Period], list[Fact]]:
        """The facts that speak of the whole company."""
        found = dict[tuple[str, Period], list[Fact]]()
        for fact in self.facts:
            if not fact.dimensions:
                found.setdefault((fact.concept, fact.period), []).append(fact)
        return found

    def all(self, concept: str, period: Period) -> list[Fact]:
        """The facts that the whole company has for one concept and period: often several, of several places."""
        return self._whole.get((concept, period), [])

    def find(self, concepts: Iterable[str], period: Period) -> Fact | None:
        """The fact of the first of `concepts` that the whole company has for `period`, None where it has none.

        Of several the most exact one, and of these the first: a text rounds what a statement gives
        exactly.
        """
        for concept in concepts:
            if found := self.all(concept, period):
                return max(found, key=lambda fact: fact.exactness)
        return None

    def instant(self, day: date) -> Period:
        """The instant nearest to `day` that the facts know, at most three days from it; else `day` itself."""
        offs = sorted(range(-_NEARLY, _NEARLY + 1), key=lambda off: (abs(off), -off))
        near = (Period(None, day + timedelta(days=off)) for off in offs)
        return next((period for period in near if period in self._instants), Period(None, day))

    @cached_property
    def _instants(self) -> set[Period]:
        return {period for _, period in self._whole if period.start is None}

    @cached_property
    def fiscal_years(self) -> dict[int, Period]:
        """The fiscal years that the filing has facts for, newest first, none after the one that it is about."""
        counts = Counter(
            fact.period for fact in self.facts if not fact.dimensions and fact.period.is_year
        )
        # a first year may be a short one
        if self.document is not None and self.document.start is not None:
            counts[self.document] += 1
        latest = self._latest(counts)
        if latest is None:
            return {}
        label, years = self._label(latest), dict[int, Period]()
        # of those that end about one day, the one that most facts are about
        for period, _ in counts.most_common():
            ago = (latest.end - period.end).days
            back = round(ago / _LEAP)
            if (
                ago >= 0 and abs(ago - back * _LEAP) <= _DRIFT
            ):  # others are the years of a pension plan, or a tax office
                years.setdefault(label - back, period)
        return dict(sorted(({**years, label: latest}).items(), reverse=True))

    def _latest(self, counts: Counter[Period]) -> Period | None:
        if self.document in counts:
            return self.document
        often = [period for period, count in counts.items() if 2 * count >= max(counts.values())]
        return max(often, key=lambda period: period.end, default=None)

    def _label(self, year: Period) -> int:
        """What the filer calls the year: as it says, where that can be; else the year in which it ends."""
        # 52 or 53 weeks that end early in January are the old year's
        ends = (year.end - timedelta(days=7)).year
        said = self.about.get("DocumentFiscalYearFocus", "").strip()
        if re.fullmatch(r"\d{4}", said) and int(said) in {
            year.end.year,
            ends,
            year.end.year - (year.end.month < 12),
        }:
            return int(said)
        return ends

    def __repr__(self) -> str:
        return f"Facts({len(self.facts)} from {self.source}, {self.about.get('EntityRegistrantName', 'no name')!r})"
