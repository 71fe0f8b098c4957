"""OpenAI batch output lines: what became of a batch line, as OpenAI's own output and error files say it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ingather.errors import ProviderError, Refused
from ingather.jobs.encoding import encoded
from ingather.jobs.fingerprint import batch_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.jobs.batch import Endpoint
    from ingather.result import TaskResult

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")
_DECLINED = "the model declined: "


def batch_answer_line(
    result: TaskResult, custom_id: str, endpoint: Endpoint, asked: str | None = None
) -> bytes:
    """The line, newline included, under the `custom_id` of its task.

    An answer is a ``response`` with status 200 and a body in the form of `endpoint`; one that is a
    failure all the same (cut at the output limit, refused, filtered, of another form than asked
    for) has its ``error`` beside it. A request that the provider refused is a ``response`` with its
    status and OpenAI's error object; all else has only an ``error``, and no ``response``. The
    line's own id holds `asked`, a fingerprint of what was asked.

    >>> from ingather import LLMResponse, TaskResult
    >>> from ingather.jobs.batch import CHAT
    >>> answer = LLMResponse("Paris", "gpt", request_id="req_1")
    >>> line = batch_answer_line(TaskResult("a", True, answer, response=answer), "a", CHAT)
    >>> b'"custom_id":"a","response":{"status_code":200,"request_id":"req_1","body":{' in line
    True
    """
    error, answer = result.error, result.response
    if answer is None and error is None:
        answer = result.value  # without a response_model, it is the answer
    refused = isinstance(error, ProviderError) and (error.status or 0) >= 400
    response: dict[str, object] | None = None
    if answer is not None:
        response = _response(
            200, answer.request_id, endpoint.write(answer, _asked(result), _refusal(error))
        )
    elif isinstance(error, ProviderError) and refused:
        response = _response(error.status, error.request_id, {"error": _error_object(error)})
    told = (
        None
        if error is None or (refused and answer is None)
        else {"code": _code(error), "message": str(error)}
    )
    line = {"id": batch_id(asked), "custom_id": custom_id, "response": response, "error": told}
    return encoded(line)


def _response(
    status: int | None, request_id: str | None, body: dict[str, object]
) -> dict[str, object]:
    return {"status_code": status, "request_id": request_id or "", "body": body}


def _asked(result: TaskResult) -> Mapping[str, object]:
    return getattr(result.task, "config_overrides", None) or {}


def _refusal(error: Exception | None) -> str | None:
    return str(error).removeprefix(_DECLINED) if isinstance(error, Refused) else None


def _error_object(error: ProviderError) -> dict[str, object]:
    kind = "invalid_request_error" if (error.status or 0) < 500 else "server_error"
    return {"message": str(error), "type": kind, "param": None, "code": error.code}


def _code(error: Exception) -> str:
    """The error's class, in the style of OpenAI's codes: ``connection_lost``."""
    return _CAPITAL.sub("_", type(error).__name__).lower()
