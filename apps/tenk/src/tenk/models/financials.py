"""Item 8, Financial Statements: seven components. Where a filing is tagged, the numbers come from its facts."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from tenk.models.shared import (
    Direction,
    Evidence,
    Items,
    Money,
    Name,
    Part,
    Percent,
    Quantity,
    Scale,
    Section,
    StringList,
    Text,
)
from tenk.models.statement import BalanceSheet, CashFlowStatement, IncomeStatement


class Ratio(Part):
    """One ratio: computed by code from the lines of the statements."""

    name: str
    value: float
    unit: Literal["percent", "times", "money"]
    scale: Scale = "units"
    """What an amount of money counts in."""
    fiscal_year: int
    formula: str
    """*net_income / revenue*"""
    inputs: StringList
    """What went in: *net_income 2024 = 29,760 millions*, one each."""


class RatioList(Part):
    """The ratios, newest year first."""

    items: Annotated[list[Ratio], Field(max_length=60)]


class Trend(Part):
    """One figure that rose or fell over the years."""

    subject: Name
    direction: Direction
    current: Quantity | None = None
    prior: Quantity | None = None
    """The same figure a period earlier; null unless stated."""
    size_pct: SkipJsonSchema[Percent | None] = None
    """Percent from prior to current. Computed by code."""
    comment: Text | None = None
    evidence: Evidence


class TrendList(Part):
    """The trends, the most important first; empty where there is only one year."""

    items: Items[Trend]


class Note(Part):
    """One disclosure of the notes that a reader should know."""

    note: Name
    """Its title, with its number where it has one."""
    topic: Literal[
        "revenue_recognition",
        "tax",
        "leases",
        "debt",
        "legal",
        "acquisitions",
        "goodwill",
        "pensions",
        "stock_compensation",
        "subsequent_event",
        "other",
    ]
    what: Text
    amount: Money | None = None
    """The amount that it is about; null unless stated."""
    evidence: Evidence


class NoteList(Part):
    """The notable disclosures; empty where there are none."""

    items: Items[Note]


class AuditOpinion(Part):
    """What the auditor says of the statements, and of the controls behind them."""

    auditor: Name | None = None
    """The firm that signed; null where the text has no auditor's report."""
    opinion: Literal["unqualified", "qualified", "adverse", "disclaimer", "not_found"]
    """`unqualified` where the statements are said to present fairly, in all material respects."""
    critical_audit_matters: StringList
    """Their titles; empty where there are none."""
    going_concern: bool
    """Whether substantial doubt about the company's ability to continue is stated."""
    material_weakness: bool | None = None
    """Whether a material weakness in internal control is stated; null where controls are not spoken of."""
    evidence: Evidence | None = None


class FinancialsAnalysisSection(Section):
    """The analysis of Item 8, Financial Statements and Supplementary Data."""

    income_statement: IncomeStatement | None = None
    """Copy the lines of the consolidated statements of income, operations or earnings: revenue or net sales, cost,
    operating income, income taxes, net income, basic and diluted earnings per share, for each year shown.
    """
    balance_sheet: BalanceSheet | None = None
    """Copy the lines of the consolidated balance sheets: cash, receivables, inventories, total current assets, total
    assets, total current liabilities, long-term debt, total liabilities, stockholders' equity, for each year shown.
    """
    cash_flow: CashFlowStatement | None = None
    """Copy the lines of the consolidated statements of cash flows: net cash provided by operating activities, capital
    expenditures, investing and financing activities, dividends, repurchases, for each year shown.
    """
    ratios: SkipJsonSchema[RatioList | None] = None
    """Margins, returns and other ratios of the statements. Computed by code."""
    trends: TrendList | None = None
    """Which figures of the financial statements rose or fell notably over the years shown: revenue, net income,
    expenses, cash, debt, inventories? Give the current and the prior year's number of each.
    """
    notable_notes: NoteList | None = None
    """Which disclosures in the notes to the financial statements matter most: revenue recognition, income taxes,
    leases, debt, legal proceedings, acquisitions, goodwill, pensions, stock compensation, subsequent events?
    """
    audit_and_controls: AuditOpinion | None = None
    """What is the opinion of the independent registered public accounting firm on the financial statements, who is
    the auditor, and are critical audit matters, going concern doubt or a material weakness in internal control
    reported?
    """
