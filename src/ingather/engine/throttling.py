"""What 429s do to one request: it waits with its quota's queue, or has waited long enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ingather.errors import QuotaWait
from ingather.limits.headers import LONGEST_HINT

if TYPE_CHECKING:
    from ingather.admission.gate import Gate
    from ingather.admission.permit import Permit
    from ingather.errors import RateLimited

_FOR_QUOTA = ("pause", "requests", "tokens")  # causes of waiting
_ROUNDING = 0.01  # seconds: so little is left of a wait by rounding


class Verdict(NamedTuple):
    """What becomes of a request after a 429.

    `error`: the 429, or what ends the request. `paused`: seconds for which its quota pauses.
    `to_the_back`: whether others that wait go first now.
    """

    error: Exception
    paused: float | None = None
    to_the_back: bool = False


class Throttling:
    """Of one call. `paused`: seconds that it has waited for the quota since its first 429.

    `refused_at`: when the first attempt that met a 429 was sent. `is_over`: it has waited for as
    long as is allowed, and is the last to be tried again.
    """

    __slots__ = ("_last_pause", "is_over", "paused", "refused_at")

    def __init__(self) -> None:
        self.paused = 0.0
        self._last_pause = 0.0
        self.refused_at: float | None = None
        self.is_over = False

    def throttled(self, gate: Gate, permit: Permit, error: RateLimited) -> Verdict:
        """Pause the quota, so that the request goes again.

        Its error is `QuotaWait` where the provider asks for too long a wait, at once or bit by bit.
        """
        longest, hint = gate.controller.limits.max_wait, error.retry_after
        if permit.sent is not None:
            permit.sent.refused = True
            if self.refused_at is None:
                self.refused_at = permit.sent.at
        is_alone = self.refused_at is not None and gate.has_let_in(permit, self.refused_at)
        if self._last_pause and not is_alone:  # while nothing gets in, all waiting is in vain
            waited = sum(permit.waited.get(cause, 0.0) for cause in _FOR_QUOTA)
            self.paused += max(0.0, waited - self._last_pause)
        if not gate.is_shut_to(permit):
            left = longest - self.paused
            if left > _ROUNDING and (hint is None or hint <= left):
                pause = gate.throttled(permit, error, left)
                self._last_pause = pause
                self.paused += pause
                return Verdict(error, paused=pause)
            may_be_this_one = not is_alone and not self.is_over and gate.waiting
            if may_be_this_one and (hint is None or hint <= longest):
                self.is_over = True  # another of those that wait finds out
                gate.shut(permit, self.refused_at)
                return Verdict(error, to_the_back=True)
        failure = _given_up(error, gate.name, longest)
        failure.alone = is_alone
        return Verdict(failure)


def _given_up(error: RateLimited, quota: str, longest: float) -> QuotaWait:
    hint = error.retry_after
    if hint is not None and hint > longest:
        longer = " or longer" if hint >= LONGEST_HINT else ""
        message = (
            f"{quota} asks to wait {hint:,.0f} s{longer}, and Limits(max_wait) is {longest:,g} s"
        )
    else:
        message = (
            f"{error}; it stayed so for as long as is waited: Limits(max_wait) is {longest:,g} s"
        )
    return QuotaWait(
        message,
        status=error.status,
        code=error.code,
        retry_after=hint,
        request_id=error.request_id,
    )
