"""Before a request is sent: is its answer in the store, or on its way to an identical call?"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from ingather.errors import (
    AttemptTimeout,
    IngatherError,
    InvalidAnswer,
    NotSent,
    Stopped,
    StoreError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ingather.engine.waiting import Waiting
    from ingather.response import LLMResponse
    from ingather.retry import RetryConfig
    from ingather.store import Store
    from ingather.store.key import Key
    from ingather.task import LLMTask

    Flights = dict[bytes, "Flight"]


class Terms(NamedTuple):
    """Under which a call may be answered. `timeout`: seconds for each attempt."""

    task: LLMTask
    timeout: float | None
    retry: RetryConfig

    def allow_more_than(self, others: Terms, error: Exception) -> bool:
        """Whether `error` was of the other's own terms, so that these may still get an answer."""
        if isinstance(error, Stopped):  # its time, its money, its run
            return True
        if isinstance(error, AttemptTimeout) and (others.timeout or math.inf) < (
            self.timeout or math.inf
        ):
            return True
        mine, theirs = self.task, others.task
        if isinstance(error, InvalidAnswer) and (
            mine.response_model != theirs.response_model or mine.reasks > theirs.reasks
        ):
            return True
        if self.retry == others.retry:
            return False
        if not isinstance(error, IngatherError):  # perhaps of the policy's own functions
            return True
        has_more = self.retry.max_attempts > others.retry.max_attempts
        return self.retry.retries(error) and (has_more or not others.retry.retries(error))


class Bought(NamedTuple):
    """The value of an answer that was paid for. `response`: worth keeping, else None."""

    value: object
    response: LLMResponse | None


class Asker(NamedTuple):
    """A call that looks for its answer.

    `accept`: makes the value of an answer, or raises InvalidAnswer where it is not good enough.
    `buy`: sends the request. `fail`: ends the call's run.
    """

    waiting: Waiting
    terms: Terms
    accept: Callable[[LLMResponse], object]
    buy: Callable[[], Awaitable[Bought]]
    fail: Callable[[StoreError], None]


class Flight:
    """One request that several identical calls wait for: one of them leads, the others follow."""

    __slots__ = ("_flights", "_followers", "_key", "leader")

    def __init__(self, flights: Flights, key: bytes, leader: Terms) -> None:
        self._flights = flights
        self._key = key
        self.leader = leader
        self._followers: deque[tuple[asyncio.Future[LLMResponse | None], Terms]] = deque()
        flights[key] = self

    async def follow(self, asker: Asker) -> LLMResponse | None:
        """The leader's answer; None: the leader is gone, and `asker` leads now.

        Raises what the leader's request failed with.
        """
        landing: asyncio.Future[LLMResponse | None] = asker.waiting.loop.create_future()
        self._followers.append((landing, asker.terms))
        try:
            with asker.waiting.aside():
                return await landing
        except asyncio.CancelledError:
            has_landed = landing.done() and not landing.cancelled() and not landing.exception()
            if has_landed and landing.result() is None:
                self.pass_on()  # made the leader at the very moment when it was cancelled
            raise

    def land(self, response: LLMResponse) -> None:
        """Hand the answer to all followers."""
        del self._flights[self._key]
        for follower, _ in self._followers:
            if not follower.done():
                follower.set_result(replace(response, metadata=dict(response.metadata)))

    def fail(self, error: Exception) -> None:
        """Tell all followers: those whose own terms allow more begin another flight."""
        del self._flights[self._key]
        for follower, _ in self._followers:
            if not follower.done():
                follower.set_exception(error)

    def pass_on(self) -> None:
        """The leader is gone: the next follower leads, if there is one."""
        while self._followers:
            follower, terms = self._followers.popleft()
            if not follower.done():
                self.leader = terms
                follower.set_result(None)
                return
        del self._flights[self._key]

    def __repr__(self) -> str:
        return f"Flight({self._key.hex()[:12]}…, {len(self._followers)} followers)"


class SingleFlight:
    """One executor's use of a store: calls on one loop share flights, across loops the store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._flights: WeakKeyDictionary[asyncio.AbstractEventLoop, Flights] = WeakKeyDictionary()

    async def answer(self, key: Key, asker: Asker) -> object:
        """The value for `asker`: stored, shared or bought."""
        flights = self._flights.get(asker.waiting.loop)
        if flights is None:
            flights = self._flights[asker.waiting.loop] = {}
        while (flight := flights.get(key.hash)) is not None:
            try:
                response = await flight.follow(asker)
            except Exception as error:
                if not asker.terms.allow_more_than(flight.leader, error):
                    raise
                continue
            if response is None:
                break
            try:
                value = asker.accept(response)
            except InvalidAnswer:  # what is good enough for the leader need not be for all
                return (await self._bought(key, asker)).value
            asker.waiting.record.reused(response, "flight")
            return value
        else:
            flight = Flight(flights, key.hash, asker.terms)
        try:
            bought = await self._led(key, asker)
        except Exception as error:
            flight.fail(error)
            raise
        except BaseException:
            flight.pass_on()
            raise
        if bought.response is None:
            flight.pass_on()
        else:
            flight.land(bought.response)
        return bought.value

    async def _led(self, key: Key, asker: Asker) -> Bought:
        found = await self._found(key, asker)
        if found is not None:
            try:
                value = asker.accept(found)
            except InvalidAnswer:  # the response_model, or the policy, is another one since
                pass
            else:
                asker.waiting.record.reused(found, "store")
                return Bought(value, found)
        return await self._bought(key, asker)

    async def _found(self, key: Key, asker: Asker) -> LLMResponse | None:
        record, loop = asker.waiting.record, asker.waiting.loop
        record.waits_for("store", loop.time())
        try:
            return await self.store.find(key)
        except StoreError as error:
            asker.fail(StoreError(str(error)))
            raise NotSent(f"not sent: {error}") from error
        finally:
            record.record_wait(loop.time())

    async def _bought(self, key: Key, asker: Asker) -> Bought:
        bought = await asker.buy()
        if bought.response is not None:
            with asker.waiting.aside("saving"):
                try:
                    await self.store.keep(key, bought.response)
                except StoreError as error:
                    asker.waiting.record.unsaved = True
                    asker.fail(StoreError(str(error)))
        return bought

    def __repr__(self) -> str:
        flying = sum(map(len, self._flights.values()))
        return f"SingleFlight({self.store!r}, {flying} in flight)"
