"""The financial data schedule (EX-27) that submissions of 1993 to 2001 carry: one year's main numbers, tagged."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

from tenk.facts import Fact, Facts, Period

_DOCUMENT = re.compile(
    rb"<TYPE>\s*EX-27\b.*?(?:</DOCUMENT>|<DOCUMENT>|\Z)", re.DOTALL | re.IGNORECASE
)
_LINE = re.compile(
    r"^[ \t]*<(?P<tag>[A-Z0-9&-]{2,40})>[ \t]+(?P<value>\S[^\n<]{0,80})", re.MULTILINE
)
_NUMBER = re.compile(r"(?P<minus>\(\s*|-\s*)?\$?\s*(?P<digits>\d[\d,]*(?:\.\d+)?|\.\d+)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAY = re.compile(
    rf"(?P<month>{'|'.join(_MONTHS)})[A-Z]*[-\s](?P<day>\d{{1,2}})[-,\s]+(?P<year>\d{{4}})"
)
_YEARS = {"YEAR", "12-MOS"}
_SCALES = {1: 0, 1_000: 3, 1_000_000: 6, 1_000_000_000: 9}
_LARGEST = 100_000  # bytes
_NO_AMOUNTS = {
    "ARTICLE",
    "MULTIPLIER",
    "CIK",
    "NAME",
    "CURRENCY",
    "EXCHANGE-RATE",
    "PERIOD-TYPE",
    "LEGEND",
}


def read_schedule(content: bytes) -> Facts:
    r"""The facts of a submission's EX-27, or of such a document itself; empty where there is none, or none for a year.

    A concept is ``"fds:"`` with the schedule's own tag (``"fds:TOTAL-REVENUES"``). Of several
    columns the first counts.

    >>> head = b"<TYPE>EX-27\n<MULTIPLIER> 1,000\n<PERIOD-TYPE> YEAR\n<PERIOD-END> SEP-30-1994\n"
    >>> facts = read_schedule(head + b"<NET-INCOME> 310,178")
    >>> facts.find(["fds:NET-INCOME"], facts.document).value
    310178000.0
    """
    found = _DOCUMENT.search(content)
    text = (content if found is None else found[0])[:_LARGEST].decode("latin-1")
    lines = dict[str, str]()
    for match in _LINE.finditer(text):
        lines.setdefault(match["tag"], match["value"].strip())
    end = _day(lines.get("PERIOD-END", ""))
    if end is None or not set(lines.get("PERIOD-TYPE", "").upper().split()) & _YEARS:
        return Facts()
    scale = _SCALES.get(int(_value(lines.get("MULTIPLIER", "1")) or 1), 0)
    year = Period(end - timedelta(days=364), end)
    return Facts(tuple(_facts(lines, scale, year)), {}, year, "schedule")


def _facts(lines: dict[str, str], scale: int, year: Period) -> list[Fact]:
    facts = list[Fact]()
    for tag, written in lines.items():
        value = _value(written)
        if value is None or tag in _NO_AMOUNTS or tag.endswith(("-END", "-START")):
            continue
        per_share = tag.startswith("EPS-")
        amount = float(value if per_share else value.scaleb(scale))
        unit, power = ("USD/shares", 0) if per_share else ("USD", scale)
        facts += [
            Fact(f"fds:{tag}", amount, unit, period, power)
            # the schedule does not say which of its lines are balances
            for period in (year, Period(None, year.end))
        ]
    return facts


def _value(written: str) -> Decimal | None:
    match = _NUMBER.match(written)
    if match is None or len(match["digits"]) > 30:
        return None
    value = Decimal(match["digits"].replace(",", ""))
    return -value if match["minus"] else value


def _day(written: str) -> date | None:
    match = _DAY.search(written.upper())
    if match is None:
        return None
    try:
        return date(int(match["year"]), _MONTHS.index(match["month"]) + 1, int(match["day"]))
    except ValueError:
        return None
