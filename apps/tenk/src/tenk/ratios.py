"""Ratios and changes: arithmetic, done by code, each result with its formula and what went in.

A ratio is left out where an input is missing, and where its denominator is zero or negative, which
makes it meaningless: a return on negative equity, growth from a loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import BaseModel

from tenk.models.financials import Ratio, RatioList, Trend
from tenk.models.mda import Metric, SegmentResult
from tenk.models.shared import FACTORS, StringList

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tenk.models.shared import Money, Quantity, Scale
    from tenk.models.statement import Statement

_MOST = 60  # ratios
_LARGEST = 100_000  # percent: what grew a thousandfold began as next to nothing
_PERCENT_WORDS = ("%", "percent", "pct", "basis point", "bps")


class _Formula(NamedTuple):
    """One sum of terms, over another if it is a ratio. ``-x`` is subtracted, ``|x|`` its size, ``x@prior`` last year's.

    `absent`: a line beside which the formula would mean something else.
    """

    name: str
    unit: Literal["percent", "times", "money"]
    top: str
    under: str = ""
    absent: str = ""

    @property
    def written(self) -> str:
        top, under = (" ".join(_spelled(side)) for side in (self.top, self.under))
        if not under:
            return top
        return " / ".join(f"({side})" if " " in side else side for side in (top, under))


def _spelled(terms: str) -> Iterator[str]:
    for index, term in enumerate(terms.split()):
        if index:
            yield "-" if term[0] == "-" else "+"
        name, _, prior = term.lstrip("-").partition("@")
        yield f"prior_{name}" if prior else name


_FORMULAS = (  # of those with one name, the first whose inputs are there
    _Formula("gross_margin", "percent", "gross_profit", "revenue"),
    _Formula(
        "gross_margin", "percent", "revenue -|cost_of_revenue|", "revenue", absent="policy_benefits"
    ),
    _Formula("operating_margin", "percent", "operating_income", "revenue"),
    _Formula("net_margin", "percent", "net_income", "revenue"),
    _Formula("revenue_growth", "percent", "revenue -revenue@prior", "revenue@prior"),
    _Formula("net_income_growth", "percent", "net_income -net_income@prior", "net_income@prior"),
    _Formula("eps_growth", "percent", "eps_diluted -eps_diluted@prior", "eps_diluted@prior"),
    _Formula("research_share", "percent", "|research_and_development|", "revenue"),
    _Formula("effective_tax_rate", "percent", "income_tax", "pretax_income"),
    _Formula("interest_coverage", "times", "operating_income", "|interest_expense|"),
    _Formula(
        "efficiency_ratio",
        "percent",
        "|operating_expenses|",
        "net_interest_income noninterest_income",
    ),
    _Formula("current_ratio", "times", "current_assets", "current_liabilities"),
    _Formula("debt_to_equity", "times", "long_term_debt short_term_debt", "equity"),
    _Formula("debt_to_equity", "times", "long_term_debt", "equity"),
    _Formula("liabilities_to_assets", "percent", "total_liabilities", "total_assets"),
    _Formula("loans_to_deposits", "percent", "loans", "deposits"),
    _Formula("asset_turnover", "times", "revenue", "total_assets"),
    _Formula("return_on_assets", "percent", "net_income", "total_assets"),
    _Formula("return_on_equity", "percent", "net_income", "equity"),
    _Formula("free_cash_flow", "money", "operating_cash_flow -|capital_expenditure|"),
    _Formula(
        "free_cash_flow_margin", "percent", "operating_cash_flow -|capital_expenditure|", "revenue"
    ),
)


def ratios(*statements: Statement | None) -> RatioList | None:
    """The ratios that the statements allow, whichever are there, newest year first; None where they allow none.

    What two statements have, net income, is taken from the one that is named first.
    """
    there = [statement for statement in statements if statement is not None]
    years = sorted({year for statement in there for year in _years(statement)}, reverse=True)
    found = dict[tuple[str, int], Ratio]()
    for year in years:
        for formula in _FORMULAS:
            if (formula.name, year) not in found and (
                ratio := _ratio(formula, there, year)
            ) is not None:
                found[formula.name, year] = ratio
    return RatioList(items=list(found.values())[:_MOST]) if found else None


def _years(statement: Statement) -> set[int]:
    return {value.fiscal_year for line in statement.each_line() for value in line.values.items}


def _ratio(formula: _Formula, statements: Sequence[Statement], year: int) -> Ratio | None:
    if formula.absent and _looked_up(formula.absent, statements, year) is not None:
        return None
    inputs = dict[str, str]()
    top, under = (
        _sum(formula.top, statements, year, inputs),
        _sum(formula.under, statements, year, inputs),
    )
    if top is None or (formula.under and (under is None or under <= 0)):
        return None
    scale: Scale = "units"
    if formula.unit == "money":
        scale = next(
            statement.scale for statement in statements if statement.line("operating_cash_flow")
        )
        value = round(top / FACTORS[scale], 3)
    else:
        value = round(
            top / (under or 1) * (100 if formula.unit == "percent" else 1),
            2 if formula.unit == "percent" else 3,
        )
    return Ratio(
        name=formula.name,
        value=value,
        unit=formula.unit,
        scale=scale,
        fiscal_year=year,
        formula=formula.written,
        inputs=StringList(items=list(inputs.values())),
    )


def _sum(
    terms: str, statements: Sequence[Statement], year: int, inputs: dict[str, str]
) -> float | None:
    """The sum of `terms`, each noted in `inputs`; None where one is missing."""
    total = 0.0
    for term in terms.split():
        concept, _, prior = term.lstrip("-").replace("|", "").partition("@")
        of_year = year - 1 if prior else year
        found = _looked_up(concept, statements, of_year)
        if found is None:
            return None
        value, inputs[f"{concept} {of_year}"] = found
        if concept == "income_tax":
            value = _as_expense(value, statements, of_year)
        value = abs(value) if "|" in term else value
        total += -value if term[0] == "-" else value
    return total


def _looked_up(
    concept: str, statements: Sequence[Statement], year: int
) -> tuple[float, str] | None:
    """A line's amount in units, and how to say it: *revenue 2024 = 60,922 millions*."""
    for statement in statements:
        line = statement.line(concept)
        printed = None if line is None else line.values.of(year)
        if line is not None and printed is not None:
            scale: Scale = "units" if line.unit == "money_per_share" else statement.scale
            written = f"{printed:,.2f}".removesuffix(".00") + (
                "" if scale == "units" else f" {scale}"
            )
            return printed * FACTORS[scale], f"{concept} {year} = {written}"
    return None


