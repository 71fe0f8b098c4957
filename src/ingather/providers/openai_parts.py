"""OpenAI's words for messages, tools and forms of answers, taken apart for the dialects that have others. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ingather import exact_json
from ingather.errors import BadRequest, SetupError

if TYPE_CHECKING:
    from ingather.task import LLMMessage

Part = Mapping[str, object]


class Form(NamedTuple):
    """What ``response_format`` asks for: a JSON `schema`, kept to strictly or as well as it goes, or any JSON."""

    schema: Mapping[str, object] | None
    strict: bool = True


class Function(NamedTuple):
    """A function among the tools; `rest`: what else is said of it, such as ``description``."""

    name: str
    parameters: object
    rest: dict[str, object]


class Picture(NamedTuple):
    """A picture in a message: its bytes in base64 and their type, or where it is."""

    media_type: str
    data: str
    url: str


def form_of(response_format: object) -> Form | None:
    """The form of the answer; None for plain text. Raises `SetupError` for what is no ``response_format``.

    >>> form_of({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}})
    Form(schema={'type': 'object'}, strict=True)
    """
    kind = response_format.get("type") if isinstance(response_format, Mapping) else None
    if isinstance(response_format, Mapping) and kind == "json_schema":
        inner = response_format.get("json_schema")
        schema = inner.get("schema") if isinstance(inner, Mapping) else None
        if isinstance(inner, Mapping) and isinstance(schema, Mapping):
            return Form(schema, inner.get("strict") is not False)
    if kind == "text":
        return None
    if kind == "json_object":
        return Form(None)
    raise SetupError(
        "response_format is {'type': 'json_schema', 'json_schema': {'name': …, 'schema': …}}, "
        f"{{'type': 'json_object'}} or {{'type': 'text'}}, not {response_format!r:.80}"
    )


def function_of(tool: object) -> Function | None:
    """The function that a tool is, None for a tool in the provider's own form. Raises `SetupError` for no tool.

    >>> function_of({"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}})
    Function(name='f', parameters={'type': 'object'}, rest={})
    """
    if not isinstance(tool, Mapping):
        raise SetupError(
            f"a tool is a mapping such as {{'type': 'function', 'function': {{…}}}}, "
            f"not {tool!r:.80}"
        )
    function = tool.get("function")
    if tool.get("type") != "function" or not isinstance(function, Mapping):
        return None
    rest = {name: value for name, value in function.items() if name not in ("name", "parameters")}
    return Function(str(function.get("name")), function.get("parameters"), rest)


def chosen_of(tool_choice: object) -> tuple[str, str]:
    """How tools are chosen: ``("auto", "")``, ``("none", "")``, ``("required", "")`` or ``("function", its name)``.

    ``("", "")`` for a choice in the provider's own form.
    """
    if isinstance(tool_choice, str):
        return (tool_choice, "") if tool_choice in ("auto", "none", "required") else ("", "")
    function = tool_choice.get("function") if isinstance(tool_choice, Mapping) else None
    return ("function", str(function.get("name"))) if isinstance(function, Mapping) else ("", "")


def called(call: Mapping[str, object]) -> tuple[str, str, Mapping[str, object]]:
    """Id, name and arguments of a tool call in an assistant's message. Raises `BadRequest` where it is none."""
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        raise BadRequest(
            f"a tool call is {{'id': …, 'type': 'function', 'function': {{…}}}}, not {call!r:.80}"
        )
    written = function.get("arguments") or "{}"
    try:
        arguments = exact_json.loads(written) if isinstance(written, str) else written
    except exact_json.JSONDecodeError as error:
        raise BadRequest(
            f"the arguments of the tool call {function.get('name')!r:.80} are no JSON: {error}"
        ) from None
    if not isinstance(arguments, Mapping):
        raise BadRequest(
            f"the arguments of the tool call {function.get('name')!r:.80} are no object"
        )
    return str(call.get("id") or ""), str(function.get("name")), arguments


def call_to(call_id: str, name: str, arguments: object) -> Mapping[str, object]:
    """A tool call that came back, in OpenAI's form, which `LLMResponse.tool_calls` has whoever answered."""
    function = {"name": name, "arguments": exact_json.dumps(arguments).decode()}
    return {"id": call_id, "type": "function", "function": function}


def parts_of(message: LLMMessage) -> list[Part]:
    """The content as parts, text among them as ``{"type": "text", "text": …}``; empty text is no part.

    Raises `BadRequest` for what is no content.
    """
    content = message.content
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    if content is None:
        return []
    if not isinstance(content, list) or not all(isinstance(part, Mapping) for part in content):
        raise BadRequest(
            f"the content of a message is text or a list of parts, not {content!r:.80}"
        )
    return list[Part](content)


def picture_of(part: Part) -> Picture | None:
    """The picture that a part in OpenAI's form is, None for any other part."""
    picture = part.get("image_url") if part.get("type") == "image_url" else None
    url = picture.get("url") if isinstance(picture, Mapping) else picture
    if not isinstance(url, str):
        return None
    head, comma, data = url.partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        return Picture(head[len("data:") : -len(";base64")], data, "")
    return Picture("", "", url)


def text_list(stop: object) -> object:
    """``stop`` as the list that other APIs want."""
    return [stop] if isinstance(stop, str) else stop


def refuse_unknown(params: Mapping[str, object], unknown: frozenset[str], api: str) -> None:
    """Raise `SetupError` for a parameter that `api` lacks: dropping it would change the answer."""
    for name in params:
        if name in unknown:
            raise SetupError(f"{api} has no equivalent of {name!r}: leave it out")
