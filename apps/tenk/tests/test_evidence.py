"""A quote is found where it stands, however it was copied; one that nobody wrote is not."""

import random
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tenk.evidence import Counts, Place, QuoteIndex, Span, evidence
from tenk.models import BusinessAnalysisSection, Evidence, KeyProductList
from tenk.squash import Squashed

TEXT = (
    "Item 1. Business\n\nWe sell “long-term”\n  contracts — to boat owners. Revenue was $1,250 million\tin 2024,\t975\n"
    "in 2023.\n\nItem 1A. Risk Factors\n\nWe may lose customers, and we sell\n\n17\n\nTable of Contents\n\n"
    "to few of them. We sell “long-term” contracts — to boat owners."
)
RISKS = TEXT.index("Item 1A")
FIRST = Span(TEXT.index("We sell"), TEXT.index(". Revenue"))
LAST = Span(TEXT.rindex("We sell"), len(TEXT) - 1)
INDEX = QuoteIndex(TEXT, [Place("1", 0, RISKS), Place("1A", RISKS, len(TEXT))])
WORDS = [
    "we",
    "sell",
    "boats",
    "oars",
    "and",
    "Sails",
    "to",
    "north,",
    "pay",
    "late;",
    "rose",
    "12",
    "%",
    "1,250",
]


def found(quote, item=None):
    span = INDEX.locate(quote, item)
    return None if span is None else TEXT[span.start : span.end]


def test_a_quote_is_found_whatever_became_of_its_blanks_marks_and_case():
    quote = 'we sell "long-term" contracts -- to boat owners.'
    assert found(quote) == "We sell “long-term”\n  contracts — to boat owners"


def test_the_first_place_counts_unless_an_item_is_named():
    quote = "We sell long-term contracts - to boat owners"
    assert [INDEX.locate(quote, item) for item in (None, "1", "1A")] == [FIRST, FIRST, LAST]


def test_a_quote_that_its_item_lacks_is_looked_for_elsewhere():
    assert found("Revenue was $1,250 million", "1A") == "Revenue was $1,250 million"


@pytest.mark.parametrize(
    "quote",
    [
        "…contracts — to boat owners…",
        "... contracts - to boat owners ...",
        "“Contracts – to boat owners,”",
    ],
)
def test_dots_and_marks_around_a_quote_are_not_of_it(quote):
    assert found(quote) == "contracts — to boat owners"


@pytest.mark.parametrize(
    "quote",
    [
        "We sell short-term contracts to boat owners",  # another word
        "contracts long-term we sell to boat owners",  # another order
        "We sell contracts to boat owners",  # a word left out
        "We sell … contracts to boat owners",  # so too, and said so
        "Revenue was $1",  # a number cut
        "Revenue was $1,2",
        "250 million in 2024",
        "$1,250 million in 2024, 97",
        "million in 2024975 in 2023",  # two numbers made one
        "Revenue was $1.250 million",  # another number
        "owners",  # too short to prove anything
        "",
        "…",
    ],
)
def test_what_the_text_does_not_say_is_not_found(quote):
    assert INDEX.locate(quote) is None


def test_a_quote_may_run_over_a_page_break():
    assert (
        found("We may lose customers, and we sell to few of them.")
        == TEXT[TEXT.index("We may") :].partition(".")[0]
    )


@pytest.mark.parametrize(
    "break_",
    [
        "\n\nsome of\n\n",
        " 17 ",
        "\n17 boats\n",
        "\n\n17\n\n" + "a long story " * 40,
        "\n17\nonly\n" * 3,
    ],
)
def test_a_gap_that_is_no_page_break_is_none(break_):
    assert (
        QuoteIndex(f"We may lose customers, and we sell{break_}to few of them.").locate(
            "and we sell to few of them"
        )
        is None
    )


@pytest.mark.parametrize(
    "mark", ["17", "- 17 -", "Page 17", "F-3", "<PAGE>", "17\n\nPART II\nItem 7", "\f"]
)
def test_pages_end_in_many_ways(mark):
    index = QuoteIndex(f"We may lose customers, and we sell\n{mark}\nto few of them.")
    assert index.locate("lose customers, and we sell to few of them") is not None
    assert index.locate("and we sell to few of them") is not None


