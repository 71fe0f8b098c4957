"""A filing as it is analysed: its name, its items, and the numbers that it tags; from a file or from EDGAR."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tenk.document import read_bytes
from tenk.facts import Facts
from tenk.filing import Filing, read_filing
from tenk.inline_xbrl import read_inline
from tenk.samples import SAMPLES
from tenk.schedule import read_schedule
from tenk.source import BadTicker, SourceMissing, checked_ticker

if TYPE_CHECKING:
    from tenk.source import FilingSource


@dataclass(frozen=True, slots=True)
class Submission:
    """A filing, what it is called, and its facts: inline XBRL, or the data schedule of the 1990s, or none."""

    name: str
    filing: Filing
    facts: Facts = field(default_factory=Facts)

    @property
    def company(self) -> str | None:
        """The company's name, where the filing tags it."""
        return self.facts.about.get("EntityRegistrantName")

    @property
    def period_end(self) -> str | None:
        """The last day of the fiscal year (``"2024-01-28"``), where the filing tags it."""
        return None if self.facts.document is None else self.facts.document.end.isoformat()


def open_submission(
    source: Submission | Filing | str | Path | bytes,
    tickers: FilingSource | None = None,
    *,
    year: int | None = None,
) -> Submission:
    """Read a path or a file's bytes; where no such file is, the bundled sample of that name, or a ticker's 10-K.

    `tickers`: where filings come from, the SEC's EDGAR unless given. `year`: in which the fiscal
    year ended, the newest unless given. Raises an error of the tree `tenk.errors`.

    >>> open_submission("quellmark-2025").company
    'QUELLMARK FLOW SYSTEMS, INC.'
    """
    if isinstance(source, Submission):
        return source
    if isinstance(source, Filing):
        return Submission("the filing", source, read_inline(source.markup or b""))
    name, content = "the file", source
    if (
        isinstance(source, str)
        and not Path(source).exists()
        and (found := _by_name(source, tickers, year))
    ):
        name, content = found
    elif not isinstance(source, bytes):
        name = Path(source).name
    unpacked = read_bytes(content, name)
    filing = read_filing(unpacked, name=name)
    return Submission(name, filing, read_inline(filing.markup or b"") or read_schedule(unpacked))


def _by_name(name: str, tickers: FilingSource | None, year: int | None) -> tuple[str, bytes] | None:
    for sample in SAMPLES:
        if sample.name == name:
            return sample.file, sample.read()
    if not is_ticker(name):
        return None
    try:
        fetched = (tickers or _edgar()).fetch(name, year)
    except SourceMissing as error:
        raise SourceMissing(f"there is no file {name}, and {error}") from error
    return fetched.name, fetched.content


def is_ticker(text: str) -> bool:
    """Whether `text` is written as a ticker is, and not as a path.

    >>> is_ticker("BRK.B"), is_ticker("filing.html")
    (True, False)
    """
    try:
        checked_ticker(text)
    except BadTicker:
        return False
    return True


def _edgar() -> FilingSource:
    from tenk.edgar import EdgarSource

    return EdgarSource()
