"""The function of a `DeterministicTask`: where it runs, and under which permit."""

from __future__ import annotations

import asyncio
import inspect
from functools import partial
from typing import TYPE_CHECKING

from ingather.engine.attempt import timed
from ingather.limits.controller import Outcome
from ingather.process.threads import run_in_thread

if TYPE_CHECKING:
    from ingather.admission.permit import Permit
    from ingather.engine.record import Record
    from ingather.engine.scope import Scope
    from ingather.task import DeterministicTask


async def run_function(
    task: DeterministicTask, permit: Permit, scope: Scope, record: Record, timeout: float | None
) -> object:
    """What the task's function returns or raises. `timeout`: seconds."""
    record.admitted(permit)
    error: BaseException | None = None
    try:
        with scope:
            called = partial(_called, task)
            return await (called() if timeout is None else timed(called, timeout))
    except BaseException as failure:
        error = failure
        raise
    finally:
        permit.close(Outcome.IGNORED)
        record.function_ended(permit, error)
        if scope.crossings:
            await scope.settled()


async def _called(task: DeterministicTask) -> object:
    value: object
    if inspect.iscoroutinefunction(task.fn):
        value = task.fn(*task.args, **task.kwargs)
    else:
        name = getattr(task.fn, "__qualname__", repr(task.fn))
        value = await run_in_thread(partial(task.fn, *task.args, **task.kwargs), name)
    if inspect.iscoroutine(value):
        # in a task of its own: its context variables and its cancelling stay its own
        return await asyncio.create_task(value)
    return await value if inspect.isawaitable(value) else value
