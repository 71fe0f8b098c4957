"""The three financial statements: from a filing's facts where it is tagged, else checked against the text's own lines.

The numbers are as printed: in the statement's scale, what is paid out negative, newest year first.
A statement holds the lines that it prints: a fact that stands elsewhere in the filing, in a note,
is no line of it.
"""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tenk import printed
from tenk.concepts import BALANCE, CASH_FLOW, INCOME
from tenk.models.statement import (
    MAX_YEARS,
    PER_SHARE,
    BalanceSheet,
    CashFlowStatement,
    IncomeStatement,
    Statement,
    StatementLine,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tenk.facts import Fact, Facts, Period
    from tenk.models.shared import Scale

L = TypeVar("L", bound=StatementLine)

_SCALES: dict[int, Scale] = {0: "units", 3: "thousands", 6: "millions", 9: "billions"}
_MONEY = re.compile(r"[A-Z]{3}")
_NUMBER = re.compile(
    r"(?P<minus>\(\s*\$?\s*|(?<![\w)])[-−]\$?)?(?<![\w.,])"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?![\w,.]?\d)"
    r"|(?<!\S)(?P<nil>[—–-]{1,3})(?!\S)"
)
_FEW_LETTERS = 12  # of a reference to a note, say, between a label and its numbers


class _Row(NamedTuple):
    """One concept's facts by fiscal year. `sign`: -1 where the taxonomy counts as paid what we print as negative."""

    concept: str
    sign: int
    facts: dict[int, list[Fact]]


def income_statement(facts: Facts) -> IncomeStatement | None:
    """The income statement that a filing's facts make; None where they make none."""
    made = _printed(facts, INCOME, _years(facts))
    return None if made is None else IncomeStatement.model_validate(made)


def balance_sheet(facts: Facts) -> BalanceSheet | None:
    """The balance sheet that a filing's facts make; None where they make none."""
    made = _printed(
        facts, BALANCE, {year: facts.instant(period.end) for year, period in _years(facts).items()}
    )
    return None if made is None else BalanceSheet.model_validate(made)


def cash_flow(facts: Facts) -> CashFlowStatement | None:
    """The statement of cash flows that a filing's facts make; None where they make none."""
    made = _printed(facts, CASH_FLOW, _years(facts))
    return None if made is None else CashFlowStatement.model_validate(made)


def known(facts: Facts | None, text: str) -> dict[str, Statement]:
    """The statements that code knows, by the names of their components, so that no model need copy them.

    They are made of tagged facts; else read from `text`, each line with its row as proof; else of
    the one year that a data schedule has.
    """
    found = dict[str, Statement]()
    for name, of_facts, of_text in (
        ("income_statement", income_statement, printed.income_statement),
        ("balance_sheet", balance_sheet, printed.balance_sheet),
        ("cash_flow", cash_flow, printed.cash_flow),
    ):
        made = of_facts(facts) if facts else None
        if made is None or (facts and facts.source != "xbrl"):
            made = of_text(text) or made
        if made is not None:
            found[name] = made
    return found


def _years(facts: Facts) -> dict[int, Period]:
    return dict(list(facts.fiscal_years.items())[:MAX_YEARS])


def _printed(
    facts: Facts, concepts: Mapping[str, str], periods: Mapping[int, Period]
) -> dict[str, object] | None:
    """One statement as the fields of its model; None where fewer than two of its concepts stand in one table."""
    rows = [
        row
        for concept, names in concepts.items()
        if (row := _row(facts, concept, names, periods)) is not None
    ]
    places = Counter(table for row in rows for table in {fact.table for fact in _newest(row)})
    if not places:
        return None
    table = max(places, key=lambda place: (places[place], -place))
    rows = [row for row in rows if any(_beside(fact, table) for fact in _newest(row))]
    years = Counter(year for row in rows for year in row.facts)
    # not one that a note mentions
    full = {year for year, count in years.items() if 2 * count >= max(years.values())}
    money = [
        fact
        for row in rows
        if row.concept not in PER_SHARE
        for fact in _newest(row)
        if _beside(fact, table)
    ]
    if len(rows) < 2 or not money:
        return None
    scale = Counter(fact.scale if fact.scale in _SCALES else 0 for fact in money).most_common(1)[0][
        0
    ]
    return {
        "scale": _SCALES[scale],
        "currency": Counter(fact.unit for fact in money).most_common(1)[0][0],
        "lines": {"items": [_line(row, table, scale, full, facts.source) for row in rows]},
    }


