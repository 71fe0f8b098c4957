"""What is posted to Gemini's generateContent, from OpenAI's words where those have an equal. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ingather.errors import BadRequest, SetupError
from ingather.providers.openai_parts import (
    called,
    chosen_of,
    form_of,
    function_of,
    parts_of,
    picture_of,
    refuse_unknown,
    text_list,
)
from ingather.providers.several import refuse_several

if TYPE_CHECKING:
    from ingather.task import LLMMessage

Part = Mapping[str, object]

_NO_EQUAL = frozenset(
    (
        "logit_bias", "user", "verbosity", "modalities", "audio", "prediction", "metadata", "functions",
        "function_call", "min_p",
    )
)  # fmt: skip
_GENERATION = {
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "top_p": "topP",
    "top_k": "topK",
    "stop": "stopSequences",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
    **{
        name: name
        for name in (
            "temperature", "seed", "topP", "topK", "maxOutputTokens", "stopSequences", "candidateCount",
            "presencePenalty", "frequencyPenalty", "responseLogprobs", "responseMimeType", "responseSchema",
            "responseJsonSchema", "responseModalities", "thinkingConfig", "mediaResolution", "speechConfig",
            "imageConfig",
        )
    },
}  # fmt: skip
_TRANSLATED = frozenset(
    (
        "model",
        "n",
        "generationConfig",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning_effort",
    )
) | {"response_format", "best_of", "candidate_count"}
_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "function": "ANY"}
# tokens, as Google's own translation has them
_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}


def fields(params: Mapping[str, object]) -> dict[str, object]:
    """The body's fields; what belongs there goes into ``generationConfig``, by OpenAI's names or its own.

    >>> fields({"model": "gemini-3-flash", "max_tokens": 9, "temperature": 0})
    {'generationConfig': {'maxOutputTokens': 9, 'temperature': 0}}
    """
    refuse_unknown(params, _NO_EQUAL, "Gemini's generateContent")
    refuse_several(params, "Gemini's generateContent")
    given = params.get("generationConfig") or {}
    if not isinstance(given, Mapping):
        raise SetupError(f"generationConfig is a mapping of parameters, not {given!r:.80}")
    config: dict[str, Any] = dict(given)
    sent: dict[str, Any] = {}
    for name, value in params.items():
        if name in _GENERATION:
            config[_GENERATION[name]] = text_list(value) if name == "stop" else value
        elif name not in _TRANSLATED:
            sent[name] = value
    refuse_several(config, "Gemini's generateContent")
    _put_effort(config, str(params.get("model")), params.get("reasoning_effort"))
    _put_form(config, params)
    _put_tools(sent, params)
    if config:
        sent["generationConfig"] = config
    return sent


def conversation(messages: Sequence[LLMMessage]) -> dict[str, object]:
    """``systemInstruction`` and ``contents``. Turns of one role that follow each other are one."""
    system: list[Part] = []
    turns: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    for message in messages:
        if message.role in ("system", "developer"):
            system += map(_part, parts_of(message))
            continue
        role, parts = _turn(message, names)
        if turns and turns[-1]["role"] == role:
            turns[-1]["parts"] += parts
        elif parts:
            turns.append({"role": role, "parts": parts})
    if messages and not turns:
        raise BadRequest("there is no message to answer: a system prompt alone is not enough")
    body: dict[str, Any] = {"contents": turns}
    if system:
        body["systemInstruction"] = {"parts": system}
    return body


def _turn(message: LLMMessage, names: dict[str, str]) -> tuple[str, list[Part]]:
    """Role and parts; `names` remembers what each tool call called, which its result has to name again."""
    if message.function_call is not None or message.role == "function":
        raise BadRequest(
            "function_call is OpenAI's old form, for which Gemini has no equivalent: use tool_calls"
        )
    if message.role == "tool":
        call_id = str(message.metadata.get("tool_call_id") or "")
        output = "".join(str(part.get("text", "")) for part in parts_of(message))
        result = {
            "name": message.name or names.get(call_id, call_id),
            "response": {"output": output},
        }
        return "user", [{"functionResponse": {**result, "id": call_id} if call_id else result}]
    parts = [_part(part) for part in parts_of(message)]
    if message.role not in ("user", "assistant", "model"):
        raise BadRequest(
            f"a message's role is system, user, assistant or tool, not {message.role!r:.40}"
        )
    for call in message.tool_calls or ():
        call_id, name, arguments = called(call)
        names[call_id] = name
        function = {"name": name, "args": arguments}
        part: dict[str, object] = {
            "functionCall": {**function, "id": call_id} if call_id else function
        }
        if (signature := _signature(call)) is not None:
            part["thoughtSignature"] = signature
        parts.append(part)
    return "user" if message.role == "user" else "model", parts


def _part(part: Part) -> Part:
    kind = part.get("type")
    if kind == "text":
        return {"text": part.get("text")}
    picture = picture_of(part)
    if picture is not None:
        if picture.url:
            return {"fileData": {"fileUri": picture.url}}
        return {"inlineData": {"mimeType": picture.media_type, "data": picture.data}}
    if kind is None:
        return part  # in Gemini's own form
    raise BadRequest(
        f"a part of the type {kind!r:.40} has no equivalent in Gemini: give it in Gemini's own form"
    )


def _signature(call: Mapping[str, object]) -> object:
    """What the model wants back with its call; Google's own translation keeps it in this place too."""
    extra = call.get("extra_content")
    google = extra.get("google") if isinstance(extra, Mapping) else None
    return google.get("thought_signature") if isinstance(google, Mapping) else None


