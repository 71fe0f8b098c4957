"""One call's life, from a task to its result: the heart of the engine.

An `LLMTask` is frozen into an exchange (encoded once), waits for a slot and its quota together, is sent, and gives both
back the moment its answer or failure is here. Then, by what came back:

- throttled (429): the quota pauses, and the call goes again in its old place in the queue;
- a fault: the retry policy says how long to sleep, without a slot, or that it is over;
- an answer that does not fit the response_model: it is sent back with its error, once unless the task says otherwise;
- an answer: done.

A `DeterministicTask` waits for a slot alone, runs, and is done. All failures end as values in a `TaskResult`.
"""

from __future__ import annotations

import asyncio
import inspect
import random
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ingather.backoff import Attempts, RetryConfig
from ingather.errors import (
    AnswerError,
    AttemptTimeout,
    Cancelled,
    ConnectFailed,
    DeadlineExceeded,
    InvalidAnswer,
    NotSent,
    PoolFailure,
    QuotaWait,
    RateLimited,
    TransientError,
    Truncated,
)
from ingather.events import AttemptEnded, AttemptStarted, BackedOff, PoolPaused, ReAsked
from ingather.limits.controller import Outcome
from ingather.nesting import Scope
from ingather.pool import Lane, Pool, Slots, pool_of, pool_of_object
from ingather.providers.base import Provider, QuotaKey, WireProvider
from ingather.result import LLMResponse, TaskResult, Usage
from ingather.task import DeterministicTask, LLMMessage, LLMTask, Task
from ingather.threads import run_in_thread
from ingather.tokens import BYTES_PER_TOKEN, Tokens

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from ingather.events import Event
    from ingather.pool import Arrival, Lease
    from ingather.run import Run
    from ingather.schema import Schema

_ONCE = RetryConfig(max_attempts=1)


class Terms:
    """What an executor brings to each of its calls: whom to ask, under which bounds and policies."""

    def __init__(
        self,
        provider: Provider,
        slots: Slots,
        retry: RetryConfig | None,
        overrides: Mapping[str, object] | None,
        timeout: float | None,
    ) -> None:
        self.provider = provider
        self.wire = provider if isinstance(provider, WireProvider) else None
        self.slots = slots
        self.retry: RetryConfig = retry or getattr(provider, "retry", None) or _ONCE
        self.overrides = overrides
        self.timeout = timeout
        self.limits = getattr(provider, "limits", None)
        self.schema_mode: str | None = getattr(provider, "schema_mode", None)
        self.functions = Lane(slots, Pool("functions"))
        self._bare: Lane | None = None
        self._lanes: dict[QuotaKey, Lane] = {}

    def lane(self, quota: QuotaKey) -> Lane:
        lane = self._lanes.get(quota)
        if lane is None:
            lane = self._lanes[quota] = Lane(self.slots, pool_of(quota, self.limits))
        return lane

    def bare_lane(self) -> Lane:
        if self._bare is None:
            self._bare = Lane(self.slots, pool_of_object(self.provider, self.limits))
        return self._bare

    def forgive(self) -> None:
        """A new run begins: what failed a whole pool may have been mended since."""
        for lane in (self._bare, *self._lanes.values()):
            if lane is not None:
                lane.failed = None


@dataclass(slots=True)
class _Exchange:
    """A request as often as it takes: where it waits, what it will cost, how it is sent."""

    lane: Lane
    estimate: Tokens
    send: Callable[[], Awaitable[LLMResponse]]


