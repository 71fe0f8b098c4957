"""Where an analysis stands, from the events of its run: a line for each section, a mark for each component."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ingather import ExtractTask, LLMTask
from ingather.events import AttemptEnded, AttemptStarted, TaskEnded, TaskStarted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ingather import TaskResult
    from ingather.events import Event

State = Literal["waiting", "running", "done", "failed", "skipped"]


@dataclass(slots=True)
class Line:
    """One section. `components`: the state of each; `since`, `until`: seconds of the loop's clock; `note`: its end."""

    components: dict[str, State]
    since: float | None = None
    until: float | None = None
    note: str = ""

    @property
    def done(self) -> int:
        """How many components are there."""
        return sum(state == "done" for state in self.components.values())

    @property
    def running(self) -> list[str]:
        """The names of those that are under way."""
        return [name for name, state in self.components.items() if state == "running"]


@dataclass
class Board:
    """Subscribe it (``on_event=board``) to an analysis; `lines` are its sections.

    A call is known by its tag: ``"business.key_products"``, or
    ``"business.key_products+competition"`` for one that asks for both.

    >>> Board({"business": ["key_products"]}).lines["business"].components
    {'key_products': 'waiting'}
    """

    sections: Mapping[str, Iterable[str]]
    lines: dict[str, Line] = field(init=False)
    calls: int = 0
    in_flight: int = 0

    def __post_init__(self) -> None:
        self.lines = {
            name: Line(dict.fromkeys(fields, "waiting")) for name, fields in self.sections.items()
        }
        self.lock = threading.Lock()  # who draws is in another thread
        self._tags: dict[tuple[int, int], str] = {}

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        with self.lock:
            match event:
                case TaskStarted():
                    self._tags[event.run, event.index] = event.tag
                case AttemptStarted():
                    self.in_flight += 1
                    self._mark(self._tags.get((event.run, event.index), ""), "running", event.at)
                case AttemptEnded():
                    self.in_flight -= 1
                    self.calls += event.attempt > 0
                case TaskEnded():
                    self._ended(
                        self._tags.pop((event.run, event.result.index), ""), event.result, event.at
                    )
                case _:
                    pass

    def skip(self, section: str, why: str) -> None:
        """There is nothing to read for this section."""
        line = self.lines[section]
        line.components = dict.fromkeys(line.components, "skipped")
        line.note = why

    def _ended(self, tag: str, result: TaskResult, now: float) -> None:
        if isinstance(result.task, ExtractTask):
            self._close(tag, result, now)
        elif isinstance(result.task, LLMTask) or "." in tag:
            self._mark(tag, "done" if result.success else "failed", now)

    def _close(self, section: str, result: TaskResult, now: float) -> None:
        line = self.lines.get(section)
        if line is None:
            return
        line.until = now
        parts = result.parts or {}
        for name in line.components:  # one that is not among the parts is added by code
            succeeded = parts[name].success if name in parts else result.success
            line.components[name] = "done" if succeeded else "failed"

    def _mark(self, tag: str, state: State, now: float) -> None:
        section, _, fields = tag.partition(".")
        line = self.lines.get(section)
        if line is None:
            return
        line.since = now if line.since is None else line.since
        for name in fields.split("+"):
            if line.components.get(name) not in (None, "done"):
                line.components[name] = state
