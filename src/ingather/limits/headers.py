"""What an answer says about the limits: how long to wait, and how much of the quota is left. Pure: no clock.

Instants are read against the answer's own ``Date`` header, else against `now` (seconds since 1970);
without either they say nothing. Headers are looked up by lower-case names: aiohttp's and httpx's
mappings do not mind, a dict does.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ingather.response import Allowance, RateLimits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LONGEST_HINT = 86_400.0
"""Seconds: a cap on any retry hint."""

_ABSURD = 1e12  # a limit of so many requests or tokens is a placeholder
# a bare number from here on (1973) is an instant in seconds, from _EPOCH_MS on one in smaller units
_EPOCH = 1e8
_EPOCH_MS = 1e11
_BODY_HEAD = 65_536  # characters of a body that are searched

_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
}
_AMOUNT = r"(?:\d{1,20}(?:\.\d{0,12})?|\.\d{1,12})"
_NUMBER = re.compile(_AMOUNT, re.ASCII)
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt "
    r"](\d\d:\d\d:\d\d)(\.\d{1,9})?(?:[Zz]|([+-]\d\d:\d\d))?",
    re.ASCII,
)
_HTTP_DATES = (
    # IMF
    re.compile(r"\w{3}, (?P<d>\d\d) (?P<b>\w{3}) (?P<y>\d{4}) (?P<t>\d\d:\d\d:\d\d) GMT", re.ASCII),
    # RFC 850
    re.compile(
        r"\w{6,9}, (?P<d>\d\d)-(?P<b>\w{3})-(?P<y>\d\d) (?P<t>\d\d:\d\d:\d\d) GMT", re.ASCII
    ),
    # asctime
    re.compile(r"\w{3} (?P<b>\w{3}) (?P<d>[ \d]\d) (?P<t>\d\d:\d\d:\d\d) (?P<y>\d{4})", re.ASCII),
)
_MONTHS = {
    name: i
    for i, name in enumerate(
        "JanFebMarAprMayJunJulAugSepOctNovDec"[i : i + 3] for i in range(0, 36, 3)
    )
}
_RETRY_INFO = re.compile(rf'"retryDelay"\s*:\s*"({_AMOUNT})s"', re.ASCII)
_WORDS = r"(?:milliseconds?|ms|minutes?|mins?|m|seconds?|secs?|s|hours?|hrs?|h|days?|d|ns|us|µs)"
_DURATION = re.compile(rf"(?:PT)?((?:{_AMOUNT}\s?{_WORDS},?\s?)+)", re.ASCII | re.IGNORECASE)
_ADVICE = re.compile(
    r"(?:(?:try\s+again|retry|resets?|replenished)\s+(?:in|after):?|wait(?:\s+for)?)\s+"
    rf"(?:(?:about|around|approximately|at\s+least|another)\s+|~\s?)?((?:{_AMOUNT}\s?{_WORDS}\s?)+)(?![A-Za-z0-9])",
    re.ASCII | re.IGNORECASE,
)
_TOLD = re.compile(  # fields of a body, and headers that a gateway quotes in it
    r'"((?:retry_?(?:after|in|at)|wait(?:_?time)?|(?:next_?|quota_?)?resets?(?:_?(?:in|at|after|delay|time(?:_?stamp)?))?)'
    r'(?:_?(?:ms|secs|seconds))?|x-ratelimit-reset(?:-after)?)"\s*:\s*"?([^",{}\[\]]{1,40})',
    re.ASCII | re.IGNORECASE,
)
_BACK_ON = re.compile(
    r"(?:regain access|resets?|try again|available again|retry)\s+(?:on|at|after)\s+"
    r"(\d{4}-\d\d-\d\d)(?:\s+at\s+|[Tt ])(\d\d:\d\d(?::\d\d)?)",
    re.ASCII | re.IGNORECASE,
)
_WINDOW = re.compile(r"(?:^|[;,\s])(t|r|reset|remaining)\s*=\s*(\d{1,12}(?:\.\d{1,9})?)", re.ASCII)
# headers of one limit without a name: when its window is over, and what is left of it until then
_RESETS = (
    ("x-ratelimit-reset-after", "x-ratelimit-remaining"),
    ("x-ratelimit-reset", "x-ratelimit-remaining"),
    ("x-rate-limit-reset", "x-rate-limit-remaining"),
    ("ratelimit-reset", "ratelimit-remaining"),
)
# of several limits, the longest first: each counts only where it says that nothing is left
_NAMED_RESETS = [
    (f"x-ratelimit-reset-{limit}", f"x-ratelimit-remaining-{limit}")
    for limit in (
        f"{unit}-{window}"
        for window in ("month", "day", "hour", "minute")
        for unit in ("requests", "tokens")
    )
]
_WAITS = ("retry-after", "x-ratelimit-retry-after", "x-retry-after")
_ADVISED = re.compile(rf"({_AMOUNT})\s?({_WORDS})", re.ASCII | re.IGNORECASE)


def retry_hint(
    headers: Mapping[str, str], body: str | bytes = b"", *, now: float | None = None
) -> float | None:
    """Seconds that the provider asks us to wait, between 0 and a day; None where it says nothing usable.

    The first that makes sense of: ``retry-after-ms``; ``retry-after`` in seconds, as a date, a
    duration or an instant; ``RetryInfo``, sentences such as "Please try again in 6ms" and fields
    such as ``resets_at`` in the body; ``x-ratelimit-reset`` and its like, where nothing is left
    until then.

    >>> retry_hint({"retry-after": "1m30s"})
    90.0
    """
    for seconds in _hints(headers, body, now):
        if seconds is not None and math.isfinite(seconds):
            return min(max(seconds, 0.0), LONGEST_HINT)
    return None


def rate_limits(headers: Mapping[str, str], *, now: float | None = None) -> RateLimits | None:
    """What OpenAI's or Anthropic's headers say of the quota; None where there are none. Nonsense counts as not said.

    >>> rate_limits({"x-ratelimit-limit-requests": "500", "x-ratelimit-reset-requests": "120ms"}).requests
    Allowance(limit=500.0, remaining=None, reset_s=0.12)
    """
    for telltale, resources in _TELLTALES:
        if telltale in headers:  # most servers have none: this is all it costs
            found = [_allowance(headers, names, now) for names in resources]
            return RateLimits(*found) if any(found) else None
    return None


def _names(form: str) -> list[tuple[str, ...]]:
    """The headers of each resource's limit, remaining and reset."""
    resources = ("requests", "tokens", "input-tokens", "output-tokens")
    return [
        tuple(form.format(resource, part) for part in ("limit", "remaining", "reset"))
        for resource in resources
    ]


