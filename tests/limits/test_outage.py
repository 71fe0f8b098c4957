"""When the next single probe goes out to a provider that is away."""

import pytest

from ingather.limits.outage import INSTANT, Outage
from ingather.limits.sent import Sent

TAKES = (1.0, 0.0, 0.0, 0.0)


class Away:
    """A provider at which every request fails the moment it is sent."""

    def __init__(self):
        self.outage, self.log = Outage(), []

    def fails(self, now):
        self.log.append(Sent(now, TAKES, TAKES, 1))
        return self.outage.failed(self.log[-1], self.log, 0.0, now)

    def begins(self):
        """Seconds to the first probe after the requests of the moment 0.0."""
        while not (delay := self.fails(0.0)):
            pass
        return delay


def test_what_was_sent_before_the_pause_changes_nothing():
    away = Away()
    delay = away.begins()
    assert away.fails(delay / 2) == 0.0


@pytest.mark.parametrize("early", [0.0, 1e-12, 1e-9, INSTANT / 2])
def test_a_probe_that_fails_at_once_is_followed_by_a_longer_pause(early):
    """A probe may go an instant before the pause is over: the clock need not have moved when it has failed."""
    away = Away()
    delay = away.begins()
    assert away.fails(delay - early) > delay


def test_failures_in_a_row_that_chance_does_not_bring_are_an_outage():
    """Where up to seven in a hundred fail, four in a row come by chance once in ten thousand at most."""
    away = Away()
    assert [away.fails(now) for now in (0.0, 1.0, 2.0)] == [0.0, 0.0, 0.0]
    assert away.outage.since is None
    assert away.fails(3.0) > 0.0
    assert away.outage.since == 3.0


def test_where_faults_are_common_more_of_them_in_a_row_are_none():
    away = Away()
    for number in range(200):  # one in two
        sent = Sent(float(number), TAKES, TAKES, 1)
        away.log.append(sent)
        if number % 2:
            assert away.outage.failed(sent, away.log, 0.0, float(number)) == 0.0
        else:
            away.outage.answered(sent.at)
    assert away.outage.since is None


def test_pauses_double_from_a_second_and_a_half_to_sixteen():
    away = Away()
    now, delays = 0.0, []
    delay = away.begins()
    for _ in range(6):
        delays.append(delay)
        now += delay
        delay = away.fails(now)
    assert delays == [1.5, 3.0, 6.0, 12.0, 16.0, 16.0]


def test_a_quarter_of_a_pause_is_chance():
    away = Away()
    away.log = [Sent(0.0, TAKES, TAKES, 1) for _ in range(9)]
    for sent in away.log[:-1]:
        sent.failed = True
    assert away.outage.failed(away.log[-1], away.log, 1.0, 0.0) == 1.5 * 0.75


def test_the_first_answer_ends_it_but_not_one_to_an_older_request():
    away = Away()
    away.begins()
    assert not away.outage.answered(0.0)
    assert away.outage.answered(1.0)
    assert away.outage.since is None


def test_what_is_found_after_a_minute_in_which_nobody_asked_is_another():
    away = Away()
    away.begins()
    assert away.fails(1000.0) == 1.5
    assert away.outage.since == 1000.0
