"""A whole filing analysed: both levels under one bound, what is skipped and why, and what every component cost."""

import asyncio
import json
from pathlib import Path

import pytest

from apps.tenk.tests.stand_ins import Model, filing
from ingather import LLMTask, Store
from ingather.errors import AuthFailed, BadRequest
from ingather.events import Event, RunStarted, TaskEnded
from tenk import Analysis, comprehensive_analysis, open_submission, read_filing
from tenk.errors import NotAFiling
from tenk.evidence import evidence
from tenk.source import Fetched

POINTER = "The information required by this Item is incorporated by reference to the Annual Report, Exhibit 13."


async def test_all_four_sections_are_filled():
    model = Model()
    analysis = await comprehensive_analysis(filing(), provider=model)
    assert {name: report.status for name, report in analysis.sections.items()} == dict.fromkeys(
        ("business", "risk_factors", "mda", "financials"), "ok"
    )
    assert analysis.business.operational_overview.employees == 1240
    assert analysis["mda"] is analysis.mda
    assert analysis.succeeded
    assert len(model.asked) == analysis.calls == 27


async def test_a_store_for_every_model_is_no_matter_of_one_that_cannot_be_stored(tmp_path, recwarn):
    with Store(tmp_path / "tenk.db") as store:
        for provider in (Model(), "echo"):
            await comprehensive_analysis(
                filing(), False, True, False, False, provider=provider, store=store
            )
    assert not recwarn.list


async def test_sections_are_chosen_in_the_seeds_order():
    model = Model()
    analysis = await comprehensive_analysis(filing(), False, True, False, False, provider=model)
    assert list(analysis.sections) == ["mda"]
    assert analysis.business is None
    assert len(model.asked) == 8


@pytest.mark.parametrize("bound", [1, 3, 32])
async def test_one_bound_holds_over_both_levels(bound):
    class Waiting(Model):
        """Answers nobody until as many calls are in flight as there may be."""

        full = asyncio.Event()

        async def complete(self, messages, config_overrides=None):
            self.waiting = getattr(self, "waiting", 0) + 1
            assert self.waiting <= bound
            if self.waiting == min(bound, 27):
                self.full.set()
            await asyncio.wait_for(self.full.wait(), 30)
            await asyncio.sleep(0)
            self.waiting -= 1
            return await super().complete(messages, config_overrides)

    analysis = await comprehensive_analysis(filing(), provider=Waiting(), max_concurrency=bound)
    assert analysis.succeeded


async def test_quotes_are_located_in_the_filing_itself():
    read = read_filing(filing())
    analysis = await comprehensive_analysis(read, provider=Model())
    for name, report in analysis.sections.items():
        proofs = list(evidence(analysis[name]))
        assert report.verified == sum(proof.verified for proof in proofs)
        for proof in proofs:
            if proof.verified:
                assert proof.quote.split()[0] in read.text[proof.start : proof.end]
                assert report.start <= (proof.start or 0) < report.end
                assert proof.item == report.item


async def test_a_pointer_is_skipped_with_the_reason_and_costs_nothing():
    model = Model()
    analysis = await comprehensive_analysis(filing(mda=POINTER), provider=model)
    report = analysis.sections["mda"]
    assert (report.status, report.item_status) == ("skipped", "incorporated_by_reference")
    assert "Exhibit 13" in (report.reason or "")
    assert {component.status for component in report.components.values()} == {"skipped"}
    assert not any("metrics" in names for names in model.asked)
    assert analysis.succeeded


async def test_a_filing_without_an_item_says_so():
    text = filing().replace(b"Item 1A. Risk Factors", b"Risk Factors")
    analysis = await comprehensive_analysis(text, provider=Model())
    assert analysis.sections["risk_factors"].reason == "The filing has no Item 1A."


async def test_a_component_that_fails_is_told_of_and_hurts_no_other():
    class NoSingle(Model):
        async def complete(self, messages, config_overrides=None):
            if "- outlook" in messages[0].content.rpartition("</document>")[2]:
                raise BadRequest("no such thing")
            return await super().complete(messages, config_overrides)

    analysis = await comprehensive_analysis(filing(), provider=NoSingle())
    report = analysis.sections["mda"]
    assert report.status == "partial"
    assert report.components["outlook"].status == "failed"
    assert report.components["outlook"].reason == "BadRequest: no such thing"
    assert analysis.mda.outlook is None
    assert {name for name, each in report.components.items() if each.status == "failed"} == {
        "outlook"
    }
    assert not analysis.succeeded


async def test_what_came_by_the_single_prompt_says_so():
    says = {"outlook": BadRequest("no"), "revenue_drivers": BadRequest("no")}
    analysis = await comprehensive_analysis(filing(), provider=Model(says))
    components = analysis.sections["mda"].components
    assert (components["outlook"].origin, components["outlook"].status) == ("single", "ok")
    assert components["metrics"].origin == "part"
    assert analysis.sections["risk_factors"].components["category_profile"].origin == "code"


async def test_an_invalid_answer_is_asked_again_alone():
    class Once(Model):
        async def complete(self, messages, config_overrides=None):
            answer = await super().complete(messages, config_overrides)
            if self.asked[-1] == ["metrics"] and len(messages) == 1:
                answer.content = "I would rather not"
            return answer

    model = Once()
    analysis = await comprehensive_analysis(filing(), provider=model)
    assert analysis.sections["mda"].components["metrics"].origin == "retry"
    assert model.asked.count(["metrics"]) == 2
    assert analysis.calls == 28


