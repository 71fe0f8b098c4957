import pytest

from tenk.furniture import Furniture


def kept(tail: str, text: str = "Item 1. Business\n\nThe end of the matter.") -> str:
    whole = f"{text}\n\n{tail}"
    return whole[: Furniture(whole).trimmed(0, len(whole))]


@pytest.mark.parametrize(
    "tail",
    ["12", "-12-", "(12)", "Page 12", "F-12", "12 of 90", "iv", "PART II", "Part II, Item 7\n" * 5, "Table of Contents",
     "PART I, II\n\nItem 2, 3, 4, 5", "59\n\nTable of Contents\n\nIndex to Financial Statements", "\n\n \n"],
)  # fmt: skip
def test_what_stands_at_a_page_end_is_left_out(tail):
    assert kept(tail) == "Item 1. Business\n\nThe end of the matter."


@pytest.mark.parametrize(
    "tail", ["Not applicable.", "None", "on pages F-1 to\nF-20.", "Total\t$ 12\t$ 13", "in 1999."]
)
def test_the_last_line_of_an_item_stays_however_often_it_comes(tail):
    whole = f"{tail}\n\n" * 6
    assert kept(tail, text=f"{whole}Item 1. Business").endswith(tail)


def test_the_last_item_ends_at_the_signatures():
    whole = "Item 15. Exhibits\n\nA list.\n\n  SIGNATURES  \n\nSigned."
    assert whole[: Furniture(whole).trimmed(0, len(whole), last=True)].endswith("A list.")
