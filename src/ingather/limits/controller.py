"""What one quota allows right now. Arithmetic only: every moment comes in as `now`, in seconds.

The user's caps hold whatever happens. Below them it learns, with nothing configured, what the
provider takes:

- rate-limit headers tell the rate, and the level of the provider's own bucket (`announced.py`);
- 429s show the rate where no headers do, or where others draw on the same quota (`ceilings.py`);
- calls in flight begin few and grow until something limits them (`window.py`);
- a provider that is away is asked by single probes (`outage.py`).
"""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING

from ingather.limits.announced import Announced
from ingather.limits.caps import Caps
from ingather.limits.concurrency import ConcurrencyLimit
from ingather.limits.measured import Ceilings
from ingather.limits.outage import INSTANT, Outage
from ingather.limits.sent import NOTHING, REQUESTS, TOKENS, Sent
from ingather.limits.snapshot import Learnt

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingather.limits import Limits
    from ingather.limits.sent import Amounts
    from ingather.response import RateLimits, Usage

_LEAST_PAUSE, _LONGEST_PAUSE = 0.7, 60.0  # seconds
_BURST = 0.25  # seconds of the pace that may go at once; one call at least
_LOOK_AGAIN = 1.0  # seconds, since a pace changes with time
_NO_HINT = 1.0  # "retry-after: 1" is what servers say that round up: a floor, not a measurement
_TOO_FEW = 20  # requests that teach nothing worth keeping
_CALM = 10.0  # seconds since the last 429
_SILENCE = 3.0  # round trips of a 429, after which none will come
_BELIEVED = 4  # hints in a row that led to nothing but the next 429
_WORDS = ("requests", "tokens", "tokens", "tokens")


class Outcome(Enum):
    """How an attempt ended, as far as the quota is concerned."""

    SUCCESS = "success"  # answered: settle with the real usage
    # says nothing about capacity, and cost no tokens: a refused request, or one never sent
    IGNORED = "ignored"
    DROPPED = "dropped"  # unknown whether it was paid: the reservation stays
    LATE = "late"  # the same, by its timeout: perhaps too many are in flight
    UNAVAILABLE = "unavailable"  # found nobody: overloaded, or no connection; cost no tokens


_UNSETTLED = (Outcome.DROPPED, Outcome.LATE)


