from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather.testing.simulator.chance import CERTAIN, delay, draws, fault
from ingather.testing.simulator.settings import Tail

MANY = [draws(seed=1, fingerprint=number.to_bytes(4, "big"), seen=0) for number in range(4000)]


@given(st.integers(-(2**100), 2**100), st.binary(max_size=40), st.integers(0, 2**40))
def test_draws_lie_between_0_and_1_and_can_be_repeated(seed, fingerprint, seen):
    drawn = draws(seed, fingerprint, seen)
    assert all(0 < number < 1 for number in drawn)
    assert drawn == draws(seed, fingerprint, seen)


def test_seed_request_and_coming_each_change_the_draw():
    assert len({draws(0, b"a", 0), draws(1, b"a", 0), draws(0, b"b", 0), draws(0, b"a", 1)}) == 4


def test_a_share_of_the_calls_fails_and_all_kinds_alike():
    found = [kind for drawn in MANY if (kind := fault(drawn, 0.25, ("a", "b")))]
    assert 900 < len(found) < 1100
    assert 400 < found.count("a") < 600


@pytest.mark.parametrize(("rate", "expected"), [(0.0, 0), (1.0, 4000)])
def test_none_or_all_fail(rate, expected):
    assert sum(fault(drawn, rate, ("a",)) == "a" for drawn in MANY) == expected


def test_latency_is_lognormal_around_its_median():
    delays = [delay(drawn, median=0.3, sigma=0.4) for drawn in MANY]
    assert median(delays) == pytest.approx(0.3, rel=0.03)
    assert sorted(delays)[int(0.84 * len(delays))] == pytest.approx(0.3 * 2.718**0.4, rel=0.05)


def test_a_share_of_the_calls_is_slow():
    delays = [delay(drawn, median=1.0, slow_tail=Tail(0.1, 20)) for drawn in MANY]
    assert {*delays} == {1.0, 20.0}
    assert 320 < delays.count(20.0) < 480


def test_certainty_is_no_fault_and_the_median():
    assert fault(CERTAIN, 0.0, ("a",)) is None
    assert delay(CERTAIN, 0.5, 0.0, None) == 0.5
