"""What a model's tokens cost, in USD. An unknown price is None, never 0.

Prices come from the user's own table, else from genai-prices (``pip install "ingather[prices]"``), a data set that is
kept up to date by others. Arithmetic only, once they are looked up.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genai_prices.types import ModelPrice

_PER_MILLION = 1e-6
_PROVIDERS = {"openai": "openai", "anthropic": "anthropic", "gemini": "google", "azure": "azure"}
_FREE = ("echo", "offline")
"""Dialects that ask nobody."""


class Price(Protocol):
    """What one model's tokens cost."""

    def of(self, input_tokens: float, output_tokens: float, cached_tokens: float = 0.0) -> float:
        """USD; `cached_tokens` are those of the input that the provider's prompt cache held."""
        ...


class PerToken(NamedTuple):
    """USD for one token, however many there are.

    >>> PerToken(1e-6, 2e-6).of(1_000_000, 500_000)
    2.0
    """

    input: float
    output: float
    cached: float | None = None

    def of(self, input_tokens: float, output_tokens: float, cached_tokens: float = 0.0) -> float:
        """USD."""
        cached = self.input if self.cached is None else self.cached
        return (input_tokens - cached_tokens) * self.input + cached_tokens * cached + output_tokens * self.output


FREE = PerToken(0.0, 0.0)


class _Tiered:
    """A price that depends on how long the prompt is."""

    def __init__(self, price: ModelPrice) -> None:
        self._price = price

    def of(self, input_tokens: float, output_tokens: float, cached_tokens: float = 0.0) -> float:
        from genai_prices import Usage

        usage = Usage(
            input_tokens=int(input_tokens), output_tokens=int(output_tokens), cache_read_tokens=int(cached_tokens)
        )
        return float(self._price.calc_price(usage)["total_price"])


def price_of(provider: str, model: str, table: Mapping[str, tuple[float, float]] | None = None) -> Price | None:
    """The price of a model: in `table`, by ``"provider/model"``, ``"model"`` or ``"*"``; else as known to all.

    `table` holds USD for a million tokens in, and out.

    >>> price_of("openai", "my-model", {"my-model": (1.0, 2.0)}).of(1000, 1000)
    0.003
    """
    for name in (f"{provider}/{model}", model, "*"):
        if table and name in table:
            given, got = table[name]
            return PerToken(given * _PER_MILLION, got * _PER_MILLION)
    return FREE if provider in _FREE else _known(provider, model)


@cache
def _known(provider: str, model: str) -> Price | None:
    if provider not in _PROVIDERS or find_spec("genai_prices") is None:
        return None
    from genai_prices import Usage, calc_price

    try:
        found = calc_price(Usage(input_tokens=1), model_ref=model, provider_id=_PROVIDERS[provider]).model_price
    except LookupError:
        return None
    if found.input_mtok is None or found.output_mtok is None:
        return None
    flat = [found.input_mtok, found.output_mtok, found.cache_read_mtok]
    if any(hasattr(price, "tiers") for price in flat):
        return _Tiered(found)
    return PerToken(*(None if price is None else float(price) * _PER_MILLION for price in flat))  # type: ignore[arg-type]