class Controller:
    """The state of one quota: ask `delay`; then tell it `sent`, and for each of those `closed` once.

    `random` gives numbers from 0 to 1. `learns`: False for what has no provider. `is_known`: it has
    answered before.
    """

    def __init__(
        self, limits: Limits, random: Callable[[], float] = lambda: 0.5, *, learns: bool = True
    ) -> None:
        self.in_flight = 0
        self.paused_until = -math.inf
        self.caps = Caps(limits)
        self.window = ConcurrencyLimit()
        self.ceilings = Ceilings()
        self.outage = Outage()
        self.announced: list[Announced | None] = [None] * 4
        self.learns = learns
        self.is_known = False
        self._random = random
        self._credit, self._credit_at = [1.0, 0.0, 0.0, 0.0], [0.0] * 4
        self._paced: tuple[int, ...] = ()  # the resources of which something is known
        self._total = NOTHING
        self._strikes, self._first_strike = 0, -math.inf
        self._is_closed, self._last_probe_at, self._round_trip = False, -math.inf, 0.0
        if not learns:
            self.window.expect(math.inf)

    def is_calm(self, now: float) -> bool:
        """Whether neither a 429 nor an outage was near lately: then more than the necessary may be sent."""
        return (
            self.outage.since is None and not self._strikes and now - self.ceilings.cut_at > _CALM
        )

    def learnt(self) -> Learnt | None:
        """What is known by now; None after too few requests."""
        if self._total[REQUESTS] < _TOO_FEW:
            return None
        requests, tokens = (rate if rate < math.inf else None for rate in self.ceilings.rates)
        told = [
            None if bucket is None else (bucket.rate, bucket.depth) for bucket in self.announced
        ]
        flying = float(max((sent.flying for sent in self.ceilings.log), default=0)) or None
        return Learnt(
            requests, tokens, self.window.cap if self.window.cap < math.inf else None, flying, *told
        )

    def resume(self, learnt: Learnt, now: float) -> None:
        """Begin with what is known from another time."""
        for which, told in enumerate(learnt.announced):
            if told is not None:
                self.announced[which] = Announced(*told, now)
        self.ceilings.resume(learnt.requests, learnt.tokens)
        self.window.resume(learnt.cap, learnt.flying)
        self._know(now)

    @property
    def limits(self) -> Limits:
        """The user's caps."""
        return self.caps.limits

    def delay(self, takes: Amounts, now: float) -> tuple[float, str]:
        """Seconds until a request of `takes` may be sent, and what holds it back; infinite: until one comes back."""
        if self.in_flight >= self.caps.in_flight:
            return math.inf, "concurrency"
        if self.window.is_full(self.in_flight):
            self.window.binds = True
            return math.inf, "concurrency" if self.window.is_known else "start"
        until = self.paused_until
        if self._is_closed:
            until = max(until, self._last_probe_at + _SILENCE * self._round_trip)
        if until > now and until - now > INSTANT:
            return until - now, "pause"
        if self.outage.since is not None and self.in_flight:
            return math.inf, "pause"
        if not self._paced and not self.caps.any:
            return 0.0, ""
        delay, by = self.caps.delay(takes, now)
        for which in self._paced:
            if (wait := self._wait(which, takes[which], now)) > delay:
                delay, by = wait, which
        return delay, _WORDS[by] if delay else ""

    def sent(self, takes: Amounts, now: float) -> Sent:
        """A request goes on the wire: reserve what it takes."""
        before = self._total
        self.in_flight += 1
        if self.caps.any:
            self.caps.take(takes, now)
        self._total = (
            before[0] + 1.0,
            before[1] + takes[1],
            before[2] + takes[2],
            before[3] + takes[3],
        )
        for which in self._paced:
            self._take(which, takes[which], now)
        if self._is_closed:
            self._last_probe_at = now
        sent = Sent(now, takes, self._total, self.in_flight)
        if self.learns:
            self.ceilings.log.append(sent)
        return sent

    def unsent(self, sent: Sent, now: float) -> None:
        """It never went on the wire after all: give everything back."""
        self.in_flight -= 1
        self.caps.give_back(sent.at, sent.takes, now)
        if self.ceilings.log and self.ceilings.log[-1] is sent:
            self.ceilings.log.pop()
        for which in self._paced:
            self._take(which, -sent.takes[which], now)

    def closed(
        self,
        outcome: Outcome,
        sent: Sent,
        usage: Usage | None,
        now: float,
        told: RateLimits | None = None,
    ) -> None:
        """The request is over: settle its reservation with the truth, and learn. `told`: by the answer's headers."""
        self.in_flight -= 1
        if told is not None:
            self._hear(sent, told, now)
        if outcome is Outcome.SUCCESS:
            self._answered(sent, now)
        elif outcome is Outcome.LATE:
            self.window.late(sent.at, sent.flying, is_paced=bool(self._paced), now=now)
        elif outcome is Outcome.UNAVAILABLE and (
            delay := self.outage.failed(sent, self.ceilings.log, self._random(), now)
        ):
            self.paused_until = max(self.paused_until, now + delay)
        if (
            not self.caps.any
            or outcome in _UNSETTLED
            or (outcome is Outcome.SUCCESS and usage is None)
        ):
            return
        given, got = (usage.input_tokens, usage.output_tokens) if usage is not None else (0, 0)
        self.caps.settle(sent.at, sent.takes, (sent.takes[REQUESTS], given + got, given, got), now)

    def throttled(
        self,
        hint: float | None,
        sent: Sent,
        now: float,
        told: RateLimits | None = None,
        limit: str = "",
        *,
        most: float = _LONGEST_PAUSE,
    ) -> float:
        """A 429 came back: `hint` seconds to wait, `limit` as in `Ceilings.refused`. Seconds until the pause is over.

        Whatever was sent before the last cut says nothing new. `most`: seconds to pause, unless it
        asks for more.
        """
        sent.refused = True
        self._round_trip += (0.2 if self._round_trip else 1.0) * (now - sent.at - self._round_trip)
        if told is not None:
            self._hear(sent, told, now)
        if sent.at > self.ceilings.cut_at:
            self._strikes += 1
            if self._strikes == 1:
                self._first_strike = now
            self._is_closed = self._strikes > 1 and not self.ceilings.let_in(
                self._first_strike, sent.at
            )
            kind = self.ceilings.refused(sent, limit, now, is_closed=self._is_closed)
            self.window.refused(sent.flying - 1, is_cap=kind == "concurrency", now=now)
            self._know(now)
            for which in (REQUESTS, TOKENS):
                self._credit[which], self._credit_at[which] = 0.0, now
            # meanwhile the provider's bucket fills a little
            least = _LEAST_PAUSE if any(self.ceilings.limits) else 0.0
            wait, most = self.ceilings.interval(sent), min(most, _LONGEST_PAUSE)
            if hint is None or hint in (0.0, _NO_HINT):
                wait = min(most, max(least, wait * 2 ** (self._strikes - 1)))
            else:  # believed, but not for ever
                wait = max(hint, least, wait)
                wait = max(hint, min(most, wait * 2 ** max(0, self._strikes - _BELIEVED)))
            self.paused_until = max(self.paused_until, now + wait)
        elif hint is not None and hint > _NO_HINT:
            self.paused_until = max(self.paused_until, now + hint)
        return max(0.0, self.paused_until - now)

    def _answered(self, sent: Sent, now: float) -> None:
        if self._strikes and sent.at > self._first_strike:
            self._strikes, self._is_closed = 0, False
        if not self.learns:
            return
        self.is_known = True
        if self.outage.answered(sent.at):
            self.window.restart()
        if self._paced:
            self.window.answered(sent.at, sent.flying, is_paced=True, now=now)
            self.ceilings.answered(self.window.latency, now)
        elif self.window.is_watched:
            self.window.answered(sent.at, sent.flying, is_paced=False, now=now)
        else:
            self.window.load.add(sent.flying, now - sent.at)

    def _hear(self, sent: Sent, told: RateLimits, now: float) -> None:
        for which, allowance in enumerate(told):
            if allowance is None or allowance.limit is None or allowance.remaining is None:
                continue
            bucket = self.announced[which]
            if bucket is None:
                bucket = self.announced[which] = Announced()
                self._know(now)
            if bucket.hear(allowance, sent.at, self._total[which] - sent.total[which], now):
                self.ceilings.forget()

    def _know(self, now: float) -> None:
        """Something new is known: which resources are paced from now on."""
        rates = [*self.ceilings.rates, math.inf, math.inf]
        told = self.announced
        paced = tuple(
            which for which in range(4) if told[which] is not None or rates[which] < math.inf
        )
        for which in set(paced).difference(self._paced):
            self._credit[which], self._credit_at[which] = 0.0, now
        self._paced = paced

    def _pace(self, which: int, now: float) -> float:
        """Units of a resource a second."""
        ceiling = self.ceilings.rates[which] if which <= TOKENS else math.inf
        bucket = self.announced[which]
        return ceiling if bucket is None else min(ceiling, bucket.pace(self.window.latency, now))

    def _saved(self, which: int, amount: float, pace: float, now: float) -> float:
        """What may go at once, for not having gone before: `amount` is saved up whole before it goes."""
        return min(
            max(amount, _BURST * pace), self._credit[which] + (now - self._credit_at[which]) * pace
        )

    def _wait(self, which: int, amount: float, now: float) -> float:
        bucket = self.announced[which]
        wait = 0.0 if bucket is None else bucket.delay(amount, self.window.latency, now)
        pace = self._pace(which, now)
        if pace == math.inf:
            return wait
        lacking = amount - self._saved(which, amount, pace, now)
        if lacking > 1e-9:
            wait = max(wait, min(lacking / pace + 1e-5, _LOOK_AGAIN))
            if which <= TOKENS and pace >= self.ceilings.rates[which]:
                self.ceilings.binds = True
        return wait

    def _take(self, which: int, amount: float, now: float) -> None:
        pace, bucket = self._pace(which, now), self.announced[which]
        if pace < math.inf:
            self._credit[which], self._credit_at[which] = (
                self._saved(which, amount, pace, now) - amount,
                now,
            )
        if bucket is not None:
            bucket.take(amount, now)

    def __repr__(self) -> str:
        known = [repr(bucket) for bucket in self.announced if bucket is not None]
        caps = [repr(self.caps)] if repr(self.caps) else []
        return f"Controller({', '.join([f'{self.in_flight} in flight', repr(self.window), *known, *caps])})"
