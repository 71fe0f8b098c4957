"""The API: an analysis is begun, watched, cancelled, asked again, and answered from the store the second time."""

import json

import pytest

from apps.tenk.tests.service.running import Gate, cards
from apps.tenk.tests.stand_ins import filing
from ingather import connect
from ingather.errors import BadRequest
from ingather.testing import Simulator
from tenk import Analysis
from tenk.outcome import SECTIONS
from tenk.service.settings import Caps
from tenk.source import Fetched, Offline

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(100)


def test_an_analysis_is_accepted_before_it_is_done(service):
    answer = service.http.post("/api/analyses", data={"sample": "quellmark-2025"})
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/analyses/{answer.json()['id']}"
    assert answer.json()["status"] == "waiting"


def test_all_components_come_with_their_quotes_verified(done):
    assert done["status"] == "done"
    assert (done["company"], done["form"]) == ("QUELLMARK FLOW SYSTEMS, INC.", "10-K")
    assert {card["status"] for card in cards(done).values()} <= {"ok", "empty"}
    assert len(cards(done)) == 29
    assert 0 < done["ledger"]["quotes"] == done["ledger"]["verified"]


def test_what_an_upload_is_called_does_not_matter(service):
    state = service.ended(service.begin(filing(), include_mda="false"))
    assert (state["name"], state["status"]) == ("filing.txt", "done")


def test_only_the_sections_that_are_wanted_are_there(service):
    wanted = {"include_business": "false", "include_mda": "false", "include_financials": "false"}
    assert set(service.ended(service.begin(sample="quellmark-2025", **wanted))["sections"]) == {
        "risk_factors"
    }


def test_a_quote_stands_in_the_source_where_it_is_said_to_stand(service, done):
    source = service.http.get(f"/api/analyses/{done['id']}/source").json()
    whole = [" "] * source["length"]
    for start, _, words in source["blocks"]:
        whole[start : start + len(words)] = words
    proof = cards(done)["business.operational_overview"]["value"]["evidence"]
    found = "".join(whole)[proof["start"] : proof["end"]]
    assert found.split()[:4] == proof["quote"].split()[:4]


def test_the_source_comes_packed_to_who_takes_it_and_plain_to_others(service, done):
    packed = service.http.get(f"/api/analyses/{done['id']}/source")
    plain = service.http.get(
        f"/api/analyses/{done['id']}/source", headers={"accept-encoding": "identity"}
    )
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()


def test_the_analysis_can_be_taken_along(service, done):
    analysis = Analysis.model_validate_json(
        service.http.get(f"/api/analyses/{done['id']}/analysis.json").content
    )
    report = service.http.get(f"/api/analyses/{done['id']}/report.md").text
    assert analysis.business is not None
    assert analysis.sections["business"].verified > 0
    assert report.startswith("# QUELLMARK FLOW SYSTEMS, INC.: 10-K")


def test_the_list_has_the_newest_first(service, done):
    newer = service.begin(sample="quellmark-2025")
    listed = [each["id"] for each in service.http.get("/api/analyses").json()]
    assert listed.index(newer) < listed.index(done["id"])


def test_a_file_that_is_no_filing_ends_with_the_reason(service):
    state = service.ended(service.begin(PICTURE))
    assert state["status"] == "failed"
    assert "a PNG picture" in state["reason"]
    assert service.http.get(f"/api/analyses/{state['id']}/source").status_code == 409


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "one of file, sample and ticker"),
        ({"sample": "quellmark-2025", "ticker": "AAPL"}, "one of file, sample and ticker"),
        ({"sample": "no-such"}, "quellmark-2025"),
        ({"sample": "quellmark-2025", "model": "openai/other"}, "offline/extractive"),
        ({"ticker": "../x"}, "no ticker"),
        (
            {"sample": "quellmark-2025", **dict.fromkeys(map("include_{}".format, SECTIONS), "0")},
            "at least one section",
        ),
    ],
)
def test_what_cannot_be_had_is_refused_with_the_reason(service, data, said):
    answer = service.http.post("/api/analyses", data=data)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_no_such_analysis_is_a_404(service):
    for method, path in [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/events"),
        ("GET", "/source"),
        ("POST", "/retry"),
    ]:
        assert (
            service.http.request(method, f"/api/analyses/0123456789abcdef{path}").status_code == 404
        )


