"""Gemini's wire form: generateContent, its stream, and countTokens."""

from __future__ import annotations

import re
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
from ingather.testing.simulator.openapi import json_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ingather.testing.simulator.buckets import Level, Shortage
    from ingather.testing.simulator.forms import Answer, Problem

_METHODS = frozenset({"generateContent", "streamGenerateContent", "countTokens"})
_CALL = re.compile(r"/v1(?:beta|alpha)?/models/([^/:]+):(\w+)")
_FINISH = {
    "stop": "STOP", "length": "MAX_TOKENS", "filtered": "SAFETY", "refused": "OTHER", "tool": "STOP",
}  # fmt: skip
_STATUS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED",
    429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 501: "UNIMPLEMENTED", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}  # fmt: skip
_KNOWN = frozenset({
    "cachedContent", "contents", "generateContentRequest", "generationConfig", "labels", "model", "safetySettings",
    "serviceTier", "store", "systemInstruction", "toolConfig", "tools",
})  # fmt: skip
_METRICS = {  # of a quota: what it counts, and the id of its violation
    "requests": ("generate_content_requests", "GenerateRequestsPerMinutePerProjectPerModel"),
    "tokens": ("generate_content_input_token_count", "GenerateContentInputTokensPerModelPerMinute"),
    "day": ("generate_content_requests", "GenerateRequestsPerDayPerProjectPerModel"),
}


class Gemini:
    """The dialect of `POST /v1beta/models/NAME:generateContent`; also under /v1 and /v1alpha."""

    def key(self, headers: Mapping[str, str]) -> str | None:
        return headers.get("x-goog-api-key")

    def takes(self, path: str) -> bool:
        call = _CALL.fullmatch(path)
        return call is not None and call[2] in _METHODS

    def speaks(self, path: str, headers: Mapping[str, str]) -> bool:
        return (
            path.startswith(("/v1beta/", "/v1alpha/"))
            or "x-goog-api-key" in headers
            or self.takes(path)
        )

    def ask(self, path: str, body: bytes, headers: Mapping[str, str]) -> Ask:
        call = _CALL.fullmatch(path)
        model, method = (call[1], call[2]) if call else ("", "")
        given = _camel(parsed(body))
        if method == "countTokens" and isinstance(given.get("generateContentRequest"), dict):
            given = _camel(given["generateContentRequest"])
        if unknown := sorted(given.keys() - _KNOWN):
            raise bad(
                f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.'
            )
        turns = _turns(given)
        config, labels = _object(given, "generationConfig"), member(given, "labels")
        schema, as_json = _form(config)
        tool = _forced_tool(given)
        if tool is not None:
            schema, as_json = _parameters(tool), True
        stop = config.get("stopSequences")
        return Ask(
            model=model,
            turns=turns,
            prompt_tokens=sum(tokens_of(text) for _, text in turns),
            max_output=whole(config, "maxOutputTokens"),
            schema=schema,
            as_json=as_json,
            tool=None if tool is None else str(tool.get("name")),
            choices=min(whole(config, "candidateCount") or 1, 8),
            stop=tuple(map(str, stop)) if isinstance(stop, list) else (),
            stream=method == "streamGenerateContent",
            custom_id=custom_id(labels, turns),
            steps=steps(headers, labels),
            counting=method == "countTokens",
        )

    def answer(self, ask: Ask, answer: Answer, call_id: str, created: int) -> Wire:  # noqa: ARG002 - it does not say when
        if ask.counting:
            return Wire(orjson.dumps({"totalTokens": answer.prompt_tokens}))
        parts = [] if answer.finish == "refused" else [_part(ask, answer)]
        return Wire(orjson.dumps(_chunk(ask, answer, call_id, parts, last=True)))

    def stream(self, ask: Ask, answer: Answer, call_id: str, created: int) -> Iterator[bytes]:  # noqa: ARG002 - as above
        parts = (
            [{"text": piece} for piece in PIECE.findall(answer.text)]
            if ask.tool is None
            else [_part(ask, answer)]
        )
        parts = [] if answer.finish == "refused" else parts
        for part in parts[:-1]:
            yield b"data: %b\r\n\r\n" % orjson.dumps(
                _chunk(ask, answer, call_id, [part], last=False)
            )
        yield b"data: %b\r\n\r\n" % orjson.dumps(
            _chunk(ask, answer, call_id, parts[-1:], last=True)
        )

    def problem(self, problem: Problem, *, hints: bool) -> Wire:
        if problem.kind == "filtered":  # which is no error here, but an answer without candidates
            blocked = {
                "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
                "usageMetadata": {"promptTokenCount": 0},
            }
            return Wire(orjson.dumps(blocked))
        status, message, details = _error(problem, hints=hints)
        name = _STATUS.get(status, "INVALID_ARGUMENT" if status < 500 else "INTERNAL")
        error: dict[str, object] = {"code": status, "message": message, "status": name}
        if details:
            error["details"] = details
        return Wire(orjson.dumps({"error": error}), status)

    def headers(self, call_id: str, levels: Mapping[str, Level], now: float) -> dict[str, str]:  # noqa: ARG002 - it says nothing
        return {}

    def models(self, names: tuple[str, ...]) -> Wire:
        data = [
            {
                "name": f"models/{name}",
                "displayName": name,
                "supportedGenerationMethods": sorted(_METHODS),
            }
            for name in names
        ]
        return Wire(orjson.dumps({"models": data}))

    def __repr__(self) -> str:
        return "Gemini()"


