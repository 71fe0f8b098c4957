from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather.testing.simulator.buckets import Bucket, Quota

LIMITS = st.floats(1, 100_000)
GAPS = st.lists(st.floats(0, 30), min_size=1, max_size=200)


@given(LIMITS, st.floats(1, 1000), GAPS)
def test_never_more_than_the_burst_and_what_flowed_in(rpm, burst, gaps):
    quota, now, admitted = Quota(rpm=rpm, burst=burst), 0.0, list[float]()
    for gap in gaps:
        now += gap
        if quota.admit(now, tokens=0) is None:
            admitted.append(now)
    for first, start in enumerate(admitted):
        for last, end in list(enumerate(admitted))[first:]:
            assert last - first + 1 <= burst + (end - start) * rpm / 60 + 1e-6


@given(
    st.floats(10, 100_000),
    st.lists(st.tuples(st.floats(0, 5), st.integers(1, 3000)), min_size=1, max_size=100),
)
def test_tokens_never_exceed_a_minutes_worth_and_what_flowed_in(tpm, calls):
    quota, now, admitted = Quota(tpm=tpm), 0.0, 0.0
    for gap, tokens in calls:
        now += gap
        if quota.admit(now, tokens) is None:
            admitted += tokens
    assert admitted <= tpm + now * tpm / 60 + 1e-6


@given(LIMITS, st.lists(st.tuples(st.floats(0, 60), st.floats(0.1, 5)), max_size=4), GAPS)
def test_a_change_of_the_limit_counts_from_its_time(rpm, changes, gaps):
    changes = sorted(changes)
    quota, now, admitted = Quota(rpm=rpm, burst=1, changes=changes), 0.0, 0
    quota.admit(0.0, tokens=0)
    for gap in gaps:
        now += gap
        admitted += quota.admit(now, tokens=0) is None
    steps = [(0.0, 1.0), *((at, factor) for at, factor in changes if at <= now), (now, 0.0)]
    flowed = sum((end - start) * rpm / 60 * factor for (start, factor), (end, _) in pairwise(steps))
    assert admitted <= max(1.0, *(factor for _, factor in steps)) + flowed + 1e-6


@given(LIMITS, st.floats(1, 50), st.floats(0, 1000), GAPS)
def test_after_the_wait_that_it_names_it_admits(rpm, burst, tokens, gaps):
    quota, now = Quota(rpm=rpm, tpm=60_000, burst=burst), 0.0
    for gap in gaps:
        now += gap
        short = quota.admit(now, tokens)
        if short is not None:
            assert short.wait is not None
            now += short.wait + 1e-6
            assert quota.admit(now, tokens) is None


@given(GAPS)
def test_one_alone_does_not_take_from_the_other(gaps):
    quota, now = Quota(rpm=6000, tpm=100, burst=100), 0.0
    for gap in gaps:
        now += gap
        before = quota.levels(now)["requests"].remaining
        if quota.admit(now, tokens=70) is not None:
            assert quota.levels(now)["requests"].remaining == before


def test_what_never_fits_has_no_wait():
    short = Quota(tpm=1000).admit(0.0, tokens=1001)
    assert short is not None
    assert (short.resource, short.wait, short.limit) == ("tokens", None, 1000)


def test_the_longer_wait_is_named():
    quota = Quota(rpm=60, tpm=60, burst=1)
    assert quota.admit(0.0, tokens=50) is None
    short = quota.admit(0.0, tokens=50)
    assert short is not None
    assert short.resource == "tokens"
    assert short.wait == pytest.approx(40)


def test_levels_tell_the_time_until_full():
    quota = Quota(rpm=600, burst=10)
    for _ in range(5):
        quota.admit(100.0, tokens=0)
    level = quota.levels(100.0)["requests"]
    assert (level.limit, level.remaining) == (600, 5)
    assert level.reset == pytest.approx(0.5)


def test_the_clock_starts_at_the_first_call():
    quota = Quota(rpm=60, burst=1, changes=[(10.0, 2.0)])
    quota.admit(1000.0, tokens=0)
    assert quota.levels(1009.9)["requests"].limit == 60
    assert quota.levels(1010.0)["requests"].limit == 120


def test_time_before_a_change_flows_at_the_old_rate():
    quota = Quota(rpm=60, burst=100, changes=[(10.0, 10.0)])
    while quota.admit(0.0, tokens=0) is None:
        pass
    assert quota.levels(10.0)["requests"].remaining == pytest.approx(10)
    assert quota.levels(11.0)["requests"].remaining == pytest.approx(20)


def test_without_limits_all_are_admitted():
    quota = Quota()
    assert all(quota.admit(0.0, tokens=10**9) is None for _ in range(100))
    assert quota.levels(0.0) == {}


def test_time_that_stands_still_or_runs_back_fills_nothing():
    bucket = Bucket(rate=1, depth=5, level=0, at=10)
    assert bucket.fill(10) == bucket.fill(9) == 0
