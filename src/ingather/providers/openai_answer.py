"""What comes back from Chat Completions, as an `LLMResponse`. Pure, and strict: half an answer is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ingather.errors import Refused
from ingather.providers.dialect import Answer, Malformed
from ingather.providers.error_body import error_in
from ingather.providers.finish import End, end_of, judged, reason_in, worse
from ingather.response import LLMResponse, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

_FROM_BODY = ("id", "created", "system_fingerprint", "service_tier")
_OF_MESSAGE = frozenset(("role", "content", "refusal", "tool_calls", "function_call"))


def read(data: Mapping[str, object]) -> Answer:
    """The one answer in a body; raises `Malformed` where there is none, or more.

    >>> read({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}).response.content
    'Hi'
    """
    choice = _one_choice(data)
    message = choice.get("message")
    problem = error_in(choice)
    finish = worse(
        choice.get("finish_reason") or choice.get("finish_details"),
        choice.get("native_finish_reason"),
    )
    if message is None and (problem is not None or end_of(finish) not in (End.DONE, End.UNTOLD)):
        message = {}
    if not isinstance(message, dict):
        raise Malformed("its choice has no message")
    problem = problem or error_in(message)
    calls = message.get("tool_calls")
    if calls is not None and not (
        isinstance(calls, list) and all(isinstance(call, dict) for call in calls)
    ):
        raise Malformed("its tool_calls are no list of calls")
    function = message.get("function_call")
    metadata = {name: data[name] for name in _FROM_BODY if data.get(name) is not None}
    # reasoning, annotations, audio: whatever this server adds
    if len(message) > 2 or "role" not in message:
        metadata.update(
            (name, value) for name, value in message.items() if value and name not in _OF_MESSAGE
        )
    content = message.get("content")
    if isinstance(content, list) and (others := [part for part in content if _is_more(part)]):
        metadata["parts"] = others
    model = data.get("model")
    response = LLMResponse(
        _text(content),
        model if isinstance(model, str) else "",
        reason_in(finish),
        usage(data.get("usage")),
        function if isinstance(function, dict) else None,
        calls or None,
        metadata,
        logprobs=choice.get("logprobs"),
    )
    refusal = message.get("refusal")
    if problem is not None:
        return Answer(response, problem=problem)
    if refusal:
        return Answer(response, Refused, f"the model declined: {refusal}")
    return judged(response, finish)


def _one_choice(data: Mapping[str, object]) -> dict[str, Any]:
    choices = data.get("choices")
    if not isinstance(choices, list):
        raise Malformed("it has no choices")
    if len(choices) != 1 or not isinstance(choices[0], dict):
        raise Malformed(f"it has {len(choices)} choices, and one was asked for")
    return choices[0]


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    # text between other parts
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "".join(part["text"] for part in content if isinstance(part.get("text"), str))
    raise Malformed("its content is no text")


def _is_more(part: object) -> bool:
    """Whether a part of the content is something else than text, or the thinking before it."""
    return isinstance(part, dict) and part.get("type") not in (
        "text",
        "output_text",
        "thinking",
        "reasoning",
    )


def usage(
    counted: object, spent: str = "prompt_tokens", made: str = "completion_tokens"
) -> Usage | None:
    """None where a server does not count, or counts nonsense: then the cost is not known, which is not 0."""
    if not isinstance(counted, dict):
        return None
    prompt, completion = _count(counted, spent), _count(counted, made)
    if prompt is None or completion is None:
        return None
    details = counted.get(f"{spent}_details")
    thought = _detail(counted.get(f"{made}_details"), "reasoning_tokens")
    written = _detail(details, "cache_write_tokens")
    return Usage(prompt, completion, _detail(details, "cached_tokens"), thought, written)


def _count(counted: Mapping[str, object], name: str) -> int | None:
    value = counted.get(name)
    return value if type(value) is int and value >= 0 else None


def _detail(details: object, name: str) -> int:
    return (_count(details, name) or 0) if isinstance(details, dict) else 0
