"""What more calls in flight have brought, and where the window stops growing for it."""

import math
import random

import pytest

from ingather.limits.concurrency import ConcurrencyLimit
from ingather.limits.gain import Load


def answered(load, flyings, latency, spread=0.0, seed=1):
    rng = random.Random(seed)
    for flying in flyings:
        load.add(flying, latency(flying) * math.exp(rng.gauss(0, spread)))


def served_by(slots):
    return lambda flying: max(1.0, flying / slots)


def test_nothing_is_known_of_few_answers():
    load = Load()
    answered(load, [1, 2, 8], served_by(1))
    assert not load.gain.is_hardly_any
    assert load.knee == math.inf


@pytest.mark.parametrize("slots", [1, 2, 4, 16, 64])
@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_slots_that_are_full_bring_nothing(slots, spread):
    load = Load()
    answered(
        load,
        [flying for flying in range(1, 8 * slots + 1) for _ in range(3)],
        served_by(slots),
        spread,
    )
    assert load.gain.is_surely_none
    assert 0.5 * slots <= load.knee <= 2 * slots


@pytest.mark.parametrize("seed", range(20))
def test_a_server_that_takes_all_is_not_mistaken_for_a_full_one(seed):
    load = Load()
    answered(load, range(1, 257), lambda flying: 1.0, 0.6, seed)
    assert not load.gain.is_surely_none


def test_a_server_that_gets_slower_and_still_brings_more_is_worth_it():
    load = Load()
    answered(load, range(1, 129), lambda flying: flying**0.3)
    assert not load.gain.is_hardly_any


def full_window(slots, count, timeout=math.inf):
    """A window under a backlog, at a server that takes a second for each of `slots` calls at once."""
    window, now, free, peak = ConcurrencyLimit(), 0.0, [0.0] * slots, 0
    flying: list[tuple[float, float, int]] = []
    for _ in range(count):
        while not window.is_full(len(flying)):
            begin = max(now, min(free))
            free[free.index(min(free))] = begin + 1.0
            flying.append((min(begin + 1.0, now + timeout), now, len(flying) + 1))
        window.binds = True
        flying.sort()
        now, sent_at, beside = flying.pop(0)
        peak = max(peak, len(flying) + 1)
        if now - sent_at < timeout:
            window.answered(sent_at, beside, is_paced=False, now=now)
        else:
            window.late(sent_at, beside, is_paced=False, now=now)
    return window, peak


@pytest.mark.parametrize("slots", [4, 16, 40])
def test_a_window_stops_growing_where_nothing_is_gained_and_says_so(slots):
    window, peak = full_window(slots, 60 * slots)
    assert slots <= window.size <= 2 * slots
    assert peak <= 7 * slots
    assert window.gains_nothing


def test_timeouts_make_it_smaller():
    window, _ = full_window(2, 200, timeout=3.0)
    assert window.size <= 6


def test_a_timeout_now_and_then_does_not():
    window = ConcurrencyLimit()
    for number in range(2000):
        window.binds = True
        if number % 20 == 19:
            window.late(number - 9.0, 8, is_paced=False, now=float(number))
        else:
            window.answered(number - 1.0, 8, is_paced=False, now=float(number))
    assert window.size > 8


def test_where_a_rate_is_known_that_does_it_all():
    window = ConcurrencyLimit()
    for number in range(400):
        window.binds = True
        window.answered(number - number / 8, number + 1, is_paced=True, now=float(number))
    assert window.size > 300
