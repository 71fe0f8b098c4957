"""The rates that 429s show. Arithmetic only.

Between two moments at which the provider's bucket was empty, what it let in, over the time, *is*
the limit. After a 429 calls go just below what was measured, and faster again in steps that double
for as long as nothing happens.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from ingather.limits.sent import REQUESTS, TOKENS

if TYPE_CHECKING:
    from ingather.limits.sent import Sent

_CUT = 0.98  # of what was measured
_CUT_MOST = 0.7  # at one 429, to this part at least
_DIRTY = 0.3  # share of 429s above which nothing is measured, as they may be charged too
_CUT_EARLY = 0.95  # at a 429 too soon after another to measure between them
_LEAST_SECONDS, _LEAST_CALLS = 0.3, 8  # of a measurement ...
# ... and seconds of one that does not begin with an empty bucket, but perhaps with a full one
_LEAST_ALONE = 5.0
_SPAN_SECONDS, _SPAN_CALLS = 25.0, 30  # how far back it looks: as far as either ...
_SPAN_FAR = 12.0  # ... and less far where the rate has grown, as the bucket was full for a while
_STEP = 0.01  # the first step of growth; each hold without a 429 doubles it ...
# ... up to this below 1.08 of what was measured, up to that above
_NEAR, _STEP_NEAR, _STEP_FAR = 1.08, 0.04, 0.5
_HOLD_SECONDS, _HOLD_CALLS, _HOLD_LONGEST = 5.0, 40, 60.0  # both of the first, or the last
_EAGER = 16.0  # so many times faster and in larger steps at first ...
# ... divided at each measurement: where it agrees with the one before, and where it does not
_SURE, _UNSURE = 4.0, 2.0
_FEW_FLYING = 4.0  # calls in flight: where fewer would be, steps are as large as for these
_CONFIRMED = 2  # how often the first hold doubles when the same limit is measured again
_LEAST = 1 / 60  # calls a second: no ceiling is lower
_APART = 5.0  # seconds between 429s that count as evidence of different moments
_ALIKE, _TELLING, _LATELY, _FEW = 2, 4, 200, 8  # see `_guess`
_ENOUGH, _DROPPED = 20, 0.8  # calls that show that the limit has dropped, and to what part at most
_REMEMBERED = 4096  # requests


class Measured(NamedTuple):
    """What got in a second, of requests and tokens; from how many calls, beside how many 429s, in how many seconds."""

    rates: tuple[float, float]
    admitted: int
    refused: int
    seconds: float
    is_anchored: bool = True  # from one moment at which the bucket was empty to another

    @property
    def is_dirty(self) -> bool:
        """Too many were refused: it is only a lower bound."""
        count = self.admitted + self.refused
        return (
            self.seconds >= _LEAST_SECONDS
            and count >= _LEAST_CALLS
            and self.refused > _DIRTY * count
        )

    @property
    def is_sound(self) -> bool:
        """It is the limit."""
        least = _LEAST_SECONDS if self.is_anchored else _LEAST_ALONE
        return self.seconds >= least and self.admitted >= _LEAST_CALLS and not self.is_dirty


class Ceilings:
    """`rates`: requests and tokens a second, infinite where nothing is known. `log`: the latest requests."""

    def __init__(self) -> None:
        self.rates = [math.inf, math.inf]
        self.log: deque[Sent] = deque(maxlen=_REMEMBERED)
        self.cut_at = -math.inf
        self.binds = False  # one of them made a call wait since the last step
        self.limits = [0.0, 0.0]  # as last measured
        self._empties: deque[float] = deque(maxlen=64)  # when the provider's bucket was empty
        self._confirmed = 0
        self._eager = _EAGER
        self._step = _STEP
        self._held_since, self._answers = 0.0, 0
        self._evidence: deque[tuple[int, float, float]] = deque(maxlen=6)
        self._evidence_at = -math.inf

    @property
    def known(self) -> bool:
        """Whether a rate is limited."""
        return self.rates != [math.inf, math.inf]

    def resume(self, requests: float | None, tokens: float | None) -> None:
        """Begin with rates that are known from another time."""
        self.limits = [requests or 0.0, tokens or 0.0]
        self.rates = [rate or math.inf for rate in self.limits]
        self._eager = 1.0

    def forget(self) -> None:
        """The provider announces another limit: what was learnt was the old one."""
        self.rates = [math.inf, math.inf]
        self.limits = [0.0, 0.0]
        self._eager = _EAGER

    def interval(self, sent: Sent) -> float:
        """Seconds from one call to the next, where they are as large as calls have been up to `sent`."""
        mean = sent.total[TOKENS] / sent.total[REQUESTS]
        return max(1 / self.rates[REQUESTS], mean / self.rates[TOKENS], 0.0 if self.known else 0.1)

    def answered(self, latency: float, now: float) -> None:
        """An answer. Where a ceiling has held calls back for long enough without a 429, it is raised.

        At first in bold steps: that is how processes that share a quota come to equal shares. Of
        few calls in flight the step is the same number for everyone, as TCP's is.
        """
        self._answers += 1
        if not self.binds:
            return
        eager = self._eager
        times = 2**self._confirmed if self._step <= _STEP * eager else 1
        held, answers = (now - self._held_since) * eager / times, self._answers * eager / times
        if held < _HOLD_SECONDS or (answers < _HOLD_CALLS and held < _HOLD_LONGEST):
            return
        flying = self.rates[REQUESTS] * latency
        step = min(_STEP_FAR, self._step * max(1.0, _FEW_FLYING / flying if flying else 0.0))
        self.rates = [rate * (1 + step) for rate in self.rates]
        near = any(
            rate < _NEAR * limit for rate, limit in zip(self.rates, self.limits, strict=True)
        )
        self._step = min(_STEP_FAR, 2 * self._step, _STEP_NEAR * eager if near else _STEP_FAR)
        self.binds = False
        self._held_since, self._answers = now, 0

    def let_in(self, since: float, until: float) -> bool:
        """Whether, as far as is known, a request was let in that was sent between."""
        for sent in reversed(self.log):
            if sent.at <= since:
                break
            if sent.at < until and not sent.refused:
                return True
        return False

    def refused(self, sent: Sent, limit: str, now: float, *, is_closed: bool) -> str:
        """A 429, the first of its wave: lower what it was about. `is_closed`: nothing at all was let in of late.

        `limit`: ``"requests"``, ``"tokens"``, ``"concurrency"``, ``"ramp"``, or ``""`` where it
        does not say. Gives the one that it was.
        """
        found = self._measure(sent.at)
        if found.is_sound and now - self._evidence_at >= _APART:
            self._evidence.append((sent.flying if self._is_full(sent) else 0, *found.rates))
            self._evidence_at = now
        kind = limit or self._guess(sent)
        if kind == "tokens" and not sent.total[TOKENS]:  # which nobody has counted
            kind = "requests"
        agrees = found.is_sound
        for which, name in ((REQUESTS, "requests"), (TOKENS, "tokens")):
            if name == kind:
                agrees = self._cut(which, found, sent, is_closed=is_closed) and agrees
            elif kind == "ramp":
                self.rates[which] = (
                    min(self.rates[which], _CUT_MOST * found.rates[which]) or math.inf
                )
            elif not limit:
                self.rates[which] = math.inf
        if found.is_sound:
            self._confirmed = min(_CONFIRMED, self._confirmed + 1) if agrees else 0
            self._eager = max(1.0, self._eager / (_SURE if agrees else _UNSURE))
        self._empties.append(sent.at)
        self._step, self._held_since, self._answers = _STEP * self._eager, now, 0
        self.cut_at = now
        return kind

    def _cut(self, which: int, found: Measured, sent: Sent, *, is_closed: bool) -> bool:
        """Lower one ceiling. True where what was measured is what was measured before."""
        mean = sent.total[which] / sent.total[REQUESTS]
        rate, now = found.rates[which], self.rates[which]
        before = self.limits[which]
        if found.is_sound:
            self.limits[which] = rate
            least = rate if now == math.inf else max(rate, _CUT_MOST * now)
            self.rates[which] = max(_LEAST * mean, _CUT * min(now, least))
            return abs(rate - before) <= 0.05 * rate
        self.limits[which] = min(before, now)
        if now == math.inf:  # nothing to go by yet: as many a second as are in flight
            self.rates[which] = max(1.0, self._last_second(sent.at), sent.flying - 1) * mean
        elif not is_closed:
            cut = max(_CUT_MOST * now, min(now, _CUT * rate)) if found.is_dirty else now
            early = 1.0 if found.is_dirty else _CUT_EARLY if any(self.limits) else _CUT_MOST
            self.rates[which] = max(_LEAST * mean, early * cut)
        return False

    def _last_second(self, end: float) -> int:
        """How many got in within the second before `end`."""
        lately = itertools.takewhile(lambda sent: sent.at > end - 1.0, reversed(self.log))
        return sum(1 for sent in lately if not sent.refused)

    def _guess(self, sent: Sent) -> str:
        """Which limit a 429 is about that does not say so.

        Calls in flight, if the same number of them were at several 429s in a row, and hardly a call
        ever got in beside more. Otherwise the rate whose measured value repeats better.
        """
        flying = [seen[0] for seen in self._evidence][-_ALIKE:]
        flying.append(sent.flying if self._is_full(sent) else 0)
        if len(flying) > _ALIKE and min(flying) >= max(_FEW, max(flying) - _close_to(max(flying))):
            return "concurrency"
        if len(self._evidence) < _TELLING:
            return "requests"
        requests, tokens = (_spread([seen[which] for seen in self._evidence]) for which in (1, 2))
        return "tokens" if tokens < 0.7 * requests else "requests"

    def _is_full(self, refused: Sent) -> bool:
        """Whether hardly a call got in lately beside more in flight than at this 429."""
        lately = itertools.islice(reversed(self.log), _LATELY)
        most = max((sent.flying for sent in lately if not sent.refused), default=0)
        return refused.flying >= _FEW and refused.flying > most - _close_to(most)

    def _measure(self, end: float) -> Measured:
        """What got in up to `end`, at which the bucket is empty, since the earliest moment not long ago when it was.

        Since a later one, if far fewer got in since then: the limit has dropped; or if there were
        too many 429s before.
        """
        admitted, refused, tokens, begin = 0, 0, 0.0, end
        empties = [at for at in self._empties if at < end]
        found: list[Measured] = []
        span = _SPAN_SECONDS if any(self.limits) and self._step <= _STEP_NEAR else _SPAN_FAR
        for sent in reversed(self.log):
            if sent.at > end:
                continue
            while empties and sent.at <= empties[-1]:
                found.append(_measured(end - empties.pop(), admitted, refused, tokens))
            begin = sent.at
            is_long = sent.at <= end - span and admitted >= _SPAN_CALLS
            if is_long or (found and not empties):
                break
            if sent.refused:
                refused += 1
            else:
                admitted += 1
                tokens += sent.takes[TOKENS]
        if not found:
            return _measured(end - begin, admitted, refused, tokens)._replace(is_anchored=False)
        whole = next((one for one in reversed(found) if not one.is_dirty), found[-1])
        lately = next((one for one in found if one.is_sound and one.admitted >= _ENOUGH), whole)
        return lately if lately.rates[0] < _DROPPED * whole.rates[0] else whole


def _measured(seconds: float, admitted: int, refused: int, tokens: float) -> Measured:
    seconds = max(1e-3, seconds)
    return Measured((admitted / seconds, tokens / seconds), admitted, refused, seconds)


def _close_to(number: float) -> float:
    return max(2.0, 0.01 * number)


def _spread(values: list[float]) -> float:
    """Their standard deviation over their mean."""
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)) / max(mean, 1e-9)
