"""The numbers of a sentence or table row: their value, how they are printed, what they count."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_NUMBER = re.compile(
    r"(?<![\w.,])(?P<sign>[-−](?=[\d.$€£¥]))?(?P<money>(?:US)?[$€£¥]\s?)?(?P<open>\(\s?)?(?P<inner>[$€£¥]\s?)?"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?!\w|[.,]\d|-[A-Z]\b)(?P<close>\s?\))?"
    r"(?:\s?(?P<percent>%|per\s?cent\b)|[\s-](?P<scale>thousand|million|billion|trillion)s?\b)?"
)
SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_CODES = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_YEAR = re.compile(r"(?:1[6-9]|20)\d\d")
_EARLIER = re.compile(  # what stands before the number of an earlier period
    r"(?i)\b(?:from|compared\s+(?:to|with)|versus|vs\.?|against|than(?:\s+the)?|up\s+from|down\s+from|and)\W+"
    r"(?:\w+\W+){0,3}$"
)
_FROM = re.compile(r"(?i)\b(?:from|compared\s+(?:to|with)|versus|vs\.?|against|over)\b[^.;]{0,40}$")
_CHANGE = re.compile(
    r"(?i)\b(?:up|down|by|rose|grew|fell|an?|(?:increas|decreas|declin)ed?(?:\s+(?:by|of))?)\s+(?:approximately\s+|about\s+)?$"
)


class Number(NamedTuple):
    """A number as it stands in a text.

    `value`: with its *million* multiplied in. `printed`: without. `scale`: ``"million"`` or the
    like, as written. `at`, `end`: the places of its first digit and behind it. `currency`: an ISO
    code where a sign says it.
    """

    value: float
    printed: float
    at: int
    end: int
    scale: str
    currency: str
    percent: bool
    year: bool

    @property
    def money(self) -> bool:
        return bool(self.currency)


@lru_cache(maxsize=8192)
def numbers(sentence: str, *, row: bool = False) -> tuple[Number, ...]:
    """The numbers of a sentence in order; *10-K* is no number, *(1,234)* is negative, and *(43)* in a `row`.

    >>> [number.value for number in numbers("Net loss was $(3.5) million, or 12 percent of 2,900.")]
    [-3500000.0, 12.0, 2900.0]
    """
    found = [found for found in _NUMBER.finditer(sentence) if len(found["digits"]) <= 25]
    return tuple(
        _number(one, in_row=row and (nth > 0 or len(one["digits"]) > 1))
        for nth, one in enumerate(found)
    )


def _number(found: re.Match[str], *, in_row: bool) -> Number:
    digits = found["digits"]
    sign = (found["money"] or found["inner"] or "").strip().removeprefix("US")
    in_brackets = bool(found["open"] and found["close"])
    is_year = _YEAR.fullmatch(digits) is not None and not sign
    telling = in_row or bool(sign) or len(digits) > 2 or bool(found["percent"])
    negative = bool(found["sign"]) or (in_brackets and not is_year and telling)
    printed = float(digits.replace(",", "")) * (-1.0 if negative else 1.0)
    scale = (found["scale"] or "").lower()
    return Number(
        printed * SCALES.get(scale, 1.0),
        printed,
        found.start("digits"),
        found.end(),
        scale,
        _CODES.get(sign, ""),
        bool(found["percent"]),
        is_year and not found["percent"] and not scale,
    )


def periods(sentence: str, *, row: bool) -> tuple[tuple[Number, ...], tuple[Number, ...]]:
    """The numbers of this period, and those of the one before: by their order in a row, by *from* and *compared to*.

    Years and, beside other numbers, changes such as *up 12 %* are neither.

    >>> now, before = periods("Revenue rose 5% to $10 million from $9 million.", row=False)
    >>> [number.printed for number in now], [number.printed for number in before]
    ([10.0], [9.0])
    """
    found = [number for number in numbers(sentence, row=row) if not number.year]
    if row:
        kept = [number for number in found if not number.percent] or found
        return tuple(kept[:1]), tuple(kept[1:2])
    amounts = [
        number for number in found if not _CHANGE.search(sentence[: _open(sentence, number)])
    ] or found
    if any(not number.percent for number in amounts):
        amounts = [number for number in amounts if not number.percent or len(amounts) == 1]
    before = tuple(
        number for number in amounts if _FROM.search(sentence[: _open(sentence, number)])
    )
    now = tuple(number for number in amounts if number not in before)
    if (
        now
        and not before
        and len(now) > 1
        and _EARLIER.search(sentence[now[0].end : _open(sentence, now[1])])
    ):
        before, now = now[1:2], now[:1]
    return now, before


def _open(sentence: str, number: Number) -> int:
    """Where a number begins, its currency sign included."""
    before = sentence[: number.at].rstrip("$€£¥( -−")
    return len(before) + 1 if before else 0
