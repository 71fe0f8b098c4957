"""Where a filing comes from when only its company is named: a port of one method, and every way it can fail.

::

    SourceError (TenkError)
    ├── BadTicker         not written as a ticker is
    ├── SourceMissing     what would fetch it is not installed
    ├── IdentityMissing   the SEC is not told who asks
    ├── Offline           no answer came: no network, no name, connection refused
    ├── SourceRefused     the SEC answered 403 or 429
    ├── UnknownTicker     no company has it
    ├── NoFiling          the company has no 10-K, or none for that year
    └── SourceFailed      any other answer that is of no use

Each message says what to do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from tenk.errors import TenkError

_TICKER = re.compile(r"[A-Za-z][A-Za-z0-9]{0,5}([.-][A-Za-z]{1,2})?")


class SourceError(TenkError):
    """No filing came by ticker; a filing in a file can still be read: ``tenk analyze FILE``."""


class BadTicker(SourceError):
    """What was given is not written as a ticker is."""


class SourceMissing(SourceError):
    """The library that fetches filings is not installed, or too old."""


class IdentityMissing(SourceError):
    """The SEC asks every client for a name and an e-mail address, and none were given."""


class Offline(SourceError):
    """No answer came at all: no network, no such name, connection refused, a certificate not trusted."""


class SourceRefused(SourceError):
    """The SEC answered, and declined: 403 or 429."""


class UnknownTicker(SourceError):
    """No company that files with the SEC has this ticker."""


class NoFiling(SourceError):
    """The company has filed no 10-K, or none for the year that was asked for."""


class SourceFailed(SourceError):
    """The SEC answered with something else than what was asked for."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A filing as it came: `name` is fit for a file (``AAPL-10-K-2024-09-28``), `content` its bytes, HTML or text."""

    name: str
    content: bytes


class FilingSource(Protocol):
    """Whatever can fetch a 10-K by its company's ticker."""

    def fetch(self, ticker: str, year: int | None = None) -> Fetched:
        """The newest 10-K of a company, or the one for the fiscal year that ended in the calendar year `year`.

        Raises:
            SourceError: of the kind that tells why there is none.
        """


def checked_ticker(ticker: str) -> str:
    """The ticker in capitals.

    >>> checked_ticker("brk.b")
    'BRK.B'

    Raises:
        BadTicker: it is not letters and digits, with at most one class after a dot or a hyphen.
    """
    if _TICKER.fullmatch(ticker):
        return ticker.upper()
    raise BadTicker(
        f"{ticker[:40]!r} is no ticker: write it as AAPL, BRK.B or BF-B; a filing in a file goes "
        f"by its path"
    )
