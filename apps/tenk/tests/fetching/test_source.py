import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenk.source import BadTicker, checked_ticker


@pytest.mark.parametrize("ticker", ["A", "AAPL", "BRK.B", "BF-B", "GOOGL", "BRK-PA"])
def test_a_ticker_is_taken_with_its_class(ticker):
    assert checked_ticker(ticker.lower()) == ticker


@pytest.mark.parametrize(
    "ticker",
    [
        "",
        " ",
        "../x",
        "AAPL/..",
        "A B",
        "AAPL\n",
        ".B",
        "BRK.",
        "TOOLONGNAME",
        "ÄPL",
        "320193",
        "a.htm/",
        "%2e",
    ],
)
def test_what_is_no_ticker_is_refused_with_an_example(ticker):
    with pytest.raises(BadTicker, match=r"write it as AAPL, BRK\.B"):
        checked_ticker(ticker)


@given(st.text())
def test_what_is_taken_can_be_part_of_any_path_or_address(text):
    try:
        ticker = checked_ticker(text)
    except BadTicker:
        return
    assert ticker.replace(".", "").replace("-", "").isalnum()
    assert ticker.isascii()


def test_a_long_text_is_not_repeated_in_full():
    with pytest.raises(BadTicker) as caught:
        checked_ticker("x" * 100_000)
    assert len(str(caught.value)) < 200
