"""Statements made of facts hold what the filing prints; lines copied from a text hold what their quote says."""

from datetime import date

import pytest

from tenk import concepts
from tenk.evidence import QuoteIndex
from tenk.facts import Fact, Facts, Period
from tenk.inline_xbrl import read_inline
from tenk.models.statement import (
    BalanceConcept,
    BalanceSheet,
    CashFlowConcept,
    CashFlowStatement,
    IncomeConcept,
    IncomeLine,
    IncomeStatement,
)
from tenk.schedule import read_schedule
from tenk.statements import balance_sheet, cash_flow, income_statement, known, numbers, reparse


def income(facts):
    return income_statement(facts)


def balance(facts):
    return balance_sheet(facts)


def cash(facts):
    return cash_flow(facts)


Y2 = Period(date(2023, 1, 1), date(2023, 12, 31))
Y1 = Period(date(2022, 1, 1), date(2022, 12, 31))
END = Period(None, date(2023, 12, 31))


def fact(concept, value, period=Y2, unit="USD", **more):
    return Fact(f"us-gaap:{concept}", value, unit, period, **({"scale": 3, "table": 7} | more))


INCOME = (
    fact("Revenues", 5_000_000, label="Net sales"),
    fact("Revenues", 4_000_000, Y1, label="Net sales"),
    fact("NetIncomeLoss", -250_500, label="Net loss"),
    fact("NetIncomeLoss", 100_000, Y1, label="Net loss"),
    fact("EarningsPerShareDiluted", -0.25, unit="USD/shares", scale=0),
)


@pytest.mark.parametrize(
    ("lines", "concept"),
    [
        (concepts.INCOME, IncomeConcept),
        (concepts.BALANCE, BalanceConcept),
        (concepts.CASH_FLOW, CashFlowConcept),
    ],
)
def test_each_line_that_can_be_tagged_is_one_that_a_statement_can_have(lines, concept):
    assert concept.__args__ == (*lines, "other")


def test_numbers_are_in_the_scale_that_is_printed_those_per_share_in_units():
    statement = income(Facts(INCOME))
    assert (statement.scale, statement.currency) == ("thousands", "USD")
    assert [
        (line.concept, line.label, [(v.fiscal_year, v.value) for v in line.values.items])
        for line in statement.lines.items
    ] == [
        ("revenue", "Net sales", [(2023, 5000), (2022, 4000)]),
        ("net_income", "Net loss", [(2023, -250.5), (2022, 100)]),
        ("eps_diluted", "Eps diluted", [(2023, -0.25)]),
    ]
    assert statement.amount("net_income", 2023) == -250_500
    assert statement.amount("eps_diluted", 2023) == -0.25
    assert {value.source for line in statement.lines.items for value in line.values.items} == {
        "xbrl"
    }


def test_what_a_note_says_is_no_line_of_the_statement():
    elsewhere = fact("InterestExpense", 9_000, table=30)
    assert income(Facts((*INCOME, elsewhere))).line("interest_expense") is None


def test_a_statement_may_be_set_as_two_tables():
    below = fact("IncomeTaxExpenseBenefit", 9_000, table=8)
    assert income(Facts((*INCOME, below))).line("income_tax").values.of(2023) == 9


def test_one_name_is_kept_for_all_years():
    mixed = (
        fact("InterestExpenseDebt", 1_000),
        fact("InterestExpense", 2_000, Y1),
        fact("InterestExpenseDebt", 3_000, Y1),
    )
    assert [
        value.value
        for value in income(Facts((*INCOME, *mixed))).line("interest_expense").values.items
    ] == [1, 3]


def test_a_number_of_shares_is_no_revenue():
    facts = Facts((fact("Revenues", 7, unit="shares"), *INCOME[2:], fact("GrossProfit", 1_000)))
    assert income(facts).line("revenue") is None


def test_what_is_paid_is_negative():
    facts = Facts(
        (
            fact("NetCashProvidedByUsedInOperatingActivities", 9_000),
            fact("PaymentsToAcquirePropertyPlantAndEquipment", 4_000),
        )
    )
    assert cash(facts).line("capital_expenditure").values.of(2023) == -4


