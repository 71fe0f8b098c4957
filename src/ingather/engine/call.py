"""One call's life, from a task to its result: the heart of the engine.

An `LLMTask` is frozen into an exchange (encoded once). With a store, it may be remembered, or share
the flight of an identical call (`cache.py`). Else it waits for a slot and its quota together, is
sent, and gives both back the moment its answer or failure is here (`attempt.py`). Then, by what
came back:

- throttled (429): the quota pauses, and the call goes again in its old place in the queue;
- an outage of a provider that was there before: the quota pauses too, and sends single probes, each of another call,
  until it is over;
- another fault: the retry policy says how long to sleep, without a slot, or that it is over;
- an answer that does not fit the response_model: it is sent back with its error, once unless the task says otherwise;
- an answer: done.

A `DeterministicTask` waits for a slot alone, runs, and is done. An `ExtractTask` is a run of such
calls, one for each of its parts (`extract.py`). All failures end as values in a `TaskResult`.
"""

from __future__ import annotations

import asyncio
import math
import random
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ingather.admission.permit import places
from ingather.engine.attempt import exchange_once, run_function
from ingather.engine.inputs import not_a_task
from ingather.engine.scope import really_cancelled
from ingather.errors import Cancelled, DeadlineExceeded, InvalidAnswer, NotSent, Truncated
from ingather.events import BackedOff, ReAsked
from ingather.providers.finish import error_of, is_whole
from ingather.retry import Attempts
from ingather.store.key import Key
from ingather.task import DeterministicTask, ExtractTask, LLMTask
from ingather.transport.timeouts import Deadline

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from ingather.admission.gate import Gate
    from ingather.admission.permit import Arrival, Queue
    from ingather.engine.context import Context, PreparedRequest
    from ingather.engine.record import Record
    from ingather.engine.run import Run
    from ingather.result import LLMResponse, TaskResult
    from ingather.retry import RetryConfig
    from ingather.schema import Schema
    from ingather.task import LLMMessage, Task


class Asked(NamedTuple):
    """What a task asks for, ready to be sent."""

    task: LLMTask
    schema: Schema | None
    messages: Sequence[LLMMessage]
    overrides: dict[str, object]
    prepared: PreparedRequest


