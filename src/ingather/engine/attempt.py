"""One attempt: exactly one request on the wire, and what became of it.

Its permit is given back the moment the answer or the failure is here, settled with the truth.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ingather.engine.record import cost_of, usage_of
from ingather.errors import (
    AnswerError,
    AttemptTimeout,
    ConnectFailed,
    Overloaded,
    PoolFailure,
    ProviderError,
    RateLimited,
    TransientError,
)
from ingather.events import PoolPaused
from ingather.limits.controller import Outcome
from ingather.money.budget import Spend
from ingather.money.upper_bound import was_free
from ingather.transport.timeouts import Deadline

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ingather.admission.funds import Reservation
    from ingather.admission.permit import Permit
    from ingather.engine.prepared import PreparedRequest
    from ingather.engine.scope import Scope
    from ingather.engine.waiting import Waiting
    from ingather.money.pricing import Price
    from ingather.response import LLMResponse, RateLimits, Usage


async def attempt(
    request: PreparedRequest,
    permit: Permit,
    reservation: Reservation | None,
    waiting: Waiting,
    *,
    timeout: float | None,
    scope: Scope | None,
) -> LLMResponse:
    """Send `request` once, for which `permit` was granted; returns the answer.

    `scope`: of a bare provider, which may itself call an executor, as a function may. `timeout`:
    seconds. Raises what went wrong, as a typed error.
    """
    record = waiting.record
    record.attempts += 1
    number = record.attempts
    record.admitted(permit)
    error: BaseException | None = None
    response: LLMResponse | None = None
    try:
        if scope is None:
            response = await (request.send() if timeout is None else timed(request.send, timeout))
        else:
            with scope:
                response = await (
                    request.send() if timeout is None else timed(request.send, timeout)
                )
        told = getattr(response, "rate_limits", None)
        if request.text is not None:
            request.text.answered()
        permit.close(Outcome.SUCCESS, record.paid(response, request.price), told)
    except Exception as raised:
        error = understood = _understood(raised, request, permit, waiting)
        record.rejected += isinstance(understood, RateLimited)
        if understood is raised:
            raise
        raise understood from raised
    except BaseException as failure:
        error = failure
        raise
    finally:
        if not permit.closed:
            permit.close(Outcome.DROPPED)  # nothing better is known: it was cancelled
        if reservation is not None:
            reservation.took(_cost(reservation.worst, request.price, response, error))
        record.attempted(permit, error, number)
    return response


async def timed(send: Callable[[], Awaitable[Any]], seconds: float) -> Any:
    """`send()` under a timeout. Raises `AttemptTimeout`."""
    try:
        async with Deadline(asyncio.get_running_loop().time() + seconds) as clock:
            return await send()
    except TimeoutError as error:
        if not clock.expired():
            raise
        raise AttemptTimeout(f"no answer within {seconds:g} s") from error


def _understood(
    raised: Exception, request: PreparedRequest, permit: Permit, waiting: Waiting
) -> Exception:
    """The typed form of what went wrong; gate and permit hear of it."""
    from ingather.providers.classify import classify_exception

    error = classify_exception(raised)
    usage: Usage | None = None
    told: RateLimits | None = None
    gate = permit.queue.gate
    if isinstance(error, RateLimited) and not error.is_replayed:
        verdict = waiting.throttling.throttled(gate, permit, error)
        error = verdict.error
        if verdict.paused is not None:
            waiting.record.tell(PoolPaused, pool=gate.name, delay=verdict.paused)
        if verdict.to_the_back:
            waiting.to_the_back()
    if isinstance(error, PoolFailure):
        gate.refused(permit, error)
    if isinstance(error, ProviderError) and error.response is not None and not was_free(error):
        usage = waiting.record.paid(error.response, request.price)
        told = getattr(error.response, "rate_limits", None)
    if request.text is not None:
        request.text.failed(error)  # before the slot is free, for the next part about this text
    outcome = _outcome(error)
    permit.close(outcome, usage, told)
    if outcome is Outcome.UNAVAILABLE:
        gate.away(error, waiting.loop.time())
    waiting.record.last_error = error
    return error


def _cost(
    worst: Spend, price: Price | None, response: LLMResponse | None, error: BaseException | None
) -> Spend:
    """What an attempt cost, as far as it is known; where nobody knows, it counts in full."""
    if error is not None:
        if was_free(error):
            return Spend()
        response = error.response if isinstance(error, ProviderError) else None
    usage, cost = usage_of(response), cost_of(response, price)
    usd = worst.usd if cost is None and price is not None else cost or 0.0
    return Spend(usd, worst.tokens if usage is None else usage.total_tokens)


def _outcome(error: Exception) -> Outcome:
    if isinstance(error, AnswerError):
        return Outcome.SUCCESS
    if isinstance(error, ProviderError) and error.is_replayed:
        return Outcome.IGNORED
    if isinstance(error, Overloaded | ConnectFailed):
        return Outcome.UNAVAILABLE
    if isinstance(error, AttemptTimeout):
        return Outcome.LATE
    if isinstance(error, TransientError):
        return Outcome.DROPPED
    return Outcome.IGNORED