def test_verifying_fills_in_all_evidence_however_deep_and_counts_it():
    section = BusinessAnalysisSection.model_validate(
        {
            "operational_overview": {
                "summary": "Boats.",
                "evidence": {"quote": "contracts to boat owners"},
            },
            "key_products": {
                "items": [product("Contracts", "We sell long-term contracts — to boat owners")]
            },
        }
    )
    assert INDEX.verify(section, "1A") == Counts(shown=2, verified=1)
    missing, there = evidence(section)
    assert (missing.verified, missing.start, missing.end, missing.item) == (False, None, None, None)
    assert (there.verified, there.item) == (True, "1A")
    assert TEXT[there.start : there.end] == "We sell “long-term” contracts — to boat owners"


def test_what_a_model_claims_of_its_own_quote_is_overwritten():
    claimed = {
        "quote": "We build spaceships for the moon.",
        "verified": True,
        "start": 0,
        "end": 9,
        "item": "1",
    }
    products = KeyProductList.model_validate(
        {"items": [product("Ship", "x") | {"evidence": claimed}]}
    )
    INDEX.verify(products)
    assert products.items[0].evidence == Evidence(quote="We build spaceships for the moon.")


def product(name, quote):
    return {"name": name, "category": "other", "description": "x", "evidence": {"quote": quote}}


texts = st.lists(st.sampled_from(WORDS), min_size=12, max_size=80).map(" ".join)


def recopied(quote, seed):
    """The quote with other white space, quotation marks, dashes and letter case."""
    chance = random.Random(seed)
    blanks = ["  ", "\n", "\t", "\u00a0", " "]
    quote = re.sub(r" ", lambda _: chance.choice(blanks), quote)
    quote = re.sub(r"\b(?=[a-z])", lambda _: chance.choice(["", "", "“", "'"]), quote)
    return chance.choice([quote, quote.upper(), quote.lower()])


@given(texts, st.data())
def test_any_part_of_a_text_that_cuts_no_number_is_found_where_it_stands(text, data):
    start = data.draw(st.integers(0, len(text) - 30))
    end = data.draw(st.integers(start + 30, len(text)))
    quote = text[start:end]
    assume(not re.search(r"[\d.,]\Z", text[:start]) or not re.match(r"[\d.,]", quote))
    assume(not re.search(r"[\d.,]\Z", quote) or not re.match(r"[\d.,]", text[end:]))
    span = QuoteIndex(text).locate(recopied(quote, data.draw(st.integers())))
    assert span is not None
    assert Squashed(text[span.start : span.end]).form == Squashed(quote.rstrip(" ,;")).form
    assert span.start <= start + len(quote) - len(quote.lstrip())


@given(texts, st.data())
def test_a_quote_with_another_word_or_number_in_it_is_never_found(text, data):
    words = text.split()
    start = data.draw(st.integers(0, len(words) - 10))
    quote = words[start : start + 10]
    quote[data.draw(st.integers(0, 9))] = data.draw(
        st.sampled_from(["zebra", "1,251", "125", "0.12", "never"])
    )
    assert QuoteIndex(text).locate(" ".join(quote)) is None


def test_quotes_of_real_filings_are_found_among_a_megabyte(filings):
    text = (filings / "aapl-1994.txt").read_text("latin-1") * 5
    index, chance = QuoteIndex(text), random.Random(7)
    words = [match.span() for match in re.finditer(r"\S+", text)]
    for _ in range(200):
        first = chance.randrange(len(words) - 40)
        span = Span(words[first][0], words[first + 30][1])
        quote = text[span.start : span.end]
        assert (
            sum(map(str.isalnum, quote)) < 10 or index.locate(" ".join(quote.split())) is not None
        )
        shuffled = chance.sample(quote.split(), 31)
        assert len(set(shuffled)) < 20 or index.locate(" ".join(shuffled)) is None