def _camel(given: object) -> dict[str, object]:
    """An object with names as JSON has them: both ``maxOutputTokens`` and ``max_output_tokens`` are taken."""
    if not isinstance(given, dict):
        return {}
    return {
        re.sub(r"_([a-z])", lambda found: found[1].upper(), name): value
        for name, value in given.items()
    }


def _object(given: Mapping[str, object], name: str) -> dict[str, object]:
    return _camel(given.get(name))


def _turns(given: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    contents = given.get("contents")
    if not isinstance(contents, list) or not contents:
        raise bad("* GenerateContentRequest.contents: contents is not specified")
    system = _object(given, "systemInstruction").get("parts")
    turns = [("system", texts(system))] if system else []
    for index, content in enumerate(contents):
        parts = content.get("parts") if isinstance(content, dict) else None
        if not isinstance(parts, list) or not parts:
            raise bad(
                f"* GenerateContentRequest.contents[{index}].parts: contents.parts must not "
                f"be empty."
            )
        role = content.get("role", "user")
        if role not in {"user", "model", "function"}:
            raise bad("Please use a valid role: user, model.")
        turns.append(("assistant" if role == "model" else "user", texts(parts)))
    return tuple(turns)


def _form(config: Mapping[str, object]) -> tuple[Mapping[str, object] | None, bool]:
    """The schema of the answer, and whether it shall be JSON."""
    kind = config.get("responseMimeType") or "text/plain"
    if kind not in {"text/plain", "application/json", "text/x.enum"}:
        raise bad(
            f"* GenerateContentRequest.generation_config.response_mime_type: {kind!r} is not "
            f"allowed"
        )
    own, standard = config.get("responseSchema"), config.get("responseJsonSchema")
    schema = (
        standard
        if isinstance(standard, dict)
        else json_schema(own)
        if isinstance(own, dict)
        else None
    )
    if schema is not None and kind == "text/plain":
        raise bad(
            "* GenerateContentRequest.generation_config: a response schema needs "
            "response_mime_type application/json"
        )
    if own is not None and standard is not None:
        raise bad(
            "* GenerateContentRequest.generation_config: only one of the response schemas "
            "may be set"
        )
    return schema, kind == "application/json"


def _forced_tool(given: Mapping[str, object]) -> dict[str, object] | None:
    choice = _object(_object(given, "toolConfig"), "functionCallingConfig")
    if choice.get("mode") != "ANY":
        return None
    tools, allowed = given.get("tools"), choice.get("allowedFunctionNames")
    declared = (
        [_camel(tool).get("functionDeclarations") for tool in tools]
        if isinstance(tools, list)
        else []
    )
    functions = [
        _camel(function)
        for functions in declared
        if isinstance(functions, list)
        for function in functions
    ]
    named = [
        function
        for function in functions
        if not isinstance(allowed, list) or function.get("name") in allowed
    ]
    if not named:
        raise bad(
            "* GenerateContentRequest.tool_config: no function that may be called is declared"
        )
    return named[0]


def _parameters(tool: Mapping[str, object]) -> dict[str, object]:
    standard, own = tool.get("parametersJsonSchema"), tool.get("parameters")
    return (
        standard
        if isinstance(standard, dict)
        else json_schema(own)
        if isinstance(own, dict)
        else {"type": "object"}
    )


def _part(ask: Ask, answer: Answer) -> dict[str, object]:
    if ask.tool is not None and answer.finish in {"tool", "length"}:
        return {"functionCall": {"name": ask.tool, "args": arguments(answer.text)}}
    return {"text": answer.text}


def _chunk(
    ask: Ask, answer: Answer, call_id: str, parts: list[dict[str, object]], *, last: bool
) -> dict[str, object]:
    candidate: dict[str, object] = {
        "content": {"role": "model", **({"parts": parts} if parts else {})}
    }
    if last:
        candidate["finishReason"] = _FINISH[answer.finish]
        if answer.finish == "refused":
            candidate["finishMessage"] = answer.text
    candidates = [{**candidate, "index": index} for index in range(ask.choices)]
    spent, made = answer.prompt_tokens, answer.completion_tokens
    usage: dict[str, object] = {"promptTokenCount": spent, "totalTokenCount": spent}
    if last:
        usage |= {"candidatesTokenCount": made, "totalTokenCount": spent + made}
    return {
        "candidates": candidates,
        "usageMetadata": usage,
        "modelVersion": ask.model,
        "responseId": call_id,
    }


def _error(problem: Problem, *, hints: bool) -> tuple[int, str, list[dict[str, object]]]:
    """Status, message and details."""
    match problem.kind:
        case "auth":
            info = {"reason": "API_KEY_INVALID", "domain": "googleapis.com"}
            return (
                400,
                "API key not valid. Please pass a valid API key.",
                [_detail("ErrorInfo", **info)],
            )
        case "forbidden":
            return 403, problem.message, []
        case "not_found":
            return (
                404,
                f"models/{problem.model} is not found, or not supported for generateContent.",
                [],
            )
        case "too_long":
            return (
                400,
                f"The input exceeds the maximum number of tokens allowed. {problem.message}",
                [],
            )
        case "no_credit":
            return 429, problem.message, [_quota_failure("day", 0, problem.model)]
        case "concurrency" | "acceleration":
            return 429, "Resource exhausted. Please try again later.", []
        case "rate" if problem.short is not None:
            return _limited(problem.short, problem.model, hints=hints)
    return (
        problem.status if problem.kind == "status" else 429 if problem.kind == "rate" else 400,
        problem.message,
        [],
    )


def _limited(
    short: Shortage, model: str, *, hints: bool
) -> tuple[int, str, list[dict[str, object]]]:
    metric, _ = _METRICS[short.resource]
    message = f"You exceeded your current quota.\n* Quota exceeded for metric: {metric}, limit: {short.limit:.0f}"
    details = [_quota_failure(short.resource, short.limit, model)]
    if short.wait is None:
        return 429, f"{message}, requested: {short.requested:.0f}", details
    if hints:
        message += f"\nPlease retry in {short.wait:.9g}s."
        details.append(_detail("RetryInfo", retryDelay=f"{short.wait:.9g}s"))
    return 429, message, details


def _quota_failure(quota: str, limit: float, model: str) -> dict[str, object]:
    metric, name = _METRICS[quota]
    violation: dict[str, object] = {
        "quotaMetric": f"generativelanguage.googleapis.com/{metric}",
        "quotaId": name,
        "quotaDimensions": {"location": "global", "model": model},
    }
    if limit:
        violation["quotaValue"] = f"{limit:.0f}"
    return _detail("QuotaFailure", violations=[violation])


def _detail(kind: str, **said: object) -> dict[str, object]:
    return {"@type": f"type.googleapis.com/google.rpc.{kind}", **said}
