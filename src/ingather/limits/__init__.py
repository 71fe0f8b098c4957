"""Limits of a quota: what the user sets, and the arithmetic that keeps calls inside them."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Hard caps on one quota pool (provider, host, key, model), all taken together. None: no cap.

    `max_concurrency`: calls in flight. `requests_per_minute`, `tokens_per_minute` (in and out
    together), `input_tokens_per_minute`, `output_tokens_per_minute`: never exceeded in any 60
    seconds; tokens based on estimates, corrected by reported usage: estimated before (from earlier answers),
    settled after. `max_wait`: seconds; a provider that asks for a longer wait gets a `QuotaWait`
    error instead.

    Raises ValueError for a cap below 1.

    >>> from ingather import Limits
    >>> Limits(requests_per_minute=500).requests_per_minute
    500
    """

    max_concurrency: int | None = None
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    input_tokens_per_minute: float | None = None
    output_tokens_per_minute: float | None = None
    max_wait: float = 120.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            least = 0 if item.name == "max_wait" else 1
            if value is not None and not (value >= least and math.isfinite(value)):
                raise ValueError(
                    f"Limits({item.name}) must be a number of at least {least}, or "
                    f"None: not {value!r}"
                )
        if self.max_concurrency is not None and self.max_concurrency != int(self.max_concurrency):
            raise ValueError(
                f"Limits(max_concurrency) must be a whole number, not {self.max_concurrency!r}"
            )

    def tightest(self, other: Limits) -> Limits:
        """The tighter of each cap."""

        def tighter(name: str) -> float | None:
            caps = [cap for cap in (getattr(self, name), getattr(other, name)) if cap is not None]
            return min(caps) if caps else None

        return Limits(**{item.name: tighter(item.name) for item in fields(self)})  # type: ignore[arg-type]
