"""One attempt, perhaps in two copies: each with a permit of its own, the first answer wins."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from ingather.errors import RateLimited
from ingather.events import Hedged
from ingather.money.pricing import FREE
from ingather.transport.timeouts import arrivals

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ingather.admission.funds import Funds, Reservation
    from ingather.admission.permit import Permit
    from ingather.engine.prepared import PreparedRequest
    from ingather.engine.waiting import Waiting
    from ingather.hedge import Hedging
    from ingather.response import LLMResponse

    Send = Callable[[Permit, Reservation | None], Coroutine[object, object, LLMResponse]]


_LOOK_AGAIN = 1.0  # seconds, while too little is known


async def hedged(
    send: Send,
    request: PreparedRequest,
    permit: Permit,
    reservation: Reservation | None,
    waiting: Waiting,
    hedging: Hedging,
    funds: Funds | None,
) -> LLMResponse:
    """The answer to one attempt; where that takes too long, to a copy beside it.

    `send`: makes an attempt. Raises as it does.
    """
    loop, record = waiting.loop, waiting.record
    begun = loop.time()
    doubled: float | None = None  # when the second copy was sent
    if not record.attempts:
        hedging.sent()
    copies = [loop.create_task(send(permit, reservation))]
    flying = set(copies)
    try:
        while flying:
            wait = None
            if len(copies) < 2:
                wait = hedging.wait(loop.time() - begun) or _LOOK_AGAIN
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
                record.overlapped(overlap)
            for copy in done:
                if copy.exception() is None:
                    hedging.answered(loop.time() - begun)
                    if copy is not copies[0]:
                        record.hedge_won()
                    if flying and request.price != FREE:  # nobody knows what the other one cost
                        record.unpriced = True
                    return copy.result()
            if done or not hedging.is_due(loop.time() - begun):
                continue
            second = _copy(send, request, waiting, funds)
            if second is not None:
                hedging.copied()
                record.hedged()
                doubled = loop.time()
                record.tell(Hedged, after=loop.time() - begun)
                copies.append(second)
                flying.add(second)
    finally:
        if doubled is not None:
            record.overlapped(loop.time() - doubled)
        await _gone(flying)
    raise _worst([copy.exception() for copy in copies])


def _copy(
    send: Send, request: PreparedRequest, waiting: Waiting, funds: Funds | None
) -> asyncio.Task[LLMResponse] | None:
    """The second copy, if there is a free slot, room in the quota and money for it, all at once."""
    reservation: Reservation | None = None
    if request.worst is not None and funds is not None:
        reservation = funds.reserve_now(request.worst)
        if reservation is None:
            return None
    permit = request.queue.ask_free(waiting.arrival, request.estimate)
    if permit is None:
        if reservation is not None:
            reservation.close()
        return None
    return waiting.loop.create_task(_sent_and_settled(send, permit, reservation))


async def _sent_and_settled(
    send: Send, permit: Permit, reservation: Reservation | None
) -> LLMResponse:
    try:
        return await send(permit, reservation)
    finally:
        if reservation is not None:
            reservation.close()


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
