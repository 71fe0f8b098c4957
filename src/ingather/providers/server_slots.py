"""How many requests a server of one's own answers at once, where it tells: llama.cpp's does, in ``GET /props``."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import orjson

from ingather.transport.hosts import is_near

if TYPE_CHECKING:
    from ingather.transport import Reply

PATIENCE = 2.0  # seconds
_MOST = 10_000  # slots: who tells of more means something else


def props_url(name: str, base_url: str, model: str) -> str | None:
    """Where the server at `base_url` tells it, asked as provider `name`; None for one that is not one's own.

    One that serves several models is asked about `model`, which it need not load for that.

    >>> props_url("openai", "http://localhost:8080/v1", "llama")
    'http://localhost:8080/props?model=llama&autoload=false'
    """
    parts = urlsplit(base_url)
    if name != "llamacpp" and (name != "openai" or not is_near(parts.hostname or "")):
        return None
    root = base_url.removesuffix("/").removesuffix("/v1")
    return f"{root}/props?model={quote(model, safe='')}&autoload=false"


def total_slots(reply: Reply) -> int | None:
    """What it tells; None where that is no such number.

    >>> from ingather.transport import Reply
    >>> total_slots(Reply(200, {}, b'{"total_slots": 4}'))
    4
    """
    if reply.status != 200:
        return None
    try:
        told = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return None
    slots = told.get("total_slots") if isinstance(told, dict) else None
    return slots if type(slots) is int and 1 <= slots <= _MOST else None
