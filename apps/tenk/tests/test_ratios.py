"""Ratios are arithmetic on the statements, and are left out where they would mean nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenk.inline_xbrl import read_inline
from tenk.models import FinancialsAnalysisSection, MDAAnalysisSection
from tenk.models.statement import BalanceSheet, CashFlowStatement, IncomeStatement
from tenk.ratios import change_pct, ratios, recompute
from tenk.statements import balance_sheet, cash_flow, income_statement

QUOTE = {"quote": "as the text says it"}


def made(kind, scale="millions", **lines):
    """A statement of lines with a number for 2024 and, where there is one, for 2023."""
    items = [
        {
            "concept": concept,
            "label": concept,
            "values": {
                "items": [
                    {"fiscal_year": 2024 - age, "value": value} for age, value in enumerate(values)
                ]
            },
        }
        for concept, values in lines.items()
    ]
    return kind.model_validate({"scale": scale, "lines": {"items": items}})


def computed(*statements):
    found = ratios(*statements)
    return (
        {} if found is None else {(ratio.name, ratio.fiscal_year): ratio for ratio in found.items}
    )


def test_a_ratio_says_what_went_in_and_how():
    income = made(IncomeStatement, revenue=[200, 160], net_income=[30, 20])
    ratio = computed(income)["net_margin", 2024]
    assert (ratio.value, ratio.unit, ratio.formula) == (15, "percent", "net_income / revenue")
    assert ratio.inputs.items == ["net_income 2024 = 30 millions", "revenue 2024 = 200 millions"]
    growth = computed(income)["revenue_growth", 2024]
    assert (growth.value, growth.formula) == (25, "(revenue - prior_revenue) / prior_revenue")
    assert growth.inputs.items == ["revenue 2024 = 200 millions", "revenue 2023 = 160 millions"]


def test_statements_of_two_scales_are_compared_in_units():
    income, balance = (
        made(IncomeStatement, "thousands", net_income=[5_000]),
        made(BalanceSheet, total_assets=[100]),
    )
    assert computed(income, balance)["return_on_assets", 2024].value == 5


def test_free_cash_flow_is_money_whichever_sign_the_spending_has():
    for spent in (-4, 4):
        ratio = computed(
            made(CashFlowStatement, operating_cash_flow=[10], capital_expenditure=[spent])
        )["free_cash_flow", 2024]
        assert (ratio.value, ratio.unit, ratio.scale) == (6, "money", "millions")
        assert ratio.formula == "operating_cash_flow - |capital_expenditure|"


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        (made(IncomeStatement, net_income=[3]), "net_margin"),  # no revenue
        (made(IncomeStatement, net_income=[3], revenue=[0]), "net_margin"),
        (made(IncomeStatement, net_income=[3, -2]), "net_income_growth"),
        (made(IncomeStatement, income_tax=[3], pretax_income=[-9]), "effective_tax_rate"),
        (
            made(IncomeStatement, revenue=[9], cost_of_revenue=[3], policy_benefits=[5]),
            "gross_margin",
        ),
        (made(BalanceSheet, long_term_debt=[3], equity=[-1]), "debt_to_equity"),
        (made(BalanceSheet, current_assets=[3]), "current_ratio"),
    ],
)
def test_what_would_mean_nothing_is_left_out(statement, absent):
    assert (absent, 2024) not in computed(statement)


def test_the_gross_margin_needs_no_printed_gross_profit():
    ratio = computed(made(IncomeStatement, revenue=[200], cost_of_revenue=[150]))[
        "gross_margin", 2024
    ]
    assert (ratio.value, ratio.formula) == (25, "(revenue - |cost_of_revenue|) / revenue")


@pytest.mark.parametrize(
    ("pretax", "tax", "net", "rate"),
    [
        (100, 25, 75, 25),
        (100, -25, 75, 25),
        (100, -25, 125, -25),
        (100, 25, 70, 25),
        (100, -25, 70, 25),
    ],
)
def test_a_tax_in_parentheses_is_an_expense_or_a_benefit_as_the_result_tells(
    pretax, tax, net, rate
):
    income = made(IncomeStatement, pretax_income=[pretax], income_tax=[tax], net_income=[net])
    assert computed(income)["effective_tax_rate", 2024].value == rate


def test_debt_counts_what_is_due_soon_where_it_is_told():
    balance = made(BalanceSheet, long_term_debt=[30, 20], short_term_debt=[10], equity=[80, 80])
    assert computed(balance)["debt_to_equity", 2024].value == 0.5
    assert computed(balance)["debt_to_equity", 2023].value == 0.25


def test_without_statements_there_are_no_ratios():
    assert (
        ratios()
        is ratios(None, None, None)
        is ratios(made(IncomeStatement, net_income=[3]))
        is None
    )


def test_the_ratios_of_a_real_filing_are_those_of_its_numbers(filings):
    facts = read_inline((filings / "nvda-2024.htm").read_bytes())
    found = computed(income_statement(facts), balance_sheet(facts), cash_flow(facts))
    # as Item 7 says: 72.7 %
    assert found["gross_margin", 2024].value == round(44_301 / 60_922 * 100, 2) == 72.72
    assert found["revenue_growth", 2024].value == round(100 * 33_948 / 26_974, 2)
    assert found["effective_tax_rate", 2024].value == 12  # as the tax note says
    assert found["current_ratio", 2024].value == round(44_345 / 10_631, 3)
    assert found["free_cash_flow", 2024].value == 27_021
    assert found["eps_growth", 2023].value == round((1.74 - 3.85) / 3.85 * 100, 2)
    assert ("current_ratio", 2022) not in found  # the balance sheet shows two years


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_a_change_is_what_leads_from_one_to_the_other_or_nothing(current, prior):
    change = change_pct(current, prior)
    if change is None:
        assert prior <= 0 or abs(current - prior) / prior > 999
    else:
        assert prior * (1 + change / 100) == pytest.approx(current, rel=1e-3, abs=prior * 1e-4)


def test_changes_are_recomputed_whatever_a_model_says_of_them():
    section = MDAAnalysisSection.model_validate(
        {
            "metrics": {
                "items": [
                    metric("Revenue", (200, "USD millions"), (160, "usd  millions"), 999),
                    metric("Stores", (200, "stores"), None, 999),
                    metric("Stores", (200, "stores"), (2, "countries"), 999),
                    metric("Margin", (70, "percent"), (60, "percent"), 999),
                ]
            },
            "segment_results": {
                "items": [
                    {
                        "segment": "Boats",
                        "revenue": {"amount": 1.5, "scale": "billions"},
                        "prior_revenue": {"amount": 1000, "scale": "millions"},
                        "evidence": QUOTE,
                    }
                ]
            },
        }
    )
    recompute(section)
    dumped = section.model_dump()
    assert [each["change_pct"] for each in dumped["metrics"]["items"]] == [25, None, None, None]
    assert dumped["segment_results"]["items"][0]["change_pct"] == 50


def test_the_size_of_a_trend_is_recomputed():
    trend = {
        "subject": "Debt",
        "direction": "down",
        "current": {"value": 3, "unit": "USD"},
        "prior": {"value": 4, "unit": "USD"},
        "evidence": QUOTE,
    }
    section = FinancialsAnalysisSection.model_validate({"trends": {"items": [trend]}})
    recompute(section)
    assert section.model_dump()["trends"]["items"][0]["size_pct"] == -25


def metric(name, current, prior, change):
    quantities = [
        {"value": each[0], "unit": each[1]} if each else None for each in (current, prior)
    ]
    return {
        "name": name,
        "current": quantities[0],
        "prior": quantities[1],
        "change_pct": change,
        "evidence": QUOTE,
    }
