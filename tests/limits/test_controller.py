"""One quota's arithmetic in virtual time: saturated demand, all limits together, answers that come late."""

import heapq
import math
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import Limits, Usage
from ingather.limits.caps import Caps
from ingather.limits.controller import Controller, Outcome
from ingather.limits.sent import INPUT, ONE, OUTPUT, Sent, amounts
from ingather.limits.tokens import Tokens

MINUTE = 60.0


class Simulation:
    """Sends requests in their order, each as soon as the controller allows; the answers come after their latency."""

    def __init__(self, limits):
        self.limits = limits
        self.controller = Controller(limits, learns=False)
        self.now = 0.0
        self.sent = []  # [moment, tokens in, tokens out], the tokens as settled
        self.held_back = set()
        self._answers = []  # a heap of (moment, number, sent, outcome, usage)

    def send(self, cost, latency, outcome=Outcome.SUCCESS, share=1.0):
        """Waits until it may go; gives the seconds waited. The answer takes `share` of the estimate."""
        begun = self.now
        while True:
            delay, by = self.controller.delay(cost, self.now)
            if delay == 0:
                break
            self.held_back.add(by)
            answer = self._answers[0][0] if self._answers else math.inf
            assert min(delay, answer) < math.inf, "it waits for nothing"
            self.now = max(self.now, min(self.now + delay, answer))
            while self._answers and self._answers[0][0] <= self.now:
                self._answer()
        sent = self.controller.sent(cost, self.now)
        usage = Usage(int(cost[INPUT] * share), int(cost[OUTPUT] * share))
        number = len(self.sent)
        self.sent.append([self.now, cost[INPUT], cost[OUTPUT]])
        heapq.heappush(self._answers, (self.now + latency, number, sent, outcome, usage))
        assert (
            self.controller.in_flight
            == len(self._answers)
            <= (self.limits.max_concurrency or math.inf)
        )
        return self.now - begun

    def _answer(self):
        moment, number, sent, outcome, usage = heapq.heappop(self._answers)
        self.controller.closed(outcome, sent, usage if outcome is Outcome.SUCCESS else None, moment)
        if outcome is Outcome.SUCCESS:
            self.sent[number][1:] = usage.input_tokens, usage.output_tokens
        elif outcome in (Outcome.IGNORED, Outcome.UNAVAILABLE):
            self.sent[number][1:] = 0, 0

    def fullest_minutes(self):
        """The most that any 60 seconds hold: requests, tokens, tokens in, tokens out."""
        moments = [moment for moment, _, _ in self.sent]
        columns = (
            [1] * len(moments),
            [i + o for _, i, o in self.sent],
            [i for _, i, _ in self.sent],
            [o for _, _, o in self.sent],
        )
        fullest = [0.0] * 4
        for which, column in enumerate(columns):
            sums, end = [0.0, *accumulate(column)], 0
            for begin, moment in enumerate(moments):
                while end < len(moments) and moments[end] < moment + MINUTE:
                    end += 1
                fullest[which] = max(fullest[which], sums[end] - sums[begin])
        return fullest

    def assert_inside(self):
        caps = (
            self.limits.requests_per_minute,
            self.limits.tokens_per_minute,
            self.limits.input_tokens_per_minute,
            self.limits.output_tokens_per_minute,
        )
        for cap, most in zip(caps, self.fullest_minutes(), strict=True):
            assert cap is None or most <= cap * (1 + 1e-9) + 1e-6


def or_none(strategy):
    return st.one_of(st.none(), strategy)


LIMITS = st.builds(
    Limits,
    max_concurrency=or_none(st.integers(1, 20)),
    requests_per_minute=or_none(st.integers(1, 1_000)),
    tokens_per_minute=or_none(st.integers(100, 100_000)),
    input_tokens_per_minute=or_none(st.integers(100, 100_000)),
    output_tokens_per_minute=or_none(st.integers(100, 100_000)),
)
REQUESTS = st.lists(
    st.tuples(
        st.floats(0, 1),  # tokens in and out, as shares of the tightest limit
        st.floats(0, 1),
        st.sampled_from([0.0, 0.1, 1.0, 30.0, 100.0]),  # latency
        st.sampled_from(Outcome),
        st.floats(0, 1),  # of the estimate, as answered
        st.floats(0, 5),  # idle before
    ),
    min_size=1,
    max_size=60,
)


