"""How many calls may be in flight. Arithmetic only.

The window starts small and grows with each answer while it makes calls wait, so that it doubles
every round trip. That ends when something else is known to limit: a rate, which then does it all; a
cap on calls in flight, shown by 429s; or the knee of a server without limits, beyond which more in
flight only makes each call slower.
"""

from __future__ import annotations

import math

from ingather.limits.gain import Load

_START = 8.0
_LEAST = 2.0  # at a knee
# seconds at a cap before more is tried; doubled as it is confirmed
_HOLD, _LONGEST_HOLD = 2.0, 60.0
_MORE = 0.02  # how much more, of the cap; one at least
# answers over which throughput and latency are taken: at first, and at a cap
_ROUND, _LONG_ROUND = 30, 100
_FASTER = 1.1  # throughput that has grown
# rounds without such growth, and latency over the best one, that show a knee together
_FLAT, _SLOWER = 3, 1.3
_MUCH_SLOWER, _TWICE = 2.0, 2  # latency that shows it by itself, in so many rounds in a row
_FAR_SLOWER, _SETTLED = 3.0, 30.0  # the same, and seconds that must pass, once a knee is known
_GAIN = 1.75  # calls in flight, over throughput × best latency
_QUEUED = 1.5  # latency over that of few in flight
# share of attempts that end by their timeout which is too much; weight of the newest
_LATE, _LATELY = 0.25, 0.1


