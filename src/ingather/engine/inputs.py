"""What may be given as tasks, and what to write in place of what may not."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Iterable, Mapping
from typing import Any, TypeVar

from ingather.brief import brief
from ingather.extract_task import ExtractTask
from ingather.task import DeterministicTask, LLMMessage, LLMTask, Task

T = TypeVar("T")
TasksOf = Iterable[Task[T]] | AsyncIterable[Task[T]] | Mapping[str, Task[T]]
Texts = Iterable[str] | AsyncIterable[str]
"""Each is a task of one user message, whose value is the response."""
Tasks = Iterable[Task | str] | AsyncIterable[Task | str] | Mapping[str, Task | str]
_KINDS = (LLMTask, DeterministicTask, ExtractTask)


def as_task(item: Task | str) -> Task:
    """A string as a task of one user message; anything else as it is.

    >>> as_task("Name a prime")
    LLMTask('Name a prime')
    """
    return LLMTask(item) if isinstance(item, str) else item


def check_tasks(tasks: object, method: str) -> None:
    """Raise TypeError where the whole of `tasks` is a mistake, before any of it is sent. `method`: for the message.

    Of a lazy input nothing is looked at: an item of it that is no task is a failed result of its
    own.
    """
    kind = type(tasks).__name__
    if isinstance(
        tasks, str | bytes | bytearray | LLMMessage | LLMTask | DeterministicTask | ExtractTask
    ):
        what = "string" if isinstance(tasks, str) else kind
        raise TypeError(
            f"{method}() takes an iterable of tasks, not one {what}: write {method}([…]) around it"
        )
    if isinstance(tasks, Mapping):
        if _is_message(tasks):
            raise TypeError(
                f"{method}() takes tasks, not a message: write {method}([LLMTask([message])])"
            )
        return
    columns = _columns(tasks)
    if columns is not None:
        row = f"row[{columns[0]!r:.40}]" if columns else "…"
        raise TypeError(
            f"{method}() takes tasks, not a {kind}: make one for each row, such as LLMTask({row}), "
            f"or give a column of "
            f"prompts{_from_column(tasks, columns, method)}"
        )
    dimensions = getattr(tasks, "ndim", 1)
    if isinstance(dimensions, int) and dimensions != 1:
        raise TypeError(
            f"{method}() takes tasks, not a {kind} of {dimensions} dimensions: make one for each "
            f"row, such as "
            "LLMTask(str(row))"
        )
    if isinstance(tasks, AsyncIterable):
        return
    if not hasattr(tasks, "__iter__") and not hasattr(tasks, "__getitem__"):
        raise TypeError(
            f"{method}() takes an iterable of tasks, or a dict, not "
            f"{brief(tasks, 80)}{_hint(tasks)}"
        )
    if (hasattr(tasks, "dtype") or hasattr(tasks, "to_pylist")) and not _has_tasks(tasks):
        how = (
            "give it as column.to_pylist()"
            if hasattr(tasks, "to_pylist")
            else "write (LLMTask(f'… {value}') …)"
        )
        raise TypeError(f"{method}() takes tasks or strings, and this {kind} holds none: {how}")


def check_tagged(tasks: object, method: str) -> None:
    """`check_tasks` for a method that takes only a dict of tag to task."""
    if isinstance(tasks, Mapping) and not _is_message(tasks):
        return
    kind = "a message" if isinstance(tasks, Mapping) else type(tasks).__name__
    one = {
        "a message": "LLMTask([message])",
        "LLMMessage": "LLMTask([message])",
        "str": "LLMTask(text)",
    }.get(kind)
    if one is None and isinstance(tasks, _KINDS):
        one = "task"
    instead = (
        "use gather() for a list"
        if one is None
        else f"write {method}({{'tag': {one}}}) or gather([{one}])"
    )
    raise TypeError(f"{method}() takes a dict of tag to task, not {kind}: {instead}")


def check_list(tasks: object, method: str) -> None:
    """`check_tasks` for a method that takes only a list."""
    if isinstance(tasks, Mapping):
        raise TypeError(
            f"{method}() takes a list of tasks, in order, not a dict: write list(tasks.values())"
        )
    if isinstance(tasks, AsyncIterable):
        raise TypeError(
            f"{method}() takes a list of tasks, in order, not {type(tasks).__name__}: write [task "
            f"async for task in …]"
        )
    check_tasks(tasks, method)


def not_a_task(item: object) -> TypeError:
    """The error of an item that is no task: says what to write."""
    return TypeError(
        f"a task is a string, LLMTask, DeterministicTask or ExtractTask, not "
        f"{brief(item, 80)}{_hint(item)}"
    )


def _is_message(tasks: Mapping[Any, object]) -> bool:
    return isinstance(tasks.get("role"), str) and "content" in tasks


def _hint(item: Any) -> str:
    if isinstance(item, Mapping):
        if isinstance(item.get("role"), str):
            return ": for a message write LLMTask([message])"
        texts = [key for key, value in item.items() if isinstance(value, str)]
        return (
            f": for a row write LLMTask(row[{texts[0]!r:.40}])"
            if texts
            else ": for a row write LLMTask(row[…])"
        )
    if isinstance(item, LLMMessage):
        return ": for a message write LLMTask([message])"
    if isinstance(item, list | tuple):
        if item and all(isinstance(each, LLMMessage | Mapping) for each in item):
            return ": for a conversation write LLMTask(messages)"
        texts = [
            name for name in getattr(item, "_fields", ()) if isinstance(getattr(item, name), str)
        ]
        if texts:
            return f": for a row write LLMTask(row.{texts[0]})"
        if len(item) == 2 and hasattr(item[1], "keys"):  # as DataFrame.iterrows gives them
            return ": for a row write (LLMTask(row[…]) for _, row in …)"
        return ": for a row write LLMTask(row[…])"
    if isinstance(item, bytes | bytearray):
        return ": decode it"
    if isinstance(item, Awaitable):
        return ": await it first; for a function of your own write DeterministicTask(function, args=(…))"
    if callable(item):
        return (
            ": for a function write DeterministicTask(function, args=(…)), for a generator call it"
        )
    return ": for a prompt write LLMTask(text)"


def _columns(tasks: Any) -> list[str] | None:
    """The names of a table's columns; None for what is no table."""
    if hasattr(type(tasks), "columns") and hasattr(type(tasks), "collect"):
        return []  # a lazy one, which would have to look at its source to know
    for name in ("column_names", "columns"):
        found = getattr(tasks, name, None)
        if found is not None and not callable(found) and isinstance(found, Iterable):
            return [column for column in found if isinstance(column, str)]
    return [] if hasattr(tasks, "__dataframe__") else None


def _from_column(table: Any, columns: list[str], method: str) -> str:
    if not columns:
        return " once it is collected" if hasattr(type(table), "collect") else ""
    values = ".to_pylist()" if hasattr(table, "to_pylist") else ""
    return f", such as {method}(table[{columns[0]!r:.40}]{values})"


def _has_tasks(column: Any) -> bool:
    empty = True
    for value in column:
        if isinstance(value, (str, *_KINDS)):
            return True
        empty = False
    return empty
