"""What became of a task. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from ingather.brief import brief, cut
from ingather.task import T_co

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.response import LLMResponse, Usage
    from ingather.task import Task


@dataclass(slots=True)
class TaskResult(Generic[T_co]):
    """What became of one task: ``TaskResult[T]`` where its value has the type T.

    `value`: the function's result; an instance of the task's response_model; or, without one, the
    `LLMResponse`. `error`: None exactly when `success`. `response`: the last answer, also where it
    was no success. `usage` and `cost_usd`: over all attempts, None where not known.

    Times in milliseconds: `queued_ms` until the task was first admitted, `duration_ms` from there
    to its end, `backoff_ms` the part of that spent sleeping between attempts. `attempts`: requests
    on the wire, `rejected` how many of them were 429s. `index`: the task's place in the input.

    Of an `ExtractTask`: `parts` has for each field that was asked for the result of the call that
    filled it, or of the last that failed to; `missing` names the fields that have no value of their
    own. A part's `origin` says how it came: ``"part"``, a call of its own; ``"retry"``, asked
    again; ``"single"``, the one prompt for what was missing (whose cost stands at each field that
    it filled); ``"code"``, a function; ``"cache"``. Elsewhere it is ``""``.

    `cached`: it was answered from the store, or by an identical call that was in flight. Nothing
    was paid for it then: `attempts` is 0, `usage` counts no tokens, `cost_usd` is 0.0, and what the
    answer once took stands in ``response.usage``. `unsaved`: it was received and billed,
    but not saved; the run ends with a `StoreError`.

    >>> from ingather import TaskResult
    >>> TaskResult("sum", True, 3).unwrap()
    3
    """

    tag: str
    success: bool
    value: T_co | None = None
    error: Exception | None = None
    duration_ms: float = 0.0
    index: int = 0
    task: Task[T_co] = None  # type: ignore[assignment]  # None only in a result made by hand
    response: LLMResponse | None = None
    usage: Usage | None = None
    cost_usd: float | None = None
    attempts: int = 0
    rejected: int = 0
    queued_ms: float = 0.0
    backoff_ms: float = 0.0
    cached: bool = False
    parts: Mapping[str, TaskResult] | None = None
    missing: tuple[str, ...] = ()
    origin: str = ""
    unsaved: bool = False

    def unwrap(self) -> T_co:
        """The value; raises the task's error where it failed."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]  # a function's value may be None

    def __repr__(self) -> str:
        outcome = (
            f"value={brief(self.value, 80)}" if self.success else f"error={brief(self.error, 80)}"
        )
        tag = brief(self.tag, 40)
        return cut(
            f"TaskResult({tag}, {outcome}, {self.duration_ms:.1f} ms, attempts={self.attempts})"
        )