_TELLTALES = [  # if any of a family's headers is there, one of these is
    (resource[part], names)
    for names in (_names("x-ratelimit-{1}-{0}"), _names("anthropic-ratelimit-{0}-{1}"))
    for resource in names[:2]
    for part in (1, 0)
]


def _allowance(
    headers: Mapping[str, str], names: tuple[str, ...], now: float | None
) -> Allowance | None:
    limit, remaining, reset = map(headers.get, names)
    if limit is None and remaining is None:
        return None
    limited = _count(limit, least=1.0)
    if limit is not None and limited is None:
        return None  # what is left of no limit, or of an absurd one, means nothing either
    left = _count(remaining, least=0.0)
    if limited is None and left is None:
        return None
    wait = None if reset is None else _wait(reset, headers, now)
    return Allowance(limited, left, None if wait is None else max(wait, 0.0))


def _count(text: str | None, least: float) -> float | None:
    try:
        value = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return value if least <= value < _ABSURD else None


def _hints(
    headers: Mapping[str, str], body: str | bytes, now: float | None
) -> Iterator[float | None]:
    if milliseconds := headers.get("retry-after-ms"):
        yield _scaled(milliseconds.strip(), 1e-3)
    for name in _WAITS:
        if wait := headers.get(name):
            yield _wait(wait, headers, now)
    text = (
        body[:_BODY_HEAD].decode("utf-8", "replace")
        if isinstance(body, bytes)
        else body[:_BODY_HEAD]
    )
    if info := _RETRY_INFO.search(text):
        yield float(info[1])
    if advice := _ADVICE.search(text):
        yield _sum(advice[1])
    for name, value in _TOLD.findall(text):
        yield _future(
            _scaled(value.strip(), 1e-3)
            if name.lower().endswith("ms")
            else _wait(value, headers, now)
        )
    if date := _BACK_ON.search(text):
        yield _future(_wait(f"{date[1]}T{date[2]}{':00' * (len(date[2]) < 8)}Z", headers, now))
    yield from _resets(headers, now)


