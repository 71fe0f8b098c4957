"""What a server says of how many calls at once are right is the bound, until it is gone or refuses."""

from ingather.limits.concurrency import ConcurrencyLimit


def answers(window, count, latency, now=0.0):
    for _ in range(count):
        window.binds = True
        now += 0.1
        window.answered(now - latency, int(min(window.size, 1000)), is_paced=False, now=now)
    return now


def test_what_the_server_says_stays_the_bound_however_long_it_goes():
    window = ConcurrencyLimit()
    answers(window, 50, 1.0)
    window.told(4)
    answers(window, 5000, 30.0, now=100.0)
    assert window.size == 4


def test_a_bound_of_the_user_s_own_goes_over_it():
    window = ConcurrencyLimit()
    window.expect(16)
    window.told(4)
    assert window.size == 16
    window.expect(20)
    assert window.size == 20


def test_after_an_outage_it_is_asked_anew_for_it_may_be_another_server():
    window = ConcurrencyLimit()
    window.is_asked = True
    window.told(4)
    window.restart()
    assert not window.is_asked
    answers(window, 500, 0.1)
    assert window.size > 4


def test_timeouts_lower_it_for_a_while():
    window = ConcurrencyLimit()
    window.told(64)
    for n in range(20):
        window.late(n - 1.0, 64, is_paced=False, now=float(n))
    assert window.size < 64
    answers(window, 200, 1.0, now=100.0)
    assert window.size == 64
