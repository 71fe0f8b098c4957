"""The arithmetic of one resource, against a plain list of what was taken and when."""

import copy
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingather.limits.bucket import Bucket

MINUTE = 60.0
LIMITS = st.one_of(st.integers(1, 100), st.integers(1, 100_000), st.floats(1, 100_000))
SHARES = st.just(0.0) | st.floats(1e-6, 1)  # of the limit; below, floats round as they please


class Ledger:
    """Drives a bucket and remembers each cost by itself: the independent account."""

    def __init__(self, limit):
        self.bucket = Bucket(limit)
        self.now = 0.0
        self.taken = []  # [moment, cost]

    def take(self, cost):
        """Waits as long as the bucket says, then takes; gives the seconds waited."""
        waited = self.wait(cost)
        self.bucket.take(cost, self.now)
        self.taken.append([self.now, cost])
        return waited

    def take_checked(self, cost):
        """The same, and the minute before must have room for it."""
        waited = self.wait(cost)
        before = sum(earlier for moment, earlier in self.taken if moment > self.now - MINUTE + 1e-6)
        assert before + cost <= self.bucket.limit * (1 + 1e-9) + 1e-6
        self.bucket.take(cost, self.now)
        self.taken.append([self.now, cost])
        return waited

    def wait(self, cost):
        begun = self.now
        for _ in range(3):  # a float's last digit may be missing after the first wait
            wait = self.bucket.delay(cost, self.now)
            if wait == 0:
                break
            self.now += wait
        else:
            pytest.fail(f"still {wait} s after waiting three times")
        return self.now - begun

    def settle(self, which, actual):
        moment, estimated = self.taken[which]
        self.bucket.settle(moment, estimated, actual, self.now)
        self.taken[which][1] = actual

    def fullest_minute(self):
        """The most that any 60 seconds hold: each window that matters begins with something taken."""
        sums = [0.0, *accumulate(cost for _, cost in self.taken)]
        fullest, end = 0.0, 0
        for begin, (moment, _) in enumerate(self.taken):
            while end < len(self.taken) and self.taken[end][0] < moment + MINUTE:
                end += 1
            fullest = max(fullest, sums[end] - sums[begin])
        return fullest


STEPS = st.lists(
    st.tuples(
        SHARES,  # the cost
        # seconds of idleness before it
        st.one_of(st.just(0.0), st.floats(0, 0.2), st.floats(0, 90)),
        # settle at that share of the estimate, so late
        st.one_of(st.none(), st.tuples(SHARES, st.integers(0, 5))),
    ),
    min_size=1,
    max_size=60,
)


@given(LIMITS, STEPS)
def test_no_sixty_seconds_hold_more_than_the_limit(limit, steps):
    ledger = Ledger(limit)
    owed = []
    for share, idle, settlement in steps:
        ledger.now += idle
        ledger.take(share * limit)
        if settlement is not None:
            owed.append(
                (len(ledger.taken) - 1 + settlement[1], len(ledger.taken) - 1, settlement[0])
            )
        for due, which, part in owed:
            if due == len(ledger.taken) - 1:
                ledger.settle(which, ledger.taken[which][1] * part)
    assert ledger.fullest_minute() <= limit * (1 + 1e-9) + 1e-6


@given(LIMITS, STEPS)
def test_nothing_more_is_taken_while_a_minute_is_full_whatever_is_settled(limit, steps):
    """Settled upwards, a minute may already hold too much: then nothing is added to it (`take_checked`)."""
    ledger = Ledger(limit)
    for share, idle, settlement in steps:
        ledger.now += idle
        ledger.take_checked(share * limit)
        if settlement is not None:
            ledger.settle(-1, settlement[0] * 2 * limit)


