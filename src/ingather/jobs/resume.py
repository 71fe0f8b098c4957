"""Going on with a run: which rows its answer file has, whether they were asked the same, and what is left to do."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ingather.errors import SetupError
from ingather.jobs.encoding import encoded
from ingather.jobs.rows import BadLine
from ingather.jobs.seen import mark_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingather.jobs.recipe import Line
    from ingather.jobs.written import Written
    from ingather.store.outputs import OutputRows
    from ingather.task import LLMTask


class Resume:
    """One answer file, on the way to being complete. `model`: who is asked, as far as lines do not say so themselves.

    `written`: what the file has. `in_order`: its lines shall have the order of the tasks. `retry_failed`: those that
    failed shall be asked again. `kept`: how many of the file's lines stay, from the first on; with `in_order` only as
    far as they have that order.
    """

    def __init__(
        self, rows: OutputRows, written: Written, model: str, *, in_order: bool = False, retry_failed: bool = False
    ) -> None:
        self.rows = rows
        self.written = written
        self.in_order = in_order
        self.retry_failed = retry_failed
        self.kept = 0 if in_order else len(written)
        self.done = 0  # tasks of the input whose answer is there
        self._model = model
        self._ids = written.ids(len(written), without_failed=retry_failed)
        self._seen = 0
        self._prefix = in_order
        self._verified = False

    @property
    def kept_bytes(self) -> int:
        """Where the lines that stay end, but for those that are `dropped`."""
        return self.written.ends[self.kept - 1] if self.kept else 0

    @property
    def dropped(self) -> list[tuple[int, int]]:
        """From where to where in the file lie the lines that do not stay, though lines after them do."""
        if self.in_order or not self.retry_failed:
            return []
        ends = self.written.ends
        return [(ends[number - 1] if number else 0, ends[number]) for number in sorted(self.written.failed)]

    @property
    def failed(self) -> int:
        """How many of the lines that stay are failures."""
        return 0 if self.retry_failed else sum(number < self.kept for number in self.written.failed)

    def check(self, key: str, task: LLMTask) -> None:
        """A task of the input, in its order, before anything is sent.

        Raises SetupError where the file has its answer, and it was asked otherwise then.
        """
        self._verified = True
        if self._prefix:
            self._go_along(key)
        if key in self._ids:
            self.done += 1
            self._verify(key, task)

    def begin(self) -> None:
        """The input has been checked, or cannot be: what stays is settled."""
        self.rows.read()
        if self.in_order:
            self._ids = self.written.ids(self.kept, without_failed=False)
            self.done = self.kept

    def left(self, lines: Iterable[tuple[int, Line | BadLine]]) -> list[tuple[int, Line | BadLine]]:
        """Those that are still to be done, and a note on file of what each is asked. Waits for the store.

        Raises StoreError where that cannot be noted, SetupError as `check` where it has not been called.
        """
        todo: list[tuple[int, Line | BadLine]] = []
        notes: list[tuple[str, bytes]] = []
        for index, line in lines:
            key = str(line.id)
            if isinstance(line, BadLine):
                if key not in self._ids:
                    todo.append((index, line))
            elif key in self._ids:
                if not self._verified:
                    self._verify(key, line.task)
            else:
                todo.append((index, line))
                notes.append((key, self._request(line.task)))
        self.rows.note(notes)
        return todo

    def _verify(self, key: str, task: LLMTask) -> None:
        before = self.rows.request_of(key)
        if before is not None and before != self._request(task):
            raise SetupError(
                f"the id {key!r} was asked something else when its answer was written: --refresh asks all anew, "
                "another -o keeps both"
            )

    def _go_along(self, key: str) -> None:
        """As long as the file's lines have the order of the tasks, they stay."""
        number = self._seen
        self._seen += 1
        there = number < len(self.written) and self.written.marks[number] == mark_of(key)
        self._prefix = there and not (self.retry_failed and number in self.written.failed)
        self.kept += self._prefix

    def _request(self, task: LLMTask) -> bytes:
        """A hash of what a task asks, whatever dialect carries it."""
        said = [
            {"role": one.role, "content": one.content, "name": one.name, "calls": one.tool_calls or one.function_call}
            for one in task.messages
        ]
        form: object = None
        if task.response_model is not None:
            from ingather.schema import Schema

            form = Schema.of(task.response_model).response_format()
        asked = {"model": self._model, "messages": said, "params": dict(task.config_overrides or {}), "form": form}
        return hashlib.sha256(encoded(asked)).digest()[:16]

    def __repr__(self) -> str:
        return f"Resume({self.rows!r}, {self.done} done, {self.kept} lines stay)"
