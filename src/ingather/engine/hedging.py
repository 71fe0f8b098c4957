"""One attempt, perhaps in two copies: each with a slot of its own, the first answer wins."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from ingather.engine.attempt import attempt
from ingather.errors import RateLimited
from ingather.events import Hedged
from ingather.money.pricing import FREE
from ingather.transport.timeouts import arrivals

if TYPE_CHECKING:
    from ingather.admission.funds import Reservation
    from ingather.admission.permit import Permit
    from ingather.engine.call import Call
    from ingather.engine.context import PreparedRequest
    from ingather.hedge import Hedging
    from ingather.result import LLMResponse


_LOOK_AGAIN = 1.0  # seconds, while too little is known


async def attempt_twice(
    call: Call,
    prepared: PreparedRequest,
    permit: Permit,
    hold: Reservation | None,
    hedging: Hedging,
) -> LLMResponse:
    """The attempt that `permit` was granted for; where it takes too long, a copy beside it. Raises as `attempt` does."""
    loop = call.run.loop
    begun = loop.time()
    doubled: float | None = None  # when the second copy was sent
    if not call.record.attempts:
        hedging.sent()
    copies = [loop.create_task(attempt(call, prepared, permit, hold))]
    flying = set(copies)
    try:
        while flying:
            wait = None if len(copies) == 2 else hedging.wait(loop.time() - begun) or _LOOK_AGAIN
            due = math.inf if wait is None else loop.time() + wait
            done, flying = await asyncio.wait(
                flying, timeout=wait, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                await arrivals(loop.time() - due)
                done = {copy for copy in flying if copy.done()}
                flying -= done
            if done and doubled is not None:
                overlap, doubled = loop.time() - doubled, None
                call.record.overlapped(overlap)
            for copy in done:
                if copy.exception() is None:
                    hedging.answered(loop.time() - begun)
                    call.run.meter.won += copy is not copies[0]
                    if flying and prepared.price != FREE:  # nobody knows what the other one cost
                        call.record.unpriced = True
                    return copy.result()
            if (
                not done
                and hedging.is_due(loop.time() - begun)
                and (second := _copy(call, prepared)) is not None
            ):
                hedging.copied()
                call.run.meter.hedges += 1
                doubled = loop.time()
                call.record.tell(Hedged, after=loop.time() - begun)
                copies.append(second)
                flying.add(second)
    finally:
        if doubled is not None:
            call.record.overlapped(loop.time() - doubled)
        await _gone(flying)
    raise _worst([copy.exception() for copy in copies])


def _copy(call: Call, prepared: PreparedRequest) -> asyncio.Task[LLMResponse] | None:
    """The second copy, if there is a free slot, room in the quota and money for it, all at once."""
    hold: Reservation | None = None
    if prepared.worst is not None and call.context.funds is not None:
        hold = call.context.funds.hold_now(prepared.worst)
        if hold is None:
            return None
    permit = prepared.queue.ask_free(call.arrival, prepared.estimate)
    if permit is None:
        if hold is not None:
            hold.close()
        return None
    return call.run.loop.create_task(_attempt_and_settle(call, prepared, permit, hold))


async def _attempt_and_settle(
    call: Call, prepared: PreparedRequest, permit: Permit, hold: Reservation | None
) -> LLMResponse:
    try:
        return await attempt(call, prepared, permit, hold)
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