def test_a_year_of_which_only_a_note_speaks_is_no_column():
    facts = Facts(
        (
            *INCOME,
            *(fact(name, 1_000, END) for name in ("Assets", "Liabilities", "StockholdersEquity")),
            fact("StockholdersEquity", 1_000, Period(None, date(2022, 12, 31))),
        )
    )
    assert {
        value.fiscal_year for line in balance(facts).lines.items for value in line.values.items
    } == {2023}


@pytest.mark.parametrize(
    "facts", [Facts(), Facts(INCOME[:1]), Facts(INCOME[4:])], ids=["none", "one line", "no money"]
)
def test_too_few_facts_make_no_statement(facts):
    assert income_statement(facts) is None
    assert balance_sheet(facts) is None
    assert cash_flow(facts) is None


@pytest.mark.parametrize(
    ("file", "wanted"),
    [  # read by eye in the statements of each filing, newest year first
        (
            "nvda-2024.htm",
            {
                "revenue": [60_922, 26_974, 26_914],
                "operating_income": [32_972, 4_224, 10_041],
                "income_tax": [4_058, -187, 189],
                "net_income": [29_760, 4_368, 9_752],
                "eps_basic": [12.05, 1.76, 3.91],
                "eps_diluted": [11.93, 1.74, 3.85],
                "total_assets": [65_728, 41_182],
                "equity": [42_978, 22_101],
                "operating_cash_flow": [28_090, 5_641, 9_108],
                "capital_expenditure": [-1_069, -1_833, -976],
            },
        ),
        (
            "unh-2024.htm",
            {
                "revenue": [400_278, 371_622, 324_162],
                "operating_income": [32_287, 32_358, 28_435],
                "net_income": [14_405, 22_381, 20_120],
                "eps_diluted": [15.51, 23.86, 21.18],
                "total_assets": [298_278, 273_720],
                "long_term_debt": [72_359, 58_263],
                "operating_cash_flow": [24_204, 29_068, 26_206],
                "share_repurchases": [-9_000, -8_000, -7_000],
            },
        ),
    ],
)
def test_real_statements_are_those_that_the_filing_prints(filings, file, wanted):
    facts = read_inline((filings / file).read_bytes())
    made = (income(facts), balance(facts), cash(facts))
    assert {statement.scale for statement in made} == {"millions"}
    for concept, printed in wanted.items():
        line = next(line for statement in made if (line := statement.line(concept)) is not None)
        assert [value.value for value in line.values.items] == printed
        assert [value.fiscal_year for value in line.values.items] == [2024, 2023, 2022][
            : len(printed)
        ]


def test_a_schedule_makes_statements_of_one_year(filings):
    facts = read_schedule((filings / "aapl-1994.txt").read_bytes())
    assert (income(facts).scale, income(facts).line("net_income").values.of(1994)) == (
        "thousands",
        310_178,
    )
    assert balance(facts).line("total_assets").values.items[0].source == "schedule"
    assert cash_flow(facts) is None


TEXT = (
    "Net sales\t$\t9,189\t$\t7,977\nOther (expense)\t(187)\t62\nNet income per share\t$2.61\t$.73\n"
)


def line(values, quote, concept="other", label=None):
    copied = {
        "concept": concept,
        "label": label or quote.split(" $")[0].split(" (187")[0],
        "values": {
            "items": [
                {"fiscal_year": 1994 - age, "value": value} for age, value in enumerate(values)
            ]
        },
        "evidence": {"quote": quote},
    }
    made = IncomeLine.model_validate(copied)
    QuoteIndex(TEXT).verify(made)
    return made


@pytest.mark.parametrize(
    ("values", "quote"),
    [
        ([9189, 7977], "Net sales $ 9,189 $ 7,977"),
        ([9189], "Net sales $ 9,189 $ 7,977"),
        ([2.61, 0.73], "Net income per share $2.61 $.73"),
    ],
)
def test_a_line_whose_numbers_stand_in_its_quote_is_kept(values, quote):
    (kept,) = reparse([line(values, quote)])
    assert [value.value for value in kept.values.items] == values


