"""Reads the JSON of an answer, also where it is damaged in a place that nobody needs: it was paid for. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

from ingather import exact_json

_HALF_PAIRS = re.compile("[\ud800-\udfff]")
_COMMENTS = re.compile(r"\A(?:\s*+:[^\r\n]*+[\r\n]++)++\s*+(?=\{)")
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_NO_NUMBERS = re.compile(
    rf"({_STRING})|(?<![\w.])[+-]?(?:nan|inf(?:inity)?)(?![\w.])", re.IGNORECASE | re.DOTALL
)


def decoded(body: bytes | str, *, is_part: bool = False) -> object:
    r"""What `body` says; damage in it costs no more than itself.

    Bytes that are no UTF-8, and halves of surrogate pairs, become U+FFFD; NaN, Infinity and numbers
    that no float holds become None; a byte-order mark and control characters in strings are let
    pass. `is_part`: halves stay, whose other half may be in the next part; `mended` joins them.
    Raises ValueError for what is no JSON all the same.

    >>> decoded(b'\xef\xbb\xbf{"content": "a\\ud83d", "score": NaN}')
    {'content': 'a�', 'score': None}
    """
    try:
        return exact_json.loads(body)
    except exact_json.JSONDecodeError as error:
        strict = error
    text = without_comments(
        (body if isinstance(body, str) else _text(body)).removeprefix("\ufeff")
    ).rstrip("\0 \t\r\n")
    if text.lstrip()[:1] not in {"{", "["}:  # a page, nothing at all: not worth a closer look
        raise strict
    try:
        try:
            found = _parsed(text)
        except ValueError:
            found = _parsed(_NO_NUMBERS.sub(lambda match: match[1] or "null", text))
        return found if is_part else mended(found)
    except (ValueError, RecursionError):
        raise strict from None


def without_comments(text: str) -> str:
    r"""`text` without comments of server-sent events before a JSON object: they only keep a connection alive.

    >>> without_comments(": PROCESSING\n\n{}")
    '{}'
    """
    return _COMMENTS.sub("", text)


def _text(body: bytes) -> str:
    return body.decode(json.detect_encoding(body), "replace")


def _parsed(text: str) -> Any:
    return json.loads(
        text, strict=False, parse_float=_number, parse_int=_whole, parse_constant=lambda _: None
    )


def _number(written: str) -> float | None:
    number = float(written)
    return number if abs(number) != float("inf") else None


def _whole(written: str) -> int | None:
    try:
        return int(written)
    except ValueError:  # of more digits than Python reads
        return None


def mended(value: object) -> object:
    """The same with halves of surrogate pairs joined, or U+FFFD where the other half is missing."""
    if isinstance(value, str):
        return _joined(value)
    if isinstance(value, dict):
        return {_joined(key): mended(inner) for key, inner in value.items()}
    return [mended(inner) for inner in value] if isinstance(value, list) else value


def _joined(text: str) -> str:
    if _HALF_PAIRS.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
