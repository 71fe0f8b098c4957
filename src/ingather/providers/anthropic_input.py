"""What is posted to Anthropic's Messages API, from OpenAI's words where those have an equal. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ingather.errors import BadRequest, SetupError
from ingather.providers.narrow_schema import strict_form
from ingather.providers.openai_parts import (
    called,
    chosen_of,
    form_of,
    function_of,
    parts_of,
    picture_of,
    refuse_unknown,
)
from ingather.providers.openai_parts import text_list as stop_sequences
from ingather.providers.several import NAMES, refuse_several

if TYPE_CHECKING:
    from ingather.task import LLMMessage

ANSWER_TOOL = "give_the_answer"
_NO_EQUAL = frozenset(
    (
        "seed", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs", "modalities",
        "audio", "prediction", "verbosity", "functions", "function_call", "min_p",
    )
)  # fmt: skip
_RENAMED = {"max_completion_tokens": "max_tokens", "stop": "stop_sequences"}
_TRANSLATED = frozenset(
    (
        *NAMES,
        "user",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning_effort",
        "response_format",
    )
)
_CHOICES = {"auto": "auto", "none": "none", "required": "any"}
_EFFORTS = {"minimal": "low"}


def fields(params: Mapping[str, object], *, as_tool: bool, max_tokens: int) -> dict[str, object]:
    """The body's fields. `as_tool`: a schema travels as a tool that must be called; `max_tokens`: where none is given.

    >>> fields({"model": "m", "max_tokens": 9, "stop": "."}, as_tool=False, max_tokens=5)
    {'max_tokens': 9, 'model': 'm', 'stop_sequences': ['.']}
    """
    refuse_unknown(params, _NO_EQUAL, "Anthropic's Messages API")
    refuse_several(params, "Anthropic's Messages API")
    sent: dict[str, Any] = {"max_tokens": max_tokens}
    for name, value in params.items():
        if name not in _TRANSLATED:
            sent[_RENAMED.get(name, name)] = stop_sequences(value) if name == "stop" else value
    if "user" in params:
        sent["metadata"] = {**_mapping(sent, "metadata"), "user_id": params["user"]}
    _put_tools(sent, params)
    _put_effort(sent, params.get("reasoning_effort"))
    if "response_format" in params:
        _put_form(sent, params["response_format"], as_tool=as_tool)
    return sent


def conversation(messages: Sequence[LLMMessage]) -> dict[str, object]:
    """``system`` and ``messages``. Turns of one role that follow each other are one, as the API has it."""
    system: list[Mapping[str, object]] = []
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role in ("system", "developer"):
            system += parts_of(message)
            continue
        role, blocks = _turn(message)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    if messages and not turns:
        raise BadRequest("there is no message to answer: a system prompt alone is not enough")
    body: dict[str, Any] = {
        "messages": [{**turn, "content": _plain(turn["content"])} for turn in turns]
    }
    if system:
        body["system"] = _plain(system)
    return body


def _turn(message: LLMMessage) -> tuple[str, list[Mapping[str, object]]]:
    if message.function_call is not None or message.role == "function":
        raise BadRequest(
            "function_call is OpenAI's old form, for which Anthropic has no equivalent: use tool_calls"
        )
    blocks = [_block(part) for part in parts_of(message)]
    if message.role == "tool":
        result: dict[str, object] = {
            "type": "tool_result",
            "tool_use_id": message.metadata.get("tool_call_id"),
        }
        if blocks:
            result["content"] = _plain(blocks)
        return "user", [result]
    if message.role not in ("user", "assistant"):
        raise BadRequest(
            f"a message's role is system, user, assistant or tool, not {message.role!r:.40}"
        )
    if message.role == "assistant":
        blocks = [*_thoughts(message), *blocks]
    for call in message.tool_calls or ():
        call_id, name, arguments = called(call)
        blocks.append({"type": "tool_use", "id": call_id, "name": name, "input": arguments})
    return message.role, blocks


def _thoughts(message: LLMMessage) -> list[Mapping[str, object]]:
    """What the model thought before a call, which it wants back, signed: kept in an answer's ``metadata["blocks"]``."""
    kept = message.metadata.get("blocks")
    blocks = (
        [block for block in kept if isinstance(block, Mapping)] if isinstance(kept, list) else []
    )
    return [block for block in blocks if block.get("type") in ("thinking", "redacted_thinking")]


def _block(part: Mapping[str, object]) -> Mapping[str, object]:
    picture = picture_of(part)
    if picture is None:
        return part
    if picture.url:
        return {"type": "image", "source": {"type": "url", "url": picture.url}}
    source = {"type": "base64", "media_type": picture.media_type, "data": picture.data}
    return {"type": "image", "source": source}


def _plain(blocks: Sequence[Mapping[str, object]]) -> object:
    """One text alone as a string: what everybody's server takes."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        return blocks[0]["text"]
    return blocks


def _mapping(sent: Mapping[str, object], name: str) -> Mapping[str, object]:
    given = sent.get(name, {})
    if not isinstance(given, Mapping):
        raise SetupError(f"{name} is a mapping, not {given!r:.80}")
    return given


def _put_tools(sent: dict[str, Any], params: Mapping[str, object]) -> None:
    tools = params.get("tools")
    if isinstance(tools, Sequence) and not isinstance(tools, str):
        sent["tools"] = [_tool(tool) for tool in tools]
    elif tools is not None:
        raise SetupError(f"tools is a list of tools, not {tools!r:.80}")
    if "tool_choice" in params:
        kind, name = chosen_of(params["tool_choice"])
        own = {"type": "tool", "name": name} if kind == "function" else {"type": _CHOICES.get(kind)}
        sent["tool_choice"] = own if kind else params["tool_choice"]
    if params.get("parallel_tool_calls") is False and "tools" in sent:
        choice = sent.get("tool_choice", {"type": "auto"})
        if isinstance(choice, Mapping) and choice.get("type") != "none":
            sent["tool_choice"] = {**choice, "disable_parallel_tool_use": True}


def _tool(tool: object) -> object:
    function = function_of(tool)
    if function is None:
        return tool
    return {
        **function.rest,
        "name": function.name,
        "input_schema": function.parameters or {"type": "object"},
    }


def _put_effort(sent: dict[str, Any], effort: object) -> None:
    if effort == "none":
        sent.setdefault("thinking", {"type": "disabled"})
    elif effort is not None:
        sent["output_config"] = {
            "effort": _EFFORTS.get(str(effort), effort),
            **_mapping(sent, "output_config"),
        }


def _put_form(sent: dict[str, Any], response_format: object, *, as_tool: bool) -> None:
    """A schema in the API's own form; as a tool where asked, or where strict mode would refuse the schema."""
    form = form_of(response_format)
    if form is None:
        return
    if form.schema is None:
        raise SetupError(
            "Anthropic has no json_object mode: give response_model=, or a response_format with a "
            "json_schema"
        )
    strict = strict_form(form.schema) if form.strict else None
    if strict is not None and not as_tool:
        given = {"type": "json_schema", "schema": strict}
        sent["output_config"] = {**_mapping(sent, "output_config"), "format": given}
        return
    tool: dict[str, object] = {
        "name": ANSWER_TOOL,
        "description": "Gives the answer.",
        "input_schema": form.schema,
    }
    if strict is not None:
        tool |= {"input_schema": strict, "strict": True}
    sent["tools"] = [*sent.get("tools", ()), tool]
    sent["tool_choice"] = {"type": "tool", "name": ANSWER_TOOL, "disable_parallel_tool_use": True}
