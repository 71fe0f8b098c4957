"""What one analysis may cost: never exceeded, and refused at the start where it could not be kept."""

import pytest

from apps.tenk.tests.service.running import TOKEN, Gate, cards
from apps.tenk.tests.stand_ins import filing
from ingather import connect
from tenk.service.server import serve
from tenk.service.settings import Caps, Settings
from tenk.spending import NoPrice

DEAR = {"*": (0.0, 100.0)}  # 1.60 USD for the longest answer; a `Gate` says that one has cost 0.01


def found_no_money(state):
    return [card for card in cards(state).values() if "BudgetSpent" in (card["reason"] or "")]


def test_cards_that_find_no_money_fail_and_say_so(serving):
    gate = Gate()
    service = serving({"gate": gate}, Caps(usd=1.65), prices=DEAR)
    state = service.ended(service.begin(filing()))
    assert len(gate.asked) == 6  # the sixth may be asked at 0.05 USD, and a seventh not at 0.06
    assert state["ledger"]["cost_usd"] == pytest.approx(0.06)
    assert state["status"] == "partial"
    assert found_no_money(state)
    assert {card["status"] for card in found_no_money(state)} == {"failed"}
    assert "0.0600 of 1.65 USD" in found_no_money(state)[0]["reason"]


def test_what_is_asked_again_has_only_what_is_left(serving):
    gate = Gate()
    service = serving({"gate": gate}, Caps(usd=1.65), prices=DEAR)
    analysis = service.begin(filing())
    service.ended(analysis)
    service.http.post(f"/api/analyses/{analysis}/retry")
    again = service.ended(analysis)
    assert len(gate.asked) == 6
    assert found_no_money(again)


def test_tokens_have_a_cap_too(serving):
    gate = Gate()
    service = serving({"gate": gate}, Caps(tokens=5000))
    state = service.ended(service.begin(filing()))
    assert gate.asked == []
    assert "of 5,000 tokens spent" in found_no_money(state)[0]["reason"]


def test_an_unknown_price_is_refused_at_the_start_where_there_is_a_cap_on_money(tmp_path):
    models = {"openai/llama": connect("openai/llama", base_url="http://127.0.0.1:9/v1")}
    settings = Settings(state=tmp_path / "t.db", token=TOKEN, models=models, caps=Caps(usd=1.0))
    with pytest.raises(NoPrice, match="--price openai/llama=IN:OUT"):
        serve(settings, lambda started: started.stop())


@pytest.mark.parametrize(
    ("caps", "prices", "usd"),
    [(Caps(), {}, None), (Caps(), {"llama": (0, 0)}, 5.0), (Caps(usd=2.0), DEAR, 2.0)],
)
def test_the_set_up_tells_what_an_analysis_may_cost(serving, caps, prices, usd):
    models = {"openai/llama": connect("openai/llama", base_url="http://127.0.0.1:9/v1")}
    service = serving(models, caps, prices=prices)
    assert service.http.get("/api/setup").json()["usd"] == usd
