"""Stands in for edgartools where it is not installed: the few names that are used of it, over the same addresses."""

import json
import os
import urllib.error
import urllib.request
from datetime import date
from types import SimpleNamespace

from .exceptions import CompanyNotFoundError, TooManyRequestsError, TransportError


def set_identity(identity):
    os.environ["EDGAR_IDENTITY"] = identity


def _get(path):
    request = urllib.request.Request(
        os.environ["EDGAR_BASE_URL"] + path, headers={"User-Agent": os.environ["EDGAR_IDENTITY"]}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        kind = TooManyRequestsError if error.code == 429 else TransportError
        raise kind(f"HTTP {error.code} from {path}", status_code=error.code) from error
    except urllib.error.URLError as error:
        raise TransportError(f"Could not reach {path} ({error})") from error


class Company:
    def __init__(self, ticker):
        known = {
            company["ticker"]: company["cik_str"]
            for company in json.loads(_get("/files/company_tickers.json")).values()
        }
        if ticker.replace(".", "-") not in known:
            raise CompanyNotFoundError(f"Company not found: {ticker!r}")
        self.cik = known[ticker.replace(".", "-")]

    def get_filings(self, *, form, amendments):
        assert not amendments
        filings = json.loads(_get(f"/submissions/CIK{self.cik:010}.json"))["filings"]
        tables = [
            filings["recent"],
            *(json.loads(_get(f"/submissions/{file['name']}")) for file in filings["files"]),
        ]
        return [
            self._filing(dict(zip(table, row, strict=True)))
            for table in tables
            for row in zip(*table.values(), strict=True)
            if row[list(table).index("form")] in form
        ]

    def _filing(self, row):
        number = row["accessionNumber"]
        path = f"/Archives/edgar/data/{self.cik}/{number.replace('-', '')}/{number}.txt"
        return SimpleNamespace(
            form=row["form"],
            filing_date=date.fromisoformat(row["filingDate"]),
            report_date=row["reportDate"],
            full_text_submission=lambda: _get(path),
        )
