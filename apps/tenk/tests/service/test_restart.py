"""A service that ends in the middle, however: its analyses go on when it starts again, and nothing is paid twice."""

import time

import pytest

from apps.tenk.tests.service import process
from apps.tenk.tests.service.running import ENDED, Gate, cards
from apps.tenk.tests.stand_ins import filing
from ingather.errors import BadRequest
from ingather.testing import Simulator


def test_one_that_runs_goes_on_after_a_stop(serving):
    service = serving({"gate": Gate(shut=["outlook"])})
    analysis = service.begin(filing())
    service.until(analysis, lambda state: state["ledger"]["calls"] > 20)
    service.stop()
    again = serving({"gate": Gate()})
    assert again.state(analysis)["status"] in ("waiting", "reading", "running", "done")
    assert again.ended(analysis)["status"] == "done"


def test_one_that_has_ended_stays_as_it_was(serving):
    service = serving({"gate": Gate()})
    state = service.ended(service.begin(filing()))
    source = service.http.get(f"/api/analyses/{state['id']}/source").json()
    service.stop()
    again = serving({"gate": Gate(fails={"outlook": BadRequest("never asked", status=400)})})
    assert again.state(state["id"]) == state
    assert again.http.get(f"/api/analyses/{state['id']}/source").json() == source


def test_one_that_was_asked_again_asks_again_only_for_that(serving):
    gate = Gate(fails={"outlook": BadRequest("no", status=400)})
    service = serving({"gate": gate})
    state = service.ended(service.begin(filing()))
    gate.fails.clear()
    gate.shut.add("outlook")
    service.http.post(f"/api/analyses/{state['id']}/retry")
    service.until(state["id"], lambda state: cards(state)["mda.outlook"]["status"] == "running")
    service.stop()
    gate = Gate()
    again = serving({"gate": gate})
    assert cards(again.ended(state["id"]))["mda.outlook"]["status"] == "ok"
    assert gate.asked == [["outlook"]]


def test_one_that_was_cancelled_stays_cancelled(serving):
    service = serving({"gate": Gate(shut=["outlook"])})
    analysis = service.begin(filing())
    service.until(analysis, lambda state: state["ledger"]["calls"] > 20)
    service.http.delete(f"/api/analyses/{analysis}")
    service.stop()
    assert serving({"gate": Gate()}).state(analysis)["status"] == "cancelled"


@pytest.mark.slow
def test_five_finish_after_a_kill_and_only_what_was_in_flight_is_paid_again(tmp_path, filings):
    names = ["nvda-2024.htm", "unh-2024.htm", "msft-2013.htm", "intc-2002.htm", "aapl-1994.txt"]
    with Simulator(latency=1.0, sigma=0.6, seed=7) as simulator:
        options = ("--model", "openai/any")
        environment = {"OPENAI_BASE_URL": simulator.base_url}
        with process.serving(tmp_path / "t.db", *options, **environment) as service:
            begun = [
                service.http.post(
                    "/api/analyses", files={"file": (name, (filings / name).read_bytes())}
                ).json()["id"]
                for name in names
            ]
            while simulator.stats()["answered"] < 40:
                time.sleep(0.02)
            service.kill()
        while simulator.stats()["in_flight"]:  # until it has noticed who hung up
            time.sleep(0.02)
        before = simulator.stats()
        with process.serving(tmp_path / "t.db", *options, **environment) as service:
            states: dict[str, dict] = {}
            while set(states) != set(begun):
                for each in begun:
                    state = service.http.get(f"/api/analyses/{each}").json()
                    if state["status"] in ENDED:
                        states[each] = state
                time.sleep(0.1)
        after = simulator.stats()
    assert {state["status"] for state in states.values()} == {"done"}
    remembered = sum(state["ledger"]["remembered"] for state in states.values())
    bought = sum(state["ledger"]["calls"] for state in states.values())
    assert after["calls"] == before["calls"] + bought
    assert 0 < remembered <= before["answered"]
    # the others had been answered, and are not lost
    assert before["calls"] - remembered <= before["peak_in_flight"]
