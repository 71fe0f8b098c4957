"""Anthropic's wire form: messages."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from ingather.testing.simulator.forms import Ask, Wire, tokens_of
from ingather.testing.simulator.given import (
    PIECE,
    arguments,
    bad,
    custom_id,
    member,
    parsed,
    steps,
    texts,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ingather.testing.simulator.buckets import Level
    from ingather.testing.simulator.forms import Answer, Problem

_COUNT = "/v1/messages/count_tokens"
_FINISH = {
    "stop": "end_turn",
    "length": "max_tokens",
    "filtered": "refusal",
    "refused": "refusal",
    "tool": "tool_use",
}
# one bucket here: each can be no more than what it holds
_TOKENS = ("tokens", "input-tokens", "output-tokens")
_TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
    404: "not_found_error", 409: "conflict_error", 413: "request_too_large", 429: "rate_limit_error",
    504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip
_UNFIT = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems",
)  # fmt: skip


class Anthropic:
    """The dialect of `POST /v1/messages`, and of the tokens counted at `/v1/messages/count_tokens`."""

    def key(self, headers: Mapping[str, str]) -> str | None:
        scheme, _, key = headers.get("Authorization", "").partition(" ")
        return headers.get("x-api-key") or (key.strip() if scheme.lower() == "bearer" else None)

    def takes(self, path: str) -> bool:
        return path in {"/v1/messages", _COUNT}

    def speaks(self, path: str, headers: Mapping[str, str]) -> bool:
        return "anthropic-version" in headers or self.takes(path)

    def ask(self, path: str, body: bytes, headers: Mapping[str, str]) -> Ask:
        if "anthropic-version" not in headers:
            raise bad("anthropic-version: header is required")
        given = parsed(body)
        model = given.get("model")
        if not isinstance(model, str) or not model:
            raise bad("model: Field required")
        counting = path == _COUNT
        limit = whole(given, "max_tokens")
        if limit is None and not counting:
            raise bad("max_tokens: Field required")
        turns = _turns(given)
        schema, tool = _form(given)
        stop, metadata = given.get("stop_sequences"), member(given, "metadata")
        return Ask(
            model=model,
            turns=turns,
            prompt_tokens=sum(tokens_of(text) for _, text in turns),
            max_output=limit,
            schema=schema,
            as_json=schema is not None,
            tool=tool,
            stop=tuple(map(str, stop)) if isinstance(stop, list) else (),
            stream=given.get("stream") is True,
            custom_id=custom_id(metadata, turns),
            steps=steps(headers, metadata),
            counting=counting,
        )

    def answer(self, ask: Ask, answer: Answer, call_id: str, created: int) -> Wire:  # noqa: ARG002 - it does not say when
        if ask.counting:
            return Wire(orjson.dumps({"input_tokens": answer.prompt_tokens}))
        block: dict[str, object] = {"type": "text", "text": answer.text}
        if _is_tool_use(ask, answer):
            block = {**_tool_use(ask, call_id), "input": arguments(answer.text)}
        message = {**_message(ask, answer, call_id), "content": [block], **_end(answer)}
        return Wire(orjson.dumps({**message, "usage": _usage(answer, answer.completion_tokens)}))

    def stream(self, ask: Ask, answer: Answer, call_id: str, created: int) -> Iterator[bytes]:  # noqa: ARG002 - as above
        begun = {
            **_message(ask, answer, call_id),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
        }
        yield _event("message_start", message={**begun, "usage": _usage(answer, 1)})
        in_tool = _is_tool_use(ask, answer)
        block = _tool_use(ask, call_id) if in_tool else {"type": "text", "text": ""}
        yield _event("content_block_start", index=0, content_block=block)
        yield _event("ping")
        kind, field = ("input_json_delta", "partial_json") if in_tool else ("text_delta", "text")
        for piece in PIECE.findall(answer.text):
            yield _event("content_block_delta", index=0, delta={"type": kind, field: piece})
        yield _event("content_block_stop", index=0)
        yield _event(
            "message_delta", delta=_end(answer), usage={"output_tokens": answer.completion_tokens}
        )
        yield _event("message_stop")

    def problem(self, problem: Problem, *, hints: bool) -> Wire:
        status, message = _error(problem)
        headers = dict[str, str]()
        if hints and problem.short is not None and problem.short.wait is not None:
            headers["retry-after"] = str(math.ceil(problem.short.wait))
        error: dict[str, object] = {
            "type": _TYPES.get(status, "invalid_request_error"),
            "message": message,
        }
        if status >= 500 and status not in _TYPES:
            error["type"] = "api_error"
        if problem.kind == "acceleration":
            error["details"] = {"error_code": "ramp_limit_exceeded"}
        body = {"type": "error", "error": error, "request_id": problem.call_id or None}
        return Wire(orjson.dumps(body), status, headers)

    def headers(self, call_id: str, levels: Mapping[str, Level], now: float) -> dict[str, str]:
        headers = {"request-id": call_id}
        for resource, level in levels.items():
            full = datetime.fromtimestamp(math.ceil(now + level.reset), UTC).strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            )
            for name in _TOKENS if resource == "tokens" else (resource,):
                headers[f"anthropic-ratelimit-{name}-limit"] = str(int(level.limit))
                headers[f"anthropic-ratelimit-{name}-remaining"] = str(int(level.remaining))
                headers[f"anthropic-ratelimit-{name}-reset"] = full
        return headers

    def models(self, names: tuple[str, ...]) -> Wire:
        since = {"created_at": "1970-01-01T00:00:00Z", "lifecycle": "active"}
        data = [{"type": "model", "id": name, "display_name": name, **since} for name in names]
        return Wire(
            orjson.dumps(
                {"data": data, "has_more": False, "first_id": names[0], "last_id": names[-1]}
            )
        )

    def __repr__(self) -> str:
        return "Anthropic()"


def _turns(given: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    messages, system = given.get("messages"), given.get("system")
    if not isinstance(messages, list) or not messages:
        raise bad("messages: at least one message is required")
    turns = [("system", texts(system))] if system else []
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in {"user", "assistant"}:
            raise bad(f"messages.{index}.role: Input should be 'user' or 'assistant'")
        content = message.get("content")
        if not isinstance(content, str | list) or not content:
            raise bad(
                f"messages.{index}.content: text or a list of blocks is required, and may "
                f"not be empty"
            )
        turns.append((message["role"], texts(content)))
    return tuple(turns)


def _form(given: Mapping[str, object]) -> tuple[Mapping[str, object] | None, str | None]:
    """The schema of the answer, and the tool that must be called with it."""
    form = member(member(given, "output_config"), "format")
    if form:
        schema = form.get("schema")
        if form.get("type") != "json_schema" or not isinstance(schema, dict):
            raise bad("output_config.format: type 'json_schema' and a schema are required")
        _check(schema)
        return schema, None
    choice, tools = member(given, "tool_choice"), given.get("tools")
    if choice.get("type") not in {"any", "tool"}:
        return None, None
    named = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    if choice["type"] == "tool":
        named = [tool for tool in named if tool.get("name") == choice.get("name")]
    if not named:
        raise bad(f"tool_choice: there is no tool {choice.get('name', 'at all')!r}")
    return member(named[0], "input_schema") or {"type": "object"}, str(named[0].get("name"))


def _check(schema: object) -> None:
    """Refuse what the provider's grammar does not take: open objects, bounds of numbers and lengths."""
    if isinstance(schema, list):
        for one in schema:
            _check(one)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        raise bad(
            "output_config.format.schema: For 'object' type, 'additionalProperties' must be "
            "set to false"
        )
    for name in _UNFIT:
        if name in schema:
            raise bad(
                f"output_config.format.schema: For {schema.get('type')!r} type, '{name}' is "
                f"not supported"
            )
    for name in ("properties", "$defs"):
        for within in member(schema, name).values():
            _check(within)
    for name in ("items", "anyOf", "allOf"):
        _check(schema.get(name))


