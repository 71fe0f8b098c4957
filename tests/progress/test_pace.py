"""Rates and the time that is left: arithmetic."""

from hypothesis import given
from hypothesis import strategies as st

from ingather.progress.pace import Pace
from ingather.report import Summary


def at(done: int, wall: float, total: int | None = 100, tokens: int = 0) -> Summary:
    return Summary(total=total, succeeded=done, calls=done, wall=wall, input_tokens=tokens)


def test_the_first_rates_are_those_so_far():
    rates = Pace().at(10.0, at(20, wall=2.0, tokens=100))
    assert (rates.calls, rates.tokens, rates.left) == (10.0, 50.0, 8.0)


def test_rates_forget_what_was_long_ago():
    pace = Pace()
    for second in range(100):
        rates = pace.at(float(second), at(min(second, 50) * 2, wall=float(second), total=300))
    assert (rates.calls, rates.left) == (0.0, None)


def test_a_straggler_is_expected_to_take_as_long_again():
    pace = Pace()
    for second in range(1, 10):
        rates = pace.at(float(second), at(99, wall=float(second), total=100))
    assert rates.left is None  # nothing was done since the first look
    pace = Pace()
    pace.at(1.0, at(50, wall=1.0))
    for second in range(2, 10):
        rates = pace.at(float(second), at(99, wall=float(second)))
    assert rates.left == 7.0


@given(st.lists(st.integers(0, 50), min_size=2, max_size=100))
def test_rates_are_never_negative(steps):
    pace, done = Pace(), 0
    for second, step in enumerate(steps, 1):
        done += step
        rates = pace.at(float(second), at(done, wall=float(second), total=None))
        assert rates.calls >= 0
        assert rates.left is None


def test_nothing_is_expected_before_a_pause_ends():
    pace = Pace()
    pace.at(1.0, at(50, wall=1.0))
    found = at(60, wall=2.0, total=61)
    found.pause_left = 30.0
    assert pace.at(2.0, found).left == 30.0
