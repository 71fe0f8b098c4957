"""Batch lines of OpenAI's Responses API: their ``input`` as messages, and an answer as its ``response`` object."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ingather.errors import SetupError
from ingather.jobs.completion import as_given
from ingather.jobs.messages import read_messages
from ingather.providers.finish import End, end_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.response import LLMResponse, Usage
    from ingather.task import LLMMessage

_USUAL = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
_ECHOED = (
    "instructions",
    "max_output_tokens",
    "temperature",
    "top_p",
    "metadata",
    "truncation",
    "text",
    "reasoning",
)
# items in which the caller answers what the assistant called for
_ANSWERING = ("_output", "_response")


def read_input(said: object) -> list[LLMMessage]:
    """``input`` as messages; an item that no message says goes on as it is. Raises SetupError for what is no item.

    >>> read_input("Hi")[0].content
    'Hi'
    """
    if isinstance(said, str):
        if not said.strip():
            raise SetupError("'input' is the text to send, and not empty")
        return read_messages([{"role": "user", "content": said}])
    if not isinstance(said, list) or not said:
        raise SetupError("'input' is text, or a list of items that is not empty")
    return read_messages(_messages(said))


def _messages(said: list[object]) -> list[dict[str, Any]]:
    """One for each item, but for reasoning, which belongs to what the assistant said next."""
    found: list[dict[str, Any]] = []
    thoughts: list[object] = []
    for number, item in enumerate(said, 1):
        if isinstance(item, dict) and item.get("type") == "reasoning":
            thoughts.append(item)
            continue
        message = _message(number, item)
        if thoughts and message["role"] != "assistant":
            raise SetupError(
                f"item {number} of 'input' follows reasoning, and is nothing that an assistant said"
            )
        found.append(
            {**message, "metadata": {**message.get("metadata", {}), "output": thoughts}}
            if thoughts
            else message
        )
        thoughts = []
    if thoughts:
        raise SetupError(
            f"item {len(said)} of 'input' is reasoning, and nothing follows that was said"
        )
    return found


def _message(number: int, item: object) -> dict[str, Any]:
    kind = (
        item.get("type") or ("message" if "role" in item else "item_reference")
        if isinstance(item, dict)
        else None
    )
    if not isinstance(item, dict) or not isinstance(kind, str):
        raise SetupError(f"item {number} of 'input' is an object with a 'type', not {item!r:.60}")
    if kind == "message":
        return {"role": item.get("role"), "content": item.get("content")}
    needed = {
        "function_call": ("call_id", "name", "arguments"),
        "function_call_output": ("call_id", "output"),
    }
    for name in needed.get(kind, ()):
        if not isinstance(item.get(name), str | list):
            raise SetupError(f"item {number} of 'input', a {kind}, has no {name!r}")
    if kind == "function_call":
        function = {"name": item["name"], "arguments": item["arguments"]}
        calls = [{"id": item["call_id"], "type": "function", "function": function}]
        return {"role": "assistant", "content": None, "tool_calls": calls}
    if kind == "function_call_output":
        return {"role": "tool", "tool_call_id": item["call_id"], "content": item["output"]}
    role = "tool" if kind.endswith(_ANSWERING) else "assistant"
    return {"role": role, "content": "", "metadata": {"item": item}}


def response_object(
    answer: LLMResponse, asked: Mapping[str, object], refusal: str | None = None
) -> dict[str, object]:
    """The object as the provider gave it; from another API, with what that said and what was `asked`, and new ids.

    >>> from ingather import LLMResponse
    >>> response_object(LLMResponse("Paris"), {"model": "gpt"})["output"][0]["content"][0]["text"]
    'Paris'
    """
    said = answer.metadata
    why = _incomplete(answer.finish_reason, refusal)
    created = said.get("created_at")
    status = "incomplete" if why else "completed"
    others = said.get("output")
    whole: dict[str, object] = {
        "id": said["id"] if isinstance(said.get("id"), str) else f"resp_{uuid4().hex}",
        "object": "response",
        "created_at": created
        if isinstance(created, int | float)
        else int(answer.created_at or time.time()),
        "status": status,
        "error": None,
        "incomplete_details": {"reason": why} if why else None,
        "model": answer.model or str(asked.get("model", "")),
        "output": [*(others if isinstance(others, list) else ()), *_items(answer, refusal, status)],
        **{name: asked.get(name, usual) for name, usual in _USUAL.items()},
        **{name: asked[name] for name in _ECHOED if name in asked},
    }
    if answer.usage is not None:
        whole["usage"] = _usage(answer.usage)
    whole |= {"service_tier": said["service_tier"]} if "service_tier" in said else {}
    return as_given(answer.raw, "output", whole)


def _incomplete(reason: str | None, refusal: str | None) -> str | None:
    """Why it is incomplete, in the words of the Responses API, else as it was said; None where it is not."""
    end = end_of(reason)
    if end in (End.DONE, End.UNTOLD) or (refusal is not None and end is End.REFUSED):
        return None
    return {End.CUT: "max_output_tokens", End.FILTERED: "content_filter"}.get(end, reason)


def _items(answer: LLMResponse, refusal: str | None, status: str) -> list[dict[str, object]]:
    calls = [_call(call) for call in answer.tool_calls or ()]
    if refusal is None and not answer.content and calls:
        return calls
    notes = answer.metadata.get("annotations", [])
    parts: list[dict[str, object]] = []
    if refusal is None or answer.content:
        parts.append({"type": "output_text", "text": answer.content, "annotations": notes})
    if refusal is not None:
        parts.append({"type": "refusal", "refusal": refusal})
    message = {"type": "message", "role": "assistant", "status": status, "content": parts}
    return [{"id": f"msg_{uuid4().hex}", **message}, *calls]


def _call(call: Mapping[str, object]) -> dict[str, object]:
    """A call, which dialects give in the form of Chat Completions."""
    kind = "custom" if isinstance(call.get("custom"), dict) else "function"
    made = call.get(kind)
    flat = made if isinstance(made, dict) else {}
    named = {
        "type": "custom_tool_call" if kind == "custom" else "function_call",
        "call_id": call.get("id"),
    }
    return {**named, **flat} if kind == "custom" else {**named, **flat, "status": "completed"}


def _usage(usage: Usage) -> dict[str, object]:
    return {
        "input_tokens": usage.input_tokens,
        # the type wants it
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }
