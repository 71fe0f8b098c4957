"""Tasks one after another, each of which may go on from the answer before it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ingather.extract_task import ExtractTask
from ingather.task import DeterministicTask, LLMMessage, LLMTask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingather.engine.outputs import Collected
    from ingather.result import TaskResult
    from ingather.task import Task


class Steps:
    """The input of a run with a single worker: each task is made when the result of the one before is in `done`."""

    def __init__(self, tasks: Sequence[Task], done: Collected, pass_result: bool | str) -> None:
        self._tasks = tasks
        self._done = done
        self._pass_result = pass_result

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[Task]:
        for index, original in enumerate(self._tasks):
            task = original
            if index and self._pass_result:
                task = _continued(task, self._done.results[-1], self._pass_result)
            if isinstance(task, LLMTask | DeterministicTask | ExtractTask) and not task.tag:
                task = replace(task, tag=f"step_{index}")
            yield task


def _continued(task: Task, previous: TaskResult, how: bool | str) -> Task:
    """`task` with the previous model's answer in its messages."""
    # a bare provider may answer with an object of its own
    content = getattr(previous.response, "content", None)
    if not isinstance(task, LLMTask) or not previous.success or content is None:
        return task
    messages = list(task.messages)
    last_user = max(
        (i for i, message in enumerate(messages) if message.role == "user"), default=len(messages)
    )
    messages.insert(
        last_user if how == "conversation" else len(messages), LLMMessage("assistant", content)
    )
    return replace(task, messages=messages)