class ConcurrencyLimit:
    """`size`: calls in flight at most. `latency`: seconds, a moving average. `binds`: it has made a call wait.

    `load`: what more in flight have brought. `is_asked`: the server has been asked how many are
    right.
    """

    def __init__(self) -> None:
        self.latency = 0.0
        self.binds = False
        self.cap = math.inf
        self._open = _START  # what slow start allows; infinite when that is over
        self._asked = 0.0  # what somebody says is right
        self._hold = _HOLD
        self._changed_at = 0.0
        # the round: from when it made a call wait; None where it does not
        self._began: float | None = None
        self._answers, self._logs = 0, 0.0
        self._best, self._base = 0.0, math.inf  # throughput and latency of the best rounds
        self._flat = self._slow = 0
        self.load = Load()
        self._late = 0.0
        self._has_knee = False
        self._told: float | None = None
        self.is_asked = False

    @property
    def gains_nothing(self) -> bool:
        """Whether more calls in flight have only made each take longer."""
        return self._has_knee or self.load.gain.is_surely_none

    @property
    def _is_queued(self) -> bool:
        """Whether calls wait at the server, as they do at its knee: then even more there bring nothing."""
        return self._has_knee and self.latency > _QUEUED * self.load.base

    @property
    def size(self) -> float:
        return min(self._open, self.cap)

    def is_full(self, flying: int) -> bool:
        """Whether no more than the `flying` calls may be in flight."""
        return flying >= self._open or flying >= self.cap

    @property
    def is_watched(self) -> bool:
        """Whether answers have something to say about it."""
        return self.binds or self._began is not None or self._late > 0.01

    @property
    def is_known(self) -> bool:
        """Whether it is a cap that was found, rather than slow start."""
        return self.cap <= self._open

    def expect(self, bound: float) -> None:
        """Somebody says that `bound` calls in flight are right: slow start and knee leave as many."""
        self._asked = max(self._asked, bound)
        self._open = max(self._open, bound)
        if self._told is not None:
            self.cap = max(self.cap, bound)

    def told(self, bound: float) -> None:
        """The server says that it answers `bound` at once: nothing is left to find out."""
        self._told, self._open, self._has_knee = bound, math.inf, False
        self.cap = max(bound, self._asked)

    def resume(self, cap: float | None, flying: float | None) -> None:
        """Begin with what is known from another time."""
        self.cap = max(cap, self._asked) if cap is not None else self.cap
        self._open = max(self._open, flying or 0.0)

    def answered(self, sent_at: float, flying: int, *, is_paced: bool, now: float) -> None:
        """An answer to what was sent when there were `flying` in flight. `is_paced`: a rate is known."""
        latency = now - sent_at
        self._late -= _LATELY * self._late
        self.load.add(flying, latency)
        self.latency += (0.05 if self.latency else 1.0) * (latency - self.latency)
        if self._told is not None:
            self.binds = False
            self._open += 1.0  # where timeouts have made it less
            return
        if self._began is not None:
            if sent_at >= self._changed_at:
                self._watch(latency, self._began, is_paced=is_paced, now=now)
        elif self.binds:
            self._began, self._answers, self._logs = now, 0, 0.0
        if self.binds:
            self.binds = False
            if self._open < math.inf:
                self._grow(is_paced=is_paced, now=now)
            if self.cap < math.inf and now - self._changed_at >= self._hold and not self._is_queued:
                self.cap += max(1.0, _MORE * self.cap)
                self._changed_at = now

    def refused(self, flying: int, *, is_cap: bool, now: float) -> None:
        """A 429 with `flying` others in flight: about those where `is_cap`, else about a rate."""
        self._open, self._has_knee, self._told = math.inf, False, None
        if is_cap:
            again = abs(flying - self.cap) <= max(2.0, 0.03 * flying)
            self._hold = min(_LONGEST_HOLD, 2 * self._hold) if again else _HOLD
            self.cap = max(1.0, float(flying))
        else:
            self.cap = math.inf
        self._changed_at = now

    def late(self, sent_at: float, flying: int, *, is_paced: bool, now: float) -> None:
        """An attempt ended by its timeout: where many do, too many are in flight."""
        self._late += _LATELY * (1.0 - self._late)
        self.load.add(flying, now - sent_at)
        if is_paced or self._late < _LATE or sent_at < self._changed_at:
            return
        # and from there on as at the start
        self._open = max(_LEAST, self._asked, min(self._open, flying / 2))
        self._changed_at, self._late = now, 0.0

    def _grow(self, *, is_paced: bool, now: float) -> None:
        """One more, unless the last ones brought nothing; where that is sure, as many as were of use."""
        gain = self.load.gain
        if is_paced or not gain.is_hardly_any:
            self._open += 1.0
        elif gain.is_surely_none:
            self._settle(_GAIN * self.load.knee, now)

    def _settle(self, cap: float, now: float) -> None:
        self._has_knee = True
        self._open, self._slow, self._flat = math.inf, 0, 0
        self.cap = max(_LEAST, self._asked, cap)
        self._changed_at, self._hold = now, _LONGEST_HOLD

    def restart(self) -> None:
        """The provider was away: begin small again, in case everybody comes back at once, or to another server."""
        self.load.forget()
        self._told, self.is_asked = None, False
        if self._open < math.inf or self.cap < math.inf:
            self._open = max(_START, self._asked)

    def _watch(self, latency: float, began: float, *, is_paced: bool, now: float) -> None:
        """At the end of a round: has more in flight brought more throughput, or only longer waits?"""
        self._answers += 1
        self._logs += math.log(max(latency, 1e-6))
        took = now - began
        is_first = self._open < math.inf
        enough = _ROUND if is_first else max(_LONG_ROUND, 0.0 if self.cap == math.inf else self.cap)
        if self._answers < enough or took < max(
            1.0, 0.0 if self._base == math.inf else self._base / 2
        ):
            return
        throughput, typical = self._answers / took, math.exp(self._logs / self._answers)
        self._began = None
        self._flat = 0 if throughput > _FASTER * self._best else self._flat + 1
        self._best, self._base = max(self._best, throughput), min(self._base, typical)
        self._slow = (
            self._slow + 1
            if typical > (_MUCH_SLOWER if is_first else _FAR_SLOWER) * self._base
            else 0
        )
        is_stuck = is_first and self._flat >= _FLAT and typical > _SLOWER * self._base
        is_settled = is_first or now - self._changed_at > _SETTLED
        if not is_paced and is_settled and (is_stuck or self._slow >= _TWICE):
            best = self._best if is_first else throughput
            self._settle(_GAIN * best * min(self._base, self.load.base), now)

    def __repr__(self) -> str:
        return f"Window({self.size:.0f})"