def ceiling(limits):
    caps = (
        limits.tokens_per_minute,
        limits.input_tokens_per_minute,
        limits.output_tokens_per_minute,
    )
    return min((cap for cap in caps if cap is not None), default=1_000)


@given(LIMITS, REQUESTS)
def test_no_minute_exceeds_any_limit_and_nothing_starves(limits, requests):
    simulation = Simulation(limits)
    for share_in, share_out, latency, outcome, share, idle in requests:
        simulation.now += idle
        most = ceiling(limits) / 2
        waited = simulation.send(
            amounts(int(share_in * most), int(share_out * most)), latency, outcome, share
        )
        # a minute to make room, and the longest latency for a place
        assert waited <= MINUTE + 0.1 + 100.0
    simulation.assert_inside()


@given(LIMITS, REQUESTS)
def test_a_guess_above_the_whole_limit_still_goes_once_the_minute_is_empty(limits, requests):
    """Learnt estimates may overshoot: they take at most what there is, and never wait for ever."""
    simulation = Simulation(limits)
    for share_in, share_out, latency, outcome, _, _ in requests:
        cost = amounts(1 + share_in * 3 * ceiling(limits), share_out * 3 * ceiling(limits))
        assert simulation.send(cost, latency, outcome, 0.0) <= MINUTE + 0.1 + 100.0


@pytest.mark.parametrize("rpm", [1, 2, 60, 100, 3_500])
def test_saturated_demand_sends_nearly_all_that_is_allowed(rpm):
    simulation = Simulation(
        Limits(requests_per_minute=rpm, tokens_per_minute=1_000_000, max_concurrency=500)
    )
    while simulation.now < 600:
        simulation.send(amounts(100, 50), 2.0)
    sent = sum(1 for moment, *_ in simulation.sent if moment < 600)
    assert sent >= 0.97 * rpm * 10
    simulation.assert_inside()


def test_the_tightest_of_all_limits_is_used_nearly_whole():
    limits = Limits(
        max_concurrency=200,
        requests_per_minute=1_000,
        tokens_per_minute=100_000,
        input_tokens_per_minute=90_000,
        output_tokens_per_minute=20_000,  # 400 requests of 50: this one binds
    )
    simulation = Simulation(limits)
    while simulation.now < 600:
        simulation.send(amounts(150, 50), 5.0)
    used = sum(out for moment, _, out in simulation.sent if moment < 600)
    assert used >= 0.97 * 20_000 * 10
    simulation.assert_inside()
    assert simulation.held_back == {"tokens"}


def test_a_big_one_among_small_ones_waits_at_most_a_minute():
    simulation = Simulation(Limits(tokens_per_minute=1_000))
    for _ in range(100):
        simulation.send(amounts(10, 0), 1.0)
    assert simulation.send(amounts(1_000, 0), 1.0) <= MINUTE + 0.1
    simulation.assert_inside()


@pytest.mark.parametrize(
    ("estimate", "reason"),
    [
        (Tokens(901), "input_tokens_per_minute is 900"),
        (Tokens(10, max_output=101), "output_tokens_per_minute is 100"),
        (Tokens(891, max_output=110), "1,001 tokens, and tokens_per_minute"),
    ],
)
def test_what_no_minute_holds_is_too_big(estimate, reason):
    caps = Caps(
        Limits(tokens_per_minute=1_000, input_tokens_per_minute=900, output_tokens_per_minute=100)
    )
    assert reason in (caps.too_big(estimate) or "")


def test_what_just_fits_is_not_too_big():
    caps = Caps(
        Limits(tokens_per_minute=1_000, input_tokens_per_minute=900, output_tokens_per_minute=100)
    )
    assert caps.too_big(Tokens(900, max_output=100)) is None
    assert caps.too_big(Tokens(900)) is None


# -- what an attempt's end does to its reservation


@pytest.mark.parametrize("outcome", [Outcome.SUCCESS, Outcome.DROPPED])
def test_an_answer_without_usage_and_a_dropped_one_keep_their_reservation(outcome):
    controller = Controller(Limits(tokens_per_minute=100))
    sent = controller.sent(amounts(100, 0), 0.0)
    controller.closed(outcome, sent, None, 30.0)
    assert controller.delay(amounts(50, 0), 30.0)[0] == pytest.approx(30.0)