def _is_tool_use(ask: Ask, answer: Answer) -> bool:
    return ask.tool is not None and answer.finish in {"tool", "length"}


def _tool_use(ask: Ask, call_id: str) -> dict[str, object]:
    return {"type": "tool_use", "id": f"toolu_{call_id}", "name": ask.tool, "input": {}}


def _message(ask: Ask, answer: Answer, call_id: str) -> dict[str, object]:
    refusal = {"type": "refusal", "category": None, "explanation": answer.text}
    details = refusal if answer.finish in {"filtered", "refused"} else None
    return {
        "id": f"msg_{call_id}", "type": "message", "role": "assistant", "model": ask.model, "stop_details": details,
    }  # fmt: skip


def _end(answer: Answer) -> dict[str, object]:
    if answer.stopped_by is not None:
        return {"stop_reason": "stop_sequence", "stop_sequence": answer.stopped_by}
    return {"stop_reason": _FINISH[answer.finish], "stop_sequence": None}


def _usage(answer: Answer, output_tokens: int) -> dict[str, object]:
    return {
        "input_tokens": answer.prompt_tokens, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
        "output_tokens": output_tokens, "service_tier": "standard",
    }  # fmt: skip


def _event(name: str, **data: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps({"type": name, **data}))


def _error(problem: Problem) -> tuple[int, str]:
    match problem.kind:
        case "auth":
            return 401, "invalid x-api-key"
        case "forbidden":
            return 403, problem.message
        case "not_found":
            return 404, f"model: {problem.model}"
        case "too_long":
            return 400, f"prompt is too long: {problem.message}"
        case "filtered":
            return 400, "Output blocked by content filtering policy"
        case "no_credit":
            why = "Your credit balance is too low for this request."
            return 400, f"{why} Buy credits under Plans & Billing."
        case "acceleration":
            why = "Usage has grown too fast: this exceeds your organization's acceleration limit."
            return 429, f"{why} Scale up gradually."
        case "concurrency":
            return 429, problem.message
        case "rate":
            return 429, _limited(problem)
        case "status" if problem.status == 529:
            return 529, "Overloaded"
    return problem.status, problem.message


def _limited(problem: Problem) -> str:
    short = problem.short
    if short is None:
        return "This request would exceed your organization's rate limit."
    limit = f"{short.limit:,.0f} {short.resource} per minute"
    message = f"This request would exceed your organization's rate limit of {limit}"
    if short.wait is None:
        return f"{message}, however long it waits: Limit {short.limit:.0f}, Requested {short.requested:.0f}."
    return f"{message}; see the response headers for current usage."
