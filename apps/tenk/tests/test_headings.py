import pytest

from tenk.headings import (
    LISTED,
    MENTION,
    MISNUMBERED,
    TITLED,
    UNTITLED,
    headings,
    rank,
    title_lines,
)
from tenk.titles import TITLES


def only(text: str) -> tuple[tuple[str, ...], float] | None:
    found = headings(text)
    return (found[0].items, found[0].weight) if found else None


@pytest.mark.parametrize(
    ("line", "items", "weight"),
    [
        ("Item 1. Business", ("1",), TITLED),
        ("Item 1 Our Business", ("1",), TITLED),  # an O is no nought where a word begins with it
        ("Item 2 Land and Facilities", ("2",), UNTITLED),
        ("Item lO. Directors and Executive Officers", ("10",), TITLED),
        ("ITEM 9A(T).\tCONTROLS AND PROCEDURES", ("9A",), TITLED),
        ("PART II, ITEM 7. MANAGEMENT'S DISCUSSION", ("7",), TITLED),
        ("Item 1 (A) Risk Factors", ("1A",), TITLED),
        ("Items 10 through 13. Directors and officers", ("10", "11", "12", "13"), TITLED),
        (
            "Item 7. Quantitative and Qualitative Disclosures about Market Risk",
            ("7A",),
            MISNUMBERED,
        ),
        ("Item 1. What We Do", ("1",), UNTITLED),
        ("Item 4A. Executive Officers of the Registrant", ("4A",), UNTITLED),
        ("Item 1. Business ..... 3", ("1",), LISTED),
        ("Item 8. Financial Statements\tF-1", ("8",), LISTED),
        ("Item 7. Management's Discussion and Analysis above describes", ("7",), MENTION),
        ("Item 1A, “Risk Factors”", ("1A",), MENTION),
        ("as we say in\nItem 1A. Risk Factors", ("1A",), MENTION),
        ("Part I, Item 1A. Risk Factors", ("1A",), MENTION),
    ],
)
def test_a_line_weighs_by_what_it_is(line, items, weight):
    assert only(line) == (items, weight)


@pytest.mark.parametrize(
    "line",
    [
        "Item 405 of Regulation S-K",
        "Item 5.02 Departure of Directors",
        "Item 7. Financial Statements and Exhibits of the Form 8-K",
        "see Item 1A. Risk Factors",
        "Item 17. Undertakings",
        "Item 8 of this report says more",
        "Items 5, 6, 7",
        "itemized deductions 1",
    ],
)
def test_other_lines_are_no_headings(line):
    found = only(line)
    assert found is None or found[1] <= UNTITLED
    assert found is None or "Form 8-K" in line


def test_ranks_rise_in_the_order_of_the_form():
    ranks = [rank(item) for item in TITLES]
    assert ranks == sorted(set(ranks))


def test_a_title_alone_on_its_line_is_found_where_asked_for():
    text = "Business\n\nOur business is good.\n\nRisk Factors\n"
    assert [heading.items for heading in title_lines(text, {"1", "1A"})] == [("1",), ("1A",)]
    assert title_lines(text, {"2"}) == []
