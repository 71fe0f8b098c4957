"""What any dialect posts: parameters checked, a body encoded once, its cost guessed. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ingather import exact_json
from ingather.errors import BadRequest, SetupError
from ingather.limits.tokens import BYTES_PER_TOKEN, Tokens
from ingather.providers.several import Choices

if TYPE_CHECKING:
    from ingather.task import LLMMessage

_CONNECT = "it belongs to connect(), for all requests"
_REFUSED = {
    **dict.fromkeys(("base_url", "api_base", "url", "host", "endpoint", "api_version"), _CONNECT),
    **dict.fromkeys(("api_key", "authorization"), _CONNECT),
    **dict.fromkeys(
        ("headers", "extra_headers", "default_headers"), "give connect(headers=…), for all requests"
    ),
    "organization": 'give connect(headers={"OpenAI-Organization": …})',
    "project": 'give connect(headers={"OpenAI-Project": …})',
    **dict.fromkeys(("extra_query", "http_client"), "it cannot be set"),
    "messages": "the task has its own",
    "timeout": "use LLMTask(timeout=…) or connect(timeout=…)",
    "max_retries": "use RetryConfig(max_attempts=…)",
}
# of all dialects
_SCHEMAS = {"schema", "parameters", "input_schema", "responseJsonSchema", "parametersJsonSchema"}
_OWN_EXTRA = ("extra_body", "google")
_DEEPEST = 254  # levels of nesting: orjson's own bound
_WATCHED = {*_REFUSED, "stream", "n", "model"}


def checked(params: Mapping[str, object]) -> dict[str, object]:
    """`params` as they may be sent; raises `SetupError` for those that are not the request's to set.

    >>> checked({"temperature": 0, "stream": False})
    {'temperature': 0}
    """
    if not isinstance(params, Mapping):
        raise SetupError(
            f"parameters are a mapping of names to values, not {type(params).__name__}"
        )
    sent: dict[str, object] = {}
    for name, value in params.items():
        if name in _WATCHED or not isinstance(name, str):
            _check(name, value)
        if isinstance(value, float) and not math.isfinite(value):
            raise SetupError(f"{name} is {value}, which JSON cannot say")
        sent[name] = value
    sent.pop("stream", None)
    return _with_extra(sent) if "extra_body" in sent else sent


def _with_extra(sent: dict[str, object]) -> dict[str, object]:
    """With the fields of ``extra_body`` beside the others and over them, as the openai package has it.

    Google's compatible API has a field of that very name on the wire, with ``google`` in it.
    """
    extra = sent.pop("extra_body")
    if extra is None:
        return sent
    if not isinstance(extra, Mapping):
        raise SetupError(
            f"extra_body is an object whose fields are sent beside the others, not {extra!r:.40}"
        )
    own = {name: value for name, value in extra.items() if name not in _OWN_EXTRA}
    whole = {**sent, **checked(own)}
    nested = extra.get("extra_body", {"google": extra["google"]} if "google" in extra else None)
    return whole if nested is None else {**whole, "extra_body": nested}


def _check(name: object, value: object) -> None:
    if not isinstance(name, str):
        raise SetupError(f"{name!r} is not a parameter of a request: its name is not a string")
    if name in _REFUSED:
        raise SetupError(f"{name!r} is not a parameter of a request: {_REFUSED[name]}")
    if name == "stream" and value:
        raise SetupError("stream=True: answers in pieces are not in this version; leave it out")
    if name == "n" and value not in (1, None) and not isinstance(value, Choices):
        raise SetupError(
            "n > 1: a task has one answer; for several, make several tasks that differ in "
            "LLMTask(sample=…)"
        )
    if name == "model" and not (isinstance(value, str) and value):
        raise SetupError(f"model is the name of a model, not {value!r}")


def encoded(body: Mapping[str, object], messages: Sequence[LLMMessage]) -> bytes:
    """The same bytes for the same `body`; raises `BadRequest` that names what cannot be sent, and where.

    Keys are sorted, but those of a schema: their order is the one in which a model answers, and
    what it says first is what it thinks of first. `messages`: must not be empty.

    >>> from ingather.task import LLMMessage
    >>> encoded({"model": "m", "input": "Hi"}, [LLMMessage("user", "Hi")])
    b'{"input":"Hi","model":"m"}'
    """
    if not messages:
        raise BadRequest("there are no messages to send")
    try:
        whole = exact_json.dumps(_sorted(body))
    except TypeError as error:
        raise BadRequest(_fault(body) or f"the request is not JSON: {error}") from None
    if b"\\u0000" in whole and (fault := _fault(body)):
        raise BadRequest(fault)
    return whole


def _sorted(value: object, depth: int = 0) -> object:
    if depth > _DEEPEST:
        return value
    if isinstance(value, dict):
        return {
            key: value[key] if key in _SCHEMAS else _sorted(value[key], depth + 1)
            for key in sorted(value)
        }
    return [_sorted(each, depth + 1) for each in value] if isinstance(value, list) else value


def estimate(messages: Sequence[LLMMessage], output_limit: object) -> Tokens:
    """A fair guess at what the request costs; text counts by its UTF-8 bytes, pictures and sounds are not guessed.

    >>> from ingather.task import LLMMessage
    >>> estimate([LLMMessage("user", "Hello you")], 50)
    Tokens(input=3, max_output=50)
    """
    size = sum(_size(message.content) for message in messages)
    cap = output_limit if type(output_limit) is int and output_limit > 0 else None
    return Tokens(math.ceil(size / BYTES_PER_TOKEN), cap)


def _size(content: object) -> int:
    if isinstance(content, str):
        return len(content) if content.isascii() else len(content.encode())
    parts = content if isinstance(content, list) else ()
    return sum(
        _size(part["text"])
        for part in parts
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    )


def _fault(whole: object) -> str | None:
    """Why `whole` cannot be sent, and where in it that is: the first such place. None where it can."""
    places = [("", whole, 0)]
    while places:
        path, value, depth = places.pop()
        if isinstance(value, str):
            fault = _text_fault(value, path)
        elif depth > _DEEPEST:
            fault = f"{path:.80}… is nested more than {_DEEPEST} deep"
        elif isinstance(value, Mapping):
            strange = next((key for key in value if not isinstance(key, str)), None)
            fault = (
                None
                if strange is None
                else f"{path} has the key {strange!r}, which is not a string"
            )
            places += [
                (f"{path}.{key}".lstrip("."), inner, depth + 1)
                for key, inner in reversed([*value.items()])
            ]
        elif isinstance(value, list | tuple):
            fault = None
            places += [
                (f"{path}[{index}]", inner, depth + 1)
                for index, inner in reversed([*enumerate(value)])
            ]
        else:
            fault = _kind_fault(value, path)
        if fault:
            return fault
    return None


def _text_fault(text: str, path: str) -> str | None:
    if "\0" in text:
        return f"{path} has a NUL character at {text.index(chr(0))}, which tokenizers refuse: take it out"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"{path} has half a surrogate pair at {error.start}, which is no text: decode its source as UTF-8"
    return None


def _kind_fault(value: object, path: str) -> str | None:
    try:
        exact_json.dumps(value)
    except TypeError as error:
        return f"{path} is a {type(value).__name__}, which cannot be sent: {error}"
    return None
