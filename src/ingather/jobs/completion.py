"""An answer as OpenAI's ``chat.completion`` object, whichever dialect it came in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import uuid4

from ingather.providers.finish import in_openais_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.response import LLMResponse, Usage

_OF_MESSAGE = ("annotations", "audio", "reasoning", "reasoning_content")
_OF_ANSWER = ("service_tier", "system_fingerprint")


def chat_completion(
    response: LLMResponse, asked: Mapping[str, object], refusal: str | None = None
) -> dict[str, object]:
    """The object as the provider gave it; from another API, with what that said of it: id, time, usage, calls of tools.

    What is not known is left out. `asked`: the parameters of the request, whose model stands where
    the answer names none. `refusal`: what the model said in place of an answer.

    >>> from ingather import LLMResponse
    >>> chat_completion(LLMResponse("Paris"), {"model": "gpt"})["choices"][0]["message"]["content"]
    'Paris'
    """
    said = response.metadata
    created = said.get("created")
    whole: dict[str, object] = {
        "id": said["id"] if isinstance(said.get("id"), str) else f"chatcmpl-{uuid4().hex}",
        "object": "chat.completion",
        "created": created if type(created) is int else int(response.created_at or time.time()),
        "model": response.model or str(asked.get("model", "")),
        "choices": [
            {
                "index": 0,
                "message": _message(response, refusal),
                "logprobs": response.logprobs if isinstance(response.logprobs, dict) else None,
                "finish_reason": _finish_reason(response, refusal),
            }
        ],
    }
    if response.usage is not None:
        whole["usage"] = _usage(response.usage)
    whole |= {name: said[name] for name in _OF_ANSWER if isinstance(said.get(name), str)}
    return as_given(response.raw, "choices", whole)


def as_given(given: object, field: str, whole: dict[str, object]) -> dict[str, object]:
    """The answer `given` by a provider, where it is of this API, by its `field`; what it lacks is as in `whole`."""
    if not isinstance(given, dict) or not isinstance(given.get(field), list):
        return whole
    return whole | {
        name: value for name, value in given.items() if value is not None or name not in whole
    }


def _message(response: LLMResponse, refusal: str | None) -> dict[str, object]:
    instead = refusal is not None or response.tool_calls or response.function_call
    text = response.content or None if instead else response.content
    message: dict[str, object] = {"role": "assistant", "content": text, "refusal": refusal}
    if response.tool_calls:
        message["tool_calls"] = response.tool_calls
    if response.function_call:
        message["function_call"] = response.function_call
    return message | {
        name: response.metadata[name] for name in _OF_MESSAGE if name in response.metadata
    }


def _finish_reason(response: LLMResponse, refusal: str | None) -> str:
    """In OpenAI's words; one that it has no word for stays as it was said: to call it ``stop`` would be a lie."""
    if refusal is not None and response.finish_reason == "refusal":
        return "stop"  # as OpenAI ends an answer that declines
    return in_openais_words(response.finish_reason, calls=bool(response.tool_calls)) or "stop"


def _usage(usage: Usage) -> dict[str, object]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
