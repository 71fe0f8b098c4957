"""One announced resource, rule by rule, in plain numbers."""

import pytest

from ingather.limits.announced import Announced
from ingather.response import Allowance

LATENCY = 1.0


def heard(limit=600, remaining=300.0, reset=None, *, sent_at=0.0, since=0.0, now=0.0):
    bucket = Announced()
    bucket.hear(Allowance(limit, remaining, reset), sent_at=sent_at, since=since, now=now)
    return bucket


def test_a_limit_a_minute_is_a_rate_a_second():
    bucket = heard(600)
    assert (bucket.rate, bucket.depth) == (10.0, 600)


def test_what_was_sent_after_the_answer_left_is_taken_off():
    assert heard(600, 300, since=20.0).level(0.0) == 280.0


def test_it_fills_at_the_rate_and_never_above_its_depth():
    bucket = heard(600, 300)
    assert bucket.level(10.0) == 400.0
    assert bucket.level(1000.0) == 600.0


def test_what_flew_while_the_answer_came_has_filled_it():
    assert heard(600, 300, sent_at=0.0, now=2.0).level(2.0) == 320.0


def test_an_older_answer_than_the_newest_says_nothing():
    bucket = heard(600, 300, sent_at=5.0, now=5.0)
    assert not bucket.hear(Allowance(600, 10), sent_at=4.0, since=0.0, now=6.0)
    assert bucket.level(5.0) == 300.0


@pytest.mark.parametrize(
    ("limit", "is_another"), [(600, False), (610, False), (660, True), (300, True)]
)
def test_a_limit_that_moves_by_more_than_three_percent_is_another(limit, is_another):
    bucket = heard(600, 300)
    assert bucket.hear(Allowance(limit, 100), sent_at=1.0, since=0.0, now=1.0) is is_another


def test_a_reset_tells_how_much_a_bucket_holds_that_is_smaller_than_a_minute():
    # 10 a second, 5 left, full again in a second: it holds about 16
    assert heard(600, 5.0, 1.0).depth == pytest.approx(16.0)


@pytest.mark.parametrize(
    ("remaining", "pace"),
    [
        (120, 10.0),  # the set point: twelve seconds of the rate
        (60, 2.5),  # half of it: a quarter, by the square
        (0, 0.2),  # empty: never less than two percent
        (240, 50.0),  # twice the set point: four times as much again
    ],
)
def test_the_pace_is_the_limit_at_the_set_point(remaining, pace):
    assert heard(600, remaining).pace(LATENCY, 0.0) == pytest.approx(pace)


def test_a_shallow_bucket_is_old_news_when_it_is_heard():
    # it holds a second's worth, and answers take two
    bucket = heard(600, 0.0, 1.0)
    assert not bucket.is_deep(2.0)
    assert bucket.pace(2.0, 0.0) == pytest.approx(9.85)
    assert bucket.delay(5.0, 2.0, 0.0) == 0.0


def test_the_wait_is_until_it_holds_so_much():
    bucket = heard(600, 30)
    assert bucket.delay(20.0, LATENCY, 0.0) == 0.0
    assert bucket.delay(50.0, LATENCY, 0.0) == pytest.approx(2.0, abs=1e-3)
    assert bucket.delay(10_000.0, LATENCY, 0.0) == pytest.approx(57.0, abs=1e-3)


def test_what_we_send_is_taken_at_once():
    bucket = heard(600, 100)
    bucket.take(40.0, now=1.0)
    assert bucket.level(1.0) == 70.0


def test_a_limit_a_day_is_slow_to_come_back_and_so_is_the_pace():
    """The headers look as a minute's do; five resets that agree, two seconds apart, tell."""
    bucket, left = Announced(), 8_000.0
    for number in range(5):
        now = 2.0 * number
        # 10,000 a day: 2,000 are missing, and come back in 17,280 s
        bucket.hear(Allowance(10_000, left, 17_280.0), sent_at=now, since=0.0, now=now)
    assert bucket.rate == pytest.approx(2_000 / 17_280)
