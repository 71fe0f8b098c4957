"""The first pass over a file of tasks: every line is read and made into its task before anything is paid for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingather.errors import Rejected, SetupError
from ingather.jobs.batch import CHAT
from ingather.jobs.recipe import Line
from ingather.jobs.rows import BadLine, Row
from ingather.jobs.seen import SeenIds
from ingather.stats import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ingather.jobs.recipe import Recipe
    from ingather.jobs.row_source import Source
    from ingather.task import LLMTask

# kinds of bad lines that a message lists, and numbers of lines of each; the rest are counted
SHOWN = 10
_PARTICULAR = re.compile(r"'(?:[^'\\]|\\.)*'|\"[^\"]*\"|\d[\d,.]*")
_TELLING = 50  # characters of a problem that say which kind it is


@dataclass(slots=True)
class Alike:
    """Bad lines with the same problem: the first of them, how many, and the numbers of some."""

    first: BadLine
    count: int = 0
    lines: list[int] = field(default_factory=list)

    def add(self, line: BadLine) -> None:
        self.count += 1
        if len(self.lines) < SHOWN:
            self.lines.append(line.line)

    def __str__(self) -> str:
        if self.count == 1:
            return str(self.first)
        others = ", ".join(map(str, self.lines[1:]))
        more = ", …" if self.count > len(self.lines) else ""
        which = "line" if self.count == 2 else "lines"
        return f"{self.first}\n    and {self.count - 1:,} more like it: {which} {others}{more}"


@dataclass(slots=True)
class Checked:
    """What the first pass found: how many tasks, how many bad lines, and their kinds."""

    tasks: int = 0
    bad: int = 0
    kinds: dict[str, Alike] = field(default_factory=dict)

    def refuse(self, line: BadLine) -> None:
        """One more bad line."""
        self.bad += 1
        self.kinds.setdefault(kind_of(line), Alike(line)).add(line)

    def told(self, name: str) -> str:
        """What is wrong, each kind of mistake once."""
        if self.bad > 1 and not self.tasks and len(self.kinds) == 1:
            count = f"all {self.bad:,} lines of {name} are bad, in the same way"
        else:
            count = f"{counted(self.bad, 'bad line')} in {name}"
        shown = list(self.kinds.values())
        rest = sum(kind.count for kind in shown[SHOWN:])
        more = [f"… and {rest:,} more"] if rest else []
        return "\n  ".join([f"{count}; nothing was sent", *map(str, shown[:SHOWN]), *more])


def kind_of(line: BadLine) -> str:
    """What is wrong with it, without what is particular to this line."""
    return _PARTICULAR.sub("…", line.problem)[:_TELLING]


def check(
    source: Source, recipe: Recipe, prepare: Callable[[LLMTask], object] | None = None
) -> Checked:
    """Go over all of `source` without keeping it: ids as hashes, of bad lines the first of each kind.

    `prepare`: makes a task's request and raises what is wrong with it.
    Raises SetupError that lists the bad lines, or says that there is no task at all.
    """
    found = Checked()
    absent = set() if recipe.keeps_all else set(recipe.keep)
    for item in lines_of(source, recipe, prepare):
        if isinstance(item, Line):
            found.tasks += 1
            if absent:
                absent -= (item.metadata or {}).keys()
        else:
            found.refuse(item)
    if found.bad:
        raise SetupError(found.told(source.name))
    if not found.tasks:
        wanted = (
            "a header line, then a row each"
            if source.is_table
            else 'a line is such as {"id": 1, "prompt": "…"}'
        )
        raise SetupError(f"{source.name} holds no tasks: {wanted}")
    if absent:
        raise SetupError(
            f"--keep names {min(absent)!r}, which is no field of any row of {source.name}"
        )
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
        key = recipe.row_id(row)
        if (first := seen.add(str(key), row.line)) is not None:
            problem = f"the id {key!r} is already that of line {first}"
            raise SetupError(f"{problem}; answers are told apart by it")  # noqa: TRY301
        line = recipe.line(row)
        if prepare is not None:
            prepare(line.task)
    except (SetupError, Rejected) as error:
        return BadLine(name, row.line, str(error), key)
    return line
