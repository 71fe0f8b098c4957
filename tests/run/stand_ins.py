"""A dialect without a wire: what it is asked, when, and how much of it at once, it keeps in a ledger.

Each has a host of its own, so that no test meets the pool of another one.
"""

import asyncio
import itertools
import threading
from dataclasses import dataclass

import pytest

from ingather import LLMResponse, LLMTask, Usage
from ingather.limits.tokens import Tokens
from ingather.providers.base import QuotaKey, Request

_hosts = itertools.count()


@dataclass
class Sent:
    """One request: when it went on the wire and came back, in seconds of its loop's clock."""

    prompt: str
    began: float
    ended: float = float("nan")
    outcome: str = "in flight"


class Wire:
    """Answers ``answer(prompt, number)`` after `latency` seconds; an exception in its place is raised.

    `latency` may be a function of the prompt. `farewell`: seconds that a cancelled request takes to
    go.
    """

    def __init__(
        self,
        answer=None,
        *,
        latency=0.0,
        limits=None,
        retry=None,
        estimate=None,
        farewell=0.0,
        host=None,
    ):
        self.answer = answer or (lambda prompt, number: prompt)
        self.latency = latency
        self.limits = limits
        self.retry = retry
        self.estimate = estimate or (lambda prompt: Tokens(1))
        self.farewell = farewell
        self.host = host or f"host-{next(_hosts)}"
        self.ledger = []
        self.in_flight = self.peak = 0
        self._lock = threading.Lock()  # some tests have several loops

    def prepare(self, messages, config_overrides=None):
        prompt = messages[-1].content
        quota = QuotaKey("wire", self.host, "key", (config_overrides or {}).get("model", "m"))
        return Request(prompt.encode(), b"", quota, self.estimate(prompt))

    async def send(self, request):
        prompt = request.body.decode()
        loop = asyncio.get_running_loop()
        with self._lock:
            sent = Sent(prompt, loop.time())
            self.ledger.append(sent)
            number = len(self.ledger)
            self.in_flight += 1
            self.peak = max(self.peak, self.in_flight)
        try:
            await asyncio.sleep(self.latency(prompt) if callable(self.latency) else self.latency)
            answer = self.answer(prompt, number)
            if isinstance(answer, BaseException):
                raise answer  # noqa: TRY301 - as it would come out of a dialect
        except asyncio.CancelledError:
            sent.outcome = "cancelled"
            if self.farewell:
                await asyncio.sleep(self.farewell)
            raise
        except BaseException as error:
            sent.outcome = type(error).__name__
            raise
        else:
            sent.outcome = "answered"
            return (
                answer
                if isinstance(answer, LLMResponse)
                else LLMResponse(answer, usage=Usage(1, 1))
            )
        finally:
            with self._lock:
                self.in_flight -= 1
                sent.ended = loop.time()

    async def complete(self, messages, config_overrides=None):
        return await self.send(self.prepare(messages, config_overrides))

    def outcomes(self, kind):
        return [sent for sent in self.ledger if sent.outcome == kind]


def slots_of(executor):
    return executor._slots


def gate_of(executor):
    """The pool of an executor that has sent to one quota."""
    (lane,) = [*executor._context.route._queues.values()] or [executor._context.route._bare]
    return lane.gate


def other_tasks():
    """All asyncio tasks of this loop but the one that asks."""
    return asyncio.all_tasks() - {asyncio.current_task()}


def assert_at_rest(executor, *wires):
    """Nothing runs, nothing waits, nothing is held."""
    slots = slots_of(executor)
    assert slots.in_use == 0, slots
    assert [lease for lane in slots.waiting for lease in lane.heap if not lease.closed] == []
    for wire in wires:
        assert wire.in_flight == 0
    for lane in (
        *executor._context.route._queues.values(),
        executor._context.functions,
        executor._context.route._bare,
    ):
        if lane is not None:
            assert lane.gate.controller.in_flight == 0, lane.gate
            assert [lease for lease in lane.heap if not lease.closed] == []
    assert [run for run in executor._runs if not run.closed] == []


async def assert_usable(executor):
    """It still does what it is asked, with all of its slots."""
    executor.provider.answer = lambda prompt, number: prompt
    executor.provider.latency = 0.0
    results = await executor.gather(llm_tasks(3 * executor.max_concurrency))
    assert all(result.success for result in results)


def llm_tasks(number):
    return [LLMTask(str(i)) for i in range(number)]


async def until(condition):
    """Lets the loop turn until it holds; in virtual time too."""
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    pytest.fail("it never came to hold")


async def until_in_time(condition):
    """The same where threads have to do something: in real time."""
    for _ in range(30_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    pytest.fail("it did not come to hold in 30 s")


async def consume(results):
    return [result async for result in results]


async def consume_in_block(results):
    async with results:
        return [result async for result in results]


WAYS = pytest.mark.parametrize(
    "way",
    [
        lambda executor, tasks: executor.gather(tasks),
        lambda executor, tasks: executor.execute({str(i): task for i, task in enumerate(tasks)}),
        lambda executor, tasks: executor.execute_sequential(tasks),
        lambda executor, tasks: consume(executor.as_completed(tasks)),
        lambda executor, tasks: consume_in_block(executor.as_completed(tasks)),
        lambda executor, tasks: consume(executor.in_order(iter(tasks))),
    ],
    ids=[
        "gather",
        "execute",
        "execute_sequential",
        "as_completed",
        "async with as_completed",
        "in_order",
    ],
)
