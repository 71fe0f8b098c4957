"""Filings by ticker from the SEC's EDGAR, with edgartools, which is first imported when something is fetched.

The SEC's rules are kept: who asks is said in the ``User-Agent``, and edgartools sends at most nine
requests a second. What it writes goes into a folder that only this user can read and that is gone
afterwards: its caches are pickles.
"""

from __future__ import annotations

import os
import re
import socket
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cache
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies

from tenk.source import (
    Fetched,
    IdentityMissing,
    NoFiling,
    Offline,
    SourceError,
    SourceFailed,
    SourceMissing,
    SourceRefused,
    UnknownTicker,
    checked_ticker,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

_IDENTITY = re.compile(r"\S.*?\s+<?[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+>?")
_DOCUMENT = re.compile(r"<DOCUMENT>.*?</DOCUMENT>\s*", re.DOTALL)
_TYPE = re.compile(r"<TYPE>([^\s<]+)")
# what an analysis reads; the rest are pictures, data files and contracts
_READ = ("10-K", "EX-13", "EX-27")
# 10-K405: a 10-K with a box ticked, until 2002; 10-KT: of a shorter year
_FORMS = ["10-K", "10-K405", "10-KT"]
_MOST_A_SECOND = 9  # the SEC's rule is ten
_FILED_AFTER = timedelta(days=90)  # roughly, after the year's end
_CONNECT = 10.0  # seconds


class _Filing(Protocol):
    """What is used of an edgartools filing."""

    form: str
    filing_date: date
    report_date: str

    def full_text_submission(self) -> str: ...


class EdgarSource:
    """The SEC's EDGAR as a `FilingSource`; `identity` is a name and an e-mail address, ``EDGAR_IDENTITY`` without one.

    >>> EdgarSource().fetch("../etc")
    Traceback (most recent call last):
    tenk.source.BadTicker: '../etc' is no ticker: write it as AAPL, BRK.B or BF-B; a filing in a file goes by its path
    """

    def __init__(self, identity: str | None = None) -> None:
        self._identity = identity

    def fetch(self, ticker: str, year: int | None = None) -> Fetched:
        """The newest 10-K of a company, or that of a year, with the exhibits that a 10-K points to.

        It blocks for as long as the network takes: in an event loop, call it in a thread.

        Raises:
            SourceError: of the kind that tells why there is none.
        """
        symbol = checked_ticker(ticker)
        edgar = _edgartools()
        identity = _checked_identity(self._identity or os.environ.get("EDGAR_IDENTITY", ""))
        _reach(os.environ.get("EDGAR_BASE_URL", "https://www.sec.gov"))
        with _failures_told_apart(symbol):
            edgar.set_identity(identity)
            filing = _chosen(
                edgar.Company(symbol).get_filings(form=_FORMS, amendments=False), symbol, year
            )
            submission = filing.full_text_submission()
        name = f"{symbol}-{filing.form}-{filing.report_date or filing.filing_date}"
        return Fetched(name, _readable_part(submission).encode())


@cache
def _edgartools() -> ModuleType:
    """The library, told where it may write and how fast it may ask: it reads both when it is imported."""
    folder = _private_folder().name
    os.environ.setdefault("EDGAR_LOCAL_DATA_DIR", f"{folder}/data")
    os.environ.setdefault("EDGAR_CACHE_DIR", f"{folder}/cache")
    os.environ["EDGAR_RATE_LIMIT_PER_SEC"] = _rate(os.environ.get("EDGAR_RATE_LIMIT_PER_SEC", ""))
    # its one tree of errors, as its version 6 has without asking
    os.environ["EDGARTOOLS_STRICT_ERRORS"] = "1"
    try:
        import_module("edgar.exceptions")  # older ones lack it
        return import_module("edgar")
    except ImportError as error:
        raise SourceMissing(
            f"fetching by ticker needs edgartools ({error}): pip install 'tenk[edgar]', or give a "
            f"filing's file"
        ) from error


@cache
def _private_folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="tenk-edgar-", ignore_cleanup_errors=True)


