"""The Markdown report: readable, each claim with its quote, and nothing of the filing or the model is markup in it."""

import asyncio
import json
import re
from itertools import pairwise

import pytest

from apps.tenk.tests.stand_ins import Model, filing
from tenk import comprehensive_analysis, markdown
from tenk.models import Money
from tenk.report import money, number, text


async def test_it_has_a_chapter_for_each_section_and_a_heading_for_each_component():
    report = markdown(await comprehensive_analysis(filing(), provider=Model()))
    assert re.findall(r"^## (.*)", report, re.MULTILINE) == [
        "Business",
        "Risk factors",
        "Management's discussion and analysis",
        "Financial statements",
    ]
    assert "### Key products" in report
    assert "### Audit and controls" in report


async def test_every_footnote_is_there_once_and_referred_to():
    report = markdown(await comprehensive_analysis(filing(), provider=Model()))
    notes = re.findall(r"^\[\^(\d+)\]: ", report, re.MULTILINE)
    marks = re.findall(r"\[\^(\d+)\](?!:)", report)
    assert sorted(marks, key=int) == notes
    assert len(notes) > 10


async def test_a_quote_that_is_not_there_is_struck_through():
    claim = {
        "risk": "Moon",
        "measure": "rockets",
        "evidence": {"quote": "We insure our rockets to the moon."},
    }
    said = json.dumps({"items": [claim]})
    report = markdown(await comprehensive_analysis(filing(), provider=Model({"mitigations": said})))
    assert "~~“We insure our rockets to the moon.”~~ **Not found in the filing.**" in report


async def test_what_is_skipped_says_why():
    pointer = "Incorporated by reference to pages 20 to 34 of the Annual Report to Shareholders, Exhibit 13."
    report = markdown(await comprehensive_analysis(filing(mda=pointer), provider=Model()))
    assert "*This filer keeps Item 7 in another document, which is not in this file." in report


async def test_an_offline_report_says_that_it_is_a_baseline():
    report = markdown(await comprehensive_analysis(filing(), False, False, True, False))
    assert "> This is a baseline, not the work of a language model" in report


async def test_markup_in_a_filing_has_no_effect():
    evil = "<script>alert(1)</script> [click](javascript:alert(1)) **bold** `code` | cell\n\n# heading\n\n- item"
    initiative = {
        "title": "<img src=x onerror=alert(1)>",
        "goal": "[x](http://evil.example)",
        "horizon": "now",
        "status": "planned",
        "evidence": {"quote": "We plan to invest $45 million in two electric ferries"},
    }
    said = json.dumps({"items": [initiative]})
    analysis = await comprehensive_analysis(
        filing(business=f"{filing().decode()[600:2000]}\n{evil}"),
        provider=Model({"strategic_initiatives": said}),
    )
    report = markdown(analysis)
    assert not re.search(r"(?<!\\)<(script|img)", report)
    assert not re.search(r"(?<!\\)\[[^^\]]*(?<!\\)\]\(", report)


def test_tables_have_as_many_cells_in_each_row(filings):
    report = markdown(
        asyncio.run(comprehensive_analysis(filings / "nvda-2024.htm", False, False, False, True))
    )
    rows = [line for line in report.splitlines() if line.startswith("|")]
    assert len(rows) > 30
    for above, below in pairwise(rows):
        if f"{above}\n{below}" in report:
            assert len(re.findall(r"(?<!\\)\|", above)) == len(re.findall(r"(?<!\\)\|", below))


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Money(amount=1.5, scale="billions"), "$1.5 billion"),
        (Money(amount=-3, scale="millions"), "-$3 million"),
        (Money(amount=12345.678, scale="units", currency="EUR"), "€12,345.678"),
        (Money(amount=2, scale="thousands", currency="CHF"), "CHF 2 thousand"),
    ],
)
def test_money_is_written_as_one_writes_it(amount, written):
    assert money(amount) == written


def test_a_number_has_no_more_places_than_it_has():
    assert [number(value) for value in (0, -2.5, 1234567, 0.1 + 0.2)] == [
        "0",
        "-2.5",
        "1,234,567",
        "0.3",
    ]


def test_a_line_end_in_a_text_is_a_space():
    assert text("two\n\nlines") == "two lines"
