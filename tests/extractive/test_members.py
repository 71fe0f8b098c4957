"""Members of a list: each read from one place, named as the text names it, quoted as it stands there."""

import re
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from ingather.extractive import fill
from ingather.schema import Schema

REPORT = """Item 1. Business

Northwind Instruments Corp. designs and sells measuring instruments. Our corporate headquarters are in Tromsø, Norway.
As of year end we had approximately 4,300 employees in 12 countries; 31 of them are apprentices.

Our Segments

We report our results in two segments. The Marine & Offshore segment includes sonar and depth gauges for ships. The
Laboratory segment includes precision scales for hospitals and universities.

Products

Our products include TrueScale, EchoMap, and FrostGauge. EchoMap is a sonar platform for fishing fleets, and it
accounted for 41% of our revenue in fiscal 2024. TrueScale provides weighing to the microgram. FrostGauge measures ice.

Competition

Our markets are highly competitive. Our current competitors include:

•\tmakers of sonar such as Kongsberg Gruppen, Furuno Electric, or Furuno, and Garmin;
•\tmakers of scales such as Mettler Toledo and Sartorius.

We compete on the basis of precision, price, service and delivery time.

Risk Factors

If our only supplier of quartz fails to deliver, our production could stop for months.

We buy all quartz from one supplier in Brazil. A fire at its plant in 2022 stopped our production for nine weeks and
had a material adverse effect on our results. We hold stocks for three months and have insurance against interruption.

A cyberattack on our systems may disrupt our business and expose the data of customers.

Our systems have been attacked by hackers in the past. A breach of security could harm our reputation and lead to
lawsuits under privacy laws. We spent $2.4 million on security in fiscal 2024.
"""


class Evidence(BaseModel):
    """The proof, copied word for word from the text."""

    quote: str = Field(min_length=20, max_length=160, description="Verbatim, copied from the text.")


class Named(BaseModel):
    name: str = Field(max_length=80)
    description: str = Field(max_length=300)
    evidence: Evidence


class Product(Named):
    revenue_share_pct: float | None = Field(description="Percent of revenue; null unless stated.")


class Competitor(BaseModel):
    name: str = Field(max_length=80)
    evidence: Evidence


class Risk(BaseModel):
    title: str = Field(max_length=200)
    category: Literal["market", "technology_cyber", "supply_chain", "other"]
    severity: Literal["high", "medium", "low"]
    likelihood: Literal["stated_occurred", "possible", "not_stated"]
    evidence: Evidence


class Segments(BaseModel):
    items: list[Named]


class Products(BaseModel):
    items: list[Product]


class Competitors(BaseModel):
    items: list[Competitor]


class Risks(BaseModel):
    items: list[Risk]


def read(model, question, text=REPORT):
    return model.model_validate(fill(schema_of(model), text, question))


def schema_of(model):
    form: Any = Schema.of(model).response_format(lengths=True)
    return form["json_schema"]["schema"]


def test_segments_by_the_word_behind_their_names():
    found = read(Segments, "- business_segments: Which reportable segments does the company have?")
    assert [item.name for item in found.items] == ["Marine & Offshore", "Laboratory"]
    assert "precision scales" in found.items[1].description


def test_products_are_named_and_each_is_told_of_where_it_is_described():
    found = read(Products, "- key_products: What are the main products and services?")
    by_name = {item.name: item for item in found.items}
    assert {"TrueScale", "EchoMap", "FrostGauge"} <= by_name.keys()
    assert by_name["EchoMap"].revenue_share_pct == 41
    assert by_name["TrueScale"].revenue_share_pct is None
    assert by_name["EchoMap"].description.startswith("EchoMap is a sonar platform")


def test_competitors_from_the_lines_below_a_colon():
    found = read(
        Competitors,
        "- competitors: Who are the company's competitors? Name those that the text names.",
    )
    names = {item.name for item in found.items}
    assert {
        "Kongsberg Gruppen",
        "Furuno Electric",
        "Garmin",
        "Mettler Toledo",
        "Sartorius",
    } <= names
    assert "Northwind Instruments Corp" not in names
    mettler = next(item for item in found.items if item.name == "Mettler Toledo")
    assert mettler.evidence.quote.startswith("makers of scales")


def test_risks_are_called_as_their_headings_and_classed_by_their_words():
    text = REPORT + "\n\n".join(
        f"If demand in market {number} falls, our sales there could decline.\n\nCustomers in "
        f"market {number} buy less "
        "in a recession, which would hurt demand. Prices there have fallen before, and may do so "
        "again."
        for number in range(1, 4)
    )
    found = read(
        Risks, "- top_risks: Which risks could materially and adversely affect the business?", text
    )
    by_title = {item.title: item for item in found.items}
    quartz = by_title[
        "If our only supplier of quartz fails to deliver, our production could stop for months."
    ]
    assert (quartz.category, quartz.severity) == ("supply_chain", "high")
    cyber = by_title[
        "A cyberattack on our systems may disrupt our business and expose the data of customers."
    ]
    assert (cyber.category, cyber.likelihood) == ("technology_cyber", "stated_occurred")


def quotes(value):
    if isinstance(value, BaseModel):
        return [
            each
            for name, inner in value
            for each in ([inner] if name == "quote" else quotes(inner))
        ]
    return [each for inner in value for each in quotes(inner)] if isinstance(value, list) else []


@pytest.mark.parametrize("model", [Segments, Products, Competitors, Risks])
def test_a_quote_is_a_part_of_the_text_within_its_lengths_and_not_cut_in_a_word(model):
    found = quotes(
        read(model, "- key_products: What are the products, segments, competitors and risks?")
    )
    assert found
    for quote in found:
        assert quote in REPORT
        assert 20 <= len(quote) <= 160
        at = REPORT.index(quote)
        ends = REPORT[at + len(quote) - 1 : at + len(quote) + 1]
        assert re.fullmatch(r"\w\w", ends) is None


def test_texts_of_a_list_are_its_parts():
    class Basis(BaseModel):
        basis_of_competition: list[str]

    found = read(Basis, "How does the company compete?")
    assert found.basis_of_competition == ["precision", "price", "service", "delivery time"]


def test_a_nested_list_is_read_from_the_same_place():
    class Line(BaseModel):
        fiscal_year: int
        value: float

    class Row(BaseModel):
        label: str = Field(max_length=60)
        values: list[Line]

    class Statement(BaseModel):
        scale: Literal["units", "thousands", "millions"]
        lines: list[Row]

    text = (
        "Consolidated statements of income (in millions)\n\nYear ended June 30,\t2024\t2023\n"
        "Net sales\t$\t1,250\t$\t1,100\nNet income (loss)\t(43)\t87\n"
    )
    found = read(
        Statement, "- income_statement: Copy the lines: net sales, net income, for each year.", text
    )
    assert found.scale == "millions"
    assert {
        row.label: [(each.fiscal_year, each.value) for each in row.values] for row in found.lines
    } == {
        "Net sales": [(2024, 1250), (2023, 1100)],
        "Net income (loss)": [(2024, -43), (2023, 87)],
    }


def test_the_order_of_the_keys_of_a_schema_does_not_matter():
    def sorted_keys(value):
        if isinstance(value, dict):
            return {key: sorted_keys(value[key]) for key in sorted(value)}
        return [sorted_keys(each) for each in value] if isinstance(value, list) else value

    schema = schema_of(Products)
    assert fill(schema, REPORT, "The products?") == fill(
        sorted_keys(schema), REPORT, "The products?"
    )
