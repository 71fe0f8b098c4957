"""What comes back from OpenAI's Responses API, as an `LLMResponse`. Pure, and strict: half an answer is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ingather import exact_json
from ingather.errors import Refused, Truncated
from ingather.providers.dialect import Answer, Malformed
from ingather.providers.finish import End, cut_by, end_of, judged
from ingather.providers.openai_answer import usage
from ingather.response import LLMResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

_FROM_BODY = ("id", "created_at", "service_tier", "status")
_CALLS = ("function_call", "custom_tool_call")
_NOT_WHOLE = ("incomplete", "failed")
# in the words of Chat Completions: who asks need not know which API answered
_FINISH = {"max_output_tokens": "length"}


def read(data: Mapping[str, object]) -> Answer:
    """The answer in a body; raises `Malformed` where there is none.

    >>> text = {"type": "output_text", "text": "Hi"}
    >>> read({"status": "completed", "output": [{"type": "message", "content": [text]}]}).response.content
    'Hi'
    """
    status, output = data.get("status"), data.get("output")
    status = status.lower() if isinstance(status, str) else status
    if status not in ("completed", "incomplete"):
        raise Malformed(f"its status is {status!r:.40}")
    if not isinstance(output, list) or not all(isinstance(item, dict) for item in output):
        raise Malformed("its output is no list of items")
    messages = [item for item in output if item.get("type") == "message"]
    final = [message for message in messages if message.get("phase") != "commentary"] or messages
    parts = [part for message in final for part in _parts(message)]
    calls = [call for call in map(_call, output) if call is not None]
    reason = (
        _reason(data)
        if status == "incomplete" or data.get("incomplete_details")
        else _unfinished(final, output)
    )
    metadata = {name: data[name] for name in _FROM_BODY if data.get(name) is not None}
    if rest := [item for item in output if item.get("type") not in ("message", *_CALLS)]:
        metadata["output"] = rest  # reasoning, searches, whatever else: to be read, or sent back
    if notes := [
        note
        for part in parts
        if isinstance(part.get("annotations"), list)
        for note in part["annotations"]
    ]:
        metadata["annotations"] = notes
    model = data.get("model")
    response = LLMResponse(
        "".join(_text(part, "text") for part in parts if part.get("type") == "output_text"),
        model if isinstance(model, str) else "",
        ("tool_calls" if calls else "stop") if reason is None else _FINISH.get(reason, reason),
        usage(data.get("usage"), "input_tokens", "output_tokens"),
        None,
        calls or None,
        metadata,
        logprobs={"content": tokens}
        if (tokens := [token for part in parts for token in _tokens(part)])
        else None,
    )
    refusal = "".join(_text(part, "refusal") for part in parts if part.get("type") == "refusal")
    if refusal:
        return Answer(response, Refused, f"the model declined: {refusal}")
    if reason is None:
        return judged(response, "stop")
    end = end_of(reason)
    if end is End.CUT and reason in _FINISH:
        return Answer(response, Truncated, cut_by(reason))
    if end in (End.FILTERED, End.BROKEN, End.GARBLED):
        return judged(response, reason)
    return Answer(response, Truncated, f"the answer is incomplete: {reason}")


def _unfinished(messages: list[dict[str, Any]], output: list[dict[str, Any]]) -> str | None:
    """What is said of the last message, or of a call, where the response counts as completed and that does not."""
    said = [*messages[-1:], *(item for item in output if item.get("type") in _CALLS)]
    return next((status for item in said if (status := item.get("status")) in _NOT_WHOLE), None)


def _parts(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise Malformed("the content of its message is no list of parts")
    return content


def _text(part: Mapping[str, object], field: str) -> str:
    text = part.get(field)
    if not isinstance(text, str):
        raise Malformed("its content is no text")
    return text


def _tokens(part: Mapping[str, object]) -> list[object]:
    """Its log probabilities, token by token."""
    tokens = part.get("logprobs")
    return tokens if isinstance(tokens, list) else []


def _call(item: Mapping[str, object]) -> Mapping[str, object] | None:
    """A call in the form of Chat Completions, which a message of ours takes back."""
    kind = item.get("type")
    if kind not in _CALLS:
        return None
    made, said = ("function", "arguments") if kind == "function_call" else ("custom", "input")
    if not all(isinstance(item.get(field), str) for field in ("call_id", "name", said)):
        raise Malformed(f"its {kind} has no {said}")
    return {"id": item["call_id"], "type": made, made: {"name": item["name"], said: item[said]}}


def _reason(data: Mapping[str, object]) -> str:
    details = data.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    return reason if isinstance(reason, str) and reason else "incomplete"


def ends_at(limit: int | None, response: LLMResponse) -> bool:
    """Whether an answer that counts as completed was cut: it took all tokens that it might, and is no whole JSON.

    llama.cpp says ``completed`` in any case. An answer, or the arguments of a call, that is whole
    JSON has its end.
    """
    if limit is None or response.usage is None or response.usage.output_tokens < limit:
        return False
    calls = response.tool_calls or []
    functions = [function for call in calls if isinstance(function := call.get("function"), dict)]
    said = [str(function.get("arguments", "")) for function in functions]
    return not all(map(_is_whole_json, said or [response.content]))


def _is_whole_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):  # a number or a word may go on
        return False
    try:
        exact_json.loads(text)
    except exact_json.JSONDecodeError:
        return False
    return True
