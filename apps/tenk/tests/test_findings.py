"""Components told as their calls end, quotes looked up; and some of a section asked for again."""

import json

import pytest

from apps.tenk.tests.stand_ins import Model, filing
from ingather import Store, connect
from ingather.errors import BadRequest
from ingather.events import Remembered
from tenk import comprehensive_analysis, open_submission
from tenk.again import components_again
from tenk.analysis import ANALYZERS
from tenk.outcome import SECTIONS


async def test_each_component_is_told_once_as_the_analysis_will_have_it():
    told: dict = {}
    analysis = await comprehensive_analysis(
        "quellmark-2025",
        on_finding=lambda found: told.setdefault((found.section, found.component), found),
    )
    made_later = {("financials", "ratios")}
    asked = {(name, field) for name in SECTIONS for field in ANALYZERS[name].model.model_fields}
    assert set(told) == asked - made_later
    for (name, field), found in told.items():
        assert found.value == getattr(analysis[name], field)
    quotes = sum(found.quotes.shown for found in told.values())
    assert quotes == sum(section.quotes for section in analysis.sections.values())


async def test_a_quote_that_is_made_up_is_told_as_such():
    claim = {"statement": "All is well.", "topic": "luck", "horizon": None, "certainty": "guidance"}
    lie = {
        "items": [
            {**claim, "evidence": {"quote": "Revenue will triple in the coming year, we promise."}}
        ]
    }
    told: dict = {}
    provider = Model({"outlook": json.dumps(lie)})
    await comprehensive_analysis(
        filing(),
        provider=provider,
        on_finding=lambda found: told.setdefault(found.component, found),
    )
    assert tuple(told["outlook"].quotes) == (1, 0)


async def test_what_a_later_call_filled_is_told_with_the_section():
    told: list[str] = []
    sections: dict = {}

    class Moody(Model):
        async def complete(self, messages, config_overrides=None):
            answer = await super().complete(messages, config_overrides)
            if self.asked[-1] == ["outlook"] and self.asked.count(["outlook"]) == 1:
                raise BadRequest("no", status=400)
            return answer

    provider = Moody()
    await comprehensive_analysis(
        filing(),
        provider=provider,
        on_finding=lambda found: told.append(found.component),
        on_section=lambda name, report, section: sections.setdefault(
            name, (report.status, section)
        ),
    )
    assert provider.asked.count(["outlook"]) == 2
    assert told.count("metrics") == 1
    assert {name: status for name, (status, _) in sections.items()} == dict.fromkeys(SECTIONS, "ok")
    assert sections["mda"][1].outlook is not None


@pytest.mark.blocking_ok  # the store is opened on the test's own loop
async def test_a_component_is_asked_for_alone_in_the_words_in_which_it_was_asked_for_among_others(
    tmp_path,
):
    submission = open_submission("quellmark-2025")
    provider = connect("offline/extractive")
    with Store(tmp_path / "t.db") as store:
        analysis = await comprehensive_analysis(submission, provider=provider, store=store)
        heard: list = []
        assert analysis.business is not None
        again = await components_again(
            submission, analysis.business, ["key_products", "competition"], provider=provider, store=store,
            on_event=heard.append,
        )  # fmt: skip
    assert [event.source for event in heard if isinstance(event, Remembered)] == ["store", "store"]
    assert again.section == analysis.business
    assert {name: report.origin for name, report in again.components.items()} == {
        "key_products": "cache",
        "competition": "cache",
    }


async def test_what_was_missing_is_filled_and_the_rest_stays():
    submission = open_submission(filing())
    model = Model(
        {"key_products": BadRequest("no", status=400), "single": BadRequest("no", status=400)}
    )
    analysis = await comprehensive_analysis(submission, provider=Model())
    assert analysis.business is not None
    before = analysis.business.model_copy(update={"key_products": None})
    again = await components_again(submission, before, ["key_products"], provider=Model())
    assert again.section == analysis.business
    assert again.quotes == (
        analysis.sections["business"].quotes,
        analysis.sections["business"].verified,
    )
    failed = await components_again(submission, before, ["key_products"], provider=model)
    assert failed.section == before
    assert failed.components["key_products"].status == "failed"
    assert "BadRequest" in (failed.components["key_products"].reason or "")


async def test_ratios_are_made_anew_when_a_statement_comes():
    submission = open_submission("quellmark-2025")
    analysis = await comprehensive_analysis(submission, False, False, False)
    assert analysis.financials is not None
    before = analysis.financials.model_copy(update={"income_statement": None, "ratios": None})
    by_code = ["balance_sheet", "cash_flow"]
    again = await components_again(submission, before, ["income_statement"], by_code)
    assert again.section == analysis.financials


@pytest.mark.parametrize("argument", ["on_event", "on_finding", "on_section"])
async def test_a_listener_that_raises_is_warned_of_once_and_hurts_neither_the_analysis_nor_the_others(
    argument,
):
    told = {"on_event": 0, "on_finding": 0, "on_section": 0}

    def listener(name):
        def listen(*what):
            told[name] += 1
            if name == argument:
                raise LookupError(f"in {name}")

        return listen

    with pytest.warns(
        RuntimeWarning, match=f"{argument} raised LookupError: in {argument}"
    ) as warned:
        analysis = await comprehensive_analysis(
            "quellmark-2025", **{name: listener(name) for name in told}
        )
    assert len(warned) == 1
    assert {name: report.status for name, report in analysis.sections.items()} == dict.fromkeys(
        SECTIONS, "ok"
    )
    assert told["on_section"] == len(SECTIONS)
    assert told["on_finding"] > len(SECTIONS)
