"""How many tokens a request will cost, before anyone has counted them. Arithmetic only.

Admission needs a fair guess, not a tokenizer: UTF-8 bytes over a ratio that is learnt from the `Usage` of the answers,
plus the output that answers have had so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ingather.result import Usage

BYTES_PER_TOKEN = 4.0
_WEIGHT = 0.1  # of the newest answer in the moving averages: about the last twenty answers count


class Tokens(NamedTuple):
    """A provider's estimate for one request: prompt tokens, and the cap on the answer's (None: not capped)."""

    input: int
    max_output: int | None = None


class Cost(NamedTuple):
    """What one request takes from a quota: tokens in and out."""

    input: float
    output: float


@dataclass(slots=True)
class TokenEstimator:
    """Learns from each answer how far the estimates of one pool are off, and how long its answers are.

    >>> estimator = TokenEstimator()
    >>> estimator.cost(Tokens(100, max_output=50))
    Cost(input=100.0, output=50.0)
    """

    mean_output: float | None = None
    _estimated: float = 0.0  # moving averages over the same answers: their quotient is right also where guesses scatter
    _counted: float = 0.0

    @property
    def input_ratio(self) -> float:
        """Tokens that are counted for one that was estimated."""
        return self._counted / self._estimated if self._estimated else 1.0

    def cost(self, estimate: Tokens) -> Cost:
        """What a request is likely to cost: the learnt output, never above its own cap."""
        guess = 256.0 if self.mean_output is None else self.mean_output
        if estimate.max_output is not None:
            guess = min(guess, estimate.max_output) if self.mean_output is not None else float(estimate.max_output)
        return Cost(estimate.input * self.input_ratio, guess)

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