def _resets(headers: Mapping[str, str], now: float | None) -> Iterator[float | None]:
    """When the window of a limit is over; nothing where something is left of it."""
    for resets, untold in ((_RESETS, "0"), (_NAMED_RESETS, "1")):
        for reset, remaining in resets:
            value = headers.get(reset)
            if value is not None and not _count(headers.get(remaining, untold), least=1e-9):
                yield _future(_wait(value, headers, now))
    told = headers.get("ratelimit", "")
    windows = [
        dict(_WINDOW.findall(window)) for window in (told.split(",") if ";" in told else [told])
    ]
    waits = [
        float(window.get("t") or window.get("reset") or 0.0)
        for window in windows
        if not float(window.get("r") or window.get("remaining") or 0.0)
    ]
    yield _future(max(waits, default=0.0))


def _future(seconds: float | None) -> float | None:
    """An instant that is over says nothing."""
    return seconds if seconds is not None and seconds > 0 else None


def _wait(text: str, headers: Mapping[str, str], now: float | None) -> float | None:
    """Seconds until `text`, negative for a past instant: a number, a duration or an instant in any of their forms."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        value = float(text)
        if value < _EPOCH:
            return value
        while value >= _EPOCH_MS:  # milliseconds, microseconds, nanoseconds
            value /= 1000
        instant: float | None = value
    elif duration := _DURATION.fullmatch(text):
        return _sum(duration[1])
    else:
        instant = _rfc3339(text) or _http_date(text)
    if instant is None:
        return None
    date = headers.get("date")
    now = (None if date is None else _http_date(date.strip())) or now
    return None if now is None else instant - now


def _scaled(text: str, unit: float) -> float | None:
    return float(text) * unit if _NUMBER.fullmatch(text) else None


def _sum(duration: str) -> float:
    """Seconds that amounts and units make."""
    return sum(float(amount) * _SECONDS[_unit(word)] for amount, word in _ADVISED.findall(duration))


def _unit(word: str) -> str:
    word = word.lower()
    return word if word in _SECONDS else "ms" if word.startswith("milli") else word[0]


def _http_date(text: str) -> float | None:
    for form in _HTTP_DATES:
        if found := form.fullmatch(text):
            month = _MONTHS.get(found["b"], -1) + 1
            year = int(found["y"])
            if year < 100:
                year += 1900 if year >= 70 else 2000
            return _timestamp(f"{year:04}-{month:02}-{int(found['d']):02}T{found['t']}+00:00")
    return None


def _rfc3339(text: str) -> float | None:
    found = _RFC3339.fullmatch(text)
    if found is None:
        return None
    day, time, fraction, zone = found.groups()
    whole = _timestamp(f"{day}T{time}{zone or '+00:00'}")
    return None if whole is None else whole + float(fraction or 0)


def _timestamp(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):  # the 31st of June, the hour 25, the year 0
        return None
