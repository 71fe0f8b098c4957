"""What is posted to OpenAI's Responses API, from messages and parameters as Chat Completions has them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ingather.errors import BadRequest, SetupError
from ingather.providers.several import NAMES, refuse_several

if TYPE_CHECKING:
    from ingather.task import LLMMessage

_RENAMED = {"max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens"}
_CHAT_ONLY = {
    "stop",
    "seed",
    "logprobs",
    "logit_bias",
    "presence_penalty",
    "frequency_penalty",
    "prediction",
}
_CHAT_ONLY |= {"functions", "function_call", "modalities", "audio", "web_search_options"}
_NESTED = {
    "response_format": ("text", "format"),
    "verbosity": ("text", "verbosity"),
    "reasoning_effort": ("reasoning", "effort"),
}
_PARTS = {"text": "input_text", "image_url": "input_image", "file": "input_file"}
_LEADING = ("system", "developer")


def translated(params: Mapping[str, object]) -> dict[str, object]:
    """Parameters of Chat Completions under their names here, those from here as they are; of two the later wins.

    Raises `SetupError` for those that have no name here, and for answers that are to be fetched
    later.

    >>> translated({"model": "m", "max_tokens": 9, "reasoning_effort": "low"})
    {'store': False, 'model': 'm', 'max_output_tokens': 9, 'reasoning': {'effort': 'low'}}
    """
    refuse_several(params, "the Responses API")
    # a stored answer stays with OpenAI for a month, and no call of an executor reads one: each
    # brings all it refers to
    sent: dict[str, object] = {"store": False}
    for name, value in params.items():
        if name in _CHAT_ONLY:
            raise SetupError(
                f'the Responses API has no {name!r}: leave it out, or use connect(…, api="chat")'
            )
        if name == "input":
            raise SetupError(
                "'input' is not a parameter of a request: the task has its own messages"
            )
        if name == "background" and value:
            raise SetupError(
                "background=True: answers that are fetched later are not in this "
                "version; leave it out"
            )
        outer, inner = _NESTED.get(name, (_RENAMED.get(name, name), None))
        if inner is not None or (outer in ("text", "reasoning") and isinstance(value, Mapping)):
            sent[outer] = {
                **_mapping(sent.get(outer)),
                **({inner: _flat(value)} if inner else _mapping(value)),
            }
        elif name == "tools" and isinstance(value, list):
            sent[name] = [_tool(tool) for tool in value]
        elif name not in NAMES:  # of which there is one
            sent[outer] = _flat(value) if name == "tool_choice" else value
    return sent


def items(
    messages: Sequence[LLMMessage], *, instructed: bool = False
) -> tuple[str | None, list[dict[str, object]]]:
    """The instructions, and the items of ``input``.

    Leading system and developer messages are the instructions, unless the parameters bring some
    (`instructed`) or there is nothing else; any later one keeps its place. Raises `BadRequest` for
    what has no form here.

    >>> from ingather.task import LLMMessage
    >>> items([LLMMessage("system", "Be brief."), LLMMessage("user", "Hi")])
    ('Be brief.', [{'type': 'message', 'role': 'user', 'content': 'Hi'}])
    """
    lead = 0
    while not instructed and lead < len(messages) and _is_instruction(messages[lead]):
        lead += 1
    if lead == len(messages):
        lead = 0
    said = [_plain(message.content) for message in messages[:lead]]
    rest = enumerate(messages[lead:], lead)
    return "\n\n".join(said) or None, [
        item for at, message in rest for item in _items(message, f"messages[{at}]")
    ]


def _is_instruction(message: LLMMessage) -> bool:
    content = message.content
    if message.role not in _LEADING or message.name is not None:
        return False
    return isinstance(content, str) or (
        isinstance(content, list) and all(_is_text(part) for part in content)
    )


def _is_text(part: object) -> bool:
    return isinstance(part, Mapping) and isinstance(part.get("text"), str)


def _plain(content: object) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)  # type: ignore[attr-defined]


def _items(message: LLMMessage, where: str) -> list[dict[str, object]]:
    if own := _mapping(message.metadata.get("item")):  # of this API, and of no other
        return [*_thoughts(message), own]
    if message.name is not None:
        raise BadRequest(
            f'{where}.name: the Responses API has no names of speakers; connect(…, api="chat") has'
        )
    if message.function_call is not None or message.role == "function":
        raise BadRequest(
            f"{where}.function_call is a form of old: write tool_calls and a message "
            f"of the role 'tool'"
        )
    if message.role == "tool":
        call = message.metadata.get("tool_call_id")
        if not isinstance(call, str):
            raise BadRequest(
                f"{where} is a tool's answer without the tool_call_id of the call that it answers"
            )
        return [
            {"type": "function_call_output", "call_id": call, "output": _content(message.content)}
        ]
    if message.role != "assistant":
        return [{"type": "message", "role": message.role, "content": _content(message.content)}]
    content = _spoken(message.content) or message.metadata.get("refusal") or ""
    said = (
        [{"type": "message", "role": "assistant", "content": content}]
        if content or not message.tool_calls
        else []
    )
    calls = [
        _call(call, f"{where}.tool_calls[{at}]") for at, call in enumerate(message.tool_calls or ())
    ]
    return [*_thoughts(message), *said, *calls]


def _thoughts(message: LLMMessage) -> list[dict[str, object]]:
    """The reasoning that came with an answer, whole, as nothing of it is stored: in its ``metadata["output"]``."""
    kept = message.metadata.get("output")
    thoughts = (
        [item for item in kept if _mapping(item).get("type") == "reasoning"]
        if isinstance(kept, list)
        else []
    )
    return [item for item in thoughts if item.get("encrypted_content")]


def _spoken(content: object) -> object:
    """Of an answer, as one text: its parts have ids here, which an answer from elsewhere has not."""
    if not isinstance(content, list):
        return content
    texts = [
        part.get("text") or part.get("refusal") for part in content if isinstance(part, Mapping)
    ]
    return "".join(text for text in texts if isinstance(text, str))


def _content(content: object) -> object:
    if content is None:
        return ""
    return [_part(part) for part in content] if isinstance(content, list) else content


def _part(part: object) -> object:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if not isinstance(part, Mapping) or not isinstance(kind, str) or kind not in _PARTS:
        return part  # in the form of this API already
    inner = part.get(kind)
    if kind == "image_url" and isinstance(inner, Mapping):
        return {
            "type": _PARTS[kind],
            "image_url": inner.get("url"),
            "detail": inner.get("detail", "auto"),
        }
    return (
        {"type": _PARTS[kind], **inner}
        if kind == "file" and isinstance(inner, Mapping)
        else {**part, "type": _PARTS[kind]}
    )


def _call(call: Mapping[str, object], where: str) -> dict[str, object]:
    function, custom = call.get("function"), call.get("custom")
    if isinstance(function, Mapping):
        return {
            "type": "function_call",
            "call_id": call.get("id"),
            **_only(function, "name", "arguments"),
        }
    if isinstance(custom, Mapping):
        return {
            "type": "custom_tool_call",
            "call_id": call.get("id"),
            **_only(custom, "name", "input"),
        }
    raise BadRequest(
        f"{where} is no call of a function: it has an id, a type and a function with "
        f"name and arguments"
    )


def _tool(tool: object) -> object:
    """Here a tool is strict unless it says otherwise, in Chat Completions the other way round."""
    flat = _flat(tool)
    return (
        {"strict": False, **_mapping(flat)}
        if flat is not tool and _mapping(flat)["type"] == "function"
        else flat
    )


def _flat(value: object) -> object:
    """``{"type": "x", "x": {…}}``, as Chat Completions nests it, without the nesting."""
    kind = value.get("type") if isinstance(value, Mapping) else None
    inner = value.get(kind) if isinstance(value, Mapping) and isinstance(kind, str) else None
    return {"type": kind, **inner} if isinstance(inner, Mapping) else value


def _only(values: Mapping[str, object], *names: str) -> dict[str, object]:
    return {name: values.get(name) for name in names}


def _mapping(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}
