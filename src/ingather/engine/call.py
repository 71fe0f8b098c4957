"""One call's life, from a task to its result: the heart of the engine.

An `LLMTask` becomes a question, encoded once. With a store its answer may be there already, or on
its way to an identical call (`single_flight.py`). Else it waits for a permit and is sent; the permit
is given back the moment its answer or failure is here (`exchange.py`, `attempt.py`). Then, by what
came back:

- throttled (429): the quota pauses, and the call goes again in its old place in the queue;
- an outage of a provider that was there before: the quota pauses too, and sends single probes, each
  of another call, until it is over;
- another fault: the retry policy says how long to sleep, without a slot, or that it is over;
- an answer that does not fit the response_model: it is sent back with its error, once unless the
  task says otherwise;
- an answer: done.

A `DeterministicTask` waits for a slot alone and runs (`function.py`). An `ExtractTask` is a run of
such calls, one for each of its parts (`extraction.py`). Failures end as values in a `TaskResult`.
"""

from __future__ import annotations

import asyncio
import math
import random
from functools import partial
from typing import TYPE_CHECKING

from ingather.engine.exchange import exchange
from ingather.engine.function import run_function
from ingather.engine.inputs import not_a_task
from ingather.engine.question import text_of
from ingather.engine.scope import Scope
from ingather.engine.single_flight import Asker, Bought, Terms
from ingather.errors import Cancelled, DeadlineExceeded, InvalidAnswer, NotSent, Truncated
from ingather.events import BackedOff, ReAsked
from ingather.extract_task import ExtractTask
from ingather.process.cancellation import really_cancelled
from ingather.providers.finish import error_of, is_whole
from ingather.retry import Attempts
from ingather.store.key import Key
from ingather.task import DeterministicTask, LLMTask
from ingather.transport.timeouts import Deadline

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ingather.admission.gate import Gate
    from ingather.admission.permit import Permit, Queue
    from ingather.engine.context import Context
    from ingather.engine.question import Question
    from ingather.engine.run import Run
    from ingather.engine.waiting import Waiting
    from ingather.response import LLMResponse
    from ingather.result import TaskResult
    from ingather.retry import RetryConfig
    from ingather.schema import Schema
    from ingather.task import Task

_LONGEST_HINT = 120.0  # seconds, where no limits say how long to wait


