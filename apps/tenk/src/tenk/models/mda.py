"""Item 7, Management's Discussion and Analysis: eight components."""

from typing import Literal

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
    Section,
    StringList,
    Text,
)


class PerformanceOverview(Part):
    """How the year went, in management's words."""

    summary: Text
    """2 to 4 sentences."""
    tone: Literal["positive", "neutral", "cautious", "negative"]
    tone_reason: Text | None = None
    key_events: StringList
    """Acquisitions, launches, charges, changes of the year; empty where there are none."""
    evidence: Evidence


class Metric(Part):
    """One figure that management reports, with the year before where it is given."""

    name: Name
    current: Quantity
    prior: Quantity | None = None
    """The same figure a period earlier; null unless stated."""
    change_pct: SkipJsonSchema[Percent | None] = None
    """Percent from prior to current. Computed by code."""
    period: Name | None = None
    """The period of the current figure: *fiscal 2024*."""
    driver: Text | None = None
    """Why it changed; null unless stated."""
    evidence: Evidence


class MetricList(Part):
    """The figures, the most important first; empty where the text gives none."""

    items: Items[Metric]


class Driver(Part):
    """One reason why a result changed."""

    driver: Text
    direction: Direction
    """Whether it raised or lowered the result."""
    effect: Money | None = None
    """By how much; null unless stated."""
    pct: Percent | None = None
    """By how many percent; null unless stated."""
    segment: Name | None = None
    evidence: Evidence


class DriverList(Part):
    """The reasons, the largest effect first; empty where the text gives none."""

    items: Items[Driver]


class SegmentResult(Part):
    """What one segment, product line or region earned."""

    segment: Name
    revenue: Money | None = None
    prior_revenue: Money | None = None
    """The revenue a year earlier; null unless stated."""
    operating_result: Money | None = None
    """Its operating income or loss; null unless stated."""
    change_pct: SkipJsonSchema[Percent | None] = None
    """Percent from prior_revenue to revenue. Computed by code."""
    explanation: Text | None = None
    """Why it changed; null unless stated."""
    evidence: Evidence


class SegmentResultList(Part):
    """The segments; empty where the text gives no results by segment."""

    items: Items[SegmentResult]


class LiquidityAnalysis(Part):
    """Where cash comes from and goes to, and what is owed; null for what the text does not state."""

    cash: Money | None = None
    """Cash, cash equivalents and short-term investments at the year's end."""
    operating_cash_flow: Money | None = None
    """Net cash provided by operating activities; negative where it was used."""
    capital_expenditure: Money | None = None
    debt: Money | None = None
    """Total debt or notes outstanding."""
    facilities: StringList
    """Credit facilities, commercial paper programs, notes; empty where there are none."""
    returns_to_holders: Text | None = None
    """Dividends and share repurchases."""
    adequacy_statement: Text | None = None
    """What management says on whether its funds suffice."""
    evidence: Evidence


class OutlookItem(Part):
    """One statement about the future."""

    statement: Text
    topic: Name
    horizon: Name | None = None
    """By when: *fiscal 2025*; null unless stated."""
    certainty: Literal["guidance", "expectation", "intention", "possibility"]
    evidence: Evidence


class OutlookList(Part):
    """The statements; empty where the text makes none."""

    items: Items[OutlookItem]


class AccountingEstimate(Part):
    """One accounting estimate that management calls critical."""

    area: Name
    why_sensitive: Text
    sensitivity: Text | None = None
    """What a change of assumptions would do, in numbers; null unless stated."""
    evidence: Evidence


class EstimateList(Part):
    """The critical estimates; empty where the text names none."""

    items: Items[AccountingEstimate]


class MDAAnalysisSection(Section):
    """The analysis of Item 7, Management's Discussion and Analysis."""

    performance_overview: PerformanceOverview | None = None
    """How did the company perform this fiscal year compared with the year before: revenue, net income, margins, and
    the key events behind them? Judge the tone of management's own words.
    """
    metrics: MetricList | None = None
    """Which financial figures does management report: net sales or revenue, gross margin, operating income, net
    income, earnings per share, operating figures of the business? Give each as stated, with the prior year's.
    """
    revenue_drivers: DriverList | None = None
    """Why did revenue or net sales increase or decrease compared with the prior year: volume, price, products,
    acquisitions, currency? List each driver with its effect as stated.
    """
    cost_and_margin_drivers: DriverList | None = None
    """Why did cost of sales, gross margin, research and development, selling, general and administrative or operating
    expenses increase or decrease? List each driver with its effect as stated.
    """
    segment_results: SegmentResultList | None = None
    """What revenue and operating income did each segment, product line or region have, and why did it change? List
    the segments for which the text gives results.
    """
    liquidity_and_capital: LiquidityAnalysis | None = None
    """What are the company's liquidity and capital resources: cash, cash flow from operating activities, capital
    expenditures, debt, credit facilities, dividends and repurchases, and are they said to be sufficient?
    """
    outlook: OutlookList | None = None
    """What does management expect, plan or anticipate for the next fiscal year and beyond? List its forward-looking
    statements on revenue, costs, spending, demand or markets.
    """
    critical_estimates: EstimateList | None = None
    """Which critical accounting policies and estimates require significant judgment, and why are they sensitive? List
    the areas that the text names.
    """