def _as_expense(tax: float, statements: Sequence[Statement], year: int) -> float:
    """The tax, positive where it lowers the result: some filers print it in parentheses then, others for a benefit."""
    pretax, net = (
        _looked_up(concept, statements, year) for concept in ("pretax_income", "net_income")
    )
    if pretax is None or net is None:
        return tax
    return -tax if abs(pretax[0] + tax - net[0]) < abs(pretax[0] - tax - net[0]) else tax


def change_pct(current: float, prior: float) -> float | None:
    """By how many percent `current` differs from `prior`; None from zero or a loss, where that means nothing.

    >>> change_pct(60_922, 26_974)
    125.85
    >>> change_pct(3, -1) is None
    True
    """
    change = (current - prior) / prior * 100 if prior > 0 else None
    return round(change, 2) if change is not None and abs(change) <= _LARGEST else None


def recompute(value: object) -> None:
    """Put the change into each metric, segment result and trend in a model, however deep, whatever stood there."""
    if isinstance(value, Metric):
        value.change_pct = _between(value.current, value.prior)
    elif isinstance(value, Trend):
        value.size_pct = _between(value.current, value.prior)
    elif isinstance(value, SegmentResult):
        value.change_pct = _between_amounts(value.revenue, value.prior_revenue)
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            recompute(getattr(value, name))
    elif isinstance(value, list):
        for member in value:
            recompute(member)


def _between(current: Quantity | None, prior: Quantity | None) -> float | None:
    """The change between quantities of one unit; None for percentages, whose difference is in points."""
    if current is None or prior is None:
        return None
    unit = " ".join(current.unit.lower().split())
    if unit != " ".join(prior.unit.lower().split()) or any(word in unit for word in _PERCENT_WORDS):
        return None
    return change_pct(current.value, prior.value)


def _between_amounts(current: Money | None, prior: Money | None) -> float | None:
    if current is None or prior is None or current.currency != prior.currency:
        return None
    return change_pct(current.in_units, prior.in_units)
