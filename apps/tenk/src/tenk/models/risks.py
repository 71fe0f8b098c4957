"""Item 1A, Risk Factors: six components."""

from typing import Literal

from pydantic.json_schema import SkipJsonSchema

from tenk.models.shared import Evidence, Items, Money, Name, Part, Percent, Section, Share, Text

RiskCategory = Literal[
    "market",
    "operational",
    "financial",
    "legal_regulatory",
    "technology_cyber",
    "supply_chain",
    "geopolitical",
    "people",
    "reputation",
    "climate",
    "other",
]


class Risk(Part):
    """One risk that the company describes."""

    title: Name
    category: RiskCategory
    summary: Text
    severity: Literal["high", "medium", "low"]
    """How badly it would hurt the company, judged by the text."""
    severity_reason: Text | None = None
    likelihood: Literal["stated_occurred", "likely", "possible", "remote", "not_stated"]
    """`stated_occurred` where the text says that it has happened."""
    specific: bool
    """True for a risk of this company, false for boilerplate that any company could write."""
    evidence: Evidence


class RiskList(Part):
    """The gravest risks first."""

    items: Items[Risk]


class RiskCategoryProfile(Part):
    """How much of the section is about one category: counted by code from its headings."""

    category: RiskCategory
    count: int
    """Number of risk factors."""
    share_of_text_pct: Share
    """Percent of the section's characters."""
    headline: Text
    """The heading of the longest of them."""


class RiskCategoryProfileList(Part):
    """The categories that occur, the largest share of the text first."""

    items: Items[RiskCategoryProfile]


class OccurredRisk(Part):
    """One risk that has come true: it *has happened*, not *may happen*."""

    risk: Name
    what_happened: Text
    when: Name | None = None
    impact: Text | None = None
    evidence: Evidence


class OccurredRiskList(Part):
    """What has happened; empty where the text tells of nothing."""

    items: Items[OccurredRisk]


class QuantifiedExposure(Part):
    """One exposure to which the text gives an amount or a percentage."""

    exposure: Name
    amount: Money | None = None
    pct: Percent | None = None
    basis: Text | None = None
    """Of what the percentage is, or how the amount comes about."""
    evidence: Evidence


class QuantifiedExposureList(Part):
    """The exposures with a number; empty where the text gives none."""

    items: Items[QuantifiedExposure]


class Mitigation(Part):
    """One measure that the company takes against a risk."""

    risk: Name
    measure: Text
    evidence: Evidence


class MitigationList(Part):
    """The measures; empty where the text names none."""

    items: Items[Mitigation]


class Dependency(Part):
    """One party or place that the company cannot easily do without."""

    on: Literal["supplier", "customer", "partner", "person", "licence", "country", "other"]
    name: Name
    """By name where the text has one, else what it is: *a single foundry*."""
    why_it_matters: Text
    evidence: Evidence


class DependencyList(Part):
    """The dependencies; empty where the text states none."""

    items: Items[Dependency]


class RiskFactorAnalysisSection(Section):
    """The analysis of Item 1A, Risk Factors."""

    top_risks: RiskList | None = None
    """What are the gravest risks to this company, which could materially and adversely affect its business, results
    or stock? List those that are specific to it before those that any company could write.
    """
    category_profile: SkipJsonSchema[RiskCategoryProfileList | None] = None
    """How many risk factors of each category there are, and their share of the text. Computed by code."""
    occurred_risks: OccurredRiskList | None = None
    """Which risks have already happened to this company: losses, shortages, breaches, lawsuits, fines, recalls,
    disruptions that it experienced in the past? Leave out what only may or could happen.
    """
    quantified_exposures: QuantifiedExposureList | None = None
    """To which risk exposures does the text give a number: an amount in dollars, or a percent of revenue, customers,
    debt or assets? List each with its amount or percentage as stated.
    """
    mitigations: MitigationList | None = None
    """What does the company do against its risks: insurance, hedging, diversification, security programs, policies,
    agreements? List only measures that the text states.
    """
    dependencies: DependencyList | None = None
    """On which suppliers, customers, partners, persons, licences or countries does the company depend, rely or
    concentrate? Name them as the text does.
    """