def _put_effort(config: dict[str, Any], model: str, effort: object) -> None:
    """Thinking has levels from Gemini 3 on, and budgets of tokens before."""
    if effort is None or "thinkingConfig" in config:
        return
    if effort == "none":
        config["thinkingConfig"] = {"thinkingBudget": 0}
    elif "gemini-2" in model and effort in _BUDGETS:
        config["thinkingConfig"] = {"thinkingBudget": _BUDGETS[str(effort)]}
    else:
        config["thinkingConfig"] = {"thinkingLevel": str(effort)}


def _put_form(config: dict[str, Any], params: Mapping[str, object]) -> None:
    form = form_of(params["response_format"]) if "response_format" in params else None
    if form is not None:
        config["responseMimeType"] = "application/json"
        if form.schema is not None:
            config["responseJsonSchema"] = form.schema


def _put_tools(sent: dict[str, Any], params: Mapping[str, object]) -> None:
    tools = params.get("tools") or ()
    if not isinstance(tools, Sequence) or isinstance(tools, str):
        raise SetupError(f"tools is a list of tools, not {tools!r:.80}")
    functions = [function_of(tool) for tool in tools]
    own: list[object] = [
        tool for tool, function in zip(tools, functions, strict=True) if function is None
    ]
    declared = [
        {
            "name": each.name,
            "description": each.rest.get("description", ""),
            "parametersJsonSchema": each.parameters,
        }
        for each in functions
        if each is not None
    ]
    if declared:
        own.append({"functionDeclarations": declared})
    if own:
        sent["tools"] = own
    if params.get("parallel_tool_calls") is False:
        raise SetupError(
            "Gemini's generateContent has no equivalent of 'parallel_tool_calls': leave it out"
        )
    if "tool_choice" in params:
        kind, name = chosen_of(params["tool_choice"])
        if not kind:
            raise SetupError(
                "tool_choice is 'auto', 'none', 'required' or a function; Gemini's "
                "own word is toolConfig"
            )
        calling = {"mode": _MODES[kind], **({"allowedFunctionNames": [name]} if name else {})}
        sent["toolConfig"] = {"functionCallingConfig": calling}
