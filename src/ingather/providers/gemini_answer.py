"""What comes back from Gemini's generateContent, as an `LLMResponse`. Pure, and strict: half an answer is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingather.errors import Filtered
from ingather.providers.dialect import Answer, Malformed
from ingather.providers.finish import End, end_of, in_openais_words, judged, reason_in
from ingather.providers.openai_parts import call_to
from ingather.response import LLMResponse, Usage

_OF_CANDIDATE = frozenset(("content", "finishReason", "index"))


def read(data: Mapping[str, object]) -> Answer:
    """The one answer in a body; raises `Malformed` where there is none, or more.

    >>> read({"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]}).response.content
    'Hi'
    """
    blocked = _blocked(data.get("promptFeedback"))
    if blocked is not None and not data.get("candidates"):
        response = _response(data, {}, "content_filter")
        response.metadata["promptFeedback"] = data["promptFeedback"]
        return Answer(
            response, Filtered, f"the provider's content filter stopped the prompt: {blocked}"
        )
    candidate = _one_candidate(data)
    reason = reason_in(candidate.get("finishReason"))
    finish = None if end_of(reason) is End.UNTOLD else in_openais_words(reason)
    return judged(_response(data, candidate, finish), reason, details=_message(candidate))


def _response(
    data: Mapping[str, object], candidate: Mapping[str, Any], finish: str | None
) -> LLMResponse:
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[Mapping[str, object]] = []
    others: list[object] = []
    for part in _parts(candidate):
        text, function = part.get("text"), part.get("functionCall")
        if isinstance(text, str):
            (thoughts if part.get("thought") else texts).append(text)
        elif isinstance(function, dict):
            calls.append(_call(function, part.get("thoughtSignature"), len(calls)))
        else:
            others.append(part)  # pictures, code that was run: whatever else the model was let do
    metadata: dict[str, object] = {
        name: value for name, value in candidate.items() if value and name not in _OF_CANDIDATE
    }
    metadata.update({"id": data["responseId"]} if isinstance(data.get("responseId"), str) else {})
    metadata.update({"thoughts": "".join(thoughts)} if thoughts else {})
    metadata.update({"parts": others} if others else {})
    model = data.get("modelVersion")
    return LLMResponse(
        "".join(texts),
        model if isinstance(model, str) else "",
        "tool_calls" if calls and finish == "stop" else finish,
        _usage(data.get("usageMetadata")),
        tool_calls=calls or None,
        metadata=metadata,
        logprobs=candidate.get("logprobsResult"),
    )


def _call(function: Mapping[str, object], signature: object, index: int) -> Mapping[str, object]:
    name, call_id = str(function.get("name") or ""), str(function.get("id") or f"call_{index}")
    call = call_to(call_id, name, function.get("args") or {})
    if signature is None:
        return call
    return {**call, "extra_content": {"google": {"thought_signature": signature}}}


def _blocked(feedback: object) -> str | None:
    if not isinstance(feedback, Mapping) or not feedback.get("blockReason"):
        return None
    return f"{feedback['blockReason']} {feedback.get('blockReasonMessage') or ''}".rstrip()


def _one_candidate(data: Mapping[str, object]) -> dict[str, Any]:
    candidates = data.get("candidates")
    if not isinstance(candidates, list):
        raise Malformed("it has no candidates")
    if len(candidates) != 1 or not isinstance(candidates[0], dict):
        raise Malformed(f"it has {len(candidates)} candidates, and one was asked for")
    return candidates[0]


def _parts(candidate: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = candidate.get("content") or {}
    parts = content.get("parts") or [] if isinstance(content, dict) else None
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise Malformed("its content is no list of parts")
    return parts


def _message(candidate: Mapping[str, object]) -> str:
    said = candidate.get("finishMessage")
    return said if isinstance(said, str) else ""


def _usage(counted: object) -> Usage | None:
    """None where a server does not count, or counts nonsense. Thoughts are counted beside the answer's tokens."""
    if not isinstance(counted, Mapping) or not _is_count(counted.get("promptTokenCount")):
        return None
    count = {name: value for name, value in counted.items() if _is_count(value)}
    thought = count.get("thoughtsTokenCount", 0)
    prompt = count["promptTokenCount"] + count.get("toolUsePromptTokenCount", 0)
    answer = count.get("candidatesTokenCount", 0)
    return Usage(prompt, answer + thought, count.get("cachedContentTokenCount", 0), thought)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0
