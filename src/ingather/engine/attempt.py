"""One attempt: permission, exactly one request on the wire or one function, and what became of it.

The slot and the quota are given back the moment the answer or the failure is here, settled with the
truth.
"""

from __future__ import annotations

import asyncio
import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

from ingather.admission.permit import places
from ingather.engine.context import Pauses
from ingather.engine.record import cost_of, usage_of
from ingather.engine.scope import Scope
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
from ingather.extract.worth_asking import refuses_cap
from ingather.limits.controller import Outcome
from ingather.limits.headers import LONGEST_HINT
from ingather.limits.tokens import UNCOUNTED
from ingather.money.budget import Spend
from ingather.money.upper_bound import was_free
from ingather.process.threads import run_in_thread
from ingather.transport.timeouts import Deadline

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ingather.admission.funds import Reservation
    from ingather.admission.permit import Permit, Queue
    from ingather.engine.call import Call
    from ingather.engine.context import PreparedRequest
    from ingather.limits.headers import RateLimits
    from ingather.limits.tokens import Tokens
    from ingather.money.pricing import Price
    from ingather.result import LLMResponse, Usage
    from ingather.task import DeterministicTask


_NOTHING = 0.01  # seconds: so little is left of a wait by rounding


async def exchange_once(call: Call, prepared: PreparedRequest) -> LLMResponse:
    """One attempt that is no 429: after those, the call waits in its old place and goes again."""
    hold = None if prepared.worst is None else await _funded(call, prepared.worst)
    try:
        while True:
            permit = await _permitted(call, prepared.queue, prepared.estimate)
            if call.run.too_long is not None:
                permit.close(Outcome.IGNORED)
                raise call.run.too_long
            hedging = call.context.hedging
            try:
                if hedging is None:
                    return await attempt(call, prepared, permit, hold)
                from ingather.engine.hedging import attempt_twice

                return await attempt_twice(call, prepared, permit, hold, hedging)
            except RateLimited:
                pass
    finally:
        if hold is not None:
            hold.close()


async def attempt(
    call: Call, prepared: PreparedRequest, permit: Permit, hold: Reservation | None
) -> LLMResponse:
    """Exactly one request on the wire, for which `permit` was granted."""
    record, context = call.record, call.context
    record.attempts += 1
    number = record.attempts
    record.admitted(permit)
    timeout = call.timeout
    error: BaseException | None = None
    response: LLMResponse | None = None
    try:
        if context.wire is None:  # a bare provider may itself call an executor, as a function may
            with Scope(permit, call.run, call.worker, record):
                response = await (
                    prepared.send() if timeout is None else _timed(prepared.send, timeout)
                )
        else:
            response = await (
                prepared.send() if timeout is None else _timed(prepared.send, timeout)
            )
        permit.close(
            Outcome.SUCCESS,
            record.note(response, prepared.price),
            getattr(response, "rate_limits", None),
        )
    except Exception as raised:
        error = understood = _understood(call, prepared, permit, raised)
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
        if hold is not None:
            hold.took(_taken(hold.worst, prepared.price, response, error))
        record.attempted(permit, error, number)
    return response


