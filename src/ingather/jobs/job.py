"""A job: the lines of a source as tasks for an executor, and its results as answer lines."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Any

from ingather.jobs.answer_line import answer_line
from ingather.jobs.batch_answer import batch_answer_line
from ingather.jobs.check import lines_of
from ingather.jobs.rows import BadLine
from ingather.process.threads import run_in_thread
from ingather.task import DeterministicTask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ingather.jobs.fingerprint import Fingerprint
    from ingather.jobs.recipe import Line, Recipe
    from ingather.jobs.resume import Resume
    from ingather.jobs.row_source import Source
    from ingather.result import TaskResult
    from ingather.task import Task

# lines of a file that are read at once; of a pipe one, since the next may be long in coming
_CHUNK = 64


class Job:
    """Reads tasks as an executor pulls them, and remembers the id and metadata of those that are under way.

    A bad line becomes a task that fails with its `BadLine`. `dump` makes JSON values of the
    answers' instances. `resume`: leaves out what is done already. `asked`: puts on each answer line
    what was asked.

    >>> async def run(executor, source, recipe, answers):
    ...     job = Job(source, recipe)
    ...     async with executor.as_completed(job.tasks()) as results:
    ...         async for result in results:
    ...             answers.write(job.answer(result))
    """

    def __init__(
        self,
        source: Source,
        recipe: Recipe,
        dump: Callable[[object], object] | None = None,
        resume: Resume | None = None,
        asked: Fingerprint | None = None,
    ) -> None:
        self.source = source
        self.recipe = recipe
        self.pulled = 0
        self.stopped = False
        self.resume = resume
        self._dump = dump
        self._asked = asked
        self._under_way: dict[int, tuple[int, Line | BadLine]] = {}
        self._reading: asyncio.Future[object] | None = None

    def __repr__(self) -> str:
        state = "stopped" if self.stopped else "open"
        return f"Job({self.source.name!r}, {state}, {self.pulled} pulled, {len(self._under_way)} under way)"

    async def tasks(self) -> AsyncIterator[Task]:
        """The tasks, read in a thread as they are asked for: the loop never waits for a disk or a pipe."""
        lines = enumerate(lines_of(self.source, self.recipe))
        size = _CHUNK if self.source.rereadable else 1

        def some() -> tuple[bool, list[tuple[int, Line | BadLine]]]:
            chunk = list(islice(lines, size))
            return bool(chunk), chunk if self.resume is None else self.resume.left(chunk)

        while not self.stopped:
            self._reading = asyncio.ensure_future(run_in_thread(some, "reading tasks"))
            try:
                await asyncio.wait([self._reading])
            finally:
                self._reading.cancel()
            if self._reading.cancelled():
                return
            found: Any = self._reading.result()
            more, chunk = found
            if not more:
                return
            for index, line in chunk:
                if self.stopped:
                    return
                self._under_way[self.pulled] = (index, line)
                self.pulled += 1
                yield (
                    DeterministicTask(_fail, (line,), tag=str(line.id))
                    if isinstance(line, BadLine)
                    else line.task
                )

    def stop(self) -> None:
        """Take no more lines; what was pulled goes on. To be called on the loop."""
        self.stopped = True
        if self._reading is not None:
            self._reading.cancel()

    def answer(self, result: TaskResult) -> bytes:
        """The answer line of one result, which is no longer under way then, in the form of its task's line."""
        result.index, line = self._under_way.pop(result.index)  # now its place in the source
        asked = metadata = None
        if not isinstance(line, BadLine):
            metadata = line.metadata
            asked = None if self._asked is None else self._asked.text(line.task)
        if line.endpoint is not None:
            return batch_answer_line(result, str(line.id), line.endpoint, asked)
        return answer_line(result, line.id, metadata, self._dump, asked)


async def _fail(error: BadLine) -> None:
    raise error
