"""A text without what copying changes, and the way back to where each character came from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenk.squash import Squashed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("“Don’t”", '"Don\'t"'),
        ("long‑term — and on", "long-term -- and on"),
        ("net\u00a0sales", "net   sales"),
        ("inter\u00adnational", "international"),
        ("and so on…", "and so on..."),
        ("• first", "first"),
        ("Café", "CAFE\u0301"),
        ("$\t60,922", "$60,922"),
        ("o\ufb03ce", "office"),
        ("zero\u200bwidth", "zerowidth"),
    ],
)
def test_two_forms_of_the_same_words_are_one(one, other):
    assert Squashed(one).form == Squashed(other).form


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.5", "15"),
        ("(187)", "187"),
        ("1 250", "1250"),
        ("1, 250", "1,250"),
        ("-5", "5"),
        ("5%", "5"),
    ],
)
def test_two_numbers_stay_two(one, other):
    assert Squashed(one).form != Squashed(other).form


@given(st.text())
def test_every_character_of_the_form_knows_where_it_came_from(text):
    squashed = Squashed(text)
    origins = [squashed.origin(index) for index in range(len(squashed.form))]
    assert origins == sorted(origins)
    for index, origin in enumerate(origins):
        own = Squashed(text[origin]).form
        assert squashed.form[index] == " " or squashed.form[index] in own


@given(st.text(alphabet="ab1 ,.\n“—"), st.integers(0, 40))
def test_the_place_of_an_origin_is_the_first_that_came_from_there_or_behind(text, origin):
    squashed = Squashed(text)
    behind = [index for index in range(len(squashed.form)) if squashed.origin(index) >= origin]
    assert squashed.index(origin) == (behind[0] if behind else len(squashed.form))
