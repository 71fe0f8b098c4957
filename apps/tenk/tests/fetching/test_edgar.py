"""The same tests with edgartools and, where it is not installed, with its stand-in; the server is a real one."""

import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from tenk.edgar import EdgarSource, _edgartools, _rate
from tenk.source import (
    BadTicker,
    IdentityMissing,
    NoFiling,
    Offline,
    SourceFailed,
    SourceMissing,
    SourceRefused,
    UnknownTicker,
)

pytestmark = pytest.mark.filterwarnings("default")  # edgartools' own are not ours to mend


def test_the_newest_10_k_comes_with_its_exhibits_and_without_pictures(sec):
    fetched = EdgarSource().fetch("aapl")
    assert fetched.name == "AAPL-10-K-2024-09-28"
    text = fetched.content.decode()
    assert "ITEM 1. BUSINESS of 0000320193-24-000123" in text
    assert "MANAGEMENT'S DISCUSSION" in text
    assert "logo.jpg" not in text


def test_a_year_is_that_in_which_the_fiscal_year_ended(sec):
    assert EdgarSource().fetch("AAPL", 2023).name == "AAPL-10-K-2023-09-30"


def test_an_old_filing_without_a_date_of_its_year_is_found_by_when_it_was_filed(sec):
    fetched = EdgarSource().fetch("AAPL", 1994)
    assert fetched.name == "AAPL-10-K405-1995-01-13"
    assert b"0000320193-94-000016" in fetched.content


def test_each_request_says_who_asks(sec):
    EdgarSource("Another Reader <other@example.com>").fetch("AAPL")
    assert {agent for _, agent in sec.asked} == {"Another Reader <other@example.com>"}


def test_a_year_without_a_filing_is_told_with_those_there_are(sec):
    with pytest.raises(
        NoFiling,
        match=r"AAPL has no 10-K for a year that ended in 2031; there are "
        r"1994, 2023-2024",
    ):
        EdgarSource().fetch("AAPL", 2031)


def test_a_company_without_any_10_k_is_told(sec):
    with pytest.raises(NoFiling, match="BF-B has filed no 10-K"):
        EdgarSource().fetch("bf-b")


def test_an_unknown_ticker_is_told(sec):
    with pytest.raises(UnknownTicker, match="ZZZZQQ"):
        EdgarSource().fetch("ZZZZQQ")


@pytest.mark.parametrize("status", [403, 429])
def test_a_refusal_says_to_wait(sec, status):
    sec.status = status
    with pytest.raises(SourceRefused, match=rf"\({status}\).*wait ten minutes"):
        EdgarSource().fetch("AAPL")


def test_a_fault_of_the_server_is_told(sec):
    sec.status = 500
    with pytest.raises(SourceFailed, match="500"):
        EdgarSource().fetch("AAPL")


@pytest.mark.parametrize("answer", ["<html>maintenance</html>", "[1]", '{"filings": 7}'])
def test_an_answer_of_another_form_is_told(sec, answer):
    sec.pages["CIK0000320193.json"] = answer
    with pytest.raises(SourceFailed, match="AAPL is not as expected"):
        EdgarSource().fetch("AAPL")


@pytest.mark.parametrize(
    "identity", ["", "   ", "reader@example.com", "Test Reader", "Test Reader reader@nowhere"]
)
def test_without_a_name_and_an_address_nothing_is_asked(sec, monkeypatch, identity):
    monkeypatch.setenv("EDGAR_IDENTITY", identity)
    with pytest.raises(IdentityMissing, match="export EDGAR_IDENTITY='Your Name"):
        EdgarSource().fetch("AAPL")
    assert sec.asked == []


def test_a_path_is_refused_before_anything_else(sec, monkeypatch):
    monkeypatch.delenv("EDGAR_IDENTITY")
    with pytest.raises(BadTicker):
        EdgarSource().fetch("../../etc/passwd")
    assert sec.asked == []


def test_a_refused_connection_is_told_at_once(sec, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nothing else can take the port
        monkeypatch.setenv("EDGAR_BASE_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(
            Offline,
            match=r"127\.0\.0\.1: Connection refused.*give a filing's "
            r"file",
        ):
            EdgarSource().fetch("AAPL")


def test_a_host_without_an_address_is_told(sec, monkeypatch):
    monkeypatch.setenv("EDGAR_BASE_URL", "https://sec.invalid")
    with pytest.raises(Offline, match=r"sec\.invalid"):
        EdgarSource().fetch("AAPL")


def test_without_the_extra_it_says_what_to_install(sec, monkeypatch):
    _edgartools.cache_clear()
    for module in ("edgar", "edgar.exceptions"):
        monkeypatch.setitem(sys.modules, module, None)
    try:
        with pytest.raises(SourceMissing, match=r"pip install 'tenk\[edgar\]'"):
            EdgarSource().fetch("AAPL")
    finally:
        _edgartools.cache_clear()


def test_what_is_written_goes_into_a_folder_of_this_user_only(sec):
    EdgarSource().fetch("AAPL")
    folders = {
        Path(os.environ[name]).parent for name in ("EDGAR_LOCAL_DATA_DIR", "EDGAR_CACHE_DIR")
    }
    assert len(folders) == 1
    assert stat.S_IMODE(folders.pop().stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("asked", "rate"),
    [("", "9"), ("5", "5"), ("9", "9"), ("50", "9"), ("0", "9"), ("-3", "9"), ("x", "9")],
)
def test_a_slower_rate_is_kept_and_no_faster_one(asked, rate):
    assert _rate(asked) == rate
