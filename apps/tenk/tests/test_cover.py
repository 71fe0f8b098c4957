import pytest

from tenk.cover import checked_form
from tenk.errors import NotAFiling


def form(cover: str, declared: str = "", own: int = 0) -> str:
    return checked_form(declared, cover, own, "the file")


@pytest.mark.parametrize(
    ("cover", "name"),
    [
        ("UNITED STATES\n\nFORM 10-K\n\nANNUAL REPORT", "10-K"),
        ("Form 10–K", "10-K"),
        ("FORM 10-K405", "10-K405"),
        ("FORM 10-K/A", "10-K/A"),
        ("FORM 10-K\n(Amendment No. 2)", "10-K/A"),
        ("FORM 10-KT", "10-KT"),
        ("CONFORMED SUBMISSION TYPE:\t10-K405", "10-K405"),
    ],
)
def test_the_first_page_says_which_10_k_it_is(cover, name):
    assert form(cover) == name


def test_what_the_submission_says_comes_first():
    assert form("FORM 10-K", declared="10-K405") == "10-K405"


@pytest.mark.parametrize(
    ("cover", "says"),
    [
        ("FORM 10-Q\nQUARTERLY REPORT", "Form 10-Q"),
        ("FORM 8-K\nThe annual report on Form 10-K of last year", "Form 8-K"),
        ("FORM 20-F", "Form 20-F"),
        ("FORM 12b-25\nNOTIFICATION OF LATE FILING (Check one) Form 10-K", "Form 12b-25"),
        ("FORM 10-KSB", "10-KSB, until 2008 the form of small businesses"),
        ("Shall I compare thee to a summer's day?", "Shall I compare thee"),
        ("", "has no text"),
    ],
)
def test_another_form_and_no_form_are_told(cover, says):
    with pytest.raises(NotAFiling, match=says):
        form(cover)


def test_many_items_are_a_10_k_without_its_first_page():
    assert form("Our annual report.", own=9) == "10-K"