@pytest.mark.parametrize(
    ("values", "quote"),
    [
        ([9188, 7977], "Net sales $ 9,189 $ 7,977"),  # another number
        ([9189, 9189], "Net sales $ 9,189 $ 7,977"),  # one number twice
        ([9.189], "Net sales $ 9,189 $ 7,977"),  # another scale
        ([9300, 7977], "Net sales $ 9,300 $ 7,977"),  # the text has no such quote
        ([], "Net sales $ 9,189 $ 7,977"),
    ],
)
def test_a_line_that_its_quote_does_not_prove_is_dropped(values, quote):
    assert reparse([line(values, quote)]) == []


@pytest.mark.parametrize("label", ["Net", "Other sales", "per share"])
def test_a_line_whose_label_is_not_that_of_its_row_is_dropped(label):
    assert reparse(
        [line([2.61, 0.73], "Net income per share $2.61 $.73", label="Net income per share")]
    )
    assert not reparse(
        [line([9189, 7977], "Net sales $ 9,189 $ 7,977 Other (expense) (187) 62", label=label)]
    )


def test_two_numbers_of_one_year_are_no_line():
    twice = line([9189, 7977], "Net sales $ 9,189 $ 7,977")
    for value in twice.values.items:
        value.fiscal_year = 1994
    assert reparse([twice]) == []


def test_the_sign_is_that_which_is_printed():
    (kept,) = reparse([line([187, 62], "Other (expense) (187) 62")])
    assert [value.value for value in kept.values.items] == [-187, 62]


def test_what_code_made_of_facts_needs_no_quote():
    lines = income(Facts(INCOME)).lines.items
    assert reparse(lines, by_code=True) == lines
    assert reparse(lines) == []


def test_a_statement_is_made_of_tagged_facts_else_of_rows_else_of_a_schedule(filings):
    schedule = read_schedule((filings / "aapl-1994.txt").read_bytes())
    rows = "(in thousands) 1994 1993\nNet sales\t9\t8\nCost of sales\t5\t5\nIncome taxes\t1\t1\nNet income\t3\t2\n"
    assert [
        known(Facts(INCOME), rows)["income_statement"].amount("revenue", year)
        for year in (2023, 1994)
    ] == [
        5e6,
        None,
    ]
    assert known(schedule, rows)["income_statement"].amount("revenue", 1994) == 9_000
    assert known(schedule, "no rows")["income_statement"].amount("revenue", 1994) == 9_188_748_000
    assert known(None, rows).keys() == {"income_statement"}


def test_a_model_that_says_its_numbers_are_tagged_is_not_believed():
    claimed = line([9189, 7977], "Net sales $ 9,189 $ 7,977")
    invented = line([5, 4], "no such line in the text")
    for value in claimed.values.items + invented.values.items:
        value.source, value.period_end = "xbrl", date(1994, 9, 30)
    (kept,) = reparse([invented, claimed])
    assert [(value.source, value.period_end) for value in kept.values.items] == [("text", None)] * 2


def test_a_line_per_share_is_not_multiplied_whatever_a_model_says_of_its_unit():
    copied = line([2.61, 0.73], "Net income per share $2.61 $.73", "eps_diluted").model_dump() | {
        "unit": "money"
    }
    statement = IncomeStatement.model_validate({"scale": "millions", "lines": {"items": [copied]}})
    assert statement.amount("eps_diluted", 1994) == 2.61


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Cash  (1,069)  $ 976", [-1069, 976]),
        ("Loss $(3.5) and ($ 4) or -5 or -$6", [-3.5, -4, -5, -6]),
        ("Dividends — 6 - 7", [0, 6, 0, 7]),  # dashes that stand alone say nothing was paid
        ("2023-2024", [2023, 2024]),
        ("10-K for 2024", [10, 2024]),
        ("60,922.15 and .73", [60922.15, 0.73]),
        ("no number, not even F1 or 1.2.3", []),
    ],
)
def test_printed_numbers_are_read(text, found):
    assert list(numbers(text)) == found


def test_statements_without_lines_have_none():
    for model in (IncomeStatement, BalanceSheet, CashFlowStatement):
        empty = model.model_validate({"scale": "units", "lines": {"items": []}})
        assert empty.line("net_income") is None
        assert empty.amount("net_income", 2024) is None
