"""One request until it is answered by anything but a 429.

It reserves what it may cost, waits for a permit, and is sent: once, or with a hedge. After a 429 it
waits in its old place and goes again.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from ingather.engine.attempt import attempt
from ingather.errors import RateLimited
from ingather.limits.controller import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingather.admission.permit import Permit
    from ingather.engine.context import Context
    from ingather.engine.prepared import PreparedRequest
    from ingather.engine.scope import Scope
    from ingather.engine.waiting import Waiting
    from ingather.response import LLMResponse


async def exchange(
    request: PreparedRequest,
    waiting: Waiting,
    context: Context,
    *,
    timeout: float | None,
    scope_of: Callable[[Permit], Scope] | None,
) -> LLMResponse:
    """The answer to `request`; raises what went wrong, but no 429.

    `timeout`: seconds for each attempt. `scope_of`: makes the scope of a bare provider's attempt.
    """
    reservation = None
    if request.worst is not None and context.funds is not None:
        reservation = await waiting.funded(context.funds, request.worst)
    try:
        while True:
            permit = request.queue.ask(waiting.arrival, request.estimate)
            if not permit.granted:
                with waiting.aside(permit=permit):
                    await permit.wait()
            if waiting.deadline < math.inf:
                await waiting.in_time(permit)
            if request.text is not None and request.text.too_long is not None:
                permit.close(Outcome.IGNORED)
                raise request.text.too_long
            try:
                if context.hedging is None:
                    scope = None if scope_of is None else scope_of(permit)
                    return await attempt(
                        request,
                        permit,
                        reservation,
                        waiting,
                        timeout=timeout,
                        scope=scope,
                    )
                from ingather.engine.hedging import hedged

                send = partial(
                    attempt,
                    request,
                    waiting=waiting,
                    timeout=timeout,
                    scope=None,
                )
                return await hedged(
                    send, request, permit, reservation, waiting, context.hedging, context.funds
                )
            except RateLimited:
                pass
    finally:
        if reservation is not None:
            reservation.close()