@pytest.mark.parametrize("outcome", [Outcome.IGNORED, Outcome.UNAVAILABLE])
def test_one_that_cost_nothing_gives_its_tokens_back_but_not_its_request(outcome):
    controller = Controller(Limits(tokens_per_minute=100, requests_per_minute=1))
    sent = controller.sent(amounts(100, 0), 0.0)
    controller.closed(outcome, sent, None, 30.0)
    assert controller.delay(amounts(50, 0), 30.0) == (30.0, "requests")
    assert controller.delay(amounts(100, 0), 60.0)[0] == 0


def test_one_that_was_never_sent_gives_everything_back():
    controller = Controller(Limits(tokens_per_minute=100, requests_per_minute=1, max_concurrency=1))
    sent = controller.sent(amounts(100, 0), 0.0)
    assert controller.delay(amounts(1, 0), 1.0) == (math.inf, "concurrency")
    controller.unsent(sent, 1.0)
    assert controller.delay(amounts(1, 0), 62.0)[0] == 0
    assert controller.in_flight == 0


def test_a_limit_set_while_calls_are_in_flight_counts_their_answers():
    controller = Controller(Limits())
    sent = controller.sent(amounts(30, 30), 0.0)
    controller.caps.set(Limits(tokens_per_minute=60))
    controller.sent(amounts(60, 0), 1.0)
    controller.closed(Outcome.SUCCESS, sent, Usage(30, 30), 2.0)
    assert controller.delay(amounts(1, 0), 2.0)[0] >= 59.0


# -- 429s


class Storm:
    """One request after another as soon as it may go, each of them refused."""

    def __init__(self, hints, latency=0.1):
        self.controller = Controller(Limits())
        self.moments = []
        now = 0.0
        for hint in hints:
            now += self.controller.delay(amounts(1, 0), now)[0]
            self.moments.append(now)
            sent = self.controller.sent(amounts(1, 0), now)
            now += latency
            self.controller.throttled(hint, sent, now)
            self.controller.closed(Outcome.IGNORED, sent, None, now)
        self.pauses = [
            round(after - before - latency, 6) for before, after in pairwise(self.moments)
        ]


@pytest.mark.parametrize("hint", [None, 0.0, 1.0])
def test_without_a_hint_that_says_something_the_pauses_double_up_to_a_minute(hint):
    """ "After 0 seconds" is none; "after 1 second" is what servers say that round up."""
    assert Storm([hint] * 9).pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_hint_is_the_pause():
    assert Storm([7.0, 2.0, 30.0, 5.0]).pauses == [7, 2, 30]


def test_a_hint_that_leads_only_to_the_next_429_is_not_believed_for_ever():
    pauses = Storm([2.0] * 12).pauses
    assert pauses[:4] == [2, 2, 2, 2]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 60


def test_an_answer_begins_the_pauses_anew():
    storm = Storm([None] * 3)
    controller, now = storm.controller, storm.controller.paused_until
    sent = controller.sent(amounts(1, 0), now)
    controller.closed(Outcome.SUCCESS, sent, None, now + 0.1)
    sent = controller.sent(amounts(1, 0), now + 0.2)
    assert controller.throttled(None, sent, now + 0.3) <= 2.0


@pytest.mark.parametrize("latency", [0.0, 0.5])
def test_a_whole_wave_of_429s_is_one_sign(latency):
    """Twenty in flight at once say it once; also where the clock does not move between them."""
    controller = Controller(Limits())
    wave = [controller.sent(amounts(1, 0), 10.0) for _ in range(20)]
    pauses = {controller.throttled(None, sent, 10.0 + latency) for sent in wave}
    assert len(pauses) == 1


def test_a_longer_hint_of_the_same_wave_extends_the_pause():
    controller = Controller(Limits())
    wave = [controller.sent(amounts(1, 0), 0.0) for _ in range(3)]
    hints = (2.0, 5.0, 1.5)
    assert [
        controller.throttled(hint, sent, 1.0) for hint, sent in zip(hints, wave, strict=True)
    ] == [2, 5, 5]


def test_while_nothing_is_let_in_one_call_at_a_time_asks():
    controller, now = Storm([None] * 3).controller, 100.0
    assert controller.delay(amounts(1, 0), now)[0] == 0
    controller.sent(amounts(1, 0), now)
    assert controller.delay(amounts(1, 0), now + 0.05)[1] == "pause"
    assert controller.delay(amounts(1, 0), now + 1.0)[0] == 0, "a 429 would be here by now"


