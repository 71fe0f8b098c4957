import pytest

from tenk.chain import chain
from tenk.headings import headings

LONG = "A sentence of some length stands here. " * 40
CONTENTS = (
    "Item 1. Business 3\nItem 1A. Risk Factors 9\nItem 2. Properties 20\nItem 16. Form 10-K Summary\n\n"
    + LONG
)
BODY = f"\nItem 1. Business\n\n{LONG}\n\nItem 1A. Risk Factors\n\n{LONG}\n\nItem 2. Properties\n\nNone.\n"


def numbers(text: str) -> list[tuple[int, str]]:
    return [(heading.start, heading.items[0]) for heading in chain(text, headings(text))]


@pytest.mark.parametrize("before", ["", CONTENTS])
@pytest.mark.parametrize(
    "behind", ["", "\nItem 1. Business\nItem 1A. Risk Factors\nItem 2. Properties\n"]
)
def test_the_body_wins_over_contents_and_index(before, behind):
    own = [(len(before) + start, item) for start, item in numbers(BODY)]
    assert numbers(before + BODY + behind) == own
    assert [item for _, item in own] == ["1", "1A", "2"]


def test_the_first_of_running_headers_wins():
    text = f"Item 1. Business\n{LONG}\n" * 5 + f"Item 2. Properties\n{LONG}\n" * 5
    assert numbers(text) == [(0, "1"), (text.index("Item 2"), "2")]


def test_a_contents_page_alone_gives_nothing():
    assert numbers(CONTENTS.replace("\nItem 16. Form 10-K Summary", "")) == []


def test_no_headings_give_no_chain():
    assert chain("text", []) == []
