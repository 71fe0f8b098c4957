"""A filing as it is shown: all of its text, each block where it stands, tables and typewriter's columns told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenk.filing import Filing, read_filing
from tenk.service.display import blocks


def shown(text, markup=b"<p>"):
    return [(block.kind, block.words) for block in blocks(Filing(text, markup, "10-K", ()))]


@given(
    st.text(st.sampled_from("ab1. \t\n$\U0001f600"), max_size=80), st.sampled_from([None, b"<p>"])
)
def test_every_word_is_shown_once_where_it_stands(text, markup):
    whole = [" "] * len(text)
    for start, _, words in blocks(Filing(text, markup, "10-K", ())):
        assert text[start : start + len(words)] == words
        assert whole[start : start + len(words)] == [" "] * len(words)
        whole[start : start + len(words)] = words
    assert "".join(whole).split() == text.split()


def test_a_line_with_tabs_is_a_row_of_a_table():
    assert shown("Sales\t$\t5\nCosts\t3\n\nWe sell.") == [
        ("row", "Sales\t$\t5"),
        ("row", "Costs\t3"),
        ("text", "We sell."),
    ]


def test_lines_of_a_typewriter_may_flow_and_its_columns_may_not():
    prose = "The Company sells boats to sailors\nin many countries."
    table = "Net sales          $ 1,250      $ 990\nCost of sales        800        700"
    assert shown(f"{prose}\n\n{table}", None) == [("wrapped", prose), ("pre", table)]


def test_lines_set_to_an_even_margin_are_prose():
    justified = (
        "Because   the  personal  computer  industry   is\ncharacterized   by  rapid   advances."
    )
    assert shown(justified, None) == [("wrapped", justified)]


@pytest.mark.parametrize("name", ["nvda-2024.htm", "aapl-1994.txt", "mrx-1999.htm"])
def test_a_real_filing_is_shown_whole(filings, name):
    filing = read_filing(filings / name)
    found = list(blocks(filing))
    assert sum(len(block.words.split()) for block in found) == len(filing.text.split())
    assert found == sorted(found)