def others(state):
    """All cards but the two that wait."""
    return [
        card for key, card in cards(state).items() if key not in ("mda.outlook", "mda.metrics")
    ] or [{"status": "waiting"}]


def test_a_component_is_told_the_moment_its_call_ends(serving):
    gate = Gate(shut=["outlook", "metrics"])
    service = serving({"gate": gate})
    analysis = service.begin(filing(), include_financials="false")
    filled = ("ok", "empty")
    state = service.until(
        analysis,
        lambda state: (
            [card["status"] in filled for card in cards(state).values()].count(True) == 20
        ),
    )
    assert state["status"] == "running"
    assert cards(state)["mda.outlook"]["status"] == "running"
    assert cards(state)["business.key_products"]["value"]["items"]
    assert state["ledger"]["in_flight"] == gate.in_flight == 2
    gate.open()
    assert service.ended(analysis)["status"] == "done"


def test_cancelling_ends_all_calls_and_keeps_what_was_found(serving):
    gate = Gate(shut=["outlook", "metrics", "competition"])
    service = serving({"gate": gate})
    analysis = service.begin(filing(), include_financials="false")
    service.until(
        analysis, lambda state: state["ledger"]["in_flight"] == 3 and state["ledger"]["calls"] > 15
    )
    state = service.http.delete(f"/api/analyses/{analysis}").json()
    assert (state["status"], gate.in_flight) == ("cancelled", 0)
    assert cards(state)["mda.outlook"]["status"] == "cancelled"
    assert cards(state)["business.key_products"]["value"]["items"]
    assert service.state(analysis) == state


def test_deleting_one_that_has_ended_forgets_it_and_its_filing(service):
    analysis = service.ended(service.begin(filing(business="We sell tea to sailors. " * 30)))["id"]
    assert service.http.delete(f"/api/analyses/{analysis}").status_code == 204
    assert service.http.get(f"/api/analyses/{analysis}").status_code == 404


def test_one_component_is_asked_again_alone(serving):
    gate = Gate(
        fails={
            "key_products": BadRequest("not today", status=400),
            "outlook": BadRequest("nor that", status=400),
        }
    )
    service = serving({"gate": gate})
    state = service.ended(service.begin(filing()))
    failed = cards(state)["business.key_products"]
    assert (state["status"], failed["status"]) == ("partial", "failed")
    assert "not today" in failed["reason"]
    gate.fails.clear()
    gate.asked.clear()
    which = {"section": "business", "component": "key_products"}
    assert service.http.post(f"/api/analyses/{state['id']}/retry", json=which).status_code == 202
    after = service.ended(state["id"])
    assert gate.asked == [["key_products"]]
    assert cards(after)["business.key_products"]["status"] == "ok"
    assert cards(after)["business.competition"] == cards(state)["business.competition"]
    assert cards(after)["mda.outlook"]["status"] == "failed"
    assert after["sections"]["business"]["status"] == "ok"


def test_all_that_failed_is_asked_again_at_once(serving):
    gate = Gate(
        fails={
            "key_products": BadRequest("no", status=400),
            "outlook": BadRequest("no", status=400),
        }
    )
    service = serving({"gate": gate})
    state = service.ended(service.begin(filing()))
    gate.fails.clear()
    gate.asked.clear()
    service.http.post(f"/api/analyses/{state['id']}/retry")
    assert service.ended(state["id"])["status"] == "done"
    assert sorted(gate.asked) == [["key_products"], ["outlook"]]


def test_what_has_not_failed_is_not_asked_again(service, done):
    which = {"section": "business", "component": "key_products"}
    assert service.http.post(f"/api/analyses/{done['id']}/retry", json=which).status_code == 409


