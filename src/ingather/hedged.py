"""One attempt, perhaps in two copies: each with a slot of its own, the first answer wins."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from ingather.attempt import attempt
from ingather.errors import RateLimited
from ingather.events import Hedged
from ingather.pricing import FREE
from ingather.transport.expiry import arrivals

if TYPE_CHECKING:
    from ingather.call import Call
    from ingather.hedge import Hedging
    from ingather.lease import Lease
    from ingather.purse import Hold
    from ingather.result import LLMResponse
    from ingather.terms import Exchange


_LOOK_AGAIN = 1.0  # seconds, while too little is known


async def attempt_twice(
    call: Call, exchange: Exchange, lease: Lease, hold: Hold | None, hedging: Hedging
) -> LLMResponse:
    """The attempt that `lease` was granted for; where it takes too long, a copy beside it. Raises as `attempt` does."""
    loop = call.run.loop
    begun = loop.time()
    doubled: float | None = None  # when the second copy was sent
    if not call.tally.attempts:
        hedging.sent()
    copies = [loop.create_task(attempt(call, exchange, lease, hold))]
    flying = set(copies)
    try:
        while flying:
            wait = None if len(copies) == 2 else hedging.wait(loop.time() - begun) or _LOOK_AGAIN
            due = math.inf if wait is None else loop.time() + wait
            done, flying = await asyncio.wait(flying, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                await arrivals(loop.time() - due)
                done = {copy for copy in flying if copy.done()}
                flying -= done
            if done and doubled is not None:
                overlap, doubled = loop.time() - doubled, None
                call.tally.overlapped(overlap)
            for copy in done:
                if copy.exception() is None:
                    hedging.answered(loop.time() - begun)
                    call.run.meter.won += copy is not copies[0]
                    if flying and exchange.price != FREE:  # nobody knows what the other one cost
                        call.tally.unpriced = True
                    return copy.result()
            if not done and hedging.is_due(loop.time() - begun) and (second := _copy(call, exchange)) is not None:
                hedging.copied()
                call.run.meter.hedges += 1
                doubled = loop.time()
                call.tally.tell(Hedged, after=loop.time() - begun)
                copies.append(second)
                flying.add(second)
    finally:
        if doubled is not None:
            call.tally.overlapped(loop.time() - doubled)
        await _gone(flying)
    raise _worst([copy.exception() for copy in copies])


def _copy(call: Call, exchange: Exchange) -> asyncio.Task[LLMResponse] | None:
    """The second copy, if there is a free slot, room in the quota and money for it, all at once."""
    hold: Hold | None = None
    if exchange.worst is not None and call.terms.purse is not None:
        hold = call.terms.purse.hold_now(exchange.worst)
        if hold is None:
            return None
    lease = exchange.lane.ask_free(call.arrival, exchange.estimate)
    if lease is None:
        if hold is not None:
            hold.close()
        return None
    return call.run.loop.create_task(_attempt_and_settle(call, exchange, lease, hold))


async def _attempt_and_settle(call: Call, exchange: Exchange, lease: Lease, hold: Hold | None) -> LLMResponse:
    try:
        return await attempt(call, exchange, lease, hold)
    finally:
        if hold is not None:
            hold.close()


async def _gone(flying: set[asyncio.Task[LLMResponse]]) -> None:
    """Cancel them, and wait until they have given everything back."""
    interrupted: asyncio.CancelledError | None = None
    while flying:
        for copy in flying:
            copy.cancel()
        try:
            _, flying = await asyncio.wait(flying)
        except asyncio.CancelledError as error:
            interrupted = error
            flying = {copy for copy in flying if not copy.done()}
    if interrupted is not None:
        raise interrupted


def _worst(errors: list[BaseException | None]) -> BaseException:
    """What the call ended with: a 429 only if there was nothing else."""
    found = [error for error in errors if error is not None]
    return next((error for error in found if not isinstance(error, RateLimited)), found[0])
