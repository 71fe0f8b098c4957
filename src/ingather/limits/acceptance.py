"""Whether a refusal is a matter of one request, or of the key and so of all of them. Arithmetic only."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ingather.errors import QuotaExhausted, QuotaWait

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingather.errors import PoolFailure

_IN_A_ROW = 3  # refusals before any answer, which are no chance
_VOUCHED = 100  # further ones at most, where answers are remembered

CERTAIN_WORDS = frozenset(
    {
        "account_deactivated",
        "account_suspended",
        "accountoverdueerror",
        "api_key_expired",
        "api_key_invalid",
        "authentication_error",
        "billing_error",
        "billing_hard_limit_reached",
        "billing_not_active",
        "budget_exceeded",
        "contract_spend_limit_reached",
        "deactivated_workspace",
        "enforced_spend_limit_reached",
        "exceeded_current_quota_error",
        "expired_api_key",
        "expired_key",
        "insufficient_balance",
        "insufficient_credits",
        "insufficient_quota",
        "invalid_api_key",
        "invalid_x_api_key",
        "linked_organization_billing_unavailable",
        "linked_organization_spend_limit_reached",
        "organization_deactivated",
        "organization_on_hold",
        "unauthenticated",
        "unsupported_country_region_territory",
    }
)
"""Providers' own names for a wrong key, a closed account and an empty one, which are never about one request."""


def is_certain(error: PoolFailure) -> bool:
    """Whether `error` says by itself that no call can succeed.

    A status does not: a firewall, a guardrail or a missing file answers 401, 403 or 404 to one
    request, and 402 may be about that one alone. Whoever raises it without a status knows better.

    >>> from ingather.errors import AuthFailed
    >>> is_certain(AuthFailed("", status=403)), is_certain(AuthFailed("", status=401, code="invalid_api_key"))
    (False, True)
    """
    if error.is_certain or error.status is None or (error.code or "").lower() in CERTAIN_WORDS:
        return True
    return isinstance(error, QuotaWait) or (
        isinstance(error, QuotaExhausted) and error.status != 402
    )


class Acceptance:
    """What one run knows of a key, or of a model: whether it was `answered`, and what was `refused` before.

    `remembered`: answers that were bought in earlier runs, of which each vouches for one more
    refusal.

    >>> key = Acceptance()
    >>> [key.concerns_all(number, []) for number in (1, 2, 3)]
    [False, False, True]
    """

    __slots__ = ("_last", "answered", "refused", "remembered")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """A new run begins."""
        self.answered = False
        self.refused = self.remembered = 0
        self._last = -math.inf

    def concerns_all(self, number: float, flying: Iterable[float]) -> bool:
        """Request `number` was refused, with `flying` still in flight: is it not the only one?

        True where so many were refused, none was answered, and none is awaited that was sent
        between those.
        """
        if self.answered:
            return False
        self.refused += 1
        many = _IN_A_ROW + min(self.remembered, _VOUCHED)
        if self.refused <= many:
            self._last = max(self._last, number)
        return self.refused >= many and all(other > self._last for other in flying)

    def __repr__(self) -> str:
        return f"Acceptance({'answered' if self.answered else f'{self.refused} refused'})"
