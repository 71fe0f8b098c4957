"""A run's diary: a row for each run and one for each attempt, so that it can be told afterwards."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from ingather.errors import ProviderError
from ingather.events import RunEnded, RunStarted
from ingather.store.writer import Job

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from ingather.events import Event
    from ingather.store.attempt_row import AttemptRow

_RUN = "INSERT INTO runs (id, started, total, what) VALUES (?, ?, ?, ?)"
_END = "UPDATE runs SET ended = ?, succeeded = ?, failed = ? WHERE id = ?"


class Journal:
    """Takes in the events of runs, and each attempt as it ends.

    `put`: has a job done in the store's next transaction. `what`: who is asked, without a key.
    """

    def __init__(self, put: Callable[[Job], object], what: str) -> None:
        self._put = put
        self._what = what
        # the row of each, and what its clock lacks to the calendar
        self._runs: dict[int, tuple[int, float]] = {}

    def __call__(self, event: Event) -> None:
        """A run begins or ends; other events pass."""
        if isinstance(event, RunStarted):
            number, to_calendar = secrets.randbits(62), time.time() - time.monotonic()
            self._runs[event.run] = number, to_calendar
            self._do(_RUN, (number, event.at + to_calendar, event.total, self._what))
        elif isinstance(event, RunEnded):
            number, to_calendar = self._runs.pop(event.run)
            self._do(_END, (event.at + to_calendar, event.succeeded, event.failed, number))

    def attempted(self, run: int, row: AttemptRow) -> None:
        """An attempt of a task has ended."""
        if run not in self._runs:  # closed from inside this very attempt
            return
        number, to_calendar = self._runs[run]
        response, error = row.response, row.error
        usage = None if response is None else response.usage
        failure = error if isinstance(error, ProviderError) else None
        told = failure if failure is not None else response
        values = (
            number,
            row.index,
            row.tag.encode("utf-8", "replace").decode(),
            row.attempt,
            row.asked_at + to_calendar,
            row.limited_by,
            row.slept,
            row.granted_at + to_calendar,
            row.ended_at + to_calendar,
            "answered" if error is None else type(error).__name__,
            None if failure is None else failure.status,
            None if told is None else getattr(told, "request_id", None),
            None if usage is None else usage.input_tokens,
            None if usage is None else usage.output_tokens,
            None if response is None else response.cost_usd,
        )
        self._put(Job(None, table="attempts", row=values))

    def _do(self, statement: str, row: tuple[object, ...]) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute(statement, row)

        self._put(Job(None, work=work))

    def __repr__(self) -> str:
        return f"Journal({self._what}, {len(self._runs)} runs)"
