"""How a line of output is encoded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import orjson

from ingather import exact_json

if TYPE_CHECKING:
    from collections.abc import Mapping


def encoded(line: Mapping[str, object]) -> bytes:
    """`line` as JSON, newline included; what JSON does not know is written as text."""
    try:
        return exact_json.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # lone surrogates: the slow encoder takes them, and a paid answer is not lost
        return json.dumps(line, ensure_ascii=True, default=str).encode() + b"\n"
