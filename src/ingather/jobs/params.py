"""Which parameters a line, or ``--param``, may set: any of the answer, never where it is asked or with which key."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ingather import exact_json
from ingather.errors import SetupError
from ingather.providers.several import Choices

_NUMBER = ((int, float), "a number")
_COUNT = ((int,), "a whole number")
_TEXT = ((str,), "text")
_OBJECT = ((dict,), "an object")
_YES = ((bool,), "true or false")

TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "top_k": _COUNT,
    "min_p": _NUMBER,
    "max_tokens": _COUNT,
    "max_completion_tokens": _COUNT,
    "max_output_tokens": _COUNT,
    "seed": _COUNT,
    "stop": ((str, list), "text or a list of texts"),
    "presence_penalty": _NUMBER,
    "frequency_penalty": _NUMBER,
    "logit_bias": _OBJECT,
    "response_format": _OBJECT,
    "reasoning_effort": _TEXT,
    "verbosity": _TEXT,
    "tools": ((list,), "a list"),
    "tool_choice": ((str, dict), "text or an object"),
    "parallel_tool_calls": _YES,
    "service_tier": _TEXT,
    "extra_body": _OBJECT,
}
"""Name → the types it takes with every server, and how to say them. All other names take anything."""

_ELSEWHERE = {
    **dict.fromkeys(
        ("baseurl", "apibase", "url", "host", "endpoint", "apiurl", "apiendpoint", "azureendpoint"),
        "--base-url",
    ),
    **dict.fromkeys(
        ("apikey", "authorization", "authtoken", "xapikey", "bearertoken"), "--api-key-env"
    ),
    **dict.fromkeys(("headers", "extraheaders", "defaultheaders", "extraquery"), "--header"),
    **dict.fromkeys(
        ("organization", "project"), "--header OpenAI-Organization:… or OpenAI-Project:…"
    ),
    "timeout": "--timeout",
    "maxretries": "--retries",
}
_NEVER = {
    "background": "answers are always waited for",
    "stream": "answers are always taken whole",
    "n": "one answer a task, but for OpenAI batch lines of Chat Completions, where n is a whole number of at least 1: "
    "repeat the line under another id",
}
_CONTENT = ("messages", "input", "contents", "prompt")
_PYTHONS = ("True", "False", "None")


def checked_params(params: Mapping[str, object]) -> dict[str, object]:
    """`params` without a model (whose, `Recipe` decides), as they may be sent.

    What holds anyway (``stream: false``) is left out. Raises SetupError that names the first that
    may not be set, or is of a type that no server takes.

    >>> checked_params({"temperature": 0, "model": "other", "chat_template_kwargs": {"thinking": False}})
    {'temperature': 0, 'chat_template_kwargs': {'thinking': False}}
    """
    kept: dict[str, object] = {}
    for name, value in params.items():
        if name == "model" or _holds_anyway(name, value):
            continue
        if name == "extra_body" and isinstance(value, Mapping):
            kept[name] = checked_params(value)
            continue
        if not isinstance(value, Choices):
            _refuse(name)
        if value is not None and name in TYPES:
            types, said = TYPES[name]
            if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
                raise SetupError(f"the parameter {name!r} is {said}, not {value!r:.60}")
        kept[name] = value
    return kept


def run_params(assignments: list[str]) -> dict[str, object]:
    """Those of ``--param``, each ``NAME=VALUE``. Raises SetupError as `checked_params`, and for what the task says."""
    params = dict(map(parsed_param, assignments))
    if "model" in params:
        raise SetupError("--param model=…: --model says whom to ask")
    if content := next(
        (name for name in _CONTENT if isinstance(params.get(name), str | list)), None
    ):
        raise SetupError(
            f"--param {content}=…: each task has its own; --prompt makes them of the rows' fields"
        )
    return checked_params(params)


def parsed_param(assignment: str) -> tuple[str, object]:
    """``"temperature=0.2"`` as a name and a value; what is not JSON is text.

    >>> parsed_param("stop=END")
    ('stop', 'END')
    """
    name, equals, written = assignment.partition("=")
    name = name.strip()
    if not equals or not name:
        raise SetupError(
            f"a parameter is written name=value, such as temperature=0, not {assignment!r:.60}"
        )
    try:
        return name, exact_json.loads(written)
    except exact_json.JSONDecodeError as error:
        if re.match(r"\s*[{\[]", written):
            raise SetupError(
                f"--param {name}: {written!r:.60} begins as JSON, and is none: {error}"
            ) from None
    if written.strip() in _PYTHONS:
        json = {"None": "null"}.get(written.strip(), written.strip().lower())
        raise SetupError(
            f"--param {name}: write {name}={json}, as in JSON; for the text, {name}='\"{written}\"'"
        )
    return name, written


def _holds_anyway(name: str, value: object) -> bool:
    return (name in ("stream", "background") and value is False) or (
        name == "n" and type(value) is int and value == 1
    )


def _refuse(name: str) -> None:
    plain = re.sub(r"[-_\s]", "", name).lower()
    if plain in _ELSEWHERE:
        option = _ELSEWHERE[plain]
        what = "headers" if option == "--header" else repr(name)
        raise SetupError(f"a line does not set {what}: give {option} for the whole run")
    if plain in _NEVER:
        raise SetupError(f"the parameter {name!r} is not taken: {_NEVER[plain]}")
