"""The SEC as a local server, and edgartools: the real one where it is installed, else a stand-in."""

import importlib.util
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

COLUMNS = [
    *(
        "accessionNumber",
        "filingDate",
        "reportDate",
        "acceptanceDateTime",
        "act",
        "form",
        "fileNumber",
        "filmNumber",
    ),
    *(
        "items",
        "core_type",
        "size",
        "isXBRL",
        "isInlineXBRL",
        "primaryDocument",
        "primaryDocDescription",
    ),
]
TEXTS = [
    *(
        "name",
        "entityType",
        "sic",
        "sicDescription",
        "category",
        "fiscalYearEnd",
        "stateOfIncorporation",
        "ein",
        "lei",
    ),
    *(
        "stateOfIncorporationDescription",
        "description",
        "website",
        "investorWebsite",
        "phone",
        "flags",
        "ownerOrg",
    ),
]
ADDRESS = ["street1", "street2", "city", "stateOrCountry", "zipCode", "stateOrCountryDescription"]
SUBMISSION = """<SEC-DOCUMENT>0000320193-24-000123.txt
<SEC-HEADER>
CONFORMED SUBMISSION TYPE: 10-K
</SEC-HEADER>
<DOCUMENT>
<TYPE>10-K
<TEXT>
ITEM 1. BUSINESS of {number}
</TEXT>
</DOCUMENT>
<DOCUMENT>
<TYPE>EX-13.1
<TEXT>
MANAGEMENT'S DISCUSSION
</TEXT>
</DOCUMENT>
<DOCUMENT>
<TYPE>GRAPHIC
<TEXT>
begin 644 logo.jpg
</TEXT>
</DOCUMENT>
</SEC-DOCUMENT>
"""


def table(*filings):
    """A table of filings as the SEC lists them: a list for each column."""
    rows = []
    for number, filed, ended, form in filings:
        named = {"accessionNumber": number, "filingDate": filed, "reportDate": ended, "form": form}
        rest = {
            "acceptanceDateTime": f"{filed}T10:00:00.000Z",
            "size": 1,
            "isXBRL": 1,
            "isInlineXBRL": 1,
        }
        rows.append({**dict.fromkeys(COLUMNS, ""), **rest, **named})
    return {column: [row[column] for row in rows] for column in COLUMNS}


def company(recent, files=()):
    address = dict.fromkeys(ADDRESS, "")
    return {
        **dict.fromkeys(TEXTS, ""),
        "cik": "320193",
        "tickers": [],
        "exchanges": [],
        "insiderTransactionForOwnerExists": 0,
        "insiderTransactionForIssuerExists": 0,
        "addresses": {"mailing": address, "business": address},
        "formerNames": [],
        "filings": {
            "recent": recent,
            "files": [{"name": name, "filingCount": 1} for name in files],
        },
    }


class Sec:
    """What the server knows, how it answers (`status`), and who asked for what."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.status = 200
        self.pages: dict[str, str] = {}
        self.clear()

    def clear(self) -> None:
        self.asked.clear()
        self.status = 200
        older = "CIK0000320193-submissions-001.json"
        self.pages = {
            "company_tickers.json": json.dumps(
                {
                    "0": {"cik_str": 320193, "ticker": "AAPL", "title": "A"},
                    "1": {"cik_str": 14693, "ticker": "BF-B", "title": "B"},
                }
            ),
            "company_tickers_mf.json": json.dumps(
                {
                    "fields": ["cik", "seriesId", "classId", "symbol"],
                    "data": [[2110, "S1", "C1", "LACAX"]],
                }
            ),
            "CIK0000320193.json": json.dumps(
                company(
                    table(
                        ("0000320193-24-000123", "2024-11-01", "2024-09-28", "10-K"),
                        ("0000320193-24-000100", "2024-08-01", "2024-06-29", "10-Q"),
                        ("0000320193-23-000106", "2023-11-03", "2023-09-30", "10-K"),
                    ),
                    [older],
                )
            ),
            older: json.dumps(table(("0000320193-94-000016", "1995-01-13", "", "10-K405"))),
            "CIK0000014693.json": json.dumps(
                company(table(("0000014693-24-000001", "2024-06-14", "2024-04-30", "10-Q")))
            ),
        }

    def page(self, path: str) -> str | None:
        name = path.rsplit("/", 1)[-1]
        return (
            SUBMISSION.format(number=name.removesuffix(".txt"))
            if name.endswith(".txt")
            else self.pages.get(name)
        )


def handler_of(sec: Sec) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            sec.asked.append((self.path, self.headers["User-Agent"]))
            page = sec.page(self.path)
            body = (page or "").encode()
            self.send_response(sec.status if page is not None else 404)
            self.send_header(
                "Content-Type", "application/json" if self.path.endswith("json") else "text/plain"
            )
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *given):
            pass

    return Handler


@pytest.fixture(scope="session")
def _server(tmp_path_factory):
    """One server for all tests: edgartools reads its addresses once, when it is imported."""
    sec = Sec()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(sec))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        base = f"http://127.0.0.1:{server.server_port}"
        patch.setenv("EDGAR_BASE_URL", base)
        patch.setenv("EDGAR_DATA_URL", base)
        for name in ("EDGAR_LOCAL_DATA_DIR", "EDGAR_CACHE_DIR", "EDGAR_RATE_LIMIT_PER_SEC"):
            # remembered, so that what is set meanwhile does not outlive the tests
            patch.setenv(name, "")
            patch.delenv(name)
        patch.setenv("EDGARTOOLS_STRICT_ERRORS", "")
        if importlib.util.find_spec("edgar") is None:
            patch.syspath_prepend(Path(__file__).parent / "stand_in")
        yield sec
        for module in [name for name in sys.modules if name.split(".")[0] == "edgar"]:
            del sys.modules[module]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def sec(_server, monkeypatch):
    _server.clear()
    for remembered in Path(os.environ.get("EDGAR_LOCAL_DATA_DIR", "nowhere")).glob("_tcache/*/*"):
        remembered.unlink()  # edgartools remembers answers for half a minute
    monkeypatch.setenv("EDGAR_IDENTITY", "Test Reader reader@example.com")
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    return _server
