"""A dialect without a wire: what it is asked, when, and how much of it at once, it keeps in a ledger.

Each has a host of its own, so that no test meets the pool of another one.
"""

import asyncio
import itertools
import threading
from dataclasses import dataclass

from ingather import LLMResponse, Usage
from ingather.providers.base import QuotaKey, Request
from ingather.tokens import Tokens

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

    `latency` may be a function of the prompt. `farewell`: seconds that a cancelled request takes to go.
    """

    def __init__(self, answer=None, *, latency=0.0, limits=None, retry=None, estimate=None, farewell=0.0, host=None):
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
            return answer if isinstance(answer, LLMResponse) else LLMResponse(answer, usage=Usage(1, 1))
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


def pool_of(executor):
    """The pool of an executor that has sent to one quota."""
    (lane,) = [*executor._terms._lanes.values()] or [executor._terms._bare]
    return lane.pool


def other_tasks():
    """All asyncio tasks of this loop but the one that asks."""
    return asyncio.all_tasks() - {asyncio.current_task()}


def assert_at_rest(executor, *wires):
    """Nothing runs, nothing waits, nothing is held."""
    slots = slots_of(executor)
    assert slots.in_use == 0, slots
    assert [lease for lane in slots.waiting for lease in lane.queue if not lease.closed] == []
    for wire in wires:
        assert wire.in_flight == 0
    for lane in (*executor._terms._lanes.values(), executor._terms.functions, executor._terms._bare):
        if lane is not None:
            assert lane.pool.controller.in_flight == 0, lane.pool
            assert [lease for lease in lane.queue if not lease.closed] == []
    assert [run for run in executor._runs if not run.closed] == []