class Call:
    """One task on its way to its result, in the hands of `worker`."""

    __slots__ = ("context", "record", "run", "waiting", "worker")

    def __init__(
        self, context: Context, run: Run, waiting: Waiting, worker: asyncio.Task[None]
    ) -> None:
        self.context = context
        self.run = run
        self.waiting = waiting
        self.record = waiting.record
        self.worker = worker

    @property
    def address(self) -> tuple[int, int]:
        """The number of its run, and its index there."""
        return self.run.telemetry.number, self.record.index

    async def result(self) -> TaskResult:
        """Run the task. Raises only a cancellation of the asyncio task, or a BaseException."""
        task = self.record.task
        try:
            deadline = self.waiting.deadline = self._deadline(task)
            value = await (self._value(task) if deadline == math.inf else self._value_in_time(task))
        except Exception as error:
            return self.record.result(None, error)
        except asyncio.CancelledError as error:
            if really_cancelled():
                raise
            cancelled = Cancelled("the task's own code raised CancelledError")
            cancelled.__cause__ = error
            return self.record.result(None, cancelled)
        return self.record.result(value.value if isinstance(value, Bought) else value, None)

    def stopped(self, why: str) -> TaskResult:
        """The result of a call that was cancelled, or never begun."""
        is_begun = self.record.begun
        error = Cancelled(f"cancelled: {why}") if is_begun else NotSent(f"not sent: {why}")
        return self.record.result(None, error)

    def _deadline(self, task: Task) -> float:
        whole = math.inf if self.run.deadline is None else self.run.deadline
        own: float | None = getattr(task, "deadline", None)  # a bad item fails further on
        return whole if own is None else min(whole, self.record.since + own)

    async def _value_in_time(self, task: Task) -> object:
        deadline = self.waiting.deadline
        if deadline <= self.waiting.loop.time():  # of many that wait, each in its turn: be quick
            raise DeadlineExceeded("the deadline passed before anything was sent")
        try:
            async with Deadline(deadline) as clock:
                return await self._value(task)
        except TimeoutError as error:
            if not clock.expired():
                raise
            count = self.record.attempts
            sent = "before anything was sent"
            if self.record.begun:
                sent = f"after {count} attempt{'s' * (count != 1)}"
            raise DeadlineExceeded(f"the deadline passed {sent}") from (
                self.record.last_error or error
            )

    def _value(self, task: object) -> Awaitable[object]:
        if isinstance(task, LLMTask):
            return self._answer(task)
        if isinstance(task, DeterministicTask):
            return self._returned(task)
        if isinstance(task, ExtractTask):
            from ingather.engine.extraction import extract

            return extract(self, task)
        raise not_a_task(task)

    async def _returned(self, task: DeterministicTask) -> object:
        permit = self.context.functions.ask(self.waiting.arrival)
        if not permit.granted:
            with self.waiting.aside(permit=permit):
                await permit.wait()
        if self.waiting.deadline < math.inf:
            await self.waiting.in_time(permit)
        timeout = task.timeout or self.context.timeout
        return await run_function(task, permit, self._scope(permit), self.record, timeout)

    def _answer(self, task: LLMTask) -> Awaitable[object]:
        question = self.context.question(task, self.run.text)
        retry, timeout = task.retry or self.context.retry, task.timeout or self.context.timeout
        request = question.on(self.context.route).request
        if self.context.single_flight is None or request is None:
            return self._bought(question, retry, timeout)
        asker = Asker(
            self.waiting,
            Terms(task, timeout, retry),
            partial(self._accepted, question, retry),
            partial(self._bought, question, retry, timeout),
            self.run.fail,
        )
        return self.context.single_flight.answer(Key(request, task.sample), asker)

    async def _bought(
        self, question: Question, retry: RetryConfig, timeout: float | None
    ) -> Bought:
        """Send it, as often as the policy allows; its answer is worth keeping where it is whole."""
        attempts: Attempts | None = None  # until something fails, or the policy looks at values
        reasks, schema = question.task.reasks, question.schema
        is_wire = self.context.route.wire is not None
        is_stored = is_wire and self.context.single_flight is not None
        scope_of = None if is_wire else self._scope
        while True:
            error: Exception | None = None
            request = question.on(self.context.route)
            try:
                try:
                    response = await exchange(
                        request, self.waiting, self.context, timeout=timeout, scope_of=scope_of
                    )
                except Truncated as cut:
                    response = _complete_for(schema, cut)
                value = response if schema is None else self._parsed(schema, response)
                if retry.retry_on_result is not None:
                    attempts = attempts or Attempts(retry, random.random)
                delay = None if attempts is None else attempts.after_result(value)
                if delay is None:
                    is_kept = is_stored and (attempts is None or not attempts.refused)
                    is_kept = is_kept and is_whole(response, may_be_cut=schema is not None)
                    return Bought(value, response if is_kept else None)
            except Exception as failure:
                if really_cancelled():  # and somebody's code made an error of it
                    raise asyncio.CancelledError from failure
                if schema is not None and isinstance(failure, InvalidAnswer) and reasks > 0:
                    reasks -= 1
                    self.record.tell(ReAsked, error=failure)
                    question = question.asked_again(failure.response, failure)
                    continue
                if _outlasts(request.queue, failure, retry):
                    # the next probe is another call's, since it may be this one that fails
                    self.waiting.to_the_back()
                    continue
                error = failure
                attempts = attempts or Attempts(retry, random.random)
                delay = attempts.after_error(failure, partial(self._may_retry, request.queue.gate))
                if delay is None:
                    raise
            await self._back_off(delay, attempts.failed if attempts is not None else 0, error)

    def _accepted(self, question: Question, retry: RetryConfig, response: LLMResponse) -> object:
        """The value in an answer bought before. Raises InvalidAnswer where it is not good enough."""
        schema, queue = question.schema, question.on(self.context.route).queue
        # older versions stored such, and a cut one may fit
        if not is_whole(response, may_be_cut=schema is not None):
            raise InvalidAnswer("the answer that is stored is not whole", response=response)
        value = response if schema is None else self._parsed(schema, response)
        if retry.retry_on_result is not None and retry.retry_on_result(value):
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
            parsed = schema.parse(text_of(response), alone=is_cut)
        except InvalidAnswer as error:
            if fault is not None and self.context.route.wire is None:
                raise fault from error
            error.response = response
            raise
        if parsed.lenient:  # it stood among prose or in a fence: worth knowing, no failure
            response.metadata["lenient"] = True
        return parsed.value

    def _may_retry(self, gate: Gate, error: Exception) -> bool:
        if gate.may_retry(error):
            return True
        self.record.retry_denied()
        return False

    async def _back_off(self, delay: float, failed: int, error: Exception | None) -> None:
        """Sleep without a slot; at least as long as the provider's hint, where there is one."""
        hint = getattr(error, "retry_after", None)
        if isinstance(hint, int | float):
            limits = self.context.route.capabilities.limits
            delay = max(delay, min(hint, _LONGEST_HINT if limits is None else limits.max_wait))
        self.record.tell(BackedOff, attempt=failed, delay=delay, error=error)
        with self.waiting.aside("backoff"):
            await asyncio.sleep(delay)

    def _scope(self, permit: Permit) -> Scope:
        return Scope(
            permit,
            self.waiting,
            worker=self.worker,
            run=self.run.telemetry.number,
            parent=self.run.parent,
        )

    def __repr__(self) -> str:
        return f"Call({self.record!r})"


def _outlasts(queue: Queue, error: Exception, policy: RetryConfig) -> bool:
    """Whether a policy that tries again waits for the end of an outage; not once it is given up."""
    if queue.failed is not None or not queue.gate.is_waited_for(error):
        return False
    return policy.max_attempts > 1 and policy.retries(error)


def _complete_for(schema: Schema | None, cut: Truncated) -> LLMResponse:
    """The answer of `cut`, where it is complete JSON that ends exactly at the limit; else raises."""
    if schema is None or cut.response is None:
        raise cut
    try:
        schema.parse(text_of(cut.response), alone=True)
    except InvalidAnswer:
        raise cut from None
    return cut.response
