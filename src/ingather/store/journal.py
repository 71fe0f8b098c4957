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

    from ingather.admission.permit import Permit
    from ingather.engine.record import Record
    from ingather.events import Event

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

    def attempted(
        self, run: int, record: Record, permit: Permit, error: BaseException | None, attempt: int
    ) -> None:
        """An attempt of a task has ended: `attempt` counts from 1."""
        if run not in self._runs:  # closed from inside this very attempt
            return
        number, to_calendar = self._runs[run]
        response = (
            record.response
            if error is None
            else error.response
            if isinstance(error, ProviderError)
            else None
        )
        usage = None if response is None else response.usage
        failure = error if isinstance(error, ProviderError) else None
        row = (
            number,
            record.index,
            record.tag.encode("utf-8", "replace").decode(),
            attempt,
            permit.asked_at + to_calendar,
            permit.limited_by,
            record.slept,
            permit.granted_at + to_calendar,
            permit.loop.time() + to_calendar,
            "answered" if error is None else type(error).__name__,
            None if failure is None else failure.status,
            None
            if response is None and failure is None
            else getattr(failure or response, "request_id", None),
            None if usage is None else usage.input_tokens,
            None if usage is None else usage.output_tokens,
            None if response is None else response.cost_usd,
        )
        self._put(Job(None, table="attempts", row=row))

    def _do(self, statement: str, row: tuple[object, ...]) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute(statement, row)

        self._put(Job(None, work=work))

    def __repr__(self) -> str:
        return f"Journal({self._what}, {len(self._runs)} runs)"
