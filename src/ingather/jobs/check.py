"""The first pass over a file of tasks: every line is read and made into its task before anything is paid for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingather.errors import Rejected, SetupError
from ingather.jobs.batch import CHAT
from ingather.jobs.recipe import Line, row_id
from ingather.jobs.rows import BadLine, Row
from ingather.jobs.seen import SeenIds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ingather.jobs.recipe import Recipe
    from ingather.jobs.source import Source
    from ingather.task import LLMTask

SHOWN = 10  # bad lines that a message lists; the rest are counted


@dataclass(slots=True)
class Checked:
    """What the first pass found: how many tasks, the first bad lines, and how many bad lines in all."""

    tasks: int = 0
    bad: int = 0
    shown: list[BadLine] = field(default_factory=list)


def check(source: Source, recipe: Recipe, prepare: Callable[[LLMTask], object] | None = None) -> Checked:
    """Go over all of `source` without keeping it: ids as hashes, bad lines up to the first ten.

    `prepare`: makes a task's request and raises what is wrong with it.
    Raises SetupError that lists the bad lines, or says that there is no task at all.
    """
    found = Checked()
    for item in lines_of(source, recipe, prepare):
        if isinstance(item, Line):
            found.tasks += 1
            continue
        found.bad += 1
        if len(found.shown) < SHOWN:
            found.shown.append(item)
    if found.bad:
        count = "a bad line" if found.bad == 1 else f"{found.bad:,} bad lines"
        more = [f"… and {found.bad - SHOWN:,} more"] if found.bad > SHOWN else []
        said = [f"{count} in {source.name}; nothing was sent", *map(str, found.shown), *more]
        raise SetupError("\n  ".join(said))
    if not found.tasks:
        raise SetupError(f'{source.name} holds no tasks: a line is such as {{"id": 1, "prompt": "…"}}')
    return found


def lines_of(
    source: Source, recipe: Recipe, prepare: Callable[[LLMTask], object] | None = None
) -> Iterator[Line | BadLine]:
    """Every line of `source` as a task, or as what is wrong with it. The first row says which form all have."""
    seen = SeenIds()
    first: Row | None = None
    batch = False
    for row in source.rows():
        if isinstance(row, BadLine):
            line: Line | BadLine = row
        elif first is not None and recipe.takes_batch(row) is not batch:
            forms = ("an OpenAI batch line", "a line of our own form")
            here, there = forms if not batch else forms[::-1]
            said = f"this is {here}, but line {first.line} is {there}: give each form a file of its own"
            line = BadLine(source.name, row.line, said)
        else:
            if first is None:
                first, batch = Row(row.line, {}), recipe.takes_batch(row)
            line = _line(row, source.name, recipe, seen, prepare)
        if batch and isinstance(line, BadLine):
            line.endpoint = CHAT
        yield line


def _line(
    row: Row, name: str, recipe: Recipe, seen: SeenIds, prepare: Callable[[LLMTask], object] | None
) -> Line | BadLine:
    key: str | int = f"line-{row.line}"
    try:
        key = row_id(row)
        if (first := seen.add(str(key), row.line)) is not None:
            raise SetupError(f"the id {key!r} is already that of line {first}; answers are told apart by it")  # noqa: TRY301
        line = recipe.line(row)
        if prepare is not None:
            prepare(line.task)
    except (SetupError, Rejected) as error:
        return BadLine(name, row.line, str(error), key)
    return line