def _rate(asked: str) -> str:
    """Requests a second: what the user asks for where that is slower than the rule."""
    return asked if asked.isdecimal() and 0 < int(asked) <= _MOST_A_SECOND else str(_MOST_A_SECOND)


def _checked_identity(identity: str) -> str:
    if _IDENTITY.fullmatch(identity.strip()):
        return identity.strip()
    raise IdentityMissing(
        f"the SEC asks who downloads, "
        f"{'and this has no name and e-mail address' if identity else 'and nobody said'}: "
        "export EDGAR_IDENTITY='Your Name you@your-domain.com', or give a filing's file"
    )


def _reach(base: str) -> None:
    """Say at once that there is no way to the SEC: edgartools would try for a quarter of a minute."""
    address = urlsplit(base)
    if getproxies().keys() & {address.scheme, "all"}:
        return  # only the proxy can tell
    try:
        host = address.hostname or ""
        socket.create_connection(
            (host, address.port or socket.getservbyname(address.scheme)), _CONNECT
        ).close()
    except OSError as error:
        raise _offline(f"{address.hostname}: {error.strerror or error}") from error


@contextmanager
def _failures_told_apart(symbol: str) -> Iterator[None]:
    """Whatever edgartools raises as one of ours."""
    edgar = import_module("edgar.exceptions")
    try:
        yield
    except edgar.CompanyNotFoundError as error:
        raise UnknownTicker(
            f"no company with the ticker {symbol} files with the SEC; a fund or an index has no "
            f"10-K"
        ) from error
    except edgar.IdentityError as error:
        raise IdentityMissing(
            "the SEC does not take this EDGAR_IDENTITY: write 'Your Name you@your-domain.com'"
        ) from error
    except edgar.TransportError as error:
        raise _failed_transport(error.status_code, str(error)) from error
    except (
        edgar.EdgarError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:  # also what parsing an odd answer raises
        if isinstance(error, SourceError):
            raise
        raise SourceFailed(
            f"the SEC's answer about {symbol} is not as expected ({_first_line(str(error))})"
        ) from error


def _failed_transport(status: int | None, told: str) -> SourceError:
    if status is None:
        return _offline(_first_line(told))
    if status in {403, 429}:
        return SourceRefused(
            f"the SEC refuses ({status}): too many requests, or an EDGAR_IDENTITY it does not "
            f"take; wait ten minutes"
        )
    return SourceFailed(
        f"the SEC answers with an error ({status}): try again later, or give a filing's file"
    )


def _offline(why: str) -> Offline:
    return Offline(f"the SEC cannot be reached ({why}): without a network, give a filing's file")


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")


def _chosen(filings: Iterable[_Filing], symbol: str, year: int | None) -> _Filing:
    """The newest filing, or the newest of those for `year`."""
    by_year = dict[int, _Filing]()
    for filing in sorted(filings, key=lambda filing: filing.filing_date):
        by_year[_ended(filing).year] = filing
    if not by_year:
        raise NoFiling(
            f"{symbol} has filed no 10-K; companies from abroad file a 20-F or a 40-F instead"
        )
    if year is None:
        return by_year[max(by_year)]
    if year not in by_year:
        raise NoFiling(
            f"{symbol} has no 10-K for a year that ended in {year}; there are "
            f"{_listed(sorted(by_year))}"
        )
    return by_year[year]


def _ended(filing: _Filing) -> date:
    """When the year that is reported on ended, or about when, where the SEC's list does not say."""
    return (
        date.fromisoformat(filing.report_date)
        if filing.report_date
        else filing.filing_date - _FILED_AFTER
    )


def _listed(years: list[int]) -> str:
    """Years as ranges.

    >>> _listed([1994, 2001, 2002, 2003])
    '1994, 2001-2003'
    """
    starts = [year for year in years if year - 1 not in years]
    ends = [year for year in years if year + 1 not in years]
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))


def _readable_part(submission: str) -> str:
    """A submission without the documents that no analysis reads: they are most of its bytes."""

    def kept(document: re.Match[str]) -> str:
        kind = _TYPE.search(document[0])
        return document[0] if kind is None or kind[1].startswith(_READ) else ""

    return _DOCUMENT.sub(kept, submission)
