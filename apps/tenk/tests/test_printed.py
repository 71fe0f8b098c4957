"""Statements are read from the rows of a text, of HTML or of the typewriter's kind, each line with its row as proof."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenk.evidence import QuoteIndex
from tenk.filing import read_filing
from tenk.printed import balance_sheet, cash_flow, income_statement

TYPED = """
                CONSOLIDATED STATEMENTS OF INCOME
             (In thousands, except per share amounts)

Year ended June 30                        1995        1994        1993

Net sales ............................. $  9,188   $  7,976   $  7,086
Cost  of sales .........................   6,844      5,248      3,991
Selling, general and
  administrative                           1,384      1,632      1,687
Restructuring (note 3)                      (126)       320         --
Operating income (loss)                      522       (110)       805
Provision for income taxes                   190         53        325
Net income (loss)                       $    310   $    (86)  $    530
Earnings per common and common
  equivalent share                      $   2.61   $   (.73)  $   4.33
"""
TABBED = """CONSOLIDATED BALANCE SHEETS
(In millions)\tDecember 31,
2009\tDecember 31,
2008
Assets
Cash\t4\t$\t25\t$\t31
Accounts receivable, net of allowance of $5 and $4\t7\t8
Total current assets\t\t32\t39
Goodwill\t—\t6
Total assets\t$\t90\t$\t91
Shareholders’ equity:
Preferred stock\t—\t—
Retained earnings (deficit)\t(12\t)\t3
Total shareholders’ equity\t40\t50
"""


def read(made):
    """A statement's scale, and its lines as concepts with their numbers, newest year first."""
    return made.scale, {
        line.concept: [value.value for value in line.values.items] for line in made.lines.items
    }


def test_a_typed_statement_is_read():
    scale, lines = read(income_statement(TYPED))
    assert scale == "thousands"
    assert lines == {
        "revenue": [9_188, 7_976, 7_086],
        "cost_of_revenue": [6_844, 5_248, 3_991],
        "selling_general_administrative": [1_384, 1_632, 1_687],
        "operating_income": [522, -110, 805],
        "income_tax": [190, 53, 325],
        "net_income": [310, -86, 530],
        "eps_diluted": [2.61, -0.73, 4.33],
    }


def test_a_statement_of_cells_is_read_with_years_on_several_lines_and_references_to_notes():
    scale, lines = read(balance_sheet(TABBED))
    assert scale == "millions"
    assert lines == {
        "cash": [25, 31],
        "receivables": [7, 8],
        "current_assets": [32, 39],
        "goodwill": [0, 6],
        "total_assets": [90, 91],
        "retained_earnings": [-12, 3],
        "equity": [40, 50],
    }


@pytest.mark.parametrize(("make", "text"), [(income_statement, TYPED), (balance_sheet, TABBED)])
def test_each_line_has_its_row_as_proof(make, text):
    made = make(text)
    counts = QuoteIndex(text).verify(made)
    assert counts.shown == counts.verified == len(made.lines.items)


def test_years_may_stand_oldest_first():
    _, lines = read(
        income_statement(
            TYPED.replace("1995        1994        1993", "1993        1994        1995")
        )
    )
    assert lines["net_income"] == [530, -86, 310]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Net income was 5 in 1995 and 4 in 1994.",
        TYPED.replace("1995        1994        1993", ""),  # no years
        # of no columns
        TYPED.replace("1995        1994        1993", "1995        1993        1990"),
        TYPED.replace("Net income (loss)", "Net of everything"),
        "1995 1994\nNet sales\t5\t4\nNet income\t1\t1\n",  # too little to be sure
    ],
)
def test_what_cannot_be_told_for_sure_is_no_statement(text):
    assert [make(text) for make in (income_statement, balance_sheet, cash_flow)] == [None] * 3


def test_a_row_with_another_number_of_columns_is_left_out():
    _, lines = read(income_statement(TYPED.replace("7,976   $  7,086", "7,976")))
    assert "revenue" not in lines
    assert "net_income" in lines


@given(st.text(alphabet="Net income Total assets\t 12,34.5()$—-\n1995 1994", max_size=600))
def test_no_text_makes_it_fail(text):
    for make in (income_statement, balance_sheet, cash_flow):
        make(text)


@pytest.mark.parametrize(
    ("file", "make", "wanted"),
    [  # read by eye in the statements of each filing
        (
            "aapl-1994.txt",
            income_statement,
            {"revenue": 9_188_748, "income_tax": 190_108, "eps_diluted": 2.61},
        ),
        (
            "aapl-1994.txt",
            balance_sheet,
            {"receivables": 1_581_347, "long_term_debt": 304_472, "equity": 2_383_301},
        ),
        ("aapl-1994.txt", cash_flow, {"operating_cash_flow": 736_995, "dividends_paid": -56_572}),
        (
            "gan-2009.htm",
            income_statement,
            {"revenue": 206_815, "net_income": 4_073, "eps_basic": 0.85},
        ),
        (
            "gan-2009.htm",
            balance_sheet,
            {"total_assets": 241_902, "retained_earnings": -87_166, "equity": 63_049},
        ),
        (
            "intc-2002.htm",
            income_statement,
            {"revenue": 26_764, "gross_profit": 13_318, "eps_diluted": 0.46},
        ),
        ("intc-2002.htm", cash_flow, {"operating_cash_flow": 9_129, "capital_expenditure": -4_703}),
        (
            "msft-2013.htm",
            income_statement,
            {"revenue": 77_849, "net_income": 21_863, "eps_diluted": 2.58},
        ),
        (
            "msft-2013.htm",
            balance_sheet,
            {"total_assets": 142_431, "equity": 78_944, "long_term_debt": 12_601},
        ),
        ("msft-2013.htm", cash_flow, {"operating_cash_flow": 28_833, "share_repurchases": -5_360}),
        ("reac-2015.htm", income_statement, {"revenue": 0, "net_income": -23_136}),
        (
            "nvda-2024.htm",
            income_statement,
            {"revenue": 60_922, "income_tax": 4_058, "eps_diluted": 11.93},
        ),
        ("unh-2024.htm", balance_sheet, {"total_assets": 298_278, "receivables": 22_365}),
    ],
)
def test_the_statements_of_real_filings_are_read(filings, file, make, wanted):
    made = make(read_filing(filings / file).item("8").body)
    assert {concept: made.line(concept).values.items[0].value for concept in wanted} == wanted
