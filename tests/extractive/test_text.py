import pytest

from ingather.extractive.text import passage, split
from ingather.extractive.words import name_words, stems


def sentences(text):
    return [sentence.text for sentence in passage(text).sentences]


def test_a_sentence_ends_at_a_full_stop_before_a_capital():
    assert sentences("We sell boats. Our office is in Oslo! Is it? Yes.") == [
        "We sell boats.",
        "Our office is in Oslo!",
        "Is it?",
        "Yes.",
    ]


@pytest.mark.parametrize(
    "text",
    ["Mr. Smith met Dr. Jones.", "Acme Inc. Oslo", "The U.S. Navy has 3.5 boats", "see e.g. Oslo"],
)
def test_an_abbreviation_ends_no_sentence(text):
    assert len(sentences(text)) == 1


def test_wrapped_lines_are_one_paragraph_and_short_lines_are_items():
    wrapped = (
        "This is a sentence that goes on for so long that it has been wrapped\n"
        "at some eighty characters by its author, as filings are, more often\n"
        "than not."
    )
    assert len(sentences(wrapped)) == 1
    assert sentences("Name: Ann\nAge: 30") == ["Name: Ann", "Age: 30"]


def test_white_space_within_a_sentence_is_made_single():
    assert sentences("We   sell\u00a0 boats.") == ["We sell boats."]


def test_splitting_loses_no_word():
    text = "One two. Three (four). Five\nsix seven. Eight?"
    assert " ".join(split(text)).split() == text.split()


def test_the_best_sentence_holds_the_rarest_words():
    text = passage(
        "Our company is large. Our company has patents. Rivals are quite old. Our company grows."
    )
    assert text.find(dict.fromkeys(stems("company old"), 1.0))[0] == 2


def test_no_word_of_the_query_finds_nothing():
    assert passage("We sell boats.").find({"oslo": 1.0}) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("companyName", ["company", "name"]),
        ("key_products", ["key", "products"]),
        ("Q3-sales", ["q3", "sales"]),
    ],
)
def test_names_are_taken_apart(name, words):
    assert name_words(name) == words


def test_stems_join_forms_of_a_word():
    for forms in (
        "segments segment",
        "companies company",
        "competes competition competitors",
        "regulated regulatory",
    ):
        assert len(set(stems(forms))) == 1


def test_an_empty_text_has_no_sentences():
    assert sentences("") == sentences(" \n\n ") == []
