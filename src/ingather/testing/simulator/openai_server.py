"""OpenAI's wire form: chat completions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import orjson

from ingather.testing.simulator.forms import Ask, Wire, tokens_of
from ingather.testing.simulator.given import PIECE, bad, custom_id, member, parsed, steps, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ingather.testing.simulator.buckets import Level
    from ingather.testing.simulator.forms import Answer, Problem

_FINISH = {
    "stop": "stop",
    "length": "length",
    "filtered": "content_filter",
    "refused": "stop",
    "tool": "tool_calls",
}
_PER_MINUTE = {"requests": "requests per min (RPM)", "tokens": "tokens per min (TPM)"}


def go_duration(seconds: float) -> str:
    """A duration as Go writes it, rounded up to a millisecond.

    >>> go_duration(0.012), go_duration(1), go_duration(90.951), go_duration(360)
    ('12ms', '1s', '1m30.951s', '6m0s')
    """
    milliseconds = math.ceil(round(seconds * 1000, 6))
    if 0 < milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    return f"{hours}h{minutes}m{text}" if hours else f"{minutes}m{text}" if minutes else text


class OpenAI:
    """The dialect of `POST /v1/chat/completions`."""

    def key(self, headers: Mapping[str, str]) -> str | None:
        scheme, _, key = headers.get("Authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else None

    def takes(self, path: str) -> bool:
        return path == "/v1/chat/completions"

    def speaks(self, path: str, headers: Mapping[str, str]) -> bool:  # noqa: ARG002 - it is the one for all others
        return True

    def ask(self, path: str, body: bytes, headers: Mapping[str, str]) -> Ask:  # noqa: ARG002 - other dialects say more in it
        given = parsed(body)
        model = given.get("model")
        if not isinstance(model, str) or not model:
            raise bad("You must provide a model parameter.")
        turns = _turns(given.get("messages"))
        metadata = member(given, "metadata")
        schema, as_json, tool = _form(given)
        options = given.get("stream_options") or {}
        stop = given.get("stop") or []
        return Ask(
            model=model,
            turns=turns,
            prompt_tokens=sum(tokens_of(text) for _, text in turns),
            max_output=whole(given, "max_completion_tokens") or whole(given, "max_tokens"),
            schema=schema,
            as_json=as_json,
            tool=tool,
            choices=min(whole(given, "n") or 1, 128),
            stop=tuple(map(str, [stop] if not isinstance(stop, list) else stop)),
            stream=given.get("stream") is True,
            stream_usage=isinstance(options, dict) and options.get("include_usage") is True,
            custom_id=custom_id(metadata, turns),
            steps=steps(headers, metadata),
        )

    def answer(self, ask: Ask, answer: Answer, call_id: str, created: int) -> Wire:
        message: dict[str, object] = {"role": "assistant", "content": answer.text, "refusal": None}
        if answer.finish == "refused":
            message |= {"content": None, "refusal": answer.text}
        if ask.tool is not None and answer.finish in {"tool", "length"}:
            call = {
                "id": f"call_{call_id}",
                "type": "function",
                "function": _function(ask.tool, answer.text),
            }
            message |= {"content": None, "tool_calls": [call]}
        end = {"logprobs": None, "finish_reason": _FINISH[answer.finish]}
        choices = [{"index": index, "message": message, **end} for index in range(ask.choices)]
        head = _head(ask, call_id, created, "chat.completion")
        return Wire(orjson.dumps({**head, "choices": choices, "usage": _usage(answer)}))

    def stream(self, ask: Ask, answer: Answer, call_id: str, created: int) -> Iterator[bytes]:
        head = _head(ask, call_id, created, "chat.completion.chunk")
        if ask.stream_usage:
            head["usage"] = None
        field = "refusal" if answer.finish == "refused" else "content"
        tool = None if answer.finish == "refused" else ask.tool
        for index in range(ask.choices):
            yield _event(head, index, {"role": "assistant", "content": ""})
            if tool is not None:
                call = {
                    "index": 0,
                    "id": f"call_{call_id}",
                    "type": "function",
                    "function": _function(tool, ""),
                }
                yield _event(head, index, {"tool_calls": [call]})
            for piece in PIECE.findall(answer.text):
                arguments: list[object] = [{"index": 0, "function": {"arguments": piece}}]
                yield _event(head, index, {"tool_calls": arguments} if tool else {field: piece})
            yield _event(head, index, {}, _FINISH[answer.finish])
        if ask.stream_usage:
            yield b"data: %b\n\n" % orjson.dumps({**head, "choices": [], "usage": _usage(answer)})
        yield b"data: [DONE]\n\n"

    def problem(self, problem: Problem, *, hints: bool) -> Wire:
        status, kind, code, message = _error(problem, hints=hints)
        headers = dict[str, str]()
        if hints and problem.short is not None and problem.short.wait is not None:
            headers["retry-after"] = str(math.ceil(problem.short.wait))
            headers["retry-after-ms"] = str(math.ceil(round(problem.short.wait * 1000, 6)))
        body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
        return Wire(orjson.dumps(body), status, headers)

    def headers(self, call_id: str, levels: Mapping[str, Level], now: float) -> dict[str, str]:  # noqa: ARG002 - others tell instants
        headers = {"x-request-id": call_id}
        for resource, level in levels.items():
            headers[f"x-ratelimit-limit-{resource}"] = str(int(level.limit))
            headers[f"x-ratelimit-remaining-{resource}"] = str(int(level.remaining))
            headers[f"x-ratelimit-reset-{resource}"] = go_duration(level.reset)
        return headers

    def models(self, names: tuple[str, ...]) -> Wire:
        data = [
            {"id": name, "object": "model", "created": 0, "owned_by": "ingather"} for name in names
        ]
        return Wire(orjson.dumps({"object": "list", "data": data}))

    def __repr__(self) -> str:
        return "OpenAI()"


def _turns(messages: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(messages, list) or not messages:
        raise bad("Invalid 'messages': a non-empty array is required.")
    turns = list[tuple[str, str]]()
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise bad(f"Invalid 'messages[{index}]': an object with a role is required.")
        content = message.get("content")
        if isinstance(content, list):
            parts = [part.get("text") for part in content if isinstance(part, dict)]
            content = "\n".join(part for part in parts if isinstance(part, str))
        if not isinstance(content, str | None):
            raise bad(
                f"Invalid type for 'messages[{index}].content': a string or an array of "
                f"parts is required."
            )
        turns.append((message["role"], content or ""))
    return tuple(turns)


def _form(given: dict[str, object]) -> tuple[Mapping[str, object] | None, bool, str | None]:
    """What form the answer must have: a schema, any JSON object, or a call of a tool."""
    form = given.get("response_format") or {"type": "text"}
    kind = form.get("type") if isinstance(form, dict) else None
    if kind == "json_schema":
        wanted = form.get("json_schema") if isinstance(form, dict) else None
        schema = wanted.get("schema") if isinstance(wanted, dict) else None
        if (
            not isinstance(wanted, dict)
            or not isinstance(wanted.get("name"), str)
            or not isinstance(schema, dict)
        ):
            raise bad(
                "Invalid 'response_format.json_schema': an object with a name and a schema "
                "is required."
            )
        return schema, False, None
    if kind not in {"text", "json_object"}:
        raise bad(
            "Invalid 'response_format.type': supported are 'text', 'json_object' and 'json_schema'."
        )
    tool = _forced_tool(given)
    if tool is not None:
        parameters = tool.get("parameters")
        return (
            parameters if isinstance(parameters, dict) else {"type": "object"},
            False,
            str(tool.get("name")),
        )
    return None, kind == "json_object", None


def _forced_tool(given: dict[str, object]) -> dict[str, object] | None:
    tools, choice = given.get("tools"), given.get("tool_choice")
    functions = (
        [tool["function"] for tool in tools if "function" in tool]
        if isinstance(tools, list)
        else []
    )
    if isinstance(choice, dict) and isinstance(choice.get("function"), dict):
        name = choice["function"].get("name")
        found = next((function for function in functions if function.get("name") == name), None)
        if found is None:
            raise bad(f"Invalid 'tool_choice': there is no tool called {name!r}.")
        return dict(found)
    return dict(functions[0]) if choice == "required" and functions else None


def _function(name: str, arguments: str) -> dict[str, str]:
    return {"name": name, "arguments": arguments}


def _head(ask: Ask, call_id: str, created: int, kind: str) -> dict[str, object]:
    return {"id": f"chatcmpl-{call_id}", "object": kind, "created": created, "model": ask.model}


def _usage(answer: Answer) -> dict[str, int]:
    spent, made = answer.prompt_tokens, answer.completion_tokens
    return {"prompt_tokens": spent, "completion_tokens": made, "total_tokens": spent + made}


def _event(
    head: dict[str, object], index: int, delta: dict[str, object], finish: str | None = None
) -> bytes:
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
    return b"data: %b\n\n" % orjson.dumps({**head, "choices": [choice]})


def _error(problem: Problem, *, hints: bool) -> tuple[int, str, str | None, str]:
    """Status, type, code and message."""
    match problem.kind:
        case "auth":
            return 401, "invalid_request_error", "invalid_api_key", problem.message
        case "forbidden":
            return 403, "request_forbidden", "access_denied", problem.message
        case "not_found":
            return 404, "invalid_request_error", "model_not_found", problem.message
        case "too_long":
            return 400, "invalid_request_error", "context_length_exceeded", problem.message
        case "filtered":
            return 400, "invalid_request_error", "content_filter", problem.message
        case "no_credit":
            return 429, "insufficient_quota", "insufficient_quota", problem.message
        case "concurrency" | "acceleration":
            return 429, "requests", "rate_limit_exceeded", problem.message
        case "rate":
            return _limited(problem, hints=hints)
        case "status" if problem.status >= 500:
            return problem.status, "server_error", None, problem.message
    return problem.status, "invalid_request_error", None, problem.message


def _limited(problem: Problem, *, hints: bool) -> tuple[int, str, str | None, str]:
    short = problem.short
    if short is None:
        return 429, "requests", "rate_limit_exceeded", f"Rate limit reached for {problem.model}."
    numbers = f"Limit {short.limit:.0f}, Used {short.used:.0f}, Requested {short.requested:.0f}"
    where = f"for {problem.model} on {_PER_MINUTE[short.resource]}"
    if short.wait is None:
        numbers = f"Limit {short.limit:.0f}, Requested {short.requested:.0f}"
        message = (
            f"Request too large {where}: {numbers}. Shorten the prompt or lower the output limit."
        )
    else:
        wait = f" Please try again in {go_duration(short.wait)}." if hints else ""
        message = f"Rate limit reached {where}: {numbers}.{wait}"
    return 429, short.resource, "rate_limit_exceeded", message
