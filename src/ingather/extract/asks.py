"""The calls of an extraction: each as a task, with what it asks for and on which rung of the ladder. No I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from ingather.errors import AnswerError, Truncated
from ingather.extract.outline import Ask
from ingather.extract.output_cap import RAISED, output_cap
from ingather.extract.prompt import again, messages
from ingather.schema import Schema
from ingather.task import DeterministicTask, LLMTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ingather.extract.worth_asking import Conditions
    from ingather.extract_task import ExtractTask
    from ingather.result import TaskResult
    from ingather.task import Task

Origin = Literal["part", "retry", "single", "code"]


class Sent(NamedTuple):
    """A call: what it asks for, on which rung, and under which limit of ours on its output."""

    ask: Ask
    origin: Origin
    cap: int | None = None


class Asking:
    """Makes a task of what is asked, and knows by a result's index what that was.

    `tag`: what the extraction is called in its run. `send` takes each task. `open`: calls that are
    under way.
    """

    def __init__(
        self, task: ExtractTask, conditions: Conditions, tag: str, send: Callable[[Task], None]
    ) -> None:
        self.sent: list[Sent] = []
        self.open = 0
        self._task = task
        self._conditions = conditions
        self._tag_of_all = tag
        self._send_task = send

    def of(self, result: TaskResult) -> Sent:
        """What `result` answers."""
        return self.sent[result.index]

    def ask(self, ask: Ask, origin: Origin, error: Exception | None = None) -> None:
        """Send a call. `error`: of the one before it: the model is told, or given more room where it was cut."""
        if ask.nested:
            self._send(self._extraction_of(ask), Sent(ask, origin))
            return
        task, wire = self._task, Schema.of(ask.answer).wire
        words = messages(task.context, task.instructions, ask.question)
        if isinstance(error, AnswerError) and not isinstance(error, Truncated):
            words = again(words, Schema.of(ask.answer), error)
        overrides, cap = task.config_overrides, None
        if self._conditions.caps:
            cap = output_cap(wire) * (RAISED if isinstance(error, Truncated) else 1)
            overrides = {**(overrides or {}), "max_tokens": cap}
        call = LLMTask(
            words,
            config_overrides=overrides,
            retry=task.retry,
            tag=self._tag(ask.fields),
            timeout=task.timeout,
            response_model=ask.answer,
            reasks=0,  # that is the ladder's first rung
            schema_last=True,
        )
        self._send(call, Sent(ask, origin, cap))

    def run(self, name: str, function: Callable[[str], object]) -> None:
        """Call the function that fills a field."""
        task = self._task
        code = DeterministicTask(
            function, (task.context,), tag=self._tag([name]), timeout=task.timeout
        )
        self._send(code, Sent(Ask((name,), None, "", whole=False), "code"))

    def _extraction_of(self, ask: Ask) -> ExtractTask:
        """A field that is too large for one call, as an extraction of its own."""
        task = self._task
        return replace(
            task,
            response_model=ask.answer,
            instructions="\n\n".join(filter(None, (task.instructions, ask.question))),
            split="auto",
            tag=self._tag(ask.fields),
            deadline=None,
            prime=False,
            functions={},
        )

    def _send(self, task: Task, sent: Sent) -> None:
        self.sent.append(sent)
        self.open += 1
        self._send_task(task)

    def _tag(self, names: Iterable[str]) -> str:
        """``"business.products"``: what the task is called in its run, if it is, and the fields."""
        return ".".join(filter(None, (self._tag_of_all, "+".join(names))))

    def __repr__(self) -> str:
        return f"Asking({len(self.sent)} sent, {self.open} under way)"
