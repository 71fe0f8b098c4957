"""An extraction's life: one model, filled by several calls at once, in a run within the run.

What is asked, and what next, is decided by `extract/ladder.py`; here it is sent and awaited.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from ingather.engine.outputs import AsCompleted
from ingather.engine.run import Run
from ingather.engine.shared_text import SharedText
from ingather.errors import Rejected, SetupError
from ingather.extract.ladder import Extraction
from ingather.extract.worth_asking import Conditions
from ingather.money.upper_bound import OUTPUT_LIMITS
from ingather.task import LLMMessage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from ingather.engine.call import Call
    from ingather.engine.context import Context
    from ingather.extract_task import ExtractTask
    from ingather.providers.base import Request
    from ingather.task import Task

_MANY = 2**31  # parts that may be done before anybody looks: as many as there are
_TEMPERATURE_0 = re.compile(rb'"temperature":0(?:\.0)?[,}]')
_LIMITS_OUTPUT = re.compile(rb'"(?:n_predict|num_predict|max_new_tokens)":')  # of local servers


async def extract(call: Call, task: ExtractTask) -> object:
    """The value. Raises `MissingFields`, `InvalidAnswer`, or whatever made going on pointless."""
    tasks, record = _Growing(), call.record
    conditions = conditions_of(call.context, task.config_overrides)
    extraction = Extraction(task, conditions, record.tag, record.absorb, tasks.add)
    run = Run(
        call.context,
        tasks,
        AsCompleted(_MANY),
        window=len(extraction.outline.fields) + 1,
        fail_fast=False,
        deadline=None,
        emit=call.run.telemetry.emit,
        within=call,
        text=SharedText(),
    )
    try:
        with call.waiting.aside():
            extraction.begin()
            while not run.over:
                if (result := run.take()) is None:
                    await run.progress()
                else:
                    extraction.take(result)
    finally:
        try:
            await run.close()
        finally:
            # it ended in the very moment in which we were cancelled
            while (result := run.take()) is not None:
                extraction.keep(result)
            found = extraction.parts
            record.parts = {
                name: found[name] for name in extraction.outline.fields if name in found
            }
            record.missing = tuple(extraction.missing())
    if run.error is not None:
        raise run.error
    return extraction.value()


def conditions_of(context: Context, overrides: Mapping[str, object] | None) -> Conditions:
    """Under which circumstances an extraction with these parameters asks."""
    params: dict[str, object] = {**(context.params or {}), **(overrides or {})}
    can = context.route.capabilities
    is_open, is_fixed = False, params.get("temperature") == 0
    makes_grammars = can.schema_words and can.schema_lengths  # a local server
    probe = _probe(context, params)
    if probe is not None:
        is_fixed = _TEMPERATURE_0.search(probe.body) is not None
        is_limited = (
            probe.estimate.max_output is not None
            or not params.keys().isdisjoint(OUTPUT_LIMITS)
            or _LIMITS_OUTPUT.search(probe.body) is not None
        )
        # hosted models end by themselves, and count their thinking
        is_open = makes_grammars and not is_limited
    return Conditions(can.schema_ceiling, is_open, is_fixed, context.discovered)


def _probe(context: Context, params: Mapping[str, object]) -> Request | None:
    """A request with these parameters; None if they make none, which the calls themselves tell."""
    try:
        wire = context.route.wire
        return None if wire is None else wire.prepare([LLMMessage("user", "?")], params or None)
    except (SetupError, Rejected):
        return None


class _Growing:
    """The input of a run, to which tasks are added while it goes on; None ends it."""

    def __init__(self) -> None:
        self._tasks: asyncio.Queue[Task | None] = asyncio.Queue()

    def add(self, task: Task | None) -> None:
        self._tasks.put_nowait(task)

    async def __aiter__(self) -> AsyncIterator[Task]:
        while (task := await self._tasks.get()) is not None:
            yield task
