"""OpenAI batch lines: ``{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {…}}``.

What a url means is one entry of `ENDPOINTS`: how the body of such a line is read, and how its
answer is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ingather.errors import SetupError
from ingather.jobs.completion import chat_completion
from ingather.jobs.messages import read_messages
from ingather.jobs.responses_line import read_input, response_object
from ingather.providers.several import Choices

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ingather.response import LLMResponse
    from ingather.task import LLMMessage

    Read = Callable[[Mapping[str, object]], tuple[list[LLMMessage], dict[str, object]]]
    Write = Callable[[LLMResponse, Mapping[str, object], str | None], dict[str, object]]

FIELDS = ("custom_id", "method", "url", "body")
_OWN_FIELDS = ("prompt", "messages")
_NOT_YET = (
    "/embeddings", "/completions", "/moderations", "/images/generations", "/images/edits", "/videos", "/score",
    "/rerank", "/audio/transcriptions", "/audio/translations", "/audio/speech", "/messages", "/pooling",
)  # fmt: skip


class Endpoint(NamedTuple):
    """One url of batch lines.

    `api`: which of OpenAI's APIs it is of, in the words of `connect`. `read`: messages and
    parameters, the model among them, of a line's body. `write`: the body of an answer, given the
    answer, the parameters that were asked with, and a refusal in place of an answer.
    """

    url: str
    api: str
    read: Read
    write: Write


def is_batch(fields: Mapping[str, object]) -> bool:
    """Whether a row of JSON is an OpenAI batch line, well made or not.

    >>> is_batch({"custom_id": "a", "body": {}}), is_batch({"custom_id": "a", "prompt": "Hi"})
    (True, False)
    """
    if isinstance(fields.get("body"), dict):
        return True
    return sum(name in fields for name in FIELDS) > 2 and not any(
        name in fields for name in _OWN_FIELDS
    )


def read_batch(
    fields: Mapping[str, object],
) -> tuple[Endpoint, list[LLMMessage], dict[str, object]]:
    """A batch line's endpoint, messages and parameters. Raises SetupError that says what is wrong with it."""
    if unknown := [name for name in fields if name not in FIELDS]:
        raise SetupError(
            f"an OpenAI batch line has no field {unknown[0]!r:.60}; it has {', '.join(FIELDS)}"
        )
    if missing := [name for name in FIELDS if fields.get(name) is None]:
        raise SetupError(
            f"an OpenAI batch line has {', '.join(FIELDS)}; this one has no {missing[0]!r}"
        )
    if not isinstance(fields["custom_id"], str):
        raise SetupError(f"'custom_id' is text, not {fields['custom_id']!r:.60}")
    if fields["method"] != "POST":
        raise SetupError(f"'method' is \"POST\", not {fields['method']!r:.60}")
    endpoint = _endpoint(fields["url"])
    body = fields["body"]
    if not isinstance(body, dict):
        raise SetupError(
            f'\'body\' is an object such as {{"model": …, "messages": […]}}, not {body!r:.60}'
        )
    return (endpoint, *endpoint.read(body))


def _endpoint(url: object) -> Endpoint:
    if not isinstance(url, str):
        raise SetupError(f"'url' is one of {', '.join(ENDPOINTS)}, not {url!r:.60}")
    path = url.rstrip("/")
    endpoint = ENDPOINTS.get(path) or ENDPOINTS.get(f"/v1{path}")  # Azure writes it without
    if endpoint is not None:
        return endpoint
    if path.removeprefix("/v1") in _NOT_YET:
        raise SetupError(f"{url!r:.60} is not supported: lines for {' and '.join(ENDPOINTS)} are")
    raise SetupError(f"'url' is one of {', '.join(ENDPOINTS)}, not {url!r:.60}")


def _read_chat(body: Mapping[str, object]) -> tuple[list[LLMMessage], dict[str, object]]:
    if "messages" not in body:
        raise SetupError("'body' has no 'messages'")
    params = _params(body, "messages")
    if type(many := params.get("n")) is int and many > 1:
        params["n"] = Choices(many)
    return read_messages(body["messages"]), params


def _read_responses(body: Mapping[str, object]) -> tuple[list[LLMMessage], dict[str, object]]:
    if "input" not in body:
        raise SetupError("'body' has no 'input'")
    return read_input(body["input"]), _params(body, "input")


def _params(body: Mapping[str, object], *content: str) -> dict[str, object]:
    """What is set besides `content`. As at OpenAI, null sets nothing."""
    return {
        name: value for name, value in body.items() if value is not None and name not in content
    }


CHAT = Endpoint("/v1/chat/completions", "chat", _read_chat, chat_completion)
RESPONSES = Endpoint("/v1/responses", "responses", _read_responses, response_object)
ENDPOINTS: dict[str, Endpoint] = {endpoint.url: endpoint for endpoint in (CHAT, RESPONSES)}
