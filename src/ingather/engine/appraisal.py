"""What a prepared request may cost, before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingather.engine.route import NO_QUOTA
from ingather.errors import SetupError
from ingather.money.pricing import FREE, how_to_know
from ingather.money.upper_bound import (
    input_limit,
    is_by_the_token,
    output_limit,
    worst_case,
    written_out,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingather.engine.prepared import PreparedRequest
    from ingather.engine.route import Route
    from ingather.money.budget import Budget, Spend
    from ingather.money.pricing import Price
    from ingather.task import LLMMessage


def appraised(
    prepared: PreparedRequest,
    route: Route,
    budget: Budget | None,
    messages: Sequence[LLMMessage],
    params: Mapping[str, object],
) -> tuple[Price | None, Spend | None]:
    """What its tokens cost, and with a budget that has a cap the most that it may cost in all.

    Raises `SetupError` where a cap could not be kept.
    """
    request, price, quota = prepared.request, prepared.price, NO_QUOTA
    is_capped = budget is not None and budget.caps
    if request is not None:
        quota = request.quota
    elif budget is not None:
        quota = quota._replace(model=str(params.get("model") or route.capabilities.model))
        price = route.price(quota)
    body = b""
    if request is not None:
        body = request.body
    elif is_capped:
        body = written_out(messages, params)
    if price is not None and price != FREE and not is_by_the_token(price, body):
        price = None
    if budget is None or not is_capped:
        return price, None
    if price is None and budget.max_cost_usd is not None:
        also = how_to_know(quota.provider, quota.host)
        raise SetupError(
            f"the price of {prepared.queue.gate.name} is not known, so max_cost_usd cannot "
            f'be enforced: give it in Budget(prices={{"MODEL": (IN, OUT)}}), USD per million tokens{also}'
        )
    output = output_limit(prepared.estimate.max_output, params, route.capabilities, budget)
    size = input_limit(messages, body, budget)
    return price, worst_case(price, body, size, output, dialect=quota.provider)
