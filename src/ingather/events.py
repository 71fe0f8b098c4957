"""Everything that happens in a run, as data. Progress, reports and traces only subscribe (``on_event``).

Times `at` are seconds of the monotonic clock. Subscribers are called on the executor's loop and
must be quick.
"""

from __future__ import annotations

import contextlib
import logging
import traceback
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ingather.response import Usage
    from ingather.result import TaskResult
    from ingather.stats import Stats, Times

P = ParamSpec("P")

logger = logging.getLogger("ingather")


@dataclass(slots=True)
class RunStarted:
    """A call of an executor method began. `run` tells runs apart; `total` is None for a lazy input.

    `parent`: the run and the index of the task inside which it began, of a function that called an
    executor; or of an `ExtractTask`, whose parts are a run as well (`is_parts`).
    """

    at: float
    run: int
    total: int | None
    parent: tuple[int, int] | None = None
    is_parts: bool = False


@dataclass(slots=True)
class TaskStarted:
    """A task was pulled from the input."""

    at: float
    run: int
    index: int
    tag: str


@dataclass(slots=True)
class AttemptStarted:
    """A request went on the wire (`attempt` counts from 1), or a function began (its `attempt` is 0).

    `queued`: seconds it waited, `waited` what for, each with its seconds: ``"slots"``,
    ``"requests"``, ``"tokens"``, ``"concurrency"``, ``"start"`` (how many calls at once are right
    is still being found out), ``"pause"``, ``"budget"``, ``"store"``.
    """

    at: float
    run: int
    index: int
    attempt: int
    queued: float
    waited: Mapping[str, float] = field(default_factory=dict)

    @property
    def limited_by(self) -> str:
        """What it waited for longest, ``""`` where it did not wait."""
        return max(self.waited, key=self.waited.__getitem__) if self.waited else ""


@dataclass(slots=True)
class AttemptEnded:
    """It came back after `duration` seconds. `error` is None for an answer; a `RateLimited` is flow control."""

    at: float
    run: int
    index: int
    attempt: int
    duration: float
    error: BaseException | None
    usage: Usage | None


@dataclass(slots=True)
class BackedOff:
    """A transient fault: the task sleeps `delay` seconds, without a slot, and tries again."""

    at: float
    run: int
    index: int
    attempt: int
    delay: float
    error: Exception | None


@dataclass(slots=True)
class PoolPaused:
    """A 429: nothing is sent to this quota for `delay` seconds."""

    at: float
    run: int
    index: int
    pool: str
    delay: float


@dataclass(slots=True)
class Hedged:
    """A request took long, `after` seconds so far: it was sent a second time."""

    at: float
    run: int
    index: int
    after: float


@dataclass(slots=True)
class ReAsked:
    """An answer that did not fit the response_model was sent back with its error."""

    at: float
    run: int
    index: int
    error: Exception


@dataclass(slots=True)
class Remembered:
    """A task was answered without a request of its own.

    `source`: ``"store"``, or ``"flight"`` for the answer to an identical call that was in the air.
    """

    at: float
    run: int
    index: int
    source: str


@dataclass(slots=True)
class TaskEnded:
    """A task has its result.

    `times`: where its time went; None for an `ExtractTask`, whose parts tell theirs. `stored`:
    seconds in which its answer was being stored. `is_inner`: the result's usage and cost are those
    of tasks that ran inside it, which have been told already.
    """

    at: float
    run: int
    result: TaskResult
    times: Times | None = field(default=None, compare=False)
    stored: float = 0.0
    is_inner: bool = False


@dataclass(slots=True)
class RunEnded:
    """A call of an executor method is over. `wall`: seconds.

    `stats`: the executor's, over all of its runs so far; where many others go on, as it was a few
    ends of runs ago. `untaken`: seconds in which nothing was begun because results had not been
    taken.
    """

    at: float
    run: int
    wall: float
    succeeded: int
    failed: int
    stats: Stats | None = field(default=None, compare=False)
    untaken: float = 0.0


Event = (
    RunStarted
    | TaskStarted
    | AttemptStarted
    | AttemptEnded
    | BackedOff
    | PoolPaused
    | Hedged
    | ReAsked
    | Remembered
    | TaskEnded
    | RunEnded
)


@dataclass(slots=True)
class Listener(Generic[P]):
    """A function of the user's that is told what happens: what it raises ends nothing, and is warned of once.

    `argument`: by which it was given.
    """

    argument: str
    function: Callable[P, object]
    _has_failed: bool = False

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell it."""
        try:
            self.function(*args, **kwargs)
        except Exception as error:
            level = logging.DEBUG if self._has_failed else logging.ERROR
            of = ", ".join(type(what).__name__ for what in args)
            logger.log(level, "%s failed for %s; the run goes on", self.argument, of, exc_info=True)
            if not self._has_failed:
                self._has_failed = True
                self._warn(error)

    def _warn(self, error: Exception) -> None:
        raised = "".join(traceback.format_exception_only(error)).strip()
        called = error.__traceback__
        # the function's own line, where it is not written in C
        at = called and (called.tb_next or called)
        message = f"{self.argument} raised {raised}: the run goes on, and what else it raises is only logged"
        # raised where warnings are errors; it would end the run
        with contextlib.suppress(RuntimeWarning):
            warnings.warn_explicit(
                message,
                RuntimeWarning,
                at.tb_frame.f_code.co_filename if at else "?",
                at.tb_lineno if at else 0,
            )