@dataclass(slots=True)
class Call:
    """One task on its way to its result. `arrival`: its place in the queue, for life."""

    terms: Terms
    run: Run
    task: Task
    index: int
    tag: str
    arrival: Arrival
    attempts: int = 0
    rejected: int = 0
    usage: Usage | None = None
    cost_usd: float | None = None
    response: LLMResponse | None = None
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _pulled: float = 0.0
    _admitted_at: float | None = None
    _slept: float = 0.0
    _unpriced: bool = False
    _last_error: Exception | None = None

    async def result(self) -> TaskResult:
        """Run the task. Only a cancellation of the asyncio task itself, or a BaseException, comes out as one."""
        self._pulled = self._loop.time()
        deadline, own = self.run.deadline, self.task.deadline
        if own is not None:
            deadline = self._pulled + own if deadline is None else min(deadline, self._pulled + own)
        try:
            value = await (self._value() if deadline is None else self._value_before(deadline))
        except Exception as error:
            return self._ended(None, error)
        except asyncio.CancelledError as error:
            if _really_cancelled():
                raise
            cancelled = Cancelled("the task's own code raised CancelledError")
            cancelled.__cause__ = error
            return self._ended(None, cancelled)
        return self._ended(value, None)

    def stopped(self, why: str) -> TaskResult:
        """The result of a call that was cancelled, or that was never begun."""
        if self._admitted_at is None:
            return self._ended(None, NotSent(f"not sent: {why}"))
        return self._ended(None, Cancelled(f"cancelled: {why}"))

    async def _value_before(self, deadline: float) -> object:
        try:
            async with asyncio.timeout_at(deadline) as clock:
                if deadline <= self._loop.time():
                    await asyncio.sleep(0)  # where an expired clock gets its say, before anything is sent
                return await self._value()
        except TimeoutError as error:
            if not clock.expired():
                raise
            sent = f"after {self.attempts} attempts" if self.attempts else "before anything was sent"
            raise DeadlineExceeded(f"the deadline passed {sent}") from self._last_error or error

    def _value(self) -> Awaitable[object]:
        return self._answer(self.task) if isinstance(self.task, LLMTask) else self._function(self.task)

    # -- a call to a model

    async def _answer(self, task: LLMTask) -> object:
        overrides = {**(self.terms.overrides or {}), **(task.config_overrides or {})}
        messages: Sequence[LLMMessage] = task.messages
        schema = None if task.response_model is None else _schema_of(task.response_model)
        if schema is not None:
            messages = self._with_schema(schema, messages, overrides)
        exchange = self._freeze(messages, overrides)
        attempts = Attempts(task.retry or self.terms.retry, random.random)
        reasks = task.reasks
        while True:
            error: Exception | None = None
            try:
                response = await self._exchanged(exchange)
                value = response if schema is None else self._parsed(schema, response)
                delay = attempts.after_result(value)
                if delay is None:
                    return value
            except InvalidAnswer as invalid:
                if schema is not None and reasks > 0:
                    reasks -= 1
                    self._tell(ReAsked, error=invalid)
                    messages = [*messages, *schema.reask_messages(_text(invalid.response), invalid)]
                    exchange = self._freeze(messages, overrides)
                    continue
                error, delay = invalid, attempts.after_error(invalid)
                if delay is None:
                    raise
            except Exception as failure:
                error, delay = failure, attempts.after_error(failure)
                if delay is None:
                    raise
            await self._back_off(self._floor(delay, error), attempts.failed, error)

    def _with_schema(
        self, schema: Schema, messages: Sequence[LLMMessage], overrides: dict[str, object]
    ) -> Sequence[LLMMessage]:
        """Ask for the schema in the dialect's own form where it has one, else in the system prompt."""
        if self.terms.schema_mode is not None:
            overrides.setdefault("response_format", schema.response_format())
            return messages
        instruction = schema.instruction()
        if messages and messages[0].role == "system" and isinstance(messages[0].content, str):
            return [LLMMessage("system", f"{messages[0].content}\n\n{instruction}"), *messages[1:]]
        return [LLMMessage("system", instruction), *messages]

    def _freeze(self, messages: Sequence[LLMMessage], overrides: Mapping[str, object]) -> _Exchange:
        wire = self.terms.wire
        if wire is not None:
            request = wire.prepare(messages, overrides or None)
            return _Exchange(self.terms.lane(request.quota), request.estimate, partial(wire.send, request))
        size = sum(len(message.content) for message in messages if isinstance(message.content, str))
        send = partial(self.terms.provider.complete, messages, config_overrides=overrides or None)
        return _Exchange(self.terms.bare_lane(), Tokens(int(size / BYTES_PER_TOKEN) + 1), send)

    def _parsed(self, schema: Schema, response: LLMResponse) -> object:
        if self.terms.wire is None and response.finish_reason in {"length", "max_tokens"}:
            raise Truncated("the answer ends at the output limit: raise max_tokens", response=response)
        try:
            return schema.parse(_text(response)).value
        except InvalidAnswer as error:
            error.response = response
            raise

    async def _exchanged(self, exchange: _Exchange) -> LLMResponse:
        """One attempt that is no 429: after those, the call waits in its old place and goes again."""
        while True:
            lease = exchange.lane.ask(self.arrival, exchange.estimate)
            await self._admitted(lease)
            self.attempts += 1
            error: BaseException | None = None
            try:
                return await self._sent(exchange, lease)
            except RateLimited as throttled:
                self.rejected += 1
                error = throttled
            except BaseException as failure:
                error = failure
                raise
            finally:
                lease.close(Outcome.DROPPED)  # where nothing better is known: it was cancelled
                self._tell_ended(lease, error)

    async def _sent(self, exchange: _Exchange, lease: Lease) -> LLMResponse:
        """Exactly one request on the wire; the lease is closed with what became of it."""
        timeout = self.task.timeout or self.terms.timeout
        try:
            if self.terms.wire is None:  # a bare provider may itself call an executor, as a function may
                with Scope(lease, self.run):
                    response = await (exchange.send() if timeout is None else _timed(exchange.send, timeout))
            else:
                response = await (exchange.send() if timeout is None else _timed(exchange.send, timeout))
        except Exception as raised:
            error = self._understood(raised, exchange.lane.pool, lease)
            if error is raised:
                raise
            raise error from raised
        usage = self._note(response)
        lease.close(Outcome.SUCCESS, usage)
        return response

    def _understood(self, raised: Exception, pool: Pool, lease: Lease) -> Exception:
        """The typed form of what went wrong; the pool and the lease know of it."""
        from ingather.providers.classify import classify_exception

        error = classify_exception(raised)
        usage = None
        if isinstance(error, AnswerError) and error.response is not None:
            usage = self._note(error.response)
        error = self._last_error = self._settle(pool, lease, error, usage)
        return error

    def _settle(self, pool: Pool, lease: Lease, error: Exception, usage: Usage | None) -> Exception:
        """Tell the pool what went wrong; gives the error to go on with."""
        if isinstance(error, RateLimited):
            longest = pool.controller.limits.max_wait
            if error.retry_after is not None and error.retry_after > longest:
                message = (
                    f"{pool.name} asks to wait {error.retry_after:,.0f} s, and Limits(max_wait) is {longest:,.0f} s"
                )
                error = QuotaWait(
                    message, status=error.status, retry_after=error.retry_after, request_id=error.request_id
                )
            else:
                delay = pool.throttled(lease, error.retry_after)
                self._tell(PoolPaused, pool=pool.name, delay=delay)
        if isinstance(error, PoolFailure):
            pool.fail(error)
        if isinstance(error, AnswerError):
            lease.close(Outcome.SUCCESS, usage)
        elif isinstance(error, TransientError) and not isinstance(error, ConnectFailed):
            lease.close(Outcome.DROPPED)
        else:
            lease.close(Outcome.IGNORED)
        return error

    # -- a call to a function

    async def _function(self, task: object) -> object:
        if not isinstance(task, DeterministicTask):
            raise TypeError(f"a task is an LLMTask or a DeterministicTask, not {task!r:.80}")
        timeout = task.timeout or self.terms.timeout
        lease = self.terms.functions.ask(self.arrival)
        await self._admitted(lease)
        error: BaseException | None = None
        try:
            with Scope(lease, self.run):
                return await (_call(task) if timeout is None else _timed(partial(_call, task), timeout))
        except BaseException as failure:
            error = failure
            raise
        finally:
            lease.close(Outcome.IGNORED)
            self._tell_ended(lease, error)

    # -- what both have in common

    async def _admitted(self, lease: Lease) -> None:
        asked = self._loop.time() if self._admitted_at is None or self.run.emit is not None else 0.0
        if not lease.granted:
            await lease.wait()
            if lease.error is not None:
                raise lease.error.with_traceback(None)  # shared by all who waited: it must not grow with each
        if self._admitted_at is None:
            self._admitted_at = lease.sent_at
        if self.run.emit is not None:
            queued = max(0.0, lease.sent_at - asked)
            self._tell(AttemptStarted, attempt=self.attempts + 1, queued=queued, limited_by=lease.limited_by)

    def _tell_ended(self, lease: Lease, error: BaseException | None) -> None:
        if self.run.emit is not None:
            usage = None if error is not None else _usage(self.response)
            duration = self._loop.time() - lease.sent_at
            self._tell(AttemptEnded, attempt=self.attempts, duration=duration, error=error, usage=usage)

    async def _back_off(self, delay: float, failed: int, error: Exception | None) -> None:
        self._tell(BackedOff, attempt=failed, delay=delay, error=error)
        begun = self._loop.time()
        self.run.step_aside()
        try:
            await asyncio.sleep(delay)
        finally:
            self._slept += self._loop.time() - begun
            self.run.step_back()

    def _floor(self, delay: float, error: Exception | None) -> float:
        """The provider's hint, where there is one, is the least to wait."""
        hint = getattr(error, "retry_after", None)
        longest = self.terms.limits.max_wait if self.terms.limits is not None else 120.0
        return max(delay, min(hint, longest)) if isinstance(hint, int | float) else delay

    def _note(self, response: LLMResponse) -> Usage | None:
        """Count what an answer cost: every attempt that came back with a usage was paid. Gives its usage."""
        self.response = response
        usage = _usage(response)
        if usage is not None:
            self.usage = usage if self.usage is None else self.usage + usage
        cost = getattr(response, "cost_usd", None)
        if cost is None:
            self._unpriced = True
        else:
            self.cost_usd = cost + (self.cost_usd or 0.0)
        return usage

    def _tell(self, kind: Callable[..., Event], **what: object) -> None:
        if self.run.emit is not None:
            self.run.emit(kind(at=self._loop.time(), run=self.run.number, index=self.index, **what))

    def _ended(self, value: object, error: Exception | None) -> TaskResult:
        now = self._loop.time()
        admitted = now if self._admitted_at is None else self._admitted_at
        return TaskResult(
            self.tag,
            error is None,
            value,
            error,
            (now - admitted) * 1000,
            self.index,
            self.task,
            self.response,
            self.usage,
            None if self._unpriced else self.cost_usd,
            self.attempts,
            self.rejected,
            (admitted - self._pulled) * 1000,
            self._slept * 1000,
        )


def _schema_of(response_model: object) -> Schema:
    from ingather.schema import Schema

    return Schema.of(response_model)


async def _call(task: DeterministicTask) -> object:
    if inspect.iscoroutinefunction(task.fn):
        value = task.fn(*task.args, **task.kwargs)
    else:
        name = getattr(task.fn, "__qualname__", repr(task.fn))
        value = await run_in_thread(partial(task.fn, *task.args, **task.kwargs), name)
    return await value if inspect.isawaitable(value) else value


async def _timed(send: Callable[[], Awaitable[Any]], timeout: float) -> Any:
    """`send()` under the attempt's timeout, in seconds."""
    try:
        async with asyncio.timeout(timeout) as clock:
            return await send()
    except TimeoutError as error:
        if not clock.expired():
            raise
        raise AttemptTimeout(f"no answer within {timeout:g} s") from error


def _really_cancelled() -> bool:
    """Whether the asyncio task was cancelled, rather than that its code raised CancelledError."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _text(response: LLMResponse | None) -> str:
    content = getattr(response, "content", None)
    return content if isinstance(content, str) else ""


def _usage(response: object) -> Usage | None:
    usage = getattr(response, "usage", None)
    return usage if isinstance(usage, Usage) else None
