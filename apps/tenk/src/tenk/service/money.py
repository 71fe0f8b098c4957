"""What an analysis may spend: known for each model before the first call, and never exceeded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingather import Budget
from tenk.spending import LEAST, NoPrice, has_price

if TYPE_CHECKING:
    from tenk.service.settings import Settings
    from tenk.service.state import Ledger

USUAL = 5.0  # USD for one analysis, where nothing else is said and the model's price is known


async def caps_of(settings: Settings) -> dict[str, float | None]:
    """By model, the USD that one analysis may cost; None where nothing was said and its price is not known.

    Raises `NoPrice` where something was said, and the price of a model is not known. Nothing is
    sent.
    """
    caps = dict[str, float | None]()
    for model, provider in settings.models.items():
        known = await has_price(provider, settings.prices)
        if settings.caps.usd is not None and not known:
            raise NoPrice(model)
        caps[model] = (USUAL if settings.caps.usd is None else settings.caps.usd) if known else None
    return caps


def budget_of(settings: Settings, model: str, ledger: Ledger) -> Budget | None:
    """What is left for an analysis that has used what its `ledger` says; None for a model that asks nobody."""
    if getattr(settings.models[model], "is_free", False):
        return None
    usd = settings.usd.get(model)
    return Budget(
        max_cost_usd=None if usd is None else max(usd - (ledger.cost_usd or 0.0), LEAST),
        max_tokens=max(settings.caps.tokens - ledger.input_tokens - ledger.output_tokens, 1),
        prices=settings.prices,
    )
