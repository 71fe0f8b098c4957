"""An extraction's life: one model, filled by several calls that run at once, in a run within the run.

What is asked, and what next, is told by `extraction.py`; here it is sent, awaited and closed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ingather.engine.outputs import AsCompleted
from ingather.engine.run import Run
from ingather.extract.ladder import Extraction

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ingather.engine.call import Call
    from ingather.task import ExtractTask, Task

_MANY = 2**31  # parts that may be done before anybody looks: as many as there are


async def extract(call: Call, task: ExtractTask) -> object:
    """The value. Raises `MissingFields`, `InvalidAnswer`, or whatever made going on pointless."""
    tasks = _Growing()
    extraction = Extraction(
        task, call.context.setting(task.config_overrides), call.record, tasks.add
    )
    run = Run(
        call.context,
        tasks,
        AsCompleted(_MANY),
        window=len(extraction.outline.fields) + 1,
        fail_fast=False,
        deadline=None,
        emit=call.run.emit,
        within=call,
    )
    call.run.step_aside()
    try:
        extraction.begin()
        while not run.over:
            if (result := run.take()) is None:
                await run.progress()
            else:
                extraction.take(result)
    finally:
        call.run.step_back()
        try:
            await run.close()
        finally:
            # it ended in the very moment in which we were cancelled
            while (result := run.take()) is not None:
                extraction.keep(result)
            found = extraction.parts
            call.record.parts = {
                name: found[name] for name in extraction.outline.fields if name in found
            }
            call.record.missing = tuple(extraction.missing())
    if run.error is not None:
        raise run.error
    return extraction.value()


class _Growing:
    """The input of a run, to which tasks are added while it goes on; None ends it."""

    def __init__(self) -> None:
        self._tasks: asyncio.Queue[Task | None] = asyncio.Queue()

    def add(self, task: Task | None) -> None:
        self._tasks.put_nowait(task)

    async def __aiter__(self) -> AsyncIterator[Task]:
        while (task := await self._tasks.get()) is not None:
            yield task
