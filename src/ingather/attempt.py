"""One attempt: permission, exactly one request on the wire or one function, and what became of it.

The slot and the quota are given back the moment the answer or the failure is here, settled with the truth.
"""

from __future__ import annotations

import asyncio
import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

from ingather.budget import Spend
from ingather.errors import (
    AnswerError,
    AttemptTimeout,
    ConnectFailed,
    Overloaded,
    PoolFailure,
    ProviderError,
    QuotaWait,
    RateLimited,
    TooLong,
    TransientError,
)
from ingather.events import PoolPaused
from ingather.ladder import refuses_cap
from ingather.lease import places
from ingather.limits.controller import Outcome
from ingather.limits.headers import LONGEST_HINT
from ingather.nesting import Scope
from ingather.tally import cost_of, usage_of
from ingather.terms import Patience
from ingather.threads import run_in_thread
from ingather.tokens import UNCOUNTED
from ingather.transport.expiry import Deadline
from ingather.worst_case import was_free

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ingather.call import Call
    from ingather.lease import Lane, Lease
    from ingather.limits.headers import RateLimits
    from ingather.pricing import Price
    from ingather.purse import Hold
    from ingather.result import LLMResponse, Usage
    from ingather.task import DeterministicTask
    from ingather.terms import Exchange
    from ingather.tokens import Tokens


_NOTHING = 0.01  # seconds: so little is left of a wait by rounding


async def exchange_once(call: Call, exchange: Exchange) -> LLMResponse:
    """One attempt that is no 429: after those, the call waits in its old place and goes again."""
    hold = None if exchange.worst is None else await _funded(call, exchange.worst)
    try:
        while True:
            lease = await _permitted(call, exchange.lane, exchange.estimate)
            if call.run.too_long is not None:
                lease.close(Outcome.IGNORED)
                raise call.run.too_long
            hedging = call.terms.hedging
            try:
                if hedging is None:
                    return await attempt(call, exchange, lease, hold)
                from ingather.hedged import attempt_twice

                return await attempt_twice(call, exchange, lease, hold, hedging)
            except RateLimited:
                pass
    finally:
        if hold is not None:
            hold.close()


async def attempt(call: Call, exchange: Exchange, lease: Lease, hold: Hold | None) -> LLMResponse:
    """Exactly one request on the wire, for which `lease` was granted."""
    tally, terms = call.tally, call.terms
    tally.attempts += 1
    number = tally.attempts
    tally.admitted(lease)
    timeout = call.timeout
    error: BaseException | None = None
    response: LLMResponse | None = None
    try:
        if terms.wire is None:  # a bare provider may itself call an executor, as a function may
            with Scope(lease, call.run, call.worker, tally):
                response = await (exchange.send() if timeout is None else _timed(exchange.send, timeout))
        else:
            response = await (exchange.send() if timeout is None else _timed(exchange.send, timeout))
        lease.close(Outcome.SUCCESS, tally.note(response, exchange.price), getattr(response, "rate_limits", None))
    except Exception as raised:
        error = understood = _understood(call, exchange, lease, raised)
        tally.rejected += isinstance(understood, RateLimited)
        if understood is raised:
            raise
        raise understood from raised
    except BaseException as failure:
        error = failure
        raise
    finally:
        if not lease.closed:
            lease.close(Outcome.DROPPED)  # nothing better is known: it was cancelled
        if hold is not None:
            hold.took(_taken(hold.worst, exchange.price, response, error))
        tally.attempted(lease, error, number)
    return response


def _taken(worst: Spend, price: Price | None, response: LLMResponse | None, error: BaseException | None) -> Spend:
    """What an attempt cost, as far as it is known; where nobody knows, it counts in full."""
    if error is not None:
        if was_free(error):
            return Spend()
        response = error.response if isinstance(error, ProviderError) else None
    usage, cost = usage_of(response), cost_of(response, price)
    usd = worst.usd if cost is None and price is not None else cost or 0.0
    return Spend(usd, worst.tokens if usage is None else usage.total_tokens)


async def _funded(call: Call, worst: Spend) -> Hold:
    """Reserve the most that it may cost; meanwhile another worker may take its turn."""
    purse = call.terms.purse
    assert purse is not None  # noqa: S101 - for the type checker: else there is no worst case
    hold = purse.hold_now(worst)
    if hold is None:
        begun = call.run.loop.time()
        call.tally.doing = "budget", begun
        call.run.step_aside()
        try:
            hold = await purse.hold(worst)
        finally:
            call.run.step_back()
            call.tally.doing = None
            call.tally.waited_before("budget", call.run.loop.time() - begun)
    return hold


async def run_function(call: Call, task: DeterministicTask) -> object:
    """What the task's function returns or raises."""
    lease = await _permitted(call, call.terms.functions)
    call.tally.admitted(lease)
    timeout = task.timeout or call.terms.timeout
    error: BaseException | None = None
    scope = Scope(lease, call.run, call.worker, call.tally)
    try:
        with scope:
            return await (_called(task) if timeout is None else _timed(partial(_called, task), timeout))
    except BaseException as failure:
        error = failure
        raise
    finally:
        lease.close(Outcome.IGNORED)
        call.tally.attempted(lease, error, 0)
        if scope.crossings:
            await scope.settled()