def test_the_same_filing_and_model_again_is_answered_from_the_store(serving):
    with Simulator() as simulator:
        service = serving({"openai/any": connect("openai/any", base_url=simulator.base_url)})
        first = service.ended(service.begin(sample="quellmark-2025"))
        paid = len(simulator.ledger)
        again = service.ended(service.begin(sample="quellmark-2025"))
        assert paid == first["ledger"]["calls"] == again["ledger"]["remembered"] > 20
        assert len(simulator.ledger) == paid
    assert (again["ledger"]["calls"], again["ledger"]["input_tokens"]) == (0, 0)
    assert cards(again)["business.key_products"]["cached"]
    assert (
        cards(again)["business.key_products"]["value"]
        == cards(first)["business.key_products"]["value"]
    )


def test_the_same_at_the_same_time_is_paid_once(serving):
    with Simulator(latency=0.5) as simulator:
        service = serving({"openai/any": connect("openai/any", base_url=simulator.base_url)})
        both = [service.begin(sample="quellmark-2025") for _ in range(2)]
        states = [service.ended(each) for each in both]
        assert [state["status"] for state in states] == ["done", "done"]
        assert len(simulator.ledger) == sum(state["ledger"]["calls"] for state in states) < 30
        assert states[1]["ledger"]["calls"] == 0


class Tickers:
    """Where filings come from, in place of the SEC."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def fetch(self, ticker, year=None):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Fetched(f"{ticker}-10-K", answer)


def test_a_ticker_is_fetched_and_one_that_cannot_be_says_why(serving):
    service = serving(tickers=Tickers(filing(), Offline("the SEC cannot be reached (no network)")))
    assert service.ended(service.begin(ticker="nwf"))["status"] == "done"
    failed = service.ended(service.begin(ticker="nwf"))
    assert (failed["status"], failed["name"]) == ("failed", "NWF")
    assert "cannot be reached" in failed["reason"]


def test_one_that_could_not_be_fetched_can_be_tried_again(serving):
    service = serving(tickers=Tickers(Offline("no network"), filing()))
    failed = service.ended(service.begin(ticker="NWF"))
    assert service.http.post(f"/api/analyses/{failed['id']}/retry").status_code == 202
    assert service.ended(failed["id"])["status"] == "done"


def test_too_many_at_once_wait_and_too_many_waiting_are_refused(serving):
    gate = Gate(shut=["outlook"])
    service = serving({"gate": gate}, Caps(running=1, waiting=1))
    first = service.begin(filing())
    second = service.begin(filing())
    refused = service.http.post("/api/analyses", data={"sample": "quellmark-2025"})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    service.until(first, lambda state: state["status"] == "running")
    assert service.state(second)["status"] == "waiting"
    gate.open()
    assert service.ended(first)["status"] == service.ended(second)["status"] == "done"


def test_one_that_waits_for_its_turn_can_be_cancelled(serving):
    gate = Gate(shut=["outlook"])
    service = serving({"gate": gate}, Caps(running=1))
    service.begin(filing())
    second = service.begin(filing())
    assert service.http.delete(f"/api/analyses/{second}").json()["status"] == "cancelled"


def test_an_analysis_that_takes_too_long_ends_with_what_there_is(serving):
    service = serving({"gate": Gate(shut=["outlook"])}, Caps(seconds=5.0))
    state = service.ended(service.begin(filing()))
    assert state["status"] == "partial"
    assert "DeadlineExceeded" in cards(state)["mda.outlook"]["reason"]
    assert cards(state)["business.key_products"]["status"] == "ok"


def test_only_so_many_analyses_are_remembered(serving):
    service = serving(caps=Caps(kept=2))
    for _ in range(4):
        service.ended(service.begin(filing(), include_mda="false", include_financials="false"))
    assert len(service.http.get("/api/analyses").json()) <= 3


def test_the_set_up_tells_what_one_may_choose_from(service):
    setup = service.http.get("/api/setup").json()
    assert setup["models"] == ["offline/extractive"]
    assert [sample["name"] for sample in setup["samples"]] == ["quellmark-2025"]
    assert "key_products" in setup["sections"]["business"]


def test_every_route_has_a_description_and_the_post_an_example(service):
    document = service.http.get("/api/openapi.json").json()
    assert all(each["description"] for path in document["paths"].values() for each in path.values())
    assert "quellmark-2025" in json.dumps(document)
    assert document["openapi"] >= "3.1"
