"""The end of a run, for its output: every answer where it should be, once, and in the place of what it replaces."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingather.errors import SetupError, StoreError
from ingather.jobs import read_written

if TYPE_CHECKING:
    from pathlib import Path

    from ingather.cli.plan import Plan
    from ingather.jobs import AnswerFile, Written


@dataclass(slots=True)
class Settled:
    """What the output holds when a run has ended.

    `lines`: answers, None where others had their hands on it and that cannot be told. `failed`:
    those of them that are failures. `waiting`: it is a part, whose replacement of the output is
    still to come. `old`: where earlier answers are kept that no new one has taken the place of.
    `trouble`: what went wrong with the file, in words. `is_whole`: all answers are where they
    should be all the same.
    """

    lines: int | None
    failed: int
    waiting: bool = False
    old: Path | None = None
    trouble: tuple[str, ...] = ()
    is_whole: bool = True


def settle(plan: Plan, failed: int, *, complete: bool) -> Settled:
    """Put the output in order. `failed`: lines of failures that this run wrote. `complete`: no task is left."""
    answers, resume = plan.answers, plan.resume
    answers.look()
    before = 0 if resume is None else len(resume.written)
    found = Settled(before + answers.written, failed + (0 if resume is None else resume.failed))
    problems: list[str] = []
    if answers.place.is_file and answers.is_whole:
        if resume is not None and (resume.in_order or resume.retry_failed):
            try:
                found.lines, found.failed = _arranged(plan)
            except (OSError, SetupError) as error:
                problems.append(
                    f"{answers.name} could not be put in order, and is as it was written: {error}"
                )
        if answers.place.replaces:
            found.waiting = True
            try:
                _replace(plan, found, complete=complete)
            except (OSError, SetupError) as error:
                problems.append(f"{answers.path} could not be replaced, and is as it was: {error}")
    found.trouble = (*answers.trouble, *problems)
    if answers.trouble:
        found.lines, found.failed = _counted(answers)
    found.is_whole = answers.is_whole and not (problems and found.waiting)
    return found


def _counted(answers: AnswerFile) -> tuple[int | None, int]:
    """How many answers an output holds that others had their hands on, and how many of them are failures."""
    if not answers.place.is_file:
        return None, 0
    try:
        written = read_written(answers.file)
    except (OSError, SetupError):  # it is gone, or holds something else too
        return None, 0
    return len(written), len(written.failed)


def _arranged(plan: Plan) -> tuple[int, int]:
    """Failures that were asked again go, and lines come into their order. Gives how many there are, and have failed."""
    resume = plan.resume
    assert resume is not None  # noqa: S101 - the caller looked
    written = read_written(plan.answers.file)
    pieces = written.arranged(resume.order if resume.in_order else None)
    if pieces is not None:
        plan.answers.rearrange(pieces)
        written = read_written(plan.answers.file)
    return len(written), len(written.failed)


def _replace(plan: Plan, found: Settled, *, complete: bool) -> None:
    """The new answers take the place of the old ones, where all have come."""
    answers = plan.answers
    new = read_written(answers.file)
    found.lines, found.failed = len(new), len(new.failed)
    if not complete or len(new) == len(new.failed):
        return
    found.old = answers.replace(keep_old=_lacks(new, answers.place.target))
    found.waiting = False
    if plan.resume is not None and plan.resume.rows is not None:
        with contextlib.suppress(StoreError):  # each line says by itself what it was asked
            plan.resume.rows.becomes(answers.path)


def _lacks(new: Written, target: Path) -> bool:
    """Whether the file that is replaced has answers to rows which have failed now."""
    if not new.failed or not target.exists():
        return False
    try:
        old = read_written(target).ids(without_failed=True)
    except SetupError:  # it holds something else than answers
        return False
    return any(old.line_of(new.marks[number]) for number in new.failed)
