"""What a model's tokens cost, in USD. An unknown price is None, never 0.

Prices come from the user's own table, else from genai-prices (``pip install "ingather[prices]"``),
a data set that is kept up to date by others. That holds for a provider's own host alone: another
server of the same dialect, or a deployment with a name of its own, may charge anything. Arithmetic
only, once they are looked up.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genai_prices.types import ModelPrice

    from ingather.response import Usage

_PER_MILLION = 1e-6
_HOMES = {
    "openai": ("openai", "api.openai.com"),
    "openai-responses": ("openai", "api.openai.com"),
    "anthropic": ("anthropic", "api.anthropic.com"),
    "gemini": ("google", "generativelanguage.googleapis.com"),
    "cerebras": ("cerebras", "api.cerebras.ai"),
    "deepseek": ("deepseek", "api.deepseek.com"),
    "fireworks": ("fireworks", "api.fireworks.ai"),
    "groq": ("groq", "api.groq.com"),
    "mistral": ("mistral", "api.mistral.ai"),
    "moonshot": ("moonshotai", "api.moonshot.ai"),
    "openrouter": ("openrouter", "openrouter.ai"),
    "together": ("together", "api.together.xyz"),
    "xai": ("x-ai", "api.x.ai"),
    "zai": ("zai", "api.z.ai"),
}
"""Provider → its name in the data set, and the host whose prices those are.

Not in it: perplexity, which takes money for each search too, and huggingface, whose prices are
those of whom it asks.
"""
_FREE = ("echo", "offline")
"""Dialects that ask nobody."""


class Price(Protocol):
    """What one model's tokens cost."""

    def of(self, usage: Usage) -> float:
        """USD."""
        ...

    def at_most(self, input_tokens: int, output_tokens: int, *, caches: bool = False) -> float:
        """USD for that many tokens, of whatever kind. `caches`: the provider's cache may be written to."""
        ...


class PerToken(NamedTuple):
    """USD for one token, however many there are.

    `cached`: for one that is read from the provider's prompt cache; `written`: for one that is
    written to it, for a few minutes; `kept`: for an hour. None: as any other. `given`: by the user,
    who knows what they pay.

    >>> from ingather import Usage
    >>> PerToken(1e-6, 2e-6).of(Usage(1_000_000, 500_000))
    2.0
    """

    input: float
    output: float
    cached: float | None = None
    written: float | None = None
    kept: float | None = None
    given: bool = False

    def of(self, usage: Usage) -> float:
        """USD."""
        cached, written, kept = _kinds(usage)
        fresh = max(usage.input_tokens - cached - written - kept, 0)
        kinds = ((cached, self.cached), (written, self.written), (kept, self.kept))
        special = sum(
            count * (self.input if price is None else price) for count, price in kinds if count
        )
        return fresh * self.input + special + max(usage.output_tokens, 0) * self.output

    def at_most(self, input_tokens: int, output_tokens: int, *, caches: bool = False) -> float:
        """USD."""
        kinds = (self.cached, *((self.written, self.kept) if caches else ()))
        dearest: float = max(self.input, *(price for price in kinds if price is not None), 0.0)
        return input_tokens * dearest + output_tokens * self.output


FREE = PerToken(0.0, 0.0)


class _Tiered:
    """A price that depends on how long the prompt is."""

    def __init__(self, price: ModelPrice) -> None:
        self._price = price

    def of(self, usage: Usage) -> float:
        """USD."""
        return self._cost(max(usage.input_tokens, 0), max(usage.output_tokens, 0), *_kinds(usage))

    def at_most(self, input_tokens: int, output_tokens: int, *, caches: bool = False) -> float:
        """USD."""
        kinds = [(0, 0, 0), (input_tokens, 0, 0)]
        kinds += [(0, input_tokens, 0), (0, 0, input_tokens)] if caches else []
        return max(self._cost(input_tokens, output_tokens, *kind) for kind in kinds)

    def _cost(self, sent: int, got: int, cached: int, written: int, kept: int) -> float:
        from genai_prices import Usage as Counted

        counted = {
            "cache_read_tokens": cached,
            "cache_write_tokens": written + kept,
            "cache_write_1h_tokens": kept,
        }
        kinds = {name: count for name, count in counted.items() if count}
        used = Counted(input_tokens=sent, output_tokens=got, **kinds)
        return float(self._price.calc_price(used)["total_price"])

    def __repr__(self) -> str:
        return f"_Tiered({self._price})"


def price_of(
    provider: str, host: str, model: str, table: Mapping[str, tuple[float, float]] | None = None
) -> Price | None:
    """The price of a model: in `table`, by ``"provider/model"``, ``"model"`` or ``"*"``; else as known to all.

    `table` holds USD for a million tokens in, and out. What is known to all is what the provider's
    own `host` charges.

    >>> from ingather import Usage
    >>> price_of("openai", "localhost:8000", "my-model", {"my-model": (1.0, 2.0)}).of(Usage(1000, 1000))
    0.003
    """
    for name in (f"{provider}/{model}", model, "*"):
        if table and name in table:
            given, got = table[name]
            return PerToken(given * _PER_MILLION, got * _PER_MILLION, given=True)
    if provider in _FREE:
        return FREE
    whose, home = _HOMES.get(provider, ("", ""))
    return _known(whose, model.removeprefix("models/")) if home and host == home else None


def how_to_know(provider: str, host: str) -> str:
    """What else to do about an unknown price, to be said at the end of a sentence.

    >>> how_to_know("openai", "localhost:8000")
    ''
    """
    at_home = _HOMES.get(provider, ("", ""))[1] == host != ""
    return (
        ', or install "ingather[prices]"' if at_home and find_spec("genai_prices") is None else ""
    )


@cache
def _known(provider: str, model: str) -> Price | None:
    if find_spec("genai_prices") is None:
        return None
    from genai_prices import Usage, calc_price

    try:
        found = calc_price(Usage(input_tokens=1), model_ref=model, provider_id=provider).model_price
    except LookupError:
        return None
    if found.input_mtok is None or found.output_mtok is None:
        return None
    flat = [
        found.input_mtok,
        found.output_mtok,
        found.cache_read_mtok,
        found.cache_write_mtok,
        found.cache_write_1h_mtok or found.cache_write_mtok,
    ]
    if any(hasattr(price, "tiers") for price in flat):
        return _Tiered(found)
    return PerToken(*(None if price is None else float(price) * _PER_MILLION for price in flat))  # type: ignore[arg-type]


def _kinds(usage: Usage) -> tuple[int, int, int]:
    """Tokens read from a cache, written to it for minutes, and for an hour; never more than there were."""
    whole = max(usage.input_tokens, 0)
    cached = min(max(usage.cached_tokens, 0), whole)
    written = min(max(usage.cache_written_tokens, 0), whole - cached)
    kept = min(max(usage.cache_written_1h_tokens, 0), written)
    return cached, written - kept, kept
