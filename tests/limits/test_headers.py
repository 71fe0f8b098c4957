"""Retry hints and rate limits: the table of what providers send, and that nothing else gets through."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from ingather.limits.headers import rate_limits, retry_hint
from ingather.response import Allowance, RateLimits

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
EPOCH = 784111777  # the same moment in seconds

HINTS = {
    "milliseconds": ({"retry-after-ms": "250.5"}, "", 0.2505),
    "milliseconds go before seconds": ({"retry-after-ms": "100", "retry-after": "7"}, "", 0.1),
    "unusable milliseconds do not": ({"retry-after-ms": "soon", "retry-after": "7"}, "", 7),
    "seconds": ({"retry-after": "20"}, "", 20),
    "fractions of seconds": ({"retry-after": "0.25"}, "", 0.25),
    "date, IMF": ({"retry-after": "Sun, 06 Nov 1994 08:50:37 GMT", "date": DATE}, "", 60),
    "date, RFC 850": ({"retry-after": "Sunday, 06-Nov-94 08:50:37 GMT", "date": DATE}, "", 60),
    "date, asctime": ({"retry-after": "Sun Nov  6 08:50:37 1994", "date": DATE}, "", 60),
    "date that is past": ({"retry-after": "Sun, 06 Nov 1994 08:00:00 GMT", "date": DATE}, "", 0),
    "date without a Date header": ({"retry-after": "Sun, 06 Nov 1994 08:50:37 GMT"}, "", None),
    "date that is none": ({"retry-after": "Sun, 31 Feb 1994 08:50:37 GMT", "date": DATE}, "", None),
    "RFC 3339": ({"retry-after": "1994-11-06T08:50:37Z", "date": DATE}, "", 60),
    "RFC 3339 with a zone and a fraction": (
        {"retry-after": "1994-11-06T09:50:37.5+01:00", "date": DATE},
        "",
        60.5,
    ),
    "duration": ({"retry-after": "6m0s"}, "", 360),
    "duration in milliseconds": ({"retry-after": "12ms"}, "", 0.012),
    "duration with a fraction": ({"retry-after": "1m30.951s"}, "", 90.951),
    "duration of hours": ({"retry-after": "1h2m3s"}, "", 3723),
    "epoch seconds": ({"retry-after": str(EPOCH + 5), "date": DATE}, "", 5),
    "epoch milliseconds": ({"retry-after": str((EPOCH + 5) * 1000), "date": DATE}, "", 5),
    "epoch microseconds": ({"retry-after": str((EPOCH + 5) * 10**6), "date": DATE}, "", 5),
    "epoch nanoseconds": ({"retry-after": str((EPOCH + 5) * 10**9), "date": DATE}, "", 5),
    "duration, ISO 8601": ({"retry-after": "PT1H30M"}, "", 5400),
    "duration in words": ({"retry-after": "120 seconds"}, "", 120),
    "duration in several words": ({"retry-after": "1 hour, 30 minutes"}, "", 5400),
    "another name": ({"x-ratelimit-retry-after": "40"}, "", 40),
    "more than a day": ({"retry-after": "9999999"}, "", 86_400),
    "exactly a day": ({"retry-after": "86400"}, "", 86_400),
    "Google's RetryInfo": (
        {},
        '{"error":{"details":[{"@type":"…RetryInfo","retryDelay":"45.837906927s"}]}}',
        45.837906927,
    ),
    "RetryInfo goes before text": (
        {},
        '{"message":"Please retry in 36.4s.","x":{"retryDelay": "36s"}}',
        36,
    ),
    "OpenAI's text in milliseconds": (
        {},
        "Rate limit reached. Please try again in 6ms. Visit …",
        0.006,
    ),
    "OpenAI's text in seconds": ({}, "Please try again in 20s.", 20),
    "OpenAI's text in minutes": ({}, b"Please try again in 1m30.5s.", 90.5),
    "Azure's text": ({}, "Please retry after 6 seconds.", 6),
    "Gemini's text": ({}, "Please retry in 36.429760048s.", 36.429760048),
    "text in words": ({}, "try again in 2 minutes", 120),
    "a header goes before the body": ({"retry-after": "3"}, "Please try again in 20s.", 3),
    "an unusable header does not": ({"retry-after": "-5"}, "Please try again in 20s.", 20),
    "text with a time that is not exact": ({}, "Retry in about 3 hours.", 10_800),
    "text with a tilde": ({}, "try again in ~20s", 20),
    "text without a time": ({}, "Please try again later.", None),
    "nothing": ({}, "", None),
}
NO_HINTS = [
    "-5",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "1e999",
    "1e3",
    "",
    "  ",
    "soon",
    "1_000",
    "٣",
    "5 apples",
    "0x10",
    "--1",
]


@pytest.mark.parametrize(("headers", "body", "seconds"), HINTS.values(), ids=HINTS)
def test_hint_is_read(headers, body, seconds):
    expected = seconds if seconds is None else pytest.approx(seconds)
    assert retry_hint(headers, body) == expected


@pytest.mark.parametrize("text", NO_HINTS)
def test_nonsense_is_no_hint(text):
    assert retry_hint({"retry-after": text, "retry-after-ms": text, "date": DATE}) is None


def test_date_header_goes_before_now():
    headers = {"retry-after": "Sun, 06 Nov 1994 08:50:37 GMT"}
    assert retry_hint(headers, now=EPOCH + 50) == 10
    assert retry_hint({**headers, "date": DATE}, now=EPOCH + 50) == 60


def test_header_names_in_any_case_where_the_mapping_allows_it():
    assert retry_hint(CIMultiDict({"Retry-After": "4"})) == 4


OPENAI = {
    "x-ratelimit-limit-requests": "500",
    "x-ratelimit-remaining-requests": "499",
    "x-ratelimit-reset-requests": "120ms",
    "x-ratelimit-limit-tokens": "30000",
    "x-ratelimit-remaining-tokens": "0",
    "x-ratelimit-reset-tokens": "6m0s",
}


def test_openai_headers():
    assert rate_limits(OPENAI) == RateLimits(Allowance(500, 499, 0.12), Allowance(30_000, 0, 360))


def test_azure_headers_in_plain_seconds_without_limits():
    headers = {"x-ratelimit-remaining-tokens": "9000", "x-ratelimit-reset-tokens": "6"}
    assert rate_limits(headers) == RateLimits(tokens=Allowance(None, 9000, 6))


def test_anthropic_headers_with_instants():
    headers = {
        f"anthropic-ratelimit-{resource}-{part}": value
        for resource in ("requests", "tokens", "input-tokens", "output-tokens")
        for part, value in (("limit", "50"), ("remaining", "49"), ("reset", "1994-11-06T08:50:37Z"))
    }
    assert rate_limits({**headers, "date": DATE}) == RateLimits(*[Allowance(50, 49, 60)] * 4)
    assert rate_limits(headers) == RateLimits(*[Allowance(50, 49, None)] * 4)
    assert rate_limits(headers, now=EPOCH) == RateLimits(*[Allowance(50, 49, 60)] * 4)


def test_reset_that_is_past_is_now():
    headers = {**OPENAI, "x-ratelimit-reset-requests": "1994-11-06T08:00:00Z", "date": DATE}
    assert rate_limits(headers) == RateLimits(Allowance(500, 499, 0), Allowance(30_000, 0, 360))


@pytest.mark.parametrize("limit", ["-1", "0", "1e12", "999999999999999", "nan", "inf", "many", ""])
def test_absurd_limit_takes_its_resource_along(limit):
    limits = rate_limits(
        {**OPENAI, "x-ratelimit-limit-requests": limit, "x-ratelimit-remaining-requests": "-1"}
    )
    assert limits == RateLimits(tokens=Allowance(30_000, 0, 360))


@pytest.mark.parametrize("remaining", ["-1", "1e12", "nan", "few"])
def test_absurd_rest_is_not_said(remaining):
    limits = rate_limits({**OPENAI, "x-ratelimit-remaining-requests": remaining})
    assert limits == RateLimits(Allowance(500, None, 0.12), Allowance(30_000, 0, 360))


def test_only_nonsense_is_no_limits():
    assert (
        rate_limits({"x-ratelimit-limit-requests": "-1", "x-ratelimit-limit-tokens": "0"}) is None
    )


def test_no_headers_are_no_limits():
    assert rate_limits({"content-type": "application/json", "date": DATE}) is None


DATES = st.sampled_from(
    [DATE, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "yesterday", ""]
)
NEARLY = st.one_of(
    st.text(),
    st.floats().map(str),
    st.integers().map(str),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.from_regex(r"\A(\d{1,15}(\.\d{0,15})?(ns|us|ms|s|m|h|d)){1,4}\Z"),
    st.from_regex(r"\A\w{3}, \d\d (Jan|Feb|Xyz) \d{4} \d\d:\d\d:\d\d GMT\Z"),
)
BODIES = st.one_of(st.text(), st.binary(), NEARLY.map(lambda wait: f"Please try again in {wait}."))


@given(NEARLY, NEARLY, DATES, BODIES, st.none() | st.floats(0, 4e9))
def test_a_hint_is_always_between_nothing_and_a_day(milliseconds, wait, date, body, now):
    hint = retry_hint(
        {"retry-after-ms": milliseconds, "retry-after": wait, "date": date}, body, now=now
    )
    assert hint is None or 0 <= hint <= 86_400


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(OPENAI, NEARLY)), DATES)
def test_limits_are_never_negative_or_infinite(headers, date):
    found = rate_limits({**headers, "date": date}) or RateLimits()
    numbers = [
        number for allowance in found if allowance for number in allowance if number is not None
    ]
    assert all(math.isfinite(number) and number >= 0 for number in numbers)
