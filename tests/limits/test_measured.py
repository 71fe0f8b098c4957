"""The rates that 429s show, rule by rule, in plain numbers."""

import math

import pytest

from ingather.limits.measured import Ceilings, Measured
from ingather.limits.sent import NOTHING, Sent, amounts


class Log:
    """Requests as they go out, each of 100 tokens; `refused` of them come back as 429s."""

    def __init__(self):
        self.ceilings = Ceilings()
        self.total = NOTHING

    def send(self, at, *, refused=False, flying=1, tokens=100):
        takes = amounts(tokens, 0)
        requests, both, given, got = self.total
        self.total = (requests + 1, both + tokens, given + tokens, got)
        sent = Sent(at, takes, self.total, flying)
        sent.refused = refused
        self.ceilings.log.append(sent)
        return sent

    def stream(self, begin, end, rate, **options):
        for number in range(round((end - begin) * rate)):
            self.send(begin + number / rate, **options)

    def refuse(self, at, limit="", **options):
        sent = self.send(at, refused=True, **options)
        return self.ceilings.refused(sent, limit, at, is_closed=False)


@pytest.mark.parametrize(
    ("found", "is_dirty", "is_sound"),
    [
        (Measured((10.0, 0.0), 100, 5, 10.0), False, True),
        (Measured((10.0, 0.0), 100, 60, 10.0), True, False),  # too many 429s among them
        (Measured((10.0, 0.0), 7, 0, 10.0), False, False),  # too few calls
        (Measured((10.0, 0.0), 100, 0, 0.2), False, False),  # too short
        (
            Measured((10.0, 0.0), 100, 0, 4.0, is_anchored=False),
            False,
            False,
        ),  # perhaps a full bucket
        (Measured((10.0, 0.0), 100, 0, 6.0, is_anchored=False), False, True),
    ],
)
def test_what_is_a_measurement(found, is_dirty, is_sound):
    assert (found.is_dirty, found.is_sound) == (is_dirty, is_sound)


def test_nothing_is_known_at_first():
    ceilings = Ceilings()
    assert ceilings.rates == [math.inf, math.inf]
    assert not ceilings.known


def test_between_two_429s_what_got_in_is_the_limit():
    log = Log()
    log.stream(0.0, 10.0, rate=20)
    log.refuse(10.0)
    log.stream(10.0, 20.0, rate=10)
    log.refuse(20.0)
    assert log.ceilings.limits[0] == pytest.approx(10.0, rel=0.02)
    log.stream(20.0, 30.0, rate=10)
    log.refuse(30.0)  # one cuts no deeper than to seven tenths, two do
    assert log.ceilings.rates[0] == pytest.approx(0.98 * 10.0, rel=0.02)


def test_one_429_cuts_no_deeper_than_to_seven_tenths():
    log = Log()
    log.ceilings.resume(100.0, None)
    log.stream(0.0, 20.0, rate=10)
    log.refuse(20.0)
    assert log.ceilings.rates[0] == pytest.approx(0.98 * 70.0)


def test_a_429_with_nothing_to_go_by_leaves_as_many_a_second_as_got_in():
    log = Log()
    log.stream(0.0, 0.25, rate=24)
    log.refuse(0.25)
    assert log.ceilings.rates[0] == 6.0


def test_a_429_about_tokens_limits_tokens_alone():
    log = Log()
    log.stream(0.0, 20.0, rate=10)
    assert log.refuse(20.0, "tokens") == "tokens"
    assert log.ceilings.rates[0] == math.inf
    assert log.ceilings.rates[1] == pytest.approx(0.98 * 1000.0, rel=0.02)


def test_tokens_that_nobody_counted_are_not_what_it_is_about():
    log = Log()
    log.stream(0.0, 20.0, rate=10, tokens=0)
    assert log.refuse(20.0, "tokens", tokens=0) == "requests"


def test_a_ramp_that_is_too_steep_goes_back_to_seven_tenths_of_what_got_in():
    log = Log()
    log.stream(0.0, 20.0, rate=10)
    log.refuse(20.0, "ramp")
    assert log.ceilings.rates[0] == pytest.approx(7.0, rel=0.02)


def test_no_ceiling_is_lower_than_a_call_a_minute():
    log = Log()
    log.ceilings.resume(1 / 60, None)
    log.send(0.0)
    for number in range(1, 20):
        log.refuse(60.0 * number)
    assert log.ceilings.rates[0] >= 1 / 60


def test_without_a_429_it_grows_where_it_holds_calls_back():
    log = Log()
    log.ceilings.resume(10.0, None)
    before = log.ceilings.rates[0]
    for number in range(100):
        log.ceilings.binds = True
        log.ceilings.answered(1.0, now=0.1 * (number + 1))
    assert before < log.ceilings.rates[0] <= before * 1.08


def test_where_nothing_waits_for_it_it_does_not_grow():
    log = Log()
    log.ceilings.resume(10.0, None)
    for number in range(100):
        log.ceilings.answered(1.0, now=0.1 * (number + 1))
    assert log.ceilings.rates[0] == 10.0


def test_a_call_let_in_between_two_moments():
    log = Log()
    log.send(1.0)
    log.send(2.0, refused=True)
    assert log.ceilings.let_in(0.5, 1.5)
    assert not log.ceilings.let_in(1.5, 2.5)
    assert not log.ceilings.let_in(1.0, 1.5)


def test_the_interval_is_that_of_calls_as_large_as_they_have_been():
    log = Log()
    sent = log.send(0.0, tokens=500)
    assert log.ceilings.interval(sent) == 0.1
    log.ceilings.resume(10.0, 1000.0)
    assert log.ceilings.interval(sent) == 0.5


def test_another_announced_limit_makes_all_that_was_learnt_void():
    log = Log()
    log.ceilings.resume(10.0, 1000.0)
    log.ceilings.forget()
    assert not log.ceilings.known
