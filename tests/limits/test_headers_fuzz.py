"""Ten thousand nearly right texts of each format: no crash, no negative or infinite wait."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingather.limits.headers import rate_limits, retry_hint

DAY = 86_400.0
OPENAI = [f"x-ratelimit-{what}-tokens" for what in ("limit", "remaining", "reset")]
ANTHROPIC = [f"anthropic-ratelimit-input-tokens-{what}" for what in ("limit", "remaining", "reset")]
SEPARATORS = st.sampled_from([" ", "-", ":", "T", "Z", ",", ".", "", "+00:00", "\t"])
NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(repr),
    st.sampled_from(["", "-", "1e999", "nan", "inf", "-0", "٣", "1_000", "0x1f", "9" * 400]),
)


def glued(*parts):
    """Texts of a format's own parts, in any order and number: nearly right, and all the ways of being wrong."""
    return st.lists(st.one_of(NUMBERS, *parts), max_size=12).map("".join)


NAMES = st.sampled_from(
    ["Mon", "Monday", "Nov", "Sun,", "GMT", "UTC", "2026", "20", "12:00:00", "Nov 20"]
)
FORMATS = {
    "seconds": NUMBERS,
    "HTTP date": glued(NAMES, SEPARATORS),
    "RFC 3339": glued(
        SEPARATORS,
        st.sampled_from(["2026-11-20", "T12:00:00Z", "12:60:61", "+99:99", "0000-00-00"]),
    ),
    "Go duration": glued(
        st.sampled_from(["ns", "us", "µs", "ms", "s", "m", "h", "d", "6m0s", "1h2m3s"])
    ),
    "epoch": st.one_of(st.integers(0, 10**15).map(str), st.floats(0, 1e15).map(str)),
    "anything": st.text(max_size=60),
}
SAYINGS = glued(
    st.sampled_from(
        [
            "Please try again in ",
            "Please retry after ",
            "Please retry in ",
            "ms",
            "s",
            "m",
            " seconds",
            ".",
        ]
    )
)
RETRY_INFO = st.one_of(
    glued(st.sampled_from(["s", "ns", ".5s", "36s"])), st.none(), st.integers(), st.floats()
)


def is_a_wait(seconds):
    return seconds is None or (math.isfinite(seconds) and 0 <= seconds <= DAY)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_a_header_of_any_form(form):
    @settings(max_examples=10_000, deadline=None)
    @given(
        st.sampled_from(["retry-after", "retry-after-ms"]),
        FORMATS[form],
        st.none() | FORMATS["HTTP date"],
    )
    def fuzz(name, text, date):
        headers = {name: text} if date is None else {name: text, "date": date}
        assert is_a_wait(retry_hint(headers))

    fuzz()


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_limits_of_any_form(form):
    @settings(max_examples=10_000, deadline=None)
    @given(st.sampled_from([OPENAI, ANTHROPIC]), *[FORMATS[form]] * 3)
    def fuzz(names, limit, remaining, reset):
        headers = dict(zip(names, (limit, remaining, reset), strict=True))
        numbers = [number for allowance in rate_limits(headers) or () for number in allowance or ()]
        assert all(number is None or (math.isfinite(number) and number >= 0) for number in numbers)

    fuzz()


@pytest.mark.slow
def test_what_a_body_says():
    @settings(max_examples=10_000, deadline=None)
    @given(SAYINGS)
    def fuzz(text):
        assert is_a_wait(retry_hint({}, text))
        assert is_a_wait(retry_hint({}, f'{{"error": {{"message": "{text}"}}}}'.encode()))

    fuzz()


@pytest.mark.slow
def test_googles_retry_info():
    @settings(max_examples=10_000, deadline=None)
    @given(RETRY_INFO)
    def fuzz(delay):

        info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
        assert is_a_wait(retry_hint({}, json.dumps({"error": {"details": [info]}})))

    fuzz()
