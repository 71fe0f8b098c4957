"""Azure's wire form of chat completions: a path for each deployment, another key header, errors of its own."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import orjson

from ingather.testing.simulator.forms import Wire
from ingather.testing.simulator.given import parsed
from ingather.testing.simulator.openai_server import OpenAI

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.testing.simulator.buckets import Level
    from ingather.testing.simulator.forms import Answer, Ask, Problem

_PATH = re.compile(r"/openai(?:/deployments/(?P<deployment>[^/]+)|/v1)/chat/completions")
_CATEGORIES = ("hate", "self_harm", "sexual", "violence")


class Azure(OpenAI):
    """The dialect of `POST /openai/deployments/{deployment}/chat/completions` and `/openai/v1/chat/completions`."""

    def key(self, headers: Mapping[str, str]) -> str | None:
        return headers.get("api-key")

    def takes(self, path: str) -> bool:
        return _PATH.fullmatch(path) is not None

    def speaks(self, path: str, headers: Mapping[str, str]) -> bool:  # noqa: ARG002 - the path says it
        return path.startswith("/openai/")

    def ask(self, path: str, body: bytes, headers: Mapping[str, str]) -> Ask:
        found = _PATH.fullmatch(path)
        if found is not None and found["deployment"]:
            body = orjson.dumps({**parsed(body), "model": unquote(found["deployment"])})
        return super().ask(path, body, headers)

    def answer(self, ask: Ask, answer: Answer, call_id: str, created: int) -> Wire:
        whole = orjson.loads(super().answer(ask, answer, call_id, created).body)
        for choice in whole["choices"]:
            choice["content_filter_results"] = _results(stopped=answer.finish == "filtered")
        prompts = [{"prompt_index": 0, "content_filter_results": _results(stopped=False)}]
        return Wire(orjson.dumps({**whole, "prompt_filter_results": prompts}))

    def problem(self, problem: Problem, *, hints: bool) -> Wire:
        wire = super().problem(problem, hints=hints)
        match problem.kind:
            case "auth":
                return _error(
                    401,
                    "401",
                    "Access denied due to an invalid subscription key or a wrong endpoint.",
                )
            case "not_found":
                return _error(
                    404,
                    "DeploymentNotFound",
                    "The API deployment for this resource does not exist.",
                )
            case "filtered":
                inner = {
                    "code": "ResponsibleAIPolicyViolation",
                    "content_filter_result": _results(stopped=True),
                }
                message = "The prompt triggered the content management policy: modify it and retry."
                return _error(
                    400, "content_filter", message, param="prompt", status=400, innererror=inner
                )
            case "rate" if problem.short is not None and problem.short.wait is not None:
                after = (
                    f" Please retry after {math.ceil(problem.short.wait)} seconds." if hints else ""
                )
                message = f"Calls have exceeded the {problem.short.resource} rate limit of the pricing tier.{after}"
                return Wire(_error(429, "429", message).body, 429, wire.headers)
        return wire

    def headers(self, call_id: str, levels: Mapping[str, Level], now: float) -> dict[str, str]:
        headers = {"apim-request-id": call_id, **super().headers(call_id, levels, now)}
        whole = {
            f"x-ratelimit-reset-{name}": str(math.ceil(level.reset))
            for name, level in levels.items()
        }
        return headers | whole

    def __repr__(self) -> str:
        return "Azure()"


def _results(*, stopped: bool) -> dict[str, dict[str, object]]:
    results: dict[str, dict[str, object]] = {
        category: {"filtered": False, "severity": "safe"} for category in _CATEGORIES
    }
    return results | ({"violence": {"filtered": True, "severity": "medium"}} if stopped else {})


def _error(http: int, code: str, message: str, **more: object) -> Wire:
    return Wire(orjson.dumps({"error": {"code": code, "message": message, **more}}), http)