async def _permitted(call: Call, lane: Lane, estimate: Tokens = UNCOUNTED) -> Lease:
    """Permission for one request, or function: never after the call's deadline."""
    lease = lane.ask(call.arrival, estimate)
    if not lease.granted:  # meanwhile another worker may take its turn
        call.tally.doing = lease
        call.run.step_aside()
        try:
            await lease.wait()
        finally:
            call.run.step_back()
            call.tally.doing = None
            call.tally.waits(lease.waited)
        if lease.error is not None:
            raise lease.error.with_traceback(None)  # shared by all who waited: it must not grow with each
    if call.deadline <= call.run.loop.time():
        lease.give_up()
        await call.run.loop.create_future()  # the deadline ends it, once all has been taken that came in time
    return lease


def _understood(call: Call, exchange: Exchange, lease: Lease, raised: Exception) -> Exception:
    """The typed form of what went wrong; pool and lease hear of it."""
    from ingather.providers.classify import classify_exception

    error = classify_exception(raised)
    usage: Usage | None = None
    told: RateLimits | None = None
    if isinstance(error, RateLimited) and not error.is_replayed:
        error = _throttled(call, exchange, lease, error)
    pool = lease.lane.pool
    if isinstance(error, PoolFailure):
        pool.refused(lease, error)
    if isinstance(error, TooLong) and call.run.within is not None and not call.run.succeeded and not refuses_cap(error):
        call.run.too_long = error  # before the slot is free, for the next part of the same text
    if isinstance(error, ProviderError) and error.response is not None and not was_free(error):
        usage = call.tally.note(error.response, exchange.price)
        told = getattr(error.response, "rate_limits", None)
    outcome = _outcome(error)
    lease.close(outcome, usage, told)
    if outcome is Outcome.AWAY:
        pool.away(error, lease.loop.time())
    call.tally.last_error = error
    return error


def _throttled(call: Call, exchange: Exchange, lease: Lease, error: RateLimited) -> Exception:
    """Pause the pool; where the provider asks for too long a wait, at once or bit by bit, that ends it."""
    pool, patience = lease.lane.pool, exchange.patience or Patience()
    exchange.patience = patience
    longest, hint = pool.controller.limits.max_wait, error.retry_after
    if lease.sent is not None:
        lease.sent.refused = True
        patience.refused_at = lease.sent.at if patience.refused_at is None else patience.refused_at
    is_alone = patience.refused_at is not None and pool.has_let_in(lease, patience.refused_at)
    if not pool.is_shut_to(lease):
        left = longest - patience.paused
        if left > _NOTHING and (hint is None or hint <= left):
            pause = pool.throttled(lease, error, left)
            patience.paused += pause
            call.tally.tell(PoolPaused, pool=pool.name, delay=pause)
            return error
        if not is_alone and not patience.is_over and pool.waiting and (hint is None or hint <= longest):
            patience.is_over = True  # perhaps it is about this one: another of those that wait finds out
            pool.shut(lease, patience.refused_at)
            call.arrival = (*call.arrival[:-1], next(places))
            return error
    if hint is not None and hint > longest:
        longer = " or longer" if hint >= LONGEST_HINT else ""
        message = f"{pool.name} asks to wait {hint:,.0f} s{longer}, and Limits(max_wait) is {longest:,.0f} s"
    else:
        message = f"{error}; it was so for as long as is waited: Limits(max_wait) is {longest:,.0f} s"
    failure = QuotaWait(message, status=error.status, code=error.code, retry_after=hint, request_id=error.request_id)
    failure.alone = is_alone
    return failure


def _outcome(error: Exception) -> Outcome:
    if isinstance(error, AnswerError):
        return Outcome.SUCCESS
    if isinstance(error, ProviderError) and error.is_replayed:
        return Outcome.IGNORED
    if isinstance(error, Overloaded | ConnectFailed):
        return Outcome.AWAY
    if isinstance(error, AttemptTimeout):
        return Outcome.LATE
    if isinstance(error, TransientError):
        return Outcome.DROPPED
    return Outcome.IGNORED


async def _called(task: DeterministicTask) -> object:
    value: object
    if inspect.iscoroutinefunction(task.fn):
        value = task.fn(*task.args, **task.kwargs)
    else:
        name = getattr(task.fn, "__qualname__", repr(task.fn))
        value = await run_in_thread(partial(task.fn, *task.args, **task.kwargs), name)
    if inspect.iscoroutine(value):  # in a task of its own: its context variables and its cancelling stay its own
        return await asyncio.create_task(value)
    return await value if inspect.isawaitable(value) else value


async def _timed(send: Callable[[], Awaitable[Any]], seconds: float) -> Any:
    """`send()` under the attempt's timeout."""
    try:
        async with Deadline(asyncio.get_running_loop().time() + seconds) as clock:
            return await send()
    except TimeoutError as error:
        if not clock.expired():
            raise
        raise AttemptTimeout(f"no answer within {seconds:g} s") from error