def _taken(
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


async def _funded(call: Call, worst: Spend) -> Reservation:
    """Reserve the most that it may cost; meanwhile another worker may take its turn."""
    funds = call.context.funds
    assert funds is not None  # noqa: S101 - for the type checker: else there is no worst case
    hold = funds.hold_now(worst)
    if hold is None:
        begun = call.run.loop.time()
        call.record.doing = "budget", begun
        call.run.step_aside()
        try:
            hold = await funds.hold(worst)
        finally:
            call.run.step_back()
            call.record.doing = None
            call.record.waited_before("budget", call.run.loop.time() - begun)
    return hold


async def run_function(call: Call, task: DeterministicTask) -> object:
    """What the task's function returns or raises."""
    permit = await _permitted(call, call.context.functions)
    call.record.admitted(permit)
    timeout = task.timeout or call.context.timeout
    error: BaseException | None = None
    scope = Scope(permit, call.run, call.worker, call.record)
    try:
        with scope:
            return await (
                _called(task) if timeout is None else _timed(partial(_called, task), timeout)
            )
    except BaseException as failure:
        error = failure
        raise
    finally:
        permit.close(Outcome.IGNORED)
        call.record.attempted(permit, error, 0)
        if scope.crossings:
            await scope.settled()


async def _permitted(call: Call, queue: Queue, estimate: Tokens = UNCOUNTED) -> Permit:
    """Permission for one request, or function: never after the call's deadline."""
    permit = queue.ask(call.arrival, estimate)
    if not permit.granted:  # meanwhile another worker may take its turn
        call.record.doing = permit
        call.run.step_aside()
        try:
            await permit.wait()
        finally:
            call.run.step_back()
            call.record.doing = None
            call.record.waits(permit.waited)
        if permit.error is not None:
            # shared by all who waited: it must not grow with each
            raise permit.error.with_traceback(None)
    if call.deadline <= call.run.loop.time():
        permit.give_up()
        # the deadline ends it, once all has been taken that came in time
        await call.run.loop.create_future()
    return permit


def _understood(
    call: Call, prepared: PreparedRequest, permit: Permit, raised: Exception
) -> Exception:
    """The typed form of what went wrong; pool and lease hear of it."""
    from ingather.providers.classify import classify_exception

    error = classify_exception(raised)
    usage: Usage | None = None
    told: RateLimits | None = None
    if isinstance(error, RateLimited) and not error.is_replayed:
        error = _throttled(call, prepared, permit, error)
    gate = permit.queue.gate
    if isinstance(error, PoolFailure):
        gate.refused(permit, error)
    if (
        isinstance(error, TooLong)
        and call.run.within is not None
        and not call.run.succeeded
        and not refuses_cap(error)
    ):
        call.run.too_long = error  # before the slot is free, for the next part of the same text
    if isinstance(error, ProviderError) and error.response is not None and not was_free(error):
        usage = call.record.note(error.response, prepared.price)
        told = getattr(error.response, "rate_limits", None)
    outcome = _outcome(error)
    permit.close(outcome, usage, told)
    if outcome is Outcome.AWAY:
        gate.away(error, permit.loop.time())
    call.record.last_error = error
    return error


def _throttled(
    call: Call, prepared: PreparedRequest, permit: Permit, error: RateLimited
) -> Exception:
    """Pause the pool; where the provider asks for too long a wait, at once or bit by bit, that ends it."""
    gate, patience = permit.queue.gate, prepared.patience or Pauses()
    prepared.patience = patience
    longest, hint = gate.controller.limits.max_wait, error.retry_after
    if permit.sent is not None:
        permit.sent.refused = True
        patience.refused_at = permit.sent.at if patience.refused_at is None else patience.refused_at
    is_alone = patience.refused_at is not None and gate.has_let_in(permit, patience.refused_at)
    if not gate.is_shut_to(permit):
        left = longest - patience.paused
        if left > _NOTHING and (hint is None or hint <= left):
            pause = gate.throttled(permit, error, left)
            patience.paused += pause
            call.record.tell(PoolPaused, pool=gate.name, delay=pause)
            return error
        if (
            not is_alone
            and not patience.is_over
            and gate.waiting
            and (hint is None or hint <= longest)
        ):
            # perhaps it is about this one: another of those that wait finds out
            patience.is_over = True
            gate.shut(permit, patience.refused_at)
            call.arrival = (*call.arrival[:-1], next(places))
            return error
    if hint is not None and hint > longest:
        longer = " or longer" if hint >= LONGEST_HINT else ""
        message = f"{gate.name} asks to wait {hint:,.0f} s{longer}, and Limits(max_wait) is {longest:,.0f} s"
    else:
        message = (
            f"{error}; it was so for as long as is waited: Limits(max_wait) is {longest:,.0f} s"
        )
    failure = QuotaWait(
        message, status=error.status, code=error.code, retry_after=hint, request_id=error.request_id
    )
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
    # in a task of its own: its context variables and its cancelling stay its own
    if inspect.iscoroutine(value):
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
