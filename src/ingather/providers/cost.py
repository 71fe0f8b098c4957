"""What an answer says that it cost, in USD, whoever stands between us and the model. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

_TICK = 1e-10  # USD: xAI counts in these
_IN_USAGE = ("cost", "total_cost", "cost_usd", "estimated_cost")
_BESIDE = ("cost", "cost_usd", "total_cost")
_WHOLE = ("total_cost", "total", "cost")  # of an object that tells its parts too
_HEADERS = ("x-litellm-response-cost",)


def told_cost(data: Mapping[str, object], headers: Mapping[str, str]) -> float | None:
    """USD that the answer `data`, or the headers that came with it, say it cost; None where they do not.

    With a key of one's own at the provider behind a gateway, what that provider charges is a part
    of it.

    >>> told_cost({"usage": {"cost": 0.002}}, {}), told_cost({"usage": {"cost": {"total_cost": "0.002"}}}, {})
    (0.002, 0.002)
    >>> told_cost({"usage": {"cost": 0.0001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.002}}}, {})
    0.0021
    """
    usage = data.get("usage")
    counted = usage if isinstance(usage, Mapping) else {}
    if counted.get("is_byok") is True:
        return _both(counted)
    found = _first(counted, _IN_USAGE)
    if found is None and "cost_in_usd_ticks" in counted:
        ticks = _usd(counted["cost_in_usd_ticks"])
        found = None if ticks is None else ticks * _TICK
    if found is None:
        found = _first(data, _BESIDE)
    if found is None:
        # a gateway that has no price for a model says 0 there
        found = next((cost for name in _HEADERS if (cost := _usd(headers.get(name)))), None)
    return found


def _both(counted: Mapping[str, object]) -> float | None:
    """The gateway's fee and what the provider charges; where only the fee is told, the whole is not known."""
    details = counted.get("cost_details")
    fee = _usd(counted.get("cost"))
    charged = _usd(details.get("upstream_inference_cost")) if isinstance(details, Mapping) else None
    return None if charged is None else math.fsum((fee or 0.0, charged))


def _first(told: Mapping[str, object], names: tuple[str, ...]) -> float | None:
    if told.keys().isdisjoint(names) or not _is_dollars(told):
        return None
    return next((cost for name in names if (cost := _usd(told.get(name))) is not None), None)


def _usd(value: object) -> float | None:
    if isinstance(value, Mapping):
        return _first(value, _WHOLE)
    if isinstance(value, str):
        try:
            value = float(value.strip().removeprefix("$"))
        except ValueError:
            return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < math.inf else None  # type: ignore[operator, arg-type]


def _is_dollars(told: Mapping[str, object]) -> bool:
    currency = told.get("currency")
    return currency is None or (
        isinstance(currency, str) and currency.strip().lower() in ("", "usd", "$", "dollars")
    )
