"""What more calls in flight have brought: more answers a second, or only longer waits. Arithmetic only.

Calls in flight over latency is throughput (Little's law), so that an answer tells what so many in
flight bring. Answers are kept by how many were in flight when they were asked for, in octaves: 1,
2, up to 4, up to 8 and so on.
"""

from __future__ import annotations

import math
from typing import NamedTuple

# answers at a load: fewer say nothing, nor does so small a part of those at the one below
_FEW, _LITTLE = 4, 8
_GROWS = 0.5  # of what it could be: so much more throughput, and more in flight are worth it
_NOISE = 0.05  # the least spread of latencies, in logarithms
_SURE = 2.0  # standard errors


class _At:
    """Answers at one load, in logarithms."""

    __slots__ = ("count", "flying", "latency", "squares")

    def __init__(self) -> None:
        self.count = 0
        self.flying = self.latency = self.squares = 0.0

    def add(self, flying: float, latency: float) -> None:
        self.count += 1
        self.flying += flying
        self.latency += latency
        self.squares += latency * latency


class Gain(NamedTuple):
    """How throughput grew at the highest load, of what it could have: from 0 to 1, but for noise; `error`: its own."""

    share: float
    error: float

    @property
    def is_hardly_any(self) -> bool:
        """As far as is known: that may be little."""
        return self.share < _GROWS

    @property
    def is_surely_none(self) -> bool:
        return self.share + _SURE * self.error < _GROWS


class Load:
    """Latencies by calls in flight.

    >>> load = Load()
    >>> for flying in range(1, 65):
    ...     load.add(flying, max(1.0, flying / 16))  # 16 at once, and the others wait
    >>> load.gain.is_surely_none
    True
    """

    def __init__(self) -> None:
        self._at: list[_At] = []

    def add(self, flying: int, latency: float) -> None:
        """An answer took `latency` seconds, asked for when there were `flying` in flight."""
        octave = (flying - 1).bit_length()
        while len(self._at) <= octave:
            self._at.append(_At())
        self._at[octave].add(math.log(flying), math.log(max(latency, 1e-6)))

    def forget(self) -> None:
        """The server may be another one now."""
        self._at = []

    @property
    def base(self) -> float:
        """Seconds of a typical answer where few are in flight; infinite where nothing is known."""
        known = [at.latency / at.count for at in self._pooled()]
        return math.exp(min(known)) if known else math.inf

    @property
    def knee(self) -> float:
        """Calls in flight that bring the throughput of the highest load, each as fast as where few are in flight."""
        known = self._pooled()
        if not known:
            return math.inf
        top = known[-1]
        return math.exp((top.flying - top.latency) / top.count) * self.base

    @property
    def gain(self) -> Gain:
        """Of the highest load that is known over the one below it; all there could be where that is too little."""
        known = self._pooled()
        if len(known) < 2:
            return Gain(1.0, 0.0)
        below, top = known[-2:]
        more = top.flying / top.count - below.flying / below.count
        longer = top.latency / top.count - below.latency / below.count
        spread = max(_spread(below), _spread(top), _NOISE)
        error = spread * math.sqrt(1 / top.count + 1 / below.count)
        return Gain(1.0 - longer / more, error / more)

    def _pooled(self) -> list[_At]:
        """Loads of which enough is known, the lowest ones together until it is."""
        pooled: list[_At] = []
        rest = _At()
        for at in self._at:
            if at.count >= _FEW and not rest.count:
                pooled.append(at)
                continue
            rest = _sum(rest, at)
            if rest.count >= _FEW:
                pooled.append(rest)
                rest = _At()
        if len(pooled) > 2 and pooled[-1].count * _LITTLE < pooled[-2].count:
            pooled[-2:] = [_sum(*pooled[-2:])]
        return pooled

    def __repr__(self) -> str:
        return f"Load({[at.count for at in self._at]}, {self.gain.share:.2f})"


def _sum(one: _At, other: _At) -> _At:
    both = _At()
    for name in _At.__slots__:
        setattr(both, name, getattr(one, name) + getattr(other, name))
    return both


def _spread(at: _At) -> float:
    mean = at.latency / at.count
    return math.sqrt(max(0.0, at.squares / at.count - mean * mean))