class Call:
    """One task on its way to its result, in the hands of `worker`. `arrival`: its place in the queue, for life.

    `deadline`: the time on the loop's clock after which nothing is begun.
    """

    __slots__ = ("arrival", "context", "deadline", "record", "run", "worker", "worth_keeping")

    def __init__(
        self,
        context: Context,
        run: Run,
        arrival: Arrival,
        record: Record,
        worker: asyncio.Task[None],
    ) -> None:
        self.context = context
        self.run = run
        self.arrival = arrival
        self.deadline = math.inf
        self.record = record
        self.worker = worker
        self.worth_keeping: LLMResponse | None = None

    async def result(self) -> TaskResult:
        """Run the task. Only a cancellation of the asyncio task itself, or a BaseException, comes out as one."""
        task = self.record.task
        try:
            self.deadline = self._deadline(task)
            value = await (
                self._value(task) if self.deadline == math.inf else self._value_in_time(task)
            )
        except Exception as error:
            return self.record.result(None, error)
        except asyncio.CancelledError as error:
            if really_cancelled():
                raise
            cancelled = Cancelled("the task's own code raised CancelledError")
            cancelled.__cause__ = error
            return self.record.result(None, cancelled)
        return self.record.result(value, None)

    def stopped(self, why: str) -> TaskResult:
        """The result of a call that was cancelled, or that was never begun."""
        error = Cancelled(f"cancelled: {why}") if self.record.begun else NotSent(f"not sent: {why}")
        return self.record.result(None, error)

    @property
    def timeout(self) -> float | None:
        """Seconds that an attempt may take; None: as long as the provider allows."""
        return self.record.task.timeout or self.context.timeout

    @property
    def retry(self) -> RetryConfig:
        """The task's policy, else the executor's."""
        return getattr(self.record.task, "retry", None) or self.context.retry

    def _deadline(self, task: Task) -> float:
        whole = math.inf if self.run.deadline is None else self.run.deadline
        # a bad item has none, and fails further on
        own: float | None = getattr(task, "deadline", None)
        return whole if own is None else min(whole, self.record.since + own)

    async def _value_in_time(self, task: object) -> object:
        # of many that wait, each is told in its turn: that must be quick
        if self.deadline <= self.run.loop.time():
            raise DeadlineExceeded("the deadline passed before anything was sent")
        try:
            async with Deadline(self.deadline) as clock:
                return await self._value(task)
        except TimeoutError as error:
            if not clock.expired():
                raise
            count = self.record.attempts
            sent = (
                f"after {count} attempt{'s' * (count != 1)}"
                if self.record.begun
                else "before anything was sent"
            )
            raise DeadlineExceeded(f"the deadline passed {sent}") from (
                self.record.last_error or error
            )

    def _value(self, task: object) -> Awaitable[object]:
        if isinstance(task, LLMTask):
            return self._answer(task)
        if isinstance(task, DeterministicTask):
            return run_function(self, task)
        if isinstance(task, ExtractTask):
            from ingather.engine.extraction import extract

            return extract(self, task)
        raise not_a_task(task)

    def _answer(self, task: LLMTask) -> Awaitable[object]:
        asked = asked_by(self.context, task)
        request = asked.prepared.request
        if self.context.cache is None or request is None:
            return self._bought(asked)
        return self.context.cache.answer(
            self,
            Key(request, task.sample),
            partial(self._accepted, asked),
            partial(self._bought, asked),
        )

    async def _bought(self, asked: Asked) -> object:
        """The value. Its answer is `worth_keeping` where it is complete, and good enough for the task's policy."""
        task, schema, messages, overrides, prepared = asked
        attempts = Attempts(self.retry, random.random)
        reasks = task.reasks
        while True:
            error: Exception | None = None
            try:
                try:
                    response = await exchange_once(self, prepared)
                except Truncated as cut:
                    response = _complete_for(schema, cut)
                value = response if schema is None else self._parsed(schema, response)
                delay = attempts.after_result(value)
                if delay is None:
                    if self.context.wire is not None and not attempts.refused:
                        self.worth_keeping = (
                            response if is_whole(response, may_be_cut=schema is not None) else None
                        )
                    return value
            except Exception as failure:
                if really_cancelled():  # and somebody's code made an error of it
                    raise asyncio.CancelledError from failure
                if schema is not None and isinstance(failure, InvalidAnswer) and reasks > 0:
                    reasks -= 1
                    self.record.tell(ReAsked, error=failure)
                    messages = [*messages, *schema.reask_messages(_text(failure.response), failure)]
                    prepared = self.context.freeze(messages, overrides)
                    continue
                if self._waits_for_the_end(prepared.queue, failure, attempts.config):
                    # the next probe is another call's, since it may be this one that fails
                    self.arrival = (*self.arrival[:-1], next(places))
                    continue
                error = failure
                delay = attempts.after_error(failure, partial(self._may_retry, prepared.queue.gate))
                if delay is None:
                    raise
            await self._back_off(delay, attempts.failed, error)

    def _accepted(self, asked: Asked, response: LLMResponse) -> object:
        """The value in an answer that was bought before. Raises InvalidAnswer where it is not good enough now."""
        schema, queue = asked.schema, asked.prepared.queue
        # older versions stored such, and a cut one may fit
        if not is_whole(response, may_be_cut=schema is not None):
            raise InvalidAnswer("the answer that is stored is not whole", response=response)
        value = response if schema is None else self._parsed(schema, response)
        refuses = self.retry.retry_on_result
        if refuses is not None and refuses(value):
            raise InvalidAnswer("the retry policy refuses what is stored", response=response)
        queue.key.remembered += 1
        queue.model.remembered += 1
        return value

    def _parsed(self, schema: Schema, response: LLMResponse) -> object:
        fault = error_of(response)
        is_cut = isinstance(fault, Truncated)
        if fault is not None and not is_cut:
            raise fault
        try:
            parsed = schema.parse(_text(response), alone=is_cut)
        except InvalidAnswer as error:
            if fault is not None and self.context.wire is None:
                raise fault from error
            error.response = response
            raise
        if parsed.lenient:  # it stood among prose or in a fence: worth knowing, no failure
            response.metadata["lenient"] = True
        return parsed.value

    def _waits_for_the_end(self, queue: Queue, error: Exception, policy: RetryConfig) -> bool:
        """Whether `error` is of an outage whose end a policy that tries again waits for; not once it is given up."""
        if queue.failed is not None or not queue.gate.is_waited_for(error):
            return False
        return policy.max_attempts > 1 and policy.retries(error)

    def _may_retry(self, gate: Gate, error: Exception) -> bool:
        if gate.may_retry(error):
            return True
        self.run.meter.denied += 1
        return False

    async def _back_off(self, delay: float, failed: int, error: Exception | None) -> None:
        """Sleep without a slot. The provider's hint, where there is one, is the least to wait."""
        hint = getattr(error, "retry_after", None)
        if isinstance(hint, int | float):
            delay = max(
                delay,
                min(
                    hint,
                    120.0 if self.context.can.limits is None else self.context.can.limits.max_wait,
                ),
            )
        self.record.tell(BackedOff, attempt=failed, delay=delay, error=error)
        begun = self.run.loop.time()
        self.record.doing = "backoff", begun
        self.run.step_aside()
        try:
            await asyncio.sleep(delay)
        finally:
            self.record.sleeps(self.run.loop.time() - begun)
            self.record.doing = None
            self.run.step_back()

    def __repr__(self) -> str:
        return f"Call({self.record!r})"


def asked_by(context: Context, task: LLMTask) -> Asked:
    """What a task asks for, encoded once. Raises what the provider's `prepare` raises."""
    overrides: dict[str, object] = {**(context.overrides or {}), **(task.config_overrides or {})}
    messages: Sequence[LLMMessage] = task.messages
    schema = None if task.response_model is None else _schema_of(task.response_model)
    if schema is not None:
        messages = context.ask_for(schema, messages, overrides, last=task.schema_last)
    return Asked(task, schema, messages, overrides, context.freeze(messages, overrides))


def _schema_of(response_model: object) -> Schema:
    from ingather.schema import Schema

    return Schema.of(response_model)


def _complete_for(schema: Schema | None, cut: Truncated) -> LLMResponse:
    """The answer of `cut` where it ends at the limit with its last character: complete JSON that fits; else `cut`."""
    if schema is None or cut.response is None:
        raise cut
    try:
        schema.parse(_text(cut.response), alone=True)
    except InvalidAnswer:
        raise cut from None
    return cut.response


def _text(response: LLMResponse | None) -> str:
    content = getattr(response, "content", None)
    return content if isinstance(content, str) else ""