def _row(facts: Facts, concept: str, names: str, periods: Mapping[int, Period]) -> _Row | None:
    """The facts of the first name that the newest year has, for all years: other names could not be compared."""
    tagged = [(-1 if name[0] == "-" else 1, _full(name.lstrip("-"))) for name in names.split()]
    for period in periods.values():
        for sign, name in tagged:
            if _fitting(facts, concept, name, period):
                found = {
                    year: _fitting(facts, concept, name, each) for year, each in periods.items()
                }
                return _Row(concept, sign, {year: each for year, each in found.items() if each})
    return None


def _full(name: str) -> str:
    return name if ":" in name else f"us-gaap:{name}"


def _fitting(facts: Facts, concept: str, name: str, period: Period) -> list[Fact]:
    """The facts whose unit can be that of the concept."""
    per_share = concept in PER_SHARE
    return [
        fact
        for fact in facts.all(name, period)
        if (fact.unit.endswith("/shares") if per_share else _MONEY.fullmatch(fact.unit))
    ]


def _newest(row: _Row) -> list[Fact]:
    return row.facts[max(row.facts)]


def _beside(fact: Fact, table: int) -> bool:
    """Whether a fact stands in a table or in one next to it: a statement may be set as two."""
    return abs(fact.table - table) <= 1


def _line(row: _Row, table: int, scale: int, years: set[int], source: str) -> dict[str, object]:
    per_share = row.concept in PER_SHARE
    here = sorted(
        _newest(row),
        key=lambda fact: (fact.table != table, not _beside(fact, table), not fact.label),
    )
    values = list[dict[str, object]]()
    for year in sorted(years & row.facts.keys(), reverse=True):
        fact = max(row.facts[year], key=lambda fact: (fact.table == table, fact.exactness))
        value = Decimal(repr(fact.value)) * row.sign
        values.append(
            {
                "fiscal_year": year,
                "value": float(value if per_share else value.scaleb(-scale)) + 0.0,  # never -0.0
                "source": source,
                "period_end": fact.period.end,
            }
        )
    return {
        "concept": row.concept,
        "label": here[0].label or row.concept.replace("_", " ").capitalize(),
        "values": {"items": values},
    }


def reparse(lines: list[L], *, by_code: bool = False) -> list[L]:
    """The lines whose label and numbers stand in their own verified quote, with the signs that are printed there.

    `by_code`: whether code made the lines. Those that it made of facts need no quote; what a model
    says of where its numbers come from is not believed.
    """
    return [line for line in lines if (by_code and _is_tagged(line)) or _agrees(line)]


def _is_tagged(line: StatementLine) -> bool:
    return all(value.source != "text" for value in line.values.items)


def _agrees(line: StatementLine) -> bool:
    if line.evidence is None or not line.evidence.verified or not line.values.items:
        return False
    printed = list(numbers(_behind(line.label, line.evidence.quote)))
    for value in line.values.items:
        same = next((number for number in printed if abs(number) == abs(value.value)), None)
        if same is None:
            return False
        printed.remove(same)
        value.value, value.source, value.period_end = same, "text", None
    years = [value.fiscal_year for value in line.values.items]
    return len(set(years)) == len(years)


def _behind(label: str, quote: str) -> str:
    """What a row has behind its label, if that is hardly more than numbers; empty for a sentence or another row."""
    _, found, cells = quote.lower().rpartition(label.lower())
    return cells if found and sum(map(str.isalpha, cells)) <= _FEW_LETTERS else ""


def numbers(text: str) -> Iterator[float]:
    """The numbers of a printed line: those in parentheses or behind a minus negative, a dash that stands alone 0.

    >>> list(numbers("Purchases of equipment  (1,069)  $ 976  —"))
    [-1069.0, 976.0, 0.0]
    """
    for match in _NUMBER.finditer(text):
        value = 0.0 if match["nil"] else float(match["digits"].replace(",", ""))
        yield -value if match["minus"] else value
