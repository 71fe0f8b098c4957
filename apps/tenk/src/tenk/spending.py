"""Prices that the user gives, and whether a model has one: asked before the first call where money has a cap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingather import Budget, LLMTask, ParallelLLMExecutor
from ingather.errors import SetupError
from tenk.errors import TenkError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather import Provider

LEAST = 1e-9  # USD: no call that is not free costs less


class NoPrice(TenkError):
    """A cap on money cannot be kept: nobody knows what a model costs."""

    def __init__(self, model: str) -> None:
        super().__init__(
            f"the price of {model} is not known, so --max-cost cannot be enforced: give --price "
            f"{model}=IN:OUT, "
            "USD for a million tokens in and out, or leave --max-cost out"
        )


def parsed_price(written: str) -> tuple[str, tuple[float, float]]:
    """A model, and USD for a million of its tokens in and out; ``"*"`` where no model is named. Raises TenkError.

    >>> parsed_price("openai/llama=0.1:0.4")
    ('openai/llama', (0.1, 0.4))
    """
    model, _, pair = written.rpartition("=")
    given, _, got = pair.partition(":")
    try:
        prices = float(given), float(got)
        Budget(prices={"*": prices})
    except ValueError:
        raise TenkError(
            f"--price is USD for a million tokens in and out, openai/NAME=0.15:0.6; not "
            f"{written!r:.60}"
        ) from None
    return model.strip() or "*", prices


async def has_price(provider: Provider, prices: Mapping[str, tuple[float, float]]) -> bool:
    """Whether it is known what calls cost. Nothing is sent.

    It is asked of an executor without money, which refuses a call for its cost, or for want of a
    price.

    >>> import asyncio
    >>> from ingather import connect
    >>> llama = connect("openai/llama", base_url="http://127.0.0.1:8080/v1")
    >>> asyncio.run(has_price(llama, {})), asyncio.run(has_price(llama, {"llama": (0.1, 0.4)}))
    (False, True)
    """
    if getattr(provider, "is_free", False):
        return True
    executor = ParallelLLMExecutor(
        provider, budget=Budget(max_cost_usd=LEAST, max_tokens=1, prices=prices)
    )
    [refused] = await executor.gather([LLMTask("?", config_overrides={"max_tokens": 1})])
    return not isinstance(refused.error, SetupError)
