import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import Budget
from ingather.money.budget import Room, Spend


@pytest.mark.parametrize("name", ["max_cost_usd", "max_tokens"])
@pytest.mark.parametrize("bad", [0, -1, float("inf"), float("nan")])
def test_a_cap_is_positive(name, bad):
    with pytest.raises(ValueError, match=name):
        Budget(**{name: bad})


@pytest.mark.parametrize("bad", [(-1.0, 1.0), (1.0,), (1.0, float("nan"))])
def test_prices_are_two_numbers(bad):
    with pytest.raises(ValueError, match="per million"):
        Budget(prices={"m": bad})


def test_there_is_room_until_the_worst_case_of_all_would_be_too_much():
    budget = Budget(max_cost_usd=1.0)
    assert budget.room_for(Spend(1.0, 5)) is Room.NOW
    budget.reserve(Spend(0.6, 5))
    assert budget.room_for(Spend(0.6, 5)) is Room.LATER
    assert budget.room_for(Spend(0.4, 5)) is Room.NOW
    budget.settle(Spend(0.6, 5), Spend(0.5, 4))
    assert budget.room_for(Spend(0.6, 5)) is Room.NEVER
    assert budget.room_for(Spend(0.5, 5)) is Room.NOW


def test_both_caps_hold():
    budget = Budget(max_cost_usd=1.0, max_tokens=100)
    assert budget.room_for(Spend(0.1, 101)) is Room.NEVER
    assert budget.room_for(Spend(1.1, 1)) is Room.NEVER


@given(st.lists(st.tuples(st.floats(0.001, 0.3), st.floats(0, 1)), max_size=80))
def test_whatever_is_reserved_and_settled_the_cap_is_not_exceeded(calls):
    budget = Budget(max_cost_usd=1.0)
    flying: list[tuple[Spend, Spend]] = []
    for worst, share in calls:
        while budget.room_for(Spend(worst)) is Room.LATER:
            budget.settle(*flying.pop(0))
        if budget.room_for(Spend(worst)) is Room.NOW:
            budget.reserve(Spend(worst))
            flying.append((Spend(worst), Spend(worst * share)))
    for reservation in flying:
        budget.settle(*reservation)
    assert budget.spent.usd <= 1.0 + 1e-6
    assert budget.reserved.usd == pytest.approx(0.0, abs=1e-9)
