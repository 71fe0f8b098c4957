"""Facts are found by concept, period and precision, and the filing's fiscal years among them."""

from datetime import date

import pytest

from tenk.facts import Fact, Facts, Period


def year(start, end):
    return Period(date.fromisoformat(start), date.fromisoformat(end))


def fact(concept, value, period, **more):
    return Fact(f"us-gaap:{concept}", value, "USD", period, **more)


Y24 = year("2023-01-30", "2024-01-28")
Y23 = year("2022-01-31", "2023-01-29")
QUARTER = year("2023-10-30", "2024-01-28")


def test_the_first_concept_that_there_is_counts():
    facts = Facts(
        (fact("SalesRevenueNet", 1, Y24), fact("Revenues", 2, Y24), fact("Revenues", 3, Y23))
    )
    found = facts.find(["us-gaap:Nothing", "us-gaap:Revenues", "us-gaap:SalesRevenueNet"], Y24)
    assert found == facts.facts[1]


def test_the_most_exact_of_several_facts_counts_and_of_equals_the_first():
    rounded, exact, again = (
        fact("Revenues", value, Y24, decimals=d)
        for value, d in ((6.1e9, -8), (6.092e9, -6), (7, -6))
    )
    assert Facts((rounded, exact, again)).find(["us-gaap:Revenues"], Y24) == exact
    whole = fact("Revenues", 6_092_000_001, Y24, decimals=None)
    assert Facts((rounded, exact, whole)).find(["us-gaap:Revenues"], Y24) == whole


def test_what_speaks_of_a_part_of_the_company_or_of_another_period_is_not_found():
    facts = Facts((fact("Revenues", 1, Y24, dimensions=("a=b",)), fact("Revenues", 2, QUARTER)))
    assert facts.find(["us-gaap:Revenues"], Y24) is None


def test_a_balance_may_be_dated_a_few_days_from_the_end_of_the_year():
    facts = Facts(
        (
            fact("Assets", 1, Period(None, date(2024, 1, 30))),
            fact("Assets", 2, Period(None, date(2024, 2, 9))),
        )
    )
    assert facts.instant(date(2024, 1, 28)) == Period(None, date(2024, 1, 30))
    assert facts.instant(date(2023, 6, 30)) == Period(None, date(2023, 6, 30))


def test_fiscal_years_are_counted_back_from_the_one_that_the_filing_names():
    facts = Facts(
        (fact("Revenues", 1, Y24), fact("Revenues", 2, Y23), fact("Revenues", 3, QUARTER)),
        {"DocumentFiscalYearFocus": "2023"},  # as a retailer counts
        Y24,
    )
    assert facts.fiscal_years == {2023: Y24, 2022: Y23}


@pytest.mark.parametrize(
    ("start", "end", "said", "label"),
    [
        ("2023-01-30", "2024-01-28", "2024", 2024),
        ("2023-01-29", "2024-02-03", "2023", 2023),
        ("2023-10-01", "2024-09-28", "", 2024),
        ("2024-01-01", "2024-12-31", "2023", 2024),  # a slip that cannot be
        ("2024-01-01", "2024-12-31", "1", 2024),
        ("2015-01-04", "2016-01-02", "", 2015),  # 52 weeks
        ("2015-01-04", "2016-01-02", "2015", 2015),
    ],
)
def test_a_year_has_the_name_that_its_filer_gives_it(start, end, said, label):
    period = year(start, end)
    facts = Facts((fact("Revenues", 1, period),) * 2, {"DocumentFiscalYearFocus": said}, period)
    assert facts.fiscal_years == {label: period}


def test_a_year_after_that_of_the_filing_is_none_of_its_years():
    plan = year("2024-01-29", "2025-01-26")
    facts = Facts(
        (fact("Revenues", 1, Y24), fact("Pensions", 2, plan), fact("Pensions", 3, plan)), {}, Y24
    )
    assert list(facts.fiscal_years.values()) == [Y24]


def test_the_year_of_a_pension_plan_is_no_fiscal_year():
    plan = year("2022-07-01", "2023-06-30")
    about = [fact("Revenues", 1, period) for period in (Y24, plan, plan, plan, Y23)]
    assert Facts(tuple(about), {}, Y24).fiscal_years == {2024: Y24, 2023: Y23}


def test_of_two_years_that_end_a_few_days_apart_the_one_with_more_facts_counts():
    rounded = year("2022-02-01", "2023-01-31")
    about = [fact("Revenues", 1, period) for period in (Y24, rounded, Y23, Y23)]
    assert Facts(tuple(about), {}, Y24).fiscal_years == {2024: Y24, 2023: Y23}


def test_without_a_word_from_the_filing_the_newest_year_with_facts_is_its_year():
    assert Facts(
        (fact("Revenues", 1, Y24), fact("NetIncomeLoss", 1, Y24), fact("Revenues", 1, Y23))
    ).fiscal_years == {
        2024: Y24,
        2023: Y23,
    }


def test_a_first_year_may_be_a_short_one():
    begun = year("2023-06-01", "2023-12-31")
    assert Facts((fact("Revenues", 1, begun),), {}, begun).fiscal_years == {2023: begun}
