"""OpenAI's newer wire form: responses. Keys, headers and errors are those of chat completions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from ingather.testing.simulator.forms import Ask, Wire, tokens_of
from ingather.testing.simulator.given import PIECE, bad, custom_id, member, parsed, steps, whole
from ingather.testing.simulator.openai_server import OpenAI

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ingather.testing.simulator.forms import Answer

_MOVED = {
    "messages": "input",
    "response_format": "text.format",
    "reasoning_effort": "reasoning.effort",
}
_MOVED |= dict.fromkeys(("max_tokens", "max_completion_tokens"), "max_output_tokens")
_UNKNOWN = ("stop", "seed", "n", "logprobs", "logit_bias", "presence_penalty", "frequency_penalty")
_WHY = {"length": "max_output_tokens", "filtered": "content_filter"}


class Responses(OpenAI):
    """The dialect of `POST /v1/responses`."""

    def takes(self, path: str) -> bool:
        return path == "/v1/responses"

    def speaks(self, path: str, headers: Mapping[str, str]) -> bool:  # noqa: ARG002 - another path's form is the older one
        return self.takes(path)

    def ask(self, path: str, body: bytes, headers: Mapping[str, str]) -> Ask:  # noqa: ARG002 - as OpenAI's
        given = parsed(body)
        for name in given:
            if name in _MOVED:
                raise bad(
                    f"Unsupported parameter: '{name}'. In the Responses API it has moved to "
                    f"'{_MOVED[name]}'."
                )
            if name in _UNKNOWN:
                raise bad(f"Unknown parameter: '{name}'.")
        model = given.get("model")
        if not isinstance(model, str) or not model:
            raise bad("Missing required parameter: 'model'.")
        turns = _turns(given)
        metadata = member(given, "metadata")
        schema, as_json, tool = _form(given)
        return Ask(
            model=model,
            turns=turns,
            prompt_tokens=sum(tokens_of(text) for _, text in turns),
            max_output=whole(given, "max_output_tokens"),
            schema=schema,
            as_json=as_json,
            tool=tool,
            stream=given.get("stream") is True,
            custom_id=custom_id(metadata, turns),
            steps=steps(headers, metadata),
        )

    def answer(self, ask: Ask, answer: Answer, call_id: str, created: int) -> Wire:
        return Wire(orjson.dumps(_whole_response(ask, answer, call_id, created)))

    def stream(self, ask: Ask, answer: Answer, call_id: str, created: int) -> Iterator[bytes]:
        done = _whole_response(ask, answer, call_id, created)
        item = _item(ask, answer, call_id)
        begun = {
            **done,
            "status": "in_progress",
            "output": [],
            "usage": None,
            "incomplete_details": None,
        }
        said: list[tuple[str, dict[str, object]]] = [
            (kind, {"response": begun}) for kind in ("created", "in_progress")
        ]
        said += [*_pieces(item, answer.text), (str(done["status"]), {"response": done})]
        for number, (kind, fields) in enumerate(said):
            event: dict[str, object] = {
                "type": f"response.{kind}",
                "sequence_number": number,
                **fields,
            }
            yield b"event: response.%b\ndata: %b\n\n" % (kind.encode(), orjson.dumps(event))

    def __repr__(self) -> str:
        return "Responses()"


def _turns(given: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    items, instructions = given.get("input"), given.get("instructions")
    turns = [("system", instructions)] if isinstance(instructions, str) else []
    if isinstance(items, str):
        return (*turns, ("user", items))
    if not isinstance(items, list) or not items:
        raise bad("Invalid 'input': a string or a non-empty array of items is required.")
    for index, item in enumerate(items):
        kind = item.get("type", "message") if isinstance(item, dict) else None
        if kind == "message" and isinstance(item.get("role"), str):
            turns.append((item["role"], _text(item.get("content"), f"input[{index}].content")))
        elif kind == "function_call" and isinstance(item.get("call_id"), str):
            turns.append(("assistant", f"{item.get('name')}({item.get('arguments')})"))
        elif kind == "function_call_output" and isinstance(item.get("call_id"), str):
            turns.append(("tool", _text(item.get("output"), f"input[{index}].output")))
        elif kind != "reasoning":
            raise bad(
                f"Invalid 'input[{index}]': a message, a function_call or a "
                f"function_call_output is required."
            )
    return tuple(turns)


def _text(content: object, where: str) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise bad(f"Invalid type for '{where}': a string or an array of parts is required.")
    for part in content:
        if part.get("type") not in {
            "input_text",
            "input_image",
            "input_file",
            "output_text",
            "refusal",
        }:
            raise bad(
                f"Invalid value: '{part.get('type')}' in '{where}'. Supported is "
                f"'input_text', among others."
            )
    parts = [part.get("text") for part in content]
    return "\n".join(part for part in parts if isinstance(part, str))


def _form(given: Mapping[str, object]) -> tuple[Mapping[str, object] | None, bool, str | None]:
    """What form the answer must have: a schema, any JSON object, or a call of a tool."""
    form = member(member(given, "text"), "format")
    kind = form.get("type", "text")
    if kind == "json_schema":
        schema = form.get("schema")
        if not isinstance(form.get("name"), str) or not isinstance(schema, dict):
            raise bad("Missing required parameter: 'text.format.name' or 'text.format.schema'.")
        return schema, True, None
    if kind not in {"text", "json_object"}:
        raise bad(
            "Invalid 'text.format.type': supported are 'text', 'json_object' and 'json_schema'."
        )
    tool = _forced_tool(given)
    if tool is not None:
        parameters = tool.get("parameters")
        return (
            parameters if isinstance(parameters, dict) else {"type": "object"},
            True,
            str(tool.get("name")),
        )
    return None, kind == "json_object", None


def _forced_tool(given: Mapping[str, object]) -> Mapping[str, object] | None:
    tools, choice = given.get("tools"), given.get("tool_choice")
    functions = list[dict[str, object]]()
    for index, tool in enumerate(tools if isinstance(tools, list) else ()):
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            raise bad(f"Missing required parameter: 'tools[{index}].name'.")
        functions.append(tool)
    if isinstance(choice, dict):
        found = next(
            (function for function in functions if function["name"] == choice.get("name")), None
        )
        if found is None:
            raise bad(f"Tool choice '{choice.get('name')}' not found in 'tools' parameter.")
        return found
    return functions[0] if choice == "required" and functions else None


def _whole_response(ask: Ask, answer: Answer, call_id: str, created: int) -> dict[str, object]:
    why = _WHY.get(answer.finish)
    spent, made = answer.prompt_tokens, answer.completion_tokens
    return {
        "id": f"resp_{call_id}",
        "object": "response",
        "created_at": created,
        "status": "incomplete" if why else "completed",
        "error": None,
        "incomplete_details": {"reason": why} if why else None,
        "instructions": None,
        "metadata": {},
        "model": ask.model,
        "output": [_item(ask, answer, call_id)],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "max_output_tokens": ask.max_output,
        "usage": {
            "input_tokens": spent,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": made,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": spent + made,
        },
    }


def _item(ask: Ask, answer: Answer, call_id: str) -> dict[str, object]:
    status = "incomplete" if answer.finish in _WHY else "completed"
    if ask.tool is not None and answer.finish in {"tool", "length"}:
        call = {"call_id": f"call_{call_id}", "name": ask.tool, "arguments": answer.text}
        return {"id": f"fc_{call_id}", "type": "function_call", "status": status, **call}
    part: dict[str, object] = {
        "type": "output_text",
        "text": answer.text,
        "annotations": [],
        "logprobs": [],
    }
    if answer.finish == "refused":
        part = {"type": "refusal", "refusal": answer.text}
    return {
        "id": f"msg_{call_id}",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [part],
    }


def _pieces(item: Mapping[str, object], text: str) -> Iterator[tuple[str, dict[str, object]]]:
    """The events of one item, in which its text comes a word at a time."""
    where: dict[str, object] = {"output_index": 0}
    at: dict[str, object] = {**where, "item_id": item["id"]}
    content = item.get("content")
    if not isinstance(content, list):
        yield (
            "output_item.added",
            {**where, "item": {**item, "arguments": "", "status": "in_progress"}},
        )
        for piece in PIECE.findall(text):
            yield "function_call_arguments.delta", {**at, "delta": piece}
        yield "function_call_arguments.done", {**at, "name": item["name"], "arguments": text}
    else:
        (part,) = content
        kind, field = (
            ("refusal", "refusal") if part["type"] == "refusal" else ("output_text", "text")
        )
        extra: dict[str, object] = {"logprobs": []} if kind == "output_text" else {}
        at["content_index"] = 0
        yield (
            "output_item.added",
            {**where, "item": {**item, "content": [], "status": "in_progress"}},
        )
        yield "content_part.added", {**at, "part": {**part, field: ""}}
        for piece in PIECE.findall(text):
            yield f"{kind}.delta", {**at, "delta": piece, **extra}
        yield f"{kind}.done", {**at, field: text, **extra}
        yield "content_part.done", {**at, "part": part}
    yield "output_item.done", {**where, "item": item}
