"""JSON whose whole numbers keep all their digits: orjson, and a slower way where a number has more than 64 bits.

orjson reads such a number as a float, which loses digits without a word, and refuses to write it.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable

JSONDecodeError = orjson.JSONDecodeError

_TO_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_LONG = b"0" * 19  # digits; the first whole number that orjson reads as a float has so many
_LEAST, _MOST = -(2**63), 2**64 - 1


def loads(text: bytes | str) -> Any:
    """What `text` says. Numbers with a fraction or an exponent are floats, as everywhere.

    Raises JSONDecodeError for what is no JSON, as orjson does, and for a number of more than 4,300
    digits.

    >>> loads(b'{"id": 123456789012345678901234567890}')
    {'id': 123456789012345678901234567890}
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if _LONG not in data.translate(_TO_ZEROS):
        return orjson.loads(data)
    try:
        orjson.loads(data)
    except JSONDecodeError as error:
        # "number is infinity when parsed as double": a whole number of 310 digits
        if "infinity" not in error.msg:
            raise
    return _exactly(data)


def dumps(value: object, default: Callable[..., object] | None = None, option: int = 0) -> bytes:
    """`value` as JSON, as ``orjson.dumps`` writes it. Raises TypeError for what is none.

    >>> dumps({"id": 2**70})
    b'{"id":1180591620717411303424}'
    """
    try:
        return orjson.dumps(value, default, option)
    except TypeError:
        exact = _written_out(value)
        if exact is value:
            raise
        return orjson.dumps(exact, default, option)


def _exactly(data: bytes) -> Any:
    text = data.decode()
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        raise JSONDecodeError(str(error), text, 0) from None


def _finite(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise ValueError(f"the number {written:.40} is not finite")
    return number


def _written_out(value: object, depth: int = 0) -> object:
    """`value` with its long whole numbers as they are written; the same object where it has none."""
    if isinstance(value, int) and not _LEAST <= value <= _MOST:
        return orjson.Fragment(int.__repr__(value))
    if depth > 254:  # orjson's own bound, which it tells of
        return value
    if isinstance(value, dict):
        pairs = {_key(key): _written_out(inner, depth + 1) for key, inner in value.items()}
        changed = any(pairs.get(key, _key) is not inner for key, inner in value.items())
        return pairs if changed else value
    if isinstance(value, list | tuple):
        items = [_written_out(inner, depth + 1) for inner in value]
        return (
            items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        )
    return value


def _key(key: Any) -> Any:
    return int.__repr__(key) if isinstance(key, int) and not _LEAST <= key <= _MOST else key
