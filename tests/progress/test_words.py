"""A run in one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather.progress.pace import Pace, Rates
from ingather.progress.wording import line, status
from ingather.report import Summary


def test_what_goes_wrong_is_shown_only_where_it_does():
    rates = Pace().at(0.0, Summary())
    assert status(Summary(), rates) == "0 in flight, 0.0 calls/s"
    bad = Summary(in_flight=3, failed=2, rejected=4, paused=12.0, backoffs=5, reasked=6)
    assert status(bad, rates) == (
        "3 in flight, 0.0 calls/s, 2 failed, 4 × 429 (paused 12.0 s), 5 retries, 6 re-asks"
    )


def test_a_line_says_the_share_the_count_what_is_left_and_how_fast():
    found = Summary(total=1_000, succeeded=250, in_flight=40)
    assert line(found, Rates(12.5, 0.0, 60.0), 100) == (
        " 25 % |██▌       | 250/1,000, 60.0 s left, 12.5 calls/s, 40 in flight"
    )


def test_without_a_total_there_is_no_share_and_nothing_is_foretold():
    assert (
        line(Summary(succeeded=7, wall=3.0), Rates(2.0, 0.0, None), 80)
        == "7 done, after 3.0 s, 2.0 calls/s"
    )


def test_failures_and_the_wait_after_a_429_come_before_what_matters_less():
    found = Summary(
        total=10,
        succeeded=1,
        failed=2,
        rejected=1,
        paused=9.0,
        pause_left=8.0,
        in_flight=3,
        input_tokens=5,
    )
    assert line(found, Rates(1.0, 1.0, None), 80).endswith(
        "3/10, after 0.0 ms, 2 failed, waiting 8.0 s after a 429"
    )


@pytest.mark.parametrize("width", [1, 20, 40, 79, 200])
@given(
    st.builds(
        Summary,
        total=st.none() | st.integers(0, 10**9),
        succeeded=st.integers(0, 10**9),
        failed=st.integers(0, 10**6),
        rejected=st.integers(0, 10**6),
        in_flight=st.integers(0, 10**4),
        input_tokens=st.integers(0, 10**12),
        wall=st.floats(0, 1e6),
        pause_left=st.floats(0, 1e5),
    ),
    st.builds(Rates, st.floats(0, 1e6), st.floats(0, 1e9), st.none() | st.floats(0, 1e7)),
)
def test_it_never_outgrows_its_width(width, found, rates):
    assert len(line(found, rates, width)) <= width
