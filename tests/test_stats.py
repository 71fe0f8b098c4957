"""The arithmetic of what is told: latencies, where the time went, what limited a run, and the words for it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import Limits
from ingather.limits.snapshot import Learnt
from ingather.stats import Latencies, Stats, Times
from ingather.stats.bottleneck import Work, in_words, what_limited


@given(
    st.lists(st.floats(1e-5, 1e4), min_size=1, max_size=1500),
    st.sampled_from([0.5, 0.95, 0.99, 1.0]),
)
def test_percentiles_are_right_to_5_percent(latencies, share):
    sketch, other = Latencies(), Latencies()
    for number, took in enumerate(latencies):
        (sketch if number % 3 else other).add(took)
    sketch.merge(other)
    exact = sorted(latencies)[math.ceil(share * len(latencies)) - 1]
    found = sketch.percentile(share)
    assert found is not None
    assert exact * 0.999999 <= found <= exact * 1.050001
    assert sketch.slowest == max(latencies)
    assert sketch.count == len(latencies)
    assert sketch.total == pytest.approx(sum(latencies))


def test_nothing_has_no_percentile():
    assert Latencies().percentile(0.5) is None
    assert Latencies().slowest == 0.0


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.01, 1))
def test_no_percentile_is_above_the_slowest(seconds, share):
    latencies = Latencies()
    for took in seconds:
        latencies.add(took)
    found = latencies.percentile(share)
    assert found is not None
    assert found <= max(latencies.slowest, 1e-6)


def test_calls_that_took_no_time_are_counted():
    latencies = Latencies()
    latencies.add(0.0)
    assert latencies.percentile(0.5) == pytest.approx(1e-6, rel=0.06)


@given(st.lists(st.tuples(*[st.floats(0, 100)] * 4), max_size=10))
def test_times_add_up(tasks):
    times = sum(
        (
            Times.of(
                sum(task),
                {"requests": task[0], "pause": task[1]},
                backoff=task[2],
                provider=task[3],
            )
            for task in tasks
        ),
        start=Times(),
    )
    assert times.total == pytest.approx(sum(map(sum, tasks)))
    assert times.queue == pytest.approx(0.0, abs=1e-6)


WORK = Work(busy=100.0, wall=50.0, idle=0.0, peak=20, sent=100, median=1.0, slowest=2.0)


@pytest.mark.parametrize(
    "by", ["requests", "tokens", "concurrency", "start", "pause", "budget", "backoff"]
)
def test_what_calls_waited_for_longest_limited_them(by):
    assert what_limited(WORK, {by: 50.0, "slots": 10.0}) == by


def test_a_run_that_was_hardly_one_is_limited_by_nothing():
    assert what_limited(WORK._replace(busy=0.01), {}) == ""


@pytest.mark.parametrize(
    ("by", "learnt", "limits", "said"),
    [
        (
            "requests",
            Learnt(requests=20.0),
            Limits(),
            "the provider's limit of about 1,200 requests a minute (learnt)",
        ),
        (
            "requests",
            Learnt(announced_requests=(20.0, 20.0)),
            Limits(),
            "about 1,200 requests a minute (learnt)",
        ),
        (
            "requests",
            Learnt(requests=20.0),
            Limits(requests_per_minute=600),
            "your limit of 600 requests a minute",
        ),
        (
            "requests",
            Learnt(requests=20.0),
            Limits(requests_per_minute=9000),
            "the provider's limit of about 1,200",
        ),
        (
            "requests",
            Learnt(),
            Limits(requests_per_minute=600),
            "your limit of 600 requests a minute",
        ),
        (
            "tokens",
            Learnt(announced_output=(100.0, 9.0)),
            Limits(),
            "about 6,000 tokens a minute (learnt)",
        ),
        (
            "tokens",
            Learnt(),
            Limits(output_tokens_per_minute=50),
            "your limit of 50 tokens a minute",
        ),
        (
            "concurrency",
            Learnt(cap=64.0),
            Limits(),
            "the provider's limit of about 64 calls in flight (learnt)",
        ),
        (
            "concurrency",
            Learnt(cap=64.0),
            Limits(max_concurrency=8),
            "your limit of 8 calls in flight",
        ),
        (
            "pause",
            Learnt(requests=20.0),
            Limits(),
            "about 1,200 requests a minute. Another run begins with that",
        ),
        ("pause", Learnt(), Limits(), "waiting after the provider's 429s and outages"),
    ],
)
def test_the_words_say_whose_limit_it_was(by, learnt, limits, said):
    stats = Stats(learnt={"pool": learnt}, limits={"pool": limits})
    assert said in in_words(by, stats)


def test_all_is_said_a_line_each_in_one_line_for_a_log_and_as_a_table_in_a_notebook():
    stats = Stats(
        tasks=10,
        attempts=14,
        rejected=2,
        hedges=1,
        hedges_won=1,
        retries_denied=1,
        wall=10.0,
        times=Times(queue=5.0, provider=15.0),
        median=1.0,
        p95=2.0,
        p99=3.0,
        slowest=4.0,
        limited_by="slots",
        known_usd=0.5,
        spent_usd=0.6,
        reserved_usd=0.1,
        cap_usd=5.0,
    )
    for said in (
        "14 in 10.0 s",
        "1 (1 won)",
        "1 retry",
        "p50 1.0 s, p95 2.0 s, p99 3.0 s",
        "provider 15.0 s (75 %), queue 5.0 s (25 %)",
        "at least 0.5000 USD (of at most 5.0000: 0.6000 counted, 0.1000 reserved)",
        "the slots",
    ):
        assert said in str(stats)
        assert said in stats.in_one_line
        assert said in stats._repr_html_()
    assert "\n" not in stats.in_one_line
    assert str(stats).splitlines()[0] == "tasks       10"
    assert len(str(stats).splitlines()) == stats._repr_html_().count("<tr>") == 9
    assert len(repr(stats)) <= 200
