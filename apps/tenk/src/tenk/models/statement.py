"""One financial statement: an income statement, a balance sheet or a statement of cash flows, line by line."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from tenk.models.shared import FACTORS, Evidence, Name, Part, Scale, T, first

MAX_LINES = 20
MAX_YEARS = 6

IncomeConcept = Literal[
    "revenue",
    "interest_income",
    "net_interest_income",
    "noninterest_income",
    "provision_for_losses",
    "policy_benefits",
    "cost_of_revenue",
    "gross_profit",
    "research_and_development",
    "selling_general_administrative",
    "operating_expenses",
    "total_costs",
    "operating_income",
    "interest_expense",
    "pretax_income",
    "income_tax",
    "net_income",
    "eps_basic",
    "eps_diluted",
    "other",
]
BalanceConcept = Literal[
    "cash",
    "short_term_investments",
    "receivables",
    "loans",
    "inventories",
    "current_assets",
    "property_plant_equipment",
    "goodwill",
    "total_assets",
    "current_liabilities",
    "deposits",
    "short_term_debt",
    "long_term_debt",
    "total_liabilities",
    "retained_earnings",
    "equity",
    "other",
]
CashFlowConcept = Literal[
    "net_income",
    "depreciation_amortization",
    "stock_compensation",
    "operating_cash_flow",
    "capital_expenditure",
    "acquisitions",
    "investing_cash_flow",
    "dividends_paid",
    "share_repurchases",
    "debt_issued",
    "debt_repaid",
    "financing_cash_flow",
    "other",
]
PER_SHARE = frozenset({"eps_basic", "eps_diluted"})
Lines = Annotated[list[T], Field(max_length=MAX_LINES), first(MAX_LINES)]


class YearValue(Part):
    """One number of a line, as printed: *60,922* is 60922, *(187)* is -187."""

    fiscal_year: Annotated[int, Field(ge=1900, le=2200)]
    """The year of its column."""
    value: float
    source: SkipJsonSchema[Literal["xbrl", "schedule", "text"]] = "text"
    """Whether it is a tagged fact, stands in the filing's data schedule (EX-27), or was copied from the text."""
    period_end: SkipJsonSchema[date | None] = None
    """The last day of its period, where that is known."""


class YearValueList(Part):
    """The numbers of a line, newest year first."""

    items: Annotated[list[YearValue], Field(max_length=MAX_YEARS), first(MAX_YEARS)]

    def of(self, fiscal_year: int) -> float | None:
        """The number of a year, None where there is none."""
        return next((each.value for each in self.items if each.fiscal_year == fiscal_year), None)


class StatementLine(Part):
    """One line of a statement."""

    concept: str
    label: Name
    """The line's name as printed."""
    unit: SkipJsonSchema[Literal["money", "money_per_share"]] = "money"
    """A line in money counts in the statement's scale, one per share in units."""
    values: YearValueList
    evidence: Evidence | None = None
    """The line as it stands in the text, its label and its numbers."""

    @model_validator(mode="after")
    def _unit_of_its_concept(self) -> Self:
        self.unit = "money_per_share" if self.concept in PER_SHARE else "money"
        return self


class IncomeLine(StatementLine):
    """One line of the income statement."""

    concept: IncomeConcept


class BalanceLine(StatementLine):
    """One line of the balance sheet."""

    concept: BalanceConcept


class CashFlowLine(StatementLine):
    """One line of the cash flow statement."""

    concept: CashFlowConcept


class IncomeLineList(Part):
    """The lines, in the statement's order."""

    items: Lines[IncomeLine]


class BalanceLineList(Part):
    """The lines, in the statement's order."""

    items: Lines[BalanceLine]


class CashFlowLineList(Part):
    """The lines, in the statement's order."""

    items: Lines[CashFlowLine]


class Statement(Part):
    """One financial statement."""

    scale: Scale
    """What the statement's numbers count in, as its heading says: *(in millions)*; per-share numbers are in units."""
    currency: Annotated[str, Field(max_length=20)] = "USD"
    """ISO 4217 code."""

    def each_line(self) -> list[StatementLine]:
        """Its lines, whatever their kind."""
        raise NotImplementedError

    def line(self, concept: str) -> StatementLine | None:
        """The first line of a concept, None where there is none."""
        return next((line for line in self.each_line() if line.concept == concept), None)

    def amount(self, concept: str, fiscal_year: int) -> float | None:
        """A line's number in a year, multiplied out to units; None where there is none."""
        line = self.line(concept)
        value = None if line is None else line.values.of(fiscal_year)
        if line is None or value is None:
            return None
        return value if line.unit == "money_per_share" else value * FACTORS[self.scale]


class IncomeStatement(Statement):
    """The statement of income or operations."""

    lines: IncomeLineList

    def each_line(self) -> list[StatementLine]:
        """Its lines, in the statement's order."""
        return list(self.lines.items)


class BalanceSheet(Statement):
    """The balance sheet."""

    lines: BalanceLineList

    def each_line(self) -> list[StatementLine]:
        """Its lines, in the statement's order."""
        return list(self.lines.items)


class CashFlowStatement(Statement):
    """The statement of cash flows; what is paid out is negative."""

    lines: CashFlowLineList

    def each_line(self) -> list[StatementLine]:
        """Its lines, in the statement's order."""
        return list(self.lines.items)
