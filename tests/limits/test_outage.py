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
