import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenk.pages import page_range, span_of


@pytest.mark.parametrize(
    ("words", "pages"),
    [
        ("on pages 64 through 112:", ("", 64, 112)),
        ("pages F-1 to F-20", ("F-", 1, 20)),
        ("pages 38\n   through 49 and page 50", ("", 38, 49)),
        ("pages 2-3 and pages 10-40", ("", 10, 40)),
        ("on page 12", None),
        ("pages 40 to 20", None),
    ],
)
def test_a_pointer_names_its_longest_range(words, pages):
    assert page_range(words) == pages


@given(st.integers(2, 50), st.integers(0, 20), st.sampled_from(["{}", "-{}-", "({})", "Page {}"]))
def test_pages_go_from_the_number_before_to_the_last(first, more, form):
    last = first + more
    text = "".join(f"text of {page} begins\n{form.format(page)}\n" for page in range(1, 90))
    span = span_of("", first, last, text, 0, len(text))
    assert span is not None
    assert text[slice(*span)].startswith(f"text of {first} begins")
    assert text[slice(*span)].rstrip().endswith(f"text of {last} begins")


def test_pages_that_are_not_there_have_no_span():
    assert span_of("", 5, 9, "no numbers\n" * 9, 0, 99) is None
    assert span_of("", 5, 900, "4\nx\n900\n", 0, 8) is None