async def test_a_wrong_key_fails_every_section_with_the_cause():
    class Locked(Model):
        async def complete(self, messages, config_overrides=None):
            raise AuthFailed("wrong key")

    analysis = await comprehensive_analysis(filing(), provider=Locked())
    assert {report.status for report in analysis.sections.values()} == {"failed"}
    assert all("wrong key" in (report.reason or "") for report in analysis.sections.values())


async def test_the_single_way_asks_once_a_section():
    model = Model()
    analysis = await comprehensive_analysis(filing(), provider=model, split="single")
    assert len(model.asked) == 4
    assert analysis.split == "single"
    assert analysis.business.operational_overview is not None


async def test_costs_are_those_of_all_calls():
    model = Model()
    analysis = await comprehensive_analysis(filing(), provider=model)
    assert analysis.input_tokens == 1000 * len(model.asked)
    assert analysis.cached_tokens == 200 * len(model.asked)
    assert analysis.cost_usd is None


async def test_it_goes_through_json_and_back():
    analysis = await comprehensive_analysis(filing(), provider=Model())
    dumped = analysis.model_dump_json()
    assert Analysis.model_validate_json(dumped) == analysis
    first = json.loads(dumped)["business"]["operational_overview"]["evidence"]
    assert first.keys() == {"quote", "item", "start", "end", "verified"}


async def test_events_tell_which_section_a_component_is_of():
    heard: list[Event] = []
    await comprehensive_analysis(filing(), provider=Model(), on_event=heard.append)
    tags = {event.result.tag for event in heard if isinstance(event, TaskEnded)}
    assert {"business", "business.key_products", "financials.notable_notes"} <= tags
    parents = [event.parent for event in heard if isinstance(event, RunStarted)]
    assert parents.count(None) == 1
    assert len(parents) == 5
    assert any(
        isinstance(event.result.task, LLMTask) for event in heard if isinstance(event, TaskEnded)
    )


@pytest.mark.parametrize("form", [bytes, str, Path, open_submission, read_filing])
async def test_a_source_is_bytes_a_path_or_what_was_read_already(form, tmp_path):
    path = tmp_path / "northwind.txt"
    path.write_bytes(filing())
    source = {bytes: filing(), str: str(path), Path: path}.get(form) or form(path)
    analysis = await comprehensive_analysis(source, True, False, False, False, provider=Model())
    assert analysis.sections["business"].status == "ok"
    if form in (str, Path):
        assert analysis.filing == "northwind.txt"


async def test_a_ticker_is_fetched_where_no_such_file_is():
    class Source:
        def fetch(self, ticker, year=None):
            return Fetched(f"{ticker}-10-K-2023", filing())

    analysis = await comprehensive_analysis(
        "NWF", True, False, False, False, provider=Model(), tickers=Source()
    )
    assert analysis.filing == "NWF-10-K-2023"


@pytest.mark.parametrize(
    "junk", [b"", b"%PDF-1.7 ...", b'{"a": 1}', b"\x00\x01\x02" * 100, b"A poem about the sea."]
)
async def test_what_is_no_filing_is_an_error_before_any_call(junk):
    model = Model()
    with pytest.raises(NotAFiling):
        await comprehensive_analysis(junk, provider=model)
    assert model.asked == []


async def test_real_statements_come_from_the_tags(filings):
    model = Model()
    analysis = await comprehensive_analysis(
        filings / "nvda-2024.htm", False, False, False, True, provider=model
    )
    income = analysis.financials.income_statement
    assert income.line("revenue").values.of(2024) == 60922
    assert income.line("net_income").values.of(2024) == 29760
    assert income.line("eps_diluted").values.of(2024) == 11.93
    assert analysis.financials.balance_sheet.line("total_assets").values.of(2024) == 65728
    assert analysis.financials.cash_flow.line("operating_cash_flow").values.of(2024) == 28090
    assert analysis.sections["financials"].components["income_statement"].origin == "code"
    assert not any("income_statement" in names for names in model.asked)
    assert analysis.financials.ratios.items


FILED = ["aapl-1994.txt", "gan-2009.htm", "intc-2002.htm", "mrx-1999.htm", "msft-2013.htm", "nvda-2024.htm",
         "reac-2015.htm", "unh-2024.htm"]  # fmt: skip


@pytest.mark.parametrize("name", FILED)
async def test_a_real_filing_is_analysed_offline_without_a_failure(filings, name):
    analysis = await comprehensive_analysis(filings / name)
    components = {
        (section, field): component
        for section, report in analysis.sections.items()
        if report.status != "skipped"
        for field, component in report.components.items()
    }
    proofs = {
        (section, field): list(evidence(getattr(analysis[section], field)))
        for section, field in components
    }
    assert [place for place, component in components.items() if component.status == "failed"] == []
    assert (
        sum(any(proof.verified for proof in each) for each in proofs.values())
        >= 0.6 * len(components)
        > 0
    )
    assert all(proof.verified for each in proofs.values() for proof in each)
