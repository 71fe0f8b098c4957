"""Risk factors are told by the form of their headings, and sorted by their words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenk.filing import read_filing
from tenk.profile import RiskFactor, category, risk_factors, risk_profile

BODY = (
    "We have sold boats to the same owners for thirty years, and most of what we earn in a year comes from them. "
    * 3
)
TEXT = f"""Item 1A. Risk Factors

You should read these risks carefully before you buy our shares.

Risks Related to Our Business

We may lose our largest customers to competitors.

{BODY}

In addition, we may lose smaller ones.

{BODY}

12

Table of Contents

A cyberattack could interrupt our information systems.

{BODY}

•we may lose data; and

•we may lose time.

General Risk Factors

New laws and regulations could raise our costs.

{BODY}
"""


def test_each_heading_begins_a_risk_factor_that_ends_at_the_next():
    factors = risk_factors(TEXT)
    assert [factor.heading for factor in factors] == [
        "We may lose our largest customers to competitors.",
        "A cyberattack could interrupt our information systems.",
        "New laws and regulations could raise our costs.",
    ]
    assert "smaller ones" in factors[0].body
    assert factors[1].body.endswith("we may lose time.")


def profiles(text):
    found = risk_profile(text)
    return [] if found is None else found.items


def test_the_profile_counts_and_weighs_the_categories():
    profile = {each.category: each for each in profiles(TEXT)}
    assert {name: each.count for name, each in profile.items()} == {
        "market": 1,
        "technology_cyber": 1,
        "legal_regulatory": 1,
    }
    assert sum(each.share_of_text_pct for each in profile.values()) == pytest.approx(100, abs=0.2)
    assert profile["market"].share_of_text_pct == max(
        each.share_of_text_pct for each in profile.values()
    )
    assert profile["market"].headline == "We may lose our largest customers to competitors."


def test_headings_that_run_into_their_text_are_found_where_none_stand_alone():
    run_in = "\n\n".join(
        f"{heading} {BODY * 8}"
        for heading in (
            "We may lose our patents.",
            "Our debt could limit us.",
            "Storms may damage our yards.",
        )
    )
    assert [factor.heading for factor in risk_factors(run_in)] == [
        "We may lose our patents.",
        "Our debt could limit us.",
        "Storms may damage our yards.",
    ]


@pytest.mark.parametrize(
    ("heading", "wanted"),
    [
        ("Our suppliers may not deliver components in time.", "supply_chain"),
        ("We could be sued for infringing the patents of others.", "legal_regulatory"),
        ("Our debt may limit our access to credit.", "financial"),
        ("Tariffs and export controls could close foreign countries to us.", "geopolitical"),
        ("If we cannot retain key personnel we may fail.", "people"),
        ("Hurricanes and other catastrophes may destroy our yards.", "climate"),
        ("Harm to our brand could be lasting.", "reputation"),
        ("Acquisitions may be difficult to integrate.", "operational"),
        ("Something may befall us.", "other"),
    ],
)
def test_a_risk_factor_has_the_category_of_its_words(heading, wanted):
    assert category(RiskFactor(heading, "")) == wanted


@pytest.mark.parametrize(
    "text",
    ["", "Not applicable.", "Item 1A. Risk Factors\n\nSmaller companies need not provide this."],
)
def test_a_text_without_risk_factors_has_no_profile(text):
    assert risk_profile(text) is None


@given(st.text(alphabet="We may lose. \n12•", max_size=400))
def test_no_text_is_counted_twice(text):
    assert sum(len(factor.heading) + len(factor.body) for factor in risk_factors(text)) <= len(text)


@pytest.mark.parametrize(
    ("file", "least", "most", "heading"),
    # the headings counted by eye: GAN 25, UNH 20, NVDA 25, MSFT 21, whose headings run into their
    # text
    [
        ("gan-2009.htm", 24, 26, "We may need to raise additional capital."),
        (
            "unh-2024.htm",
            18,
            23,
            "Any downgrades in our credit ratings could increase our borrowing and operating costs.",
        ),
        ("nvda-2024.htm", 23, 29, "Climate change may have a long-term impact on our business."),
        (
            "msft-2013.htm",
            17,
            24,
            "Third parties may claim we infringe their intellectual property rights.",
        ),
    ],
)
def test_the_risk_factors_of_real_filings_are_found(filings, file, least, most, heading):
    factors = risk_factors(read_filing(filings / file).item("1A").body)
    assert least <= len(factors) <= most
    assert heading in [factor.heading for factor in factors]
