"""What a text is made of, by its line breaks: paragraphs, headings, rows of tables."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather.extractive.blocks import blocks
from ingather.extractive.text import passage

PROSE = "We sell boats to fishers and to harbours. They like them, and so do we."


def kinds(text):
    return [block.kind for block in blocks(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"Competition\n\n{PROSE}", ["heading", "prose"]),
        (f"Item 1. Business\n\nOverview\n\n{PROSE}", ["heading", "heading", "prose"]),
        (f"If boats sink, we fail.\n\n{PROSE}", ["lead", "prose"]),
        ("Net sales\t$\t1,250\t$\t1,100", ["row"]),
        ("Net sales .......... 1,250", ["row"]),
        ("Net sales      $ 1,250    15%   $ 1,100", ["row"]),
        ("Name: Ann\nAge: 30", ["prose", "prose"]),
        ("•\tboats with 2 masts;\n•\tboats with 3 masts", ["prose", "prose"]),
    ],
)
def test_kinds_of_blocks(text, found):
    assert kinds(text) == found


def test_a_line_that_goes_on_in_the_next_one_is_one_with_it():
    assert len(blocks(f"{PROSE} It\nis so because {PROSE.lower()}")) == 1


def test_what_only_points_elsewhere_answers_nothing():
    text = f"{PROSE}\n\nSee Note 7 for boats.\n\nBoats are incorporated by reference from the report on boats."
    assert [sentence.kind for sentence in passage(text).sentences][-2:] == ["aside", "aside"]
    assert passage(text).find({"boat": 1.0}) == [0]


@given(st.text(alphabet="aB1 .\t\n:", max_size=200))
def test_blocks_are_in_order_and_lose_no_letter(text):
    found = blocks(text)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    kept = "".join(text[block.start : block.end] for block in found)
    assert kept.count("B") == text.count("B")


@given(st.text(max_size=300))
def test_a_sentence_stands_where_it_says(text):
    for sentence in passage(text).sentences:
        assert " ".join(text[sentence.start : sentence.end].split()) == sentence.text
