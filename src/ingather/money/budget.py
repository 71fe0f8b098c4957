"""A cap on money and tokens that is not overshot: the worst case is reserved, the truth settled. Arithmetic only."""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROUNDING = 1e-9  # of a cap: what sums of floats may be off by


class Spend(NamedTuple):
    """Money in USD, and tokens in and out together."""

    usd: float = 0.0
    tokens: float = 0.0

    def __add__(self, other: object) -> Spend:
        return (
            Spend(self.usd + other.usd, self.tokens + other.tokens)
            if isinstance(other, Spend)
            else NotImplemented
        )

    def __sub__(self, other: Spend) -> Spend:
        return Spend(self.usd - other.usd, self.tokens - other.tokens)


class Room(Enum):
    """Whether a budget has room for a call: now, perhaps later, or never."""

    NOW = "now"
    LATER = "later"
    NEVER = "never"


class Budget:
    """At most `max_cost_usd` and `max_tokens` (in and out together) for all calls of the executors that share it.

    Every request then has a maximum output: the user's ``max_tokens``, else the provider's; without
    one it is a `SetupError`. Before it is sent, the most that it can cost is reserved; when it is
    answered, what it did cost is settled. Calls wait while reservations may still be released;
    where they cannot, they end as `BudgetSpent`. A call that was cancelled or lost may have been
    billed: it counts in full. What answers report is what was spent: where a server counts more
    than the request allowed, later calls reserve so much more.

    `prices`: USD for a million tokens in and out, by ``"provider/model"``, ``"model"`` or ``"*"``;
    others come from genai-prices, where that is installed, for the providers' own hosts. With
    `max_cost_usd` an unknown price is a `SetupError`. `max_input`: the most tokens that go in with
    a request whose bytes do not tell, such as one with a picture or a file; without it, those are a
    `SetupError` too.

    `spent` and `reserved` say how it stands, each with ``usd`` and ``tokens``; `spent` counts no
    money of calls whose price is not known. One budget may be shared by executors, loops and
    threads, not by processes.

    Raises ValueError for a cap that is not positive, or a price that is negative.

    >>> from ingather import Budget
    >>> Budget(max_cost_usd=5.0)
    Budget(0.0000 of 5 USD spent)
    """

    def __init__(
        self,
        *,
        max_cost_usd: float | None = None,
        max_tokens: int | None = None,
        max_input: int | None = None,
        prices: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        for name, cap in (
            ("max_cost_usd", max_cost_usd),
            ("max_tokens", max_tokens),
            ("max_input", max_input),
        ):
            if cap is not None and not (_is_number(cap) and cap > 0):
                raise ValueError(f"Budget({name}) is a positive number, or None: not {cap!r}")
        for model, pair in (prices or {}).items():
            if len(pair) != 2 or not all(_is_number(price) and price >= 0 for price in pair):
                raise ValueError(
                    f"Budget(prices) of {model!r} are USD per million tokens in and "
                    f"out, not {pair!r}"
                )
        self.max_cost_usd = max_cost_usd
        self.max_tokens = max_tokens
        self.max_input = max_input
        self.prices = dict(prices or {})
        self.spent = Spend()
        self.reserved = Spend()
        self.line: object = None  # of the calls that wait for it

    @property
    def caps(self) -> bool:
        """Whether it limits anything."""
        return self.max_cost_usd is not None or self.max_tokens is not None

    @property
    def left(self) -> float:
        """The part of it that is not spent, from 0 to 1: of its money or its tokens, whichever is scarcer."""
        caps = ((self.max_cost_usd, self.spent.usd), (self.max_tokens, self.spent.tokens))
        return min(
            (max(1 - amount / cap, 0.0) for cap, amount in caps if cap is not None), default=1.0
        )

    def room_for(self, worst: Spend) -> Room:
        """Whether a call that may cost `worst` can be paid."""
        if not self._holds(self.spent + worst):
            return Room.NEVER
        return Room.NOW if self._holds(self.spent + self.reserved + worst) else Room.LATER

    def reserve(self, worst: Spend) -> None:
        """Set the most that a call may cost aside."""
        self.reserved += worst

    def settle(self, worst: Spend, actual: Spend) -> None:
        """The call that `worst` was reserved for did cost `actual`."""
        left = self.reserved - worst
        # sums of floats may end just below 0
        self.reserved = Spend(max(0.0, left.usd), max(0.0, left.tokens))
        self.spent += actual

    def _holds(self, total: Spend) -> bool:
        return all(
            cap is None or amount <= cap * (1 + _ROUNDING)
            for cap, amount in ((self.max_cost_usd, total.usd), (self.max_tokens, total.tokens))
        )

    def __str__(self) -> str:
        """What is spent of what, in words."""
        money = (
            ""
            if self.max_cost_usd is None
            else f"{self.spent.usd:.4f} of {self.max_cost_usd:g} USD"
        )
        tokens = (
            ""
            if self.max_tokens is None
            else f"{self.spent.tokens:,.0f} of {self.max_tokens:,} tokens"
        )
        return f"{' and '.join(filter(None, (money, tokens))) or 'no cap, nothing'} spent"

    def __repr__(self) -> str:
        return f"Budget({self})"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