@given(LIMITS, STEPS, st.lists(st.floats(0.1, 10), min_size=1, max_size=5))
def test_a_new_limit_counts_what_was_taken_under_the_old_one(limit, steps, factors):
    ledger = Ledger(limit)
    for number, (share, idle, _) in enumerate(steps):
        ledger.now += idle
        if number % 3 == 0:
            ledger.bucket.resize(max(1.0, limit * factors[number // 3 % len(factors)]))
        ledger.take_checked(share * ledger.bucket.limit)


@given(LIMITS, STEPS, SHARES)
def test_the_delay_is_exact(limit, steps, share):
    ledger = Ledger(limit)
    for before, idle, _ in steps:
        ledger.now += idle
        ledger.take(before * limit)
    cost = share * limit
    wait = ledger.bucket.delay(cost, ledger.now)
    after = copy.deepcopy(ledger.bucket)
    assert after.delay(cost, ledger.now + wait + 1e-6) == 0
    if wait > 1e-3:
        just_before = copy.deepcopy(ledger.bucket)
        assert 0 < just_before.delay(cost, ledger.now + wait - 1e-4) < 2e-4


@given(LIMITS, STEPS)
def test_nothing_that_fits_waits_longer_than_a_minute(limit, steps):
    """Asked for one after another, big ones and small ones: each is let in within a minute of being the next."""
    ledger = Ledger(limit)
    for share, _, _ in steps:
        assert ledger.take(share * limit) <= MINUTE + 0.05 + 1e-6


@given(LIMITS, STEPS)
def test_a_minute_of_silence_forgets_everything(limit, steps):
    ledger = Ledger(limit)
    for share, idle, settlement in steps:
        ledger.now += idle
        ledger.take(share * limit)
        if settlement is not None:
            ledger.settle(-1, settlement[0] * share * limit)
    assert ledger.bucket.delay(limit, ledger.now + MINUTE + 0.051) == 0


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 59, 60, 61, 100, 500, 3_500, 10_000])
def test_saturated_demand_uses_nearly_all_of_the_limit(limit):
    ledger = Ledger(limit)
    while ledger.now < 600:
        ledger.take(1)
    taken = sum(1 for moment, _ in ledger.taken if moment < 600)
    assert 0.97 * limit * 10 <= taken <= limit * 10
    assert ledger.fullest_minute() <= limit


@given(st.integers(1, 100_000), st.integers(1, 20))
@settings(max_examples=10)
def test_saturated_demand_of_small_costs_uses_nearly_all_of_any_limit(limit, parts):
    """In tokens: many costs to the minute, each at most a sixtieth of the limit."""
    ledger = Ledger(limit)
    cost = limit / (60 * parts)
    while ledger.now < 600:
        ledger.take(cost)
    used = sum(cost for moment, cost in ledger.taken if moment < 600)
    assert used >= 0.97 * limit * 10


def test_demand_settled_far_below_its_estimate_still_uses_nearly_all_of_the_limit():
    """Estimates four times too high, settled two seconds later: what is given back is used again."""
    limit = 60_000
    ledger = Ledger(limit)
    owed: list[tuple[float, int]] = []
    while ledger.now < 600:
        wait = ledger.bucket.delay(400, ledger.now)
        if owed and owed[0][0] <= ledger.now + wait:
            due, which = owed.pop(0)
            ledger.now = max(ledger.now, due)
            ledger.settle(which, 100)
        else:
            ledger.take(400)
            owed.append((ledger.now + 2, len(ledger.taken) - 1))
    used = sum(cost for moment, cost in ledger.taken if moment < 600)
    assert used >= 0.9 * limit * 10
    assert ledger.fullest_minute() <= limit


def test_a_server_that_counts_by_the_second_sees_no_burst():
    ledger = Ledger(6_000)
    while ledger.now < 30:
        ledger.take(1)
    moments = [moment for moment, _ in ledger.taken]
    busiest = max(
        sum(1 for other in moments if moment <= other < moment + 1) for moment in moments[::50]
    )
    assert busiest <= 2 * 100 + 1


def test_what_turns_out_cheaper_makes_room_at_once():
    bucket = Bucket(60)
    bucket.take(60, 0.0)
    assert bucket.delay(1, 20.0) == pytest.approx(40.0)
    bucket.settle(0.0, 60, 10, 20.0)
    assert bucket.delay(50, 20.0) == 0


def test_what_turns_out_cheaper_still_keeps_its_pace():
    bucket = Bucket(60)
    bucket.take(60, 0.0)
    bucket.settle(0.0, 60, 10, 1.0)
    assert bucket.delay(1, 1.0) == pytest.approx(9.0)


def test_what_turns_out_dearer_takes_room_away():
    bucket = Bucket(60)
    bucket.take(1, 0.0)
    assert bucket.delay(1, 1.0) == 0
    bucket.settle(0.0, 1, 60, 1.0)
    assert bucket.delay(1, 1.0) == pytest.approx(59.0, abs=0.1)


def test_what_is_settled_after_its_minute_changes_nothing_of_the_present_one():
    bucket = Bucket(60)
    bucket.take(60, 0.0)
    bucket.take(30, 61.0)
    bucket.settle(0.0, 60, 0, 62.0)
    bucket.take(29, 62.0)
    assert bucket.delay(2, 62.0) == pytest.approx(59.0, abs=0.1)


def test_costs_of_one_moment_are_settled_each_by_itself():
    bucket = Bucket(100)
    for _ in range(10):
        bucket.take(10, 5.0)
    bucket.settle(5.0, 10, 0, 5.5)
    bucket.settle(5.0, 10, 5, 5.5)
    assert bucket.delay(15, 64.5) == 0
    assert bucket.delay(16, 64.5) == pytest.approx(0.5)


@pytest.mark.parametrize("backwards", [0.01, 0.04, 1.0])
def test_a_clock_that_reads_a_little_less_forgets_nothing_early(backwards):
    """Two loops of one process may ask in another order than they read the clock."""
    bucket = Bucket(10)
    bucket.take(5, 100.0)
    bucket.take(5, 100.04)
    bucket.take(0, 100.04 - backwards)
    assert bucket.delay(10, 160.03) > 0


def test_a_cost_above_the_limit_does_not_fit():
    assert Bucket(10).fits(10)
    assert not Bucket(10).fits(10.5)


def test_its_repr_says_how_full_it_is():
    bucket = Bucket(60)
    bucket.take(7, 0.0)
    assert "7 of 60" in repr(bucket)
