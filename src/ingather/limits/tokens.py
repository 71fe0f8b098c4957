"""How many tokens a request will cost, before anyone has counted them. Arithmetic only.

Admission needs a fair guess, not a tokenizer: UTF-8 bytes over a ratio that is learnt from the
`Usage` of the answers, plus the output that answers have had so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ingather.limits.sent import amounts

if TYPE_CHECKING:
    from ingather.limits.sent import Amounts
    from ingather.response import Usage

BYTES_PER_TOKEN = 4.0
_WEIGHT = 0.1  # of the newest answer in the moving averages: about the last twenty answers count


class Tokens(NamedTuple):
    """A provider's estimate for one request: prompt tokens, and the cap on the answer's (None: not capped)."""

    input: int
    max_output: int | None = None


UNCOUNTED = Tokens(0)
"""Of what nobody counts."""


@dataclass(slots=True)
class TokenEstimator:
    """Learns from each answer how far the estimates of one pool are off, and how long its answers are.

    >>> estimator = TokenEstimator()
    >>> estimator.cost(Tokens(100, max_output=50))
    (1.0, 150.0, 100.0, 50.0)
    """

    mean_output: float | None = None
    # moving averages over the same answers: their quotient is right also where guesses scatter
    _estimated: float = 0.0
    _counted: float = 0.0

    def cost(self, estimate: Tokens) -> Amounts:
        """What a request is likely to take: the learnt output, never above its own cap."""
        size, cap = estimate
        given = size * self._counted / self._estimated if self._estimated else float(size)
        got = self.mean_output
        if got is None:
            got = 256.0 if cap is None else float(cap)
        elif cap is not None and cap < got:
            got = float(cap)
        return amounts(given, got)

    def learn(self, estimate: Tokens, usage: Usage) -> None:
        """Move towards what the provider counted."""
        if estimate.input > 0 and usage.input_tokens > 0:
            weight = _WEIGHT if self._estimated else 1.0
            self._estimated += weight * (estimate.input - self._estimated)
            self._counted += weight * (usage.input_tokens - self._counted)
        if self.mean_output is None:
            self.mean_output = float(usage.output_tokens)
        else:
            self.mean_output += _WEIGHT * (usage.output_tokens - self.mean_output)
