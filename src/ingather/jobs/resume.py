"""Going on with a run: which rows its answer file has, whether they were asked the same, and what is left to do."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from ingather.errors import SetupError
from ingather.jobs.rows import BadLine
from ingather.jobs.seen import mark_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingather.jobs.fingerprint import Fingerprint
    from ingather.jobs.recipe import Line
    from ingather.jobs.written import Written
    from ingather.store.output_rows import OutputRows
    from ingather.task import LLMTask


class Resume:
    """One answer file, on the way to being complete.

    `written`: what the file has. `asked`: hashes what a task asks. `rows`: what a store knows of
    the file, if there is one. `in_order`: its lines shall have the order of the tasks in the end.
    `retry_failed`: those that failed shall be asked again.
    """

    def __init__(
        self,
        written: Written,
        asked: Fingerprint,
        rows: OutputRows | None = None,
        *,
        in_order: bool = False,
        retry_failed: bool = False,
    ) -> None:
        self.written = written
        self.rows = rows
        self.in_order = in_order
        self.retry_failed = retry_failed
        self.done = 0  # tasks of the input whose answer is there
        self.order = array("Q")  # the marks of the tasks in their order, where that matters
        self._asked = asked
        self._ids = written.ids(without_failed=retry_failed)
        self._verified = False

    @property
    def failed(self) -> int:
        """How many of the file's lines are failures that are not asked again."""
        return 0 if self.retry_failed else len(self.written.failed)

    def check(self, key: str, task: LLMTask) -> None:
        """A task of the input, in its order, before anything is sent.

        Raises SetupError where the file has its answer, and it was asked otherwise then.
        """
        self._verified = True
        if key in self._ids:
            self.done += 1
            self._verify(key, task)

    def begin(self) -> None:
        """The input has been checked, or cannot be."""
        if self.rows is not None:
            self.rows.read()

    def left(self, lines: Iterable[tuple[int, Line | BadLine]]) -> list[tuple[int, Line | BadLine]]:
        """Those that are still to be done, and a note on file of what each is asked. Waits for the store.

        Raises StoreError where that cannot be noted, SetupError as `check` where it has not been
        called.
        """
        todo: list[tuple[int, Line | BadLine]] = []
        notes: list[tuple[str, bytes]] = []
        for index, line in lines:
            key = str(line.id)
            if self.in_order:
                self.order.append(mark_of(key))
            if isinstance(line, BadLine):
                if key not in self._ids:
                    todo.append((index, line))
            elif key in self._ids:
                if not self._verified:
                    self._verify(key, line.task)
            else:
                todo.append((index, line))
                notes.append((key, self._asked.of(line.task)))
        if self.rows is not None:
            self.rows.note(notes)
        return todo

    def _verify(self, key: str, task: LLMTask) -> None:
        before = self.written.prints[self._ids.line_of(mark_of(key)) - 1]
        if before:
            is_other = before != self._asked.number(task)
        else:  # a line that does not say
            noted = None if self.rows is None else self.rows.request_of(key)
            is_other = noted is not None and noted != self._asked.of(task)
        if not is_other:
            return
        by_place = (
            "; rows without an id are known by their line: --id COLUMN knows them by a column"
            if key.startswith("line-")
            else ""
        )
        anew = "--overwrite" if self.rows is None else "--refresh"
        raise SetupError(
            f"the id {key!r} has a saved answer to a different request: {anew} asks all "
            f"anew, "
            f"another -o keeps both{by_place}"
        )

    def __repr__(self) -> str:
        return f"Resume({len(self.written)} lines, {self.done} done)"
