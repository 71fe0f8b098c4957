"""What comes back from Anthropic's Messages API, as an `LLMResponse`. Pure, and strict: half an answer is none."""

from __future__ import annotations

from collections.abc import Mapping

from ingather import exact_json
from ingather.errors import Refused
from ingather.providers.anthropic_input import ANSWER_TOOL
from ingather.providers.dialect import Answer, Malformed
from ingather.providers.finish import End, end_of, in_openais_words, judged, reason_in
from ingather.providers.openai_parts import call_to
from ingather.response import LLMResponse, Usage

_FROM_BODY = ("id", "stop_reason", "stop_sequence", "stop_details", "container")


def read(data: Mapping[str, object]) -> Answer:
    """The answer in a body; raises `Malformed` where there is none.

    >>> read({"content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}).response.content
    'Hi'
    """
    content = data.get("content")
    if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
        raise Malformed("its content is no list of blocks")
    metadata = {name: data[name] for name in _FROM_BODY if data.get(name) is not None}
    texts: list[str] = []
    calls: list[Mapping[str, object]] = []
    answers: list[object] = []
    others: list[object] = []
    for block in content:
        kind = block.get("type")
        if kind == "text":
            texts.append(_string(block.get("text"), "a block of text has none"))
        elif kind != "tool_use":
            others.append(block)  # thinking, searches, code: whatever else the model was let do
        elif block.get("name") == ANSWER_TOOL:
            answers.append(block.get("input"))
        else:
            calls.append(
                call_to(
                    str(block.get("id") or ""),
                    str(block.get("name") or ""),
                    block.get("input") or {},
                )
            )
    if others:
        metadata["blocks"] = others
    if len(answers) > 1:
        raise Malformed(f"it has {len(answers)} answers, and one was asked for")
    reason = reason_in(data.get("stop_reason"))
    finish = in_openais_words(reason)
    if answers and finish == "tool_calls" and not calls:
        finish = "stop"
    model = data.get("model")
    response = LLMResponse(
        exact_json.dumps(answers[0]).decode() if answers else "".join(texts),
        model if isinstance(model, str) else "",
        finish,
        _usage(data.get("usage")),
        tool_calls=calls or None,
        metadata=metadata,
    )
    if end_of(reason) is End.REFUSED:
        return Answer(response, Refused, f"the model declined{_why(data.get('stop_details'))}")
    return judged(response, reason)


def _why(details: object) -> str:
    said = (
        details.get("explanation") or details.get("category")
        if isinstance(details, Mapping)
        else None
    )
    return f": {said}" if isinstance(said, str) else ""


def _string(value: object, fault: str) -> str:
    if not isinstance(value, str):
        raise Malformed(fault)
    return value


def _usage(counted: object) -> Usage | None:
    """None where a server does not count, or counts nonsense. What is cached is counted beside ``input_tokens``."""
    if not isinstance(counted, Mapping):
        return None
    fresh, output = _count(counted, "input_tokens"), _count(counted, "output_tokens")
    if fresh is None or output is None:
        return None
    written = _count(counted, "cache_creation_input_tokens") or 0
    cached = _count(counted, "cache_read_input_tokens") or 0
    kept = counted.get("cache_creation")
    hour = _count(kept, "ephemeral_1h_input_tokens") if isinstance(kept, Mapping) else None
    details = counted.get("output_tokens_details")
    thought = _count(details, "thinking_tokens") if isinstance(details, Mapping) else None
    return Usage(
        fresh + written + cached, output, cached, thought or 0, written, min(hour or 0, written)
    )


def _count(counted: Mapping[str, object], name: str) -> int | None:
    value = counted.get(name)
    return value if type(value) is int and value >= 0 else None
