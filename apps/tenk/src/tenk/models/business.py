"""Item 1, Business: eight components."""

from typing import Literal

from tenk.models.shared import Evidence, Items, Money, Name, Part, Section, Share, StringList, Text


class OperationalOverview(Part):
    """What the company does and how it earns money."""

    summary: Text
    """What the company does, in 2 to 4 sentences."""
    business_model: Text | None = None
    """How it earns money: what customers pay for."""
    industry: Name | None = None
    headquarters: Name | None = None
    """City and state or country."""
    employees: int | None = None
    """Number of employees."""
    founded: int | None = None
    """Year in which the company was founded or incorporated."""
    revenue_streams: StringList | None = None
    evidence: Evidence


class KeyProduct(Part):
    """One product, service, platform or brand."""

    name: Name
    category: Literal["product", "service", "platform", "brand", "other"]
    description: Text
    target_customers: Name | None = None
    revenue_share_pct: Share | None = None
    """Percent of revenue; null unless stated."""
    evidence: Evidence


class KeyProductList(Part):
    """The main products and services, most important first; empty where none is named."""

    items: Items[KeyProduct]


class BusinessSegment(Part):
    """One segment in which the company reports its business."""

    name: Name
    description: Text
    products: StringList | None = None
    revenue: Money | None = None
    """The segment's revenue; null unless stated."""
    revenue_share_pct: Share | None = None
    """Percent of revenue; null unless stated."""
    evidence: Evidence


class BusinessSegmentList(Part):
    """The segments; empty where the company reports none, one where it says that it has only one."""

    items: Items[BusinessSegment]


class CompetitiveAdvantage(Part):
    """One strength over competitors that the company claims."""

    advantage: Name
    kind: Literal[
        "brand",
        "scale",
        "technology",
        "ip",
        "network",
        "switching_costs",
        "cost",
        "distribution",
        "regulation",
        "people",
        "other",
    ]
    explanation: Text
    durability: Literal["high", "medium", "low", "not_stated"]
    evidence: Evidence


class CompetitiveAdvantageList(Part):
    """The strengths; empty where the company claims none."""

    items: Items[CompetitiveAdvantage]


class Competitor(Part):
    """One competitor by its name."""

    name: Name
    where: Name | None = None
    """The market or product in which they compete."""
    evidence: Evidence


class CompetitorList(Part):
    """The competitors that are named; empty where none is."""

    items: Items[Competitor]


class CompetitionAnalysis(Part):
    """Against whom and by what the company competes."""

    landscape: Text | None = None
    """How competitive the markets are; null where the text does not say."""
    competitors: CompetitorList
    basis_of_competition: StringList
    """By what companies in these markets compete: price, quality, features, service, …"""
    evidence: Evidence | None = None


class StrategicInitiative(Part):
    """One thing that the company sets out to do."""

    title: Name
    goal: Text
    horizon: Literal["now", "1_year", "multi_year", "not_stated"]
    investment: Money | None = None
    """What it costs; null unless stated."""
    status: Literal["planned", "under_way", "done", "not_stated"]
    evidence: Evidence


class StrategicInitiativeList(Part):
    """The initiatives; empty where the text names none."""

    items: Items[StrategicInitiative]


class CustomerConcentration(Part):
    """One customer or group of customers on which much of the revenue depends."""

    customer: Name
    share_pct: Share | None = None
    """Percent of revenue; null unless stated."""
    evidence: Evidence


class CustomerConcentrationList(Part):
    """The large customers; empty where the text names none or denies that there are any."""

    items: Items[CustomerConcentration]


class GeographicExposure(Part):
    """One country or region in which the company sells or operates."""

    region: Name
    share_pct: Share | None = None
    """Percent of revenue; null unless stated."""
    note: Text | None = None
    evidence: Evidence


class GeographicExposureList(Part):
    """The regions; empty where the text names none."""

    items: Items[GeographicExposure]


class CustomersAndGeography(Part):
    """Who buys, where, and through which channels."""

    customer_types: StringList
    concentration: CustomerConcentrationList
    regions: GeographicExposureList
    channels: StringList
    """Ways to the customer: direct sales, retailers, distributors, online, …"""


class Regulation(Part):
    """One law, agency or regime that the business is subject to."""

    regime: Name
    effect: Text
    evidence: Evidence


class RegulationList(Part):
    """The regimes; empty where the text names none."""

    items: Items[Regulation]


class RegulationAndResources(Part):
    """What the business is subject to, and what it depends on."""

    regulation: RegulationList
    intellectual_property: Text | None = None
    """Patents, trademarks, licences and how they matter."""
    supply_chain: Text | None = None
    """Suppliers, raw materials, manufacturing."""
    human_capital: Text | None = None
    """Employees, unions, how they are won and kept."""
    seasonality: Text | None = None
    evidence: Evidence | None = None


class BusinessAnalysisSection(Section):
    """The analysis of Item 1, Business."""

    operational_overview: OperationalOverview | None = None
    """What does the company do, and how does it earn money? Give a summary of the business, its industry, its
    headquarters, its number of employees and the year it was founded, as far as the text states them.
    """
    key_products: KeyProductList | None = None
    """What are the company's main products, services, platforms and brands, and for whom are they? List those that
    the text describes, the most important first.
    """
    business_segments: BusinessSegmentList | None = None
    """Which reportable segments does the company have, and what does each of them sell or do? List the operating
    segments that the text names; where the company says that it has one segment, list that one.
    """
    competitive_advantages: CompetitiveAdvantageList | None = None
    """Which competitive strengths does the company claim: brand, scale, technology, patents, network, cost,
    distribution, people? List only those that the text states, each with how it helps.
    """
    competition: CompetitionAnalysis | None = None
    """Who are the company's competitors, how competitive are its markets, and what are the principal factors of
    competition? Name only competitors that the text names.
    """
    strategic_initiatives: StrategicInitiativeList | None = None
    """What is the company's strategy, and which initiatives, investments, launches, expansions, acquisitions or
    restructurings does it plan or pursue? List those that the text states.
    """
    customers_and_geography: CustomersAndGeography | None = None
    """Who are the company's customers, which of them account for a large percent of revenue, in which countries and
    regions does it sell, and through which sales channels and distributors?
    """
    regulation_and_resources: RegulationAndResources | None = None
    """Which government regulation and laws apply to the business, and what does the text say of patents and
    trademarks, suppliers and raw materials, employees, and seasonality?
    """