@given(
    st.lists(st.tuples(st.booleans(), or_none(st.floats(0, 100))), max_size=60), st.integers(1, 50)
)
def test_whatever_comes_back_there_is_always_a_way_on(ends, wave):
    """After any mix of answers and 429s: with nothing in flight, a finite wait and the next one may go."""
    controller, now = Controller(Limits()), 0.0
    for answered, hint in ends:
        flying: list[Sent] = []
        while len(flying) < wave and controller.delay(amounts(1, 0), now)[0] == 0:
            flying.append(controller.sent(amounts(1, 0), now))
        now += 0.1
        for sent in flying:
            if not answered:
                controller.throttled(hint, sent, now)
            controller.closed(Outcome.SUCCESS if answered else Outcome.IGNORED, sent, None, now)
        for _ in range(200):  # a pace is looked at again each second
            delay, _ = controller.delay(amounts(1, 0), now)
            if delay == 0:
                break
            assert delay <= 100.0 + 1e-9
            now += delay
        assert controller.delay(amounts(1, 0), now)[0] == 0


def test_its_repr_says_what_is_in_flight():
    controller = Controller(Limits(requests_per_minute=5))
    controller.sent(amounts(1, 0), 0.0)
    assert "1 in flight" in repr(controller)
    assert "of 5 in the last minute" in repr(controller)


# -- the kinds of 429


def refused_for(limit):
    """Sixty calls of 100 tokens at ten a second, the last of which is refused for `limit`."""
    controller = Controller(Limits())
    for number in range(60):
        sent = controller.sent(amounts(100, 0), number / 10)
        if number < 59:
            controller.closed(Outcome.SUCCESS, sent, Usage(100, 0), number / 10 + 0.05)
    controller.throttled(None, sent, 5.95, None, limit)
    return controller


@pytest.mark.parametrize(("limit", "which", "unit"), [("requests", 0, 1), ("tokens", 1, 100)])
def test_too_fast_lowers_the_rate_that_it_names_and_no_other(limit, which, unit):
    controller = refused_for(limit)
    assert controller.ceilings.rates[which] == pytest.approx(10 * unit, rel=0.05)
    assert controller.ceilings.rates[1 - which] == math.inf
    assert controller.window.cap == math.inf


def test_too_many_at_once_lowers_the_calls_in_flight_and_no_rate():
    controller = Controller(Limits())
    sent = [controller.sent(amounts(100, 0), 0.0) for _ in range(8)]
    controller.throttled(None, sent[-1], 0.1, None, "concurrency")
    assert controller.window.cap == 7
    assert controller.ceilings.rates == [math.inf, math.inf]


def test_a_ramp_too_steep_lowers_both_rates_well_below_what_got_in():
    controller = refused_for("ramp")
    requests, tokens = controller.ceilings.rates
    assert requests <= 0.75 * 10
    assert tokens <= 0.75 * 10 * 100


def test_what_is_left_of_a_pause_by_rounding_is_no_pause_and_the_pace_holds_at_once():
    controller = refused_for("requests")
    now = controller.paused_until - 1e-12
    assert controller.delay(amounts(100, 0), now)[1] != "pause"
    controller.sent(amounts(100, 0), now)
    controller.sent(amounts(100, 0), now)
    controller.sent(amounts(100, 0), now)
    assert controller.delay(amounts(100, 0), now)[0] > 1e-6


def test_a_big_request_is_paid_for_before_it_goes_and_goes():
    """Twenty times the usual size, at a token rate of about ten usual calls a second."""
    controller = refused_for("tokens")
    now = begun = controller.paused_until
    while (delay := controller.delay(amounts(2_000, 0), now)[0]) > 0:
        now += delay
    assert 1.0 <= now - begun <= 3.0


@pytest.mark.parametrize("limit", ["tokens", ""])
def test_where_nobody_counts_tokens_a_429_is_about_requests(limit):
    controller, now = Controller(Limits()), 0.0
    for _ in range(40):
        flying: list[Sent] = []
        while len(flying) < 10 and controller.delay(ONE, now)[0] == 0:
            flying.append(controller.sent(ONE, now))
            now += 0.1
        controller.throttled(None, flying[-1], now, limit=limit)
        for sent in flying:
            controller.closed(Outcome.IGNORED if sent.refused else Outcome.SUCCESS, sent, None, now)
        while (delay := controller.delay(ONE, now)[0]) > 0:
            now += delay
    assert controller.ceilings.rates[0] < math.inf
    assert controller.ceilings.rates[1] == math.inf
