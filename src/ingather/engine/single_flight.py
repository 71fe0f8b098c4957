"""Asked before a request is sent: is its answer in the store already, or on its way to an identical call?"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING
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

    from ingather.engine.call import Call
    from ingather.result import LLMResponse
    from ingather.store import Store
    from ingather.store.key import Key

    Flights = dict[bytes, "Flight"]


class Flight:
    """One request that several identical calls wait for. Whoever begins it is its `leader`; the others follow."""

    __slots__ = ("_flights", "_followers", "_key", "leader")

    def __init__(self, flights: Flights, key: bytes, leader: Call) -> None:
        self._flights = flights
        self._key = key
        self.leader = leader
        self._followers: deque[tuple[asyncio.Future[LLMResponse | None], Call]] = deque()
        flights[key] = self

    async def follow(self, call: Call) -> LLMResponse | None:
        """The leader's answer; None: the leader is gone, and `call` leads now. Raises what concerns it."""
        run = call.run
        landing: asyncio.Future[LLMResponse | None] = run.loop.create_future()
        self._followers.append((landing, call))
        run.step_aside()
        try:
            return await landing
        except asyncio.CancelledError:
            if (
                landing.done()
                and not landing.cancelled()
                and not landing.exception()
                and landing.result() is None
            ):
                # it was made the leader at the very moment when it was cancelled itself
                self.pass_on()
            raise
        finally:
            run.step_back()

    def land(self, response: LLMResponse) -> None:
        """All followers have it."""
        del self._flights[self._key]
        for follower, _ in self._followers:
            if not follower.done():
                follower.set_result(replace(response, metadata=dict(response.metadata)))

    def fail(self, error: Exception) -> None:
        """All followers hear of it: those whose own terms allow more begin another flight."""
        del self._flights[self._key]
        for follower, _ in self._followers:
            if not follower.done():
                follower.set_exception(error)

    def pass_on(self) -> None:
        """The leader is gone: the next follower leads, if there is one."""
        while self._followers:
            follower, call = self._followers.popleft()
            if not follower.done():
                self.leader = call
                follower.set_result(None)
                return
        del self._flights[self._key]

    def __repr__(self) -> str:
        return f"Flight({self._key.hex()[:12]}…, {len(self._followers)} followers)"


class SingleFlight:
    """One executor's use of a store. Calls share a flight on one event loop; across loops they share the store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._flights: WeakKeyDictionary[asyncio.AbstractEventLoop, Flights] = WeakKeyDictionary()

    async def answer(
        self,
        call: Call,
        key: Key,
        accept: Callable[[LLMResponse], object],
        buy: Callable[[], Awaitable[object]],
    ) -> object:
        """The value for `call`: remembered, shared or bought.

        `accept` makes the value of an answer, or raises InvalidAnswer where it is not good enough
        for this task. `buy` gives a value, and says what is `call.worth_keeping` of it.
        """
        flights = self._flights.get(call.run.loop)
        if flights is None:
            flights = self._flights[call.run.loop] = {}
        while (flight := flights.get(key.hash)) is not None:
            try:
                response = await flight.follow(call)
            except Exception as error:
                if not _allows_more(flight.leader, call, error):
                    raise
                continue
            if response is None:
                break
            try:
                value = accept(response)
            except InvalidAnswer:  # what is good enough for the leader need not be for all
                return (await self._bought(call, key, buy))[0]
            call.record.remembered(response, "flight")
            return value
        else:
            flight = Flight(flights, key.hash, call)
        try:
            value, response = await self._led(call, key, accept, buy)
        except Exception as error:
            flight.fail(error)
            raise
        except BaseException:
            flight.pass_on()
            raise
        if response is None:
            flight.pass_on()
        else:
            flight.land(response)
        return value

    async def _led(
        self,
        call: Call,
        key: Key,
        accept: Callable[[LLMResponse], object],
        buy: Callable[[], Awaitable[object]],
    ) -> tuple[object, LLMResponse | None]:
        begun = call.run.loop.time()
        try:
            found = await self.store.find(key)
        except StoreError as error:
            call.run.fail(StoreError(str(error)))
            raise NotSent(f"not sent: {error}") from error
        call.record.waited_before("store", call.run.loop.time() - begun)
        if found is not None:
            try:
                value = accept(found)
            except InvalidAnswer:  # the response_model, or the policy, is another one since
                pass
            else:
                call.record.remembered(found, "store")
                return value, found
        return await self._bought(call, key, buy)

    async def _bought(
        self, call: Call, key: Key, buy: Callable[[], Awaitable[object]]
    ) -> tuple[object, LLMResponse | None]:
        value, response = await buy(), call.worth_keeping
        if response is not None:
            begun = call.run.loop.time()
            call.run.step_aside()
            try:
                await self.store.keep(key, response)
            except StoreError as error:
                call.record.unsaved = True
                call.run.fail(StoreError(str(error)))
            finally:
                call.run.step_back()
                call.record.stores(call.run.loop.time() - begun)
        return value, response

    def __repr__(self) -> str:
        return f"Cache({self.store!r}, {sum(map(len, self._flights.values()))} in flight)"


def _allows_more(leader: Call, call: Call, error: Exception) -> bool:
    """Whether what ended `leader` was of its own terms, and `call` has others, under which it may still be answered."""
    if isinstance(error, Stopped):  # its time, its money, its run
        return True
    if isinstance(error, AttemptTimeout) and (leader.timeout or math.inf) < (
        call.timeout or math.inf
    ):
        return True
    if isinstance(error, InvalidAnswer) and _asks_for_other(call, leader):
        return True
    mine, theirs = call.retry, leader.retry
    if mine == theirs:
        return False
    if not isinstance(error, IngatherError):  # perhaps of the policy's own functions
        return True
    return mine.retries(error) and (
        mine.max_attempts > theirs.max_attempts or not theirs.retries(error)
    )


def _asks_for_other(call: Call, leader: Call) -> bool:
    """Whether an answer has to fit something else, or the model is asked again more often if it does not."""
    mine, theirs = call.record.task, leader.record.task
    is_other = getattr(mine, "response_model", None) != getattr(theirs, "response_model", None)
    return is_other or getattr(mine, "reasks", 0) > getattr(theirs, "reasks", 0)
