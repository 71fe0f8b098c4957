"""Answers: one JSON line for each result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ingather.jobs.encoding import encoded
from ingather.response import LLMResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ingather.result import TaskResult


def answer_line(
    result: TaskResult,
    key: str | int,
    metadata: Mapping[str, object] | None = None,
    dump: Callable[[object], object] | None = None,
    asked: str | None = None,
) -> bytes:
    """The line, newline included, that says what became of one task. `dump` makes JSON values of an answer's instance.

    `asked`: a fingerprint of what was asked, by which a later run knows that it would ask the same.

    >>> from ingather import TaskResult
    >>> answer_line(TaskResult("a", True, LLMResponse("Paris")), "a")[:51]
    b'{"id":"a","index":0,"success":true,"value":"Paris",'
    """
    line = {
        "id": key,
        "index": result.index,
        "success": result.success,
        "value": _value(result.value, dump) if result.success else None,
        "error": _error(result),
        "usage": None if result.usage is None else _usage(result),
        "cost_usd": result.cost_usd,
        "attempts": result.attempts,
        "rejected": result.rejected,
        "duration_ms": round(result.duration_ms, 1),
        "cached": result.cached,
        "metadata": metadata,
    }
    if result.unsaved:
        line["unsaved"] = True
    if asked is not None:
        line["asked"] = asked
    return encoded(line)


def _value(value: Any, dump: Callable[[object], object] | None) -> object:
    if isinstance(value, LLMResponse):
        if value.tool_calls:
            return {"content": value.content, "tool_calls": value.tool_calls}
        return value.content
    return value if dump is None else dump(value)


def _error(result: TaskResult) -> dict[str, object] | None:
    if result.error is None:
        return None
    told: dict[str, object] = {"type": type(result.error).__name__, "message": str(result.error)}
    if result.response is not None and result.response.content:
        told["answer"] = result.response.content  # it was paid for, so it is kept
    return told


def _usage(result: TaskResult) -> dict[str, int]:
    usage = result.usage
    assert usage is not None  # noqa: S101 - the caller looked
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }
