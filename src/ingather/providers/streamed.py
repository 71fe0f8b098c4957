"""An answer that comes as a stream though none was asked for: its pieces, and the whole that they make. Pure.

Server-sent events (``data: {…}``), or a line of JSON for each piece.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ingather import exact_json
from ingather.providers.dialect import Malformed
from ingather.providers.lenient_json import decoded, mended, without_comments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_LINE_END = re.compile(r"\r\n|\n|\r")
_FIELDS = ("data:", "event:", "id:", "retry:", ":")
_DONE = "[DONE]"
_APART = ("choices", "object")
_LAST = ("response.completed", "response.incomplete", "response.failed")
_GROWING = frozenset(("content", "reasoning", "reasoning_content", "thinking", "refusal"))
_OF_CALLS = ("function", "custom")
_OF_PARTS = frozenset(("arguments", "input", "data", "transcript"))
_CUT = "the server streams it, and the stream ends before it does"


class Stream(NamedTuple):
    """The pieces of an answer, in their order. `is_closed`: the server said that this was all."""

    pieces: Sequence[Mapping[str, Any]]
    is_closed: bool


def stream_in(body: bytes) -> Stream | None:
    r"""The stream that a body is; None where it is none.

    >>> stream_in(b'data: {"a": 1}\n\ndata: [DONE]\n\n')
    Stream(pieces=[{'a': 1}], is_closed=True)
    """
    text = without_comments(body.decode("utf-8", "replace").lstrip("\ufeff \t\r\n"))
    if text.startswith(_FIELDS):
        return _stream(list(_events(text)))
    lines = [line for line in _LINE_END.split(text) if line.strip()]
    if not text.startswith("{"):
        return None
    try:
        pieces = [decoded(line, is_part=True) for line in lines]
    except ValueError:  # a whole answer in several lines, or the last line was cut
        try:
            pieces = [decoded(line, is_part=True) for line in lines[:-1]]
        except ValueError:
            return None
    found = [piece for piece in pieces if isinstance(piece, dict)]
    return Stream(found, is_closed=False) if any(map(is_piece, found)) else None


def is_piece(data: Mapping[str, object]) -> bool:
    """Whether this is a piece of a stream, rather than a whole answer."""
    choices = data.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    delta = isinstance(first, Mapping) and "delta" in first and "message" not in first
    return delta or (
        isinstance(data.get("done"), bool) and ("message" in data or "response" in data)
    )


def json_of(
    body: bytes, joined: Callable[[Stream], dict[str, object]]
) -> tuple[dict[str, object], bytes]:
    """What a body says, and as which JSON: that which came, where it is whole. `joined` makes an answer of a stream.

    Raises ValueError where it is neither.
    """
    data: object
    try:
        data = exact_json.loads(body)
        if not (isinstance(data, dict) and is_piece(data)):
            return _object(data), body
        data = joined(Stream([data], is_closed=False))
    except exact_json.JSONDecodeError:
        stream = stream_in(body)
        data = decoded(body) if stream is None else mended(joined(stream))
    try:
        return _object(data), exact_json.dumps(data)
    except TypeError:
        raise Malformed("it is nested too deep") from None


def chat_completion(stream: Stream) -> dict[str, object]:
    """The chat completion that the pieces make. Raises `Malformed` where the end is missing.

    An error among them stands in it as ``error``.
    """
    pieces = [_from_ollama(piece) if "done" in piece else piece for piece in stream.pieces]
    whole: dict[str, Any] = {"object": "chat.completion"}
    choices: dict[int, dict[str, Any]] = {}
    for piece in pieces:
        whole.update(
            (name, value)
            for name, value in piece.items()
            if value is not None and name not in _APART
        )
        for number, choice in enumerate(_dicts(piece.get("choices"))):
            index = choice.get("index")
            _add_choice(
                choices.setdefault(
                    index if isinstance(index, int) else number, {"message": {"role": "assistant"}}
                ),
                choice,
            )
    whole["choices"] = [{"index": index, **choice} for index, choice in sorted(choices.items())]
    is_told = bool(choices) and all(choice.get("finish_reason") for choice in choices.values())
    if not (is_told or stream.is_closed or whole.get("error")):
        raise Malformed(_CUT)
    return whole


def response(stream: Stream) -> dict[str, object]:
    """The response that the last event of its life holds. Raises `Malformed` where that is missing."""
    for piece in reversed(stream.pieces):
        if isinstance(piece.get("response"), dict) and piece.get("type") in _LAST:
            return {**piece["response"]}
        if piece.get("type") == "error" or "error" in piece:
            error = piece.get("error")
            return {
                "error": error if isinstance(error, dict) else {**piece, "type": "server_error"}
            }
    raise Malformed(_CUT)


def unread(stream: Stream) -> dict[str, object]:
    """For an API whose streams are not put together: the error that one of the pieces is. Else raises `Malformed`."""
    for piece in stream.pieces:
        if isinstance(piece.get("error"), dict):
            return {"error": piece["error"]}
    raise Malformed("the server streams it, which was not asked for: have it answer in one piece")


def _stream(events: list[tuple[str, str]]) -> Stream:
    pieces: list[Mapping[str, Any]] = []
    for name, data in events:
        said = _said(data)
        if name == "error" and not (said and "error" in said[0]):
            said = [{"error": said[0] if said else {"message": data}}]
        if not said and data.startswith(("{", "[{")):
            raise Malformed(f"the server streams it, and a piece is no object: {data:.60}")
        pieces += said  # words such as "ping" only keep the connection alive
    return Stream(pieces, any(data.endswith(_DONE) for _, data in events))


def _said(data: str) -> list[dict[str, Any]]:
    """The object that an event is; several where a server leaves out the empty lines between them."""
    for parts in ([data], data.split("\n")):
        try:
            said = [
                decoded(part, is_part=True) for part in parts if part.strip() not in ("", _DONE)
            ]
        except ValueError:
            continue
        return [each for each in said if isinstance(each, dict)]
    return []


def _events(text: str) -> Iterator[tuple[str, str]]:
    """Name and data of each event; a last one without an empty line behind it counts too."""
    name, data = "", list[str]()
    for line in [*_LINE_END.split(text), ""]:
        if not line:
            if said := "\n".join(data).strip():
                yield name, said
            name, data = "", []
        elif line.startswith("data:"):
            data.append(line[5:])
        elif line.startswith("event:"):
            name = line[6:].strip()


def _add_choice(whole: dict[str, Any], piece: Mapping[str, Any]) -> None:
    message = whole["message"]
    if isinstance(piece.get("message"), dict):  # all of it, once more
        message.clear()
        message.update(piece["message"])
    if isinstance(piece.get("delta"), dict):
        _add(message, piece["delta"])
    for name, value in piece.items():
        if name == "logprobs" and isinstance(value, dict):
            _add(whole.setdefault("logprobs", {}), value)
        elif name not in ("delta", "message", "index") and (value is not None or name not in whole):
            whole[name] = value


def _add(whole: dict[str, Any], piece: Mapping[str, Any]) -> None:
    """Text and lists grow; calls of tools grow each in its place; what is None says nothing."""
    for name, value in piece.items():
        before = whole.get(name)
        if name == "tool_calls" and isinstance(value, list):
            _add_calls(whole.setdefault(name, []), value)
        elif value is None or before is None:
            whole[name] = value if before is None else before
        elif isinstance(value, list) and isinstance(before, list):
            whole[name] = [*before, *value]
        elif isinstance(value, str) and isinstance(before, str) and name in _GROWING:
            whole[name] = before + value
        elif (
            name in ("function_call", "audio")
            and isinstance(value, dict)
            and isinstance(before, dict)
        ):
            _add_parts(before, value)
        else:
            whole[name] = value


def _add_calls(calls: list[dict[str, Any]], pieces: list[Any]) -> None:
    """Each goes on with the call of its index, unless it has an id of its own; some servers give no index."""
    for piece in _dicts(pieces):
        index = piece.get("index")
        same = (
            [call for call in calls if call.get("index") == index]
            if index is not None
            else calls[-1:]
        )
        started = bool(same) and piece.get("id") not in (None, "", same[-1].get("id"))
        if not same or started:
            calls.append(
                {
                    name: dict(value) if isinstance(value, dict) else value
                    for name, value in piece.items()
                }
            )
            continue
        for name in _OF_CALLS:
            if isinstance(piece.get(name), dict):
                _add_parts(same[-1].setdefault(name, {}), piece[name])


def _add_parts(whole: dict[str, Any], piece: Mapping[str, Any]) -> None:
    for name, value in piece.items():
        grows = name in _OF_PARTS and isinstance(value, str) and whole.get(name)
        if value not in (None, ""):
            whole[name] = whole[name] + value if grows else value
        else:
            whole.setdefault(name, value)


def _from_ollama(piece: Mapping[str, Any]) -> Mapping[str, Any]:
    """A line of Ollama's own API as a piece of Chat Completions."""
    said = piece.get("message")
    delta = dict(said) if isinstance(said, dict) else {"content": piece.get("response")}
    calls = delta.get("tool_calls")
    if isinstance(calls, list):
        delta["tool_calls"] = [
            _call_of_ollama(number, call) for number, call in enumerate(_dicts(calls))
        ]
    choice = {
        "index": 0,
        "delta": delta,
        "finish_reason": piece.get("done_reason") or "stop" if piece["done"] else None,
    }
    rest = {name: value for name, value in piece.items() if name not in ("message", "response")}
    counted = piece.get("prompt_eval_count"), piece.get("eval_count")
    if counted[1] is not None:
        rest["usage"] = {"prompt_tokens": counted[0], "completion_tokens": counted[1]}
    return {**rest, "choices": [choice]}


def _call_of_ollama(number: int, call: Mapping[str, Any]) -> dict[str, Any]:
    function = dict(call.get("function") or {})
    if not isinstance(function.get("arguments"), str):
        function["arguments"] = exact_json.dumps(function.get("arguments") or {}).decode()
    return {"id": call.get("id") or f"call_{number}", "type": "function", "function": function}


def _object(data: object) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise Malformed("it is no object")
    return data


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
