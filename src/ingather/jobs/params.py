"""Which parameters a line, or ``--param``, may set: those of the answer, never where it is asked or with which key."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ingather import exact_json
from ingather.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBER = ((int, float), "a number")
_COUNT = ((int,), "a whole number")
_TEXT = ((str,), "text")
_OBJECT = ((dict,), "an object")
_YES = ((bool,), "true or false")

ALLOWED: dict[str, tuple[tuple[type, ...], str]] = {
    "temperature": _NUMBER,
    "top_p": _NUMBER,
    "top_k": _COUNT,
    "min_p": _NUMBER,
    "max_tokens": _COUNT,
    "max_completion_tokens": _COUNT,
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
    "user": _TEXT,
    "safety_identifier": _TEXT,
    "prompt_cache_key": _TEXT,
    "service_tier": _TEXT,
    "store": _YES,
    "metadata": _OBJECT,
    "max_output_tokens": _COUNT,
    "text": _OBJECT,
    "reasoning": _OBJECT,
    "instructions": _TEXT,
    "include": ((list,), "a list"),
    "truncation": _TEXT,
}
"""Name → the types it takes, and how to say them: names of Chat Completions, then those of the Responses API alone."""

_ELSEWHERE = {
    "base_url": "--base-url",
    "api_base": "--base-url",
    "url": "--base-url",
    "host": "--base-url",
    "api_key": "--api-key-env",
    "timeout": "--timeout",
}
_NEVER = {
    "headers": "a line does not set headers",
    "extra_headers": "a line does not set headers",
    "background": "answers are always waited for",
    "stream": "answers are always taken whole",
    "n": "one answer a task: repeat the line under another id",
}


def checked_params(params: Mapping[str, object]) -> dict[str, object]:
    """`params` without a model (whose, `Recipe` decides), each known and of its type.

    Raises SetupError that names the first which is not.

    >>> checked_params({"temperature": 0, "model": "other"})
    {'temperature': 0}
    """
    kept = {name: value for name, value in params.items() if name != "model"}
    for name, value in kept.items():
        if name not in ALLOWED:
            raise SetupError(_not_allowed(name))
        types, said = ALLOWED[name]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise SetupError(f"the parameter {name!r} is {said}, not {value!r:.60}")
    return kept


def parsed_param(assignment: str) -> tuple[str, object]:
    """``"temperature=0.2"`` as a name and a value; what is not JSON is text.

    >>> parsed_param("stop=END")
    ('stop', 'END')
    """
    name, equals, written = assignment.partition("=")
    if not equals or not name.strip():
        raise SetupError(f"a parameter is written name=value, such as temperature=0, not {assignment!r:.60}")
    try:
        return name.strip(), exact_json.loads(written)
    except exact_json.JSONDecodeError:
        return name.strip(), written


def _not_allowed(name: str) -> str:
    if name in _ELSEWHERE:
        return f"a line does not set {name!r}: give {_ELSEWHERE[name]} for the whole run"
    if name in _NEVER:
        return f"the parameter {name!r} is not taken: {_NEVER[name]}"
    close = get_close_matches(name, ALLOWED, n=1)
    meant = f"; did you mean {close[0]!r}?" if close else ""
    return f"the parameter {name!r} is not taken{meant} Taken are: {', '.join(ALLOWED)}"
