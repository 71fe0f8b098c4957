"""What an answer is stored under: a hash of everything that decides it, from the bytes that go on the wire."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ingather import exact_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ingather.providers.base import Request

_LONG = 2_000  # bytes of a request that are kept as they are
# characters of a value that are kept as they are; longer ones, and all of a prompt, are kept as
# hashes
_SHOWN = 60
_PROMPT = ("messages", "system", "contents", "systemInstruction", "input", "instructions", "prompt")
_MASK = (1 << 63) - 1


class Key:
    """Of one request, for its `sample`-th answer. No key of a provider, no header and no money is in it.

    `hash`: 32 bytes. `id`: its first 63 bits, by which rows are found.
    """

    __slots__ = ("hash", "request", "sample")

    def __init__(self, request: Request, sample: int = 0) -> None:
        self.request = request
        self.sample = sample
        whole = hashlib.sha256(b"%d %s\0" % (len(request.identity), str(sample).encode()))
        whole.update(request.identity)
        whole.update(request.asked)
        self.hash = whole.digest()

    @property
    def id(self) -> int:
        return id_of(self.hash)

    def asked(self) -> bytes:
        """What the key was made from, as JSON, to be told by `parts`: a long request as hashes of its parts."""
        body = self.request.asked
        head = exact_json.dumps(
            [self.request.identity.decode("utf-8", "replace"), self.sample], default=str
        )
        if len(body) > _LONG or not body.startswith(b"{"):
            body = exact_json.dumps(_flat(body))
        return b"[%b,%b]" % (head[1:-1], body)

    def __repr__(self) -> str:
        return f"Key({self.hash.hex()[:12]}…)"


def id_of(key: bytes) -> int:
    """The first 63 bits of `key`: whole numbers of SQLite's."""
    return int.from_bytes(key[:8], "big") & _MASK


def parts(asked: bytes) -> dict[str, str]:
    r"""What a key was made from, by name: values as JSON, long ones and prompts as ``#`` and a hash.

    >>> parts(b'["openai\\u0000http://localhost",0,{"model":"m","messages":["Hi"]}]')
    {'dialect': '"openai"', 'url': '"http://localhost"', 'model': '"m"', 'messages[0]': '#fdda60cb3869b17e'}
    """
    try:
        identity, sample, body = exact_json.loads(asked)
    except ValueError:  # the body is of a provider that speaks no JSON, or the row is not an answer
        return {"request": _hashed(asked)}
    found = {"sample": str(sample)} if sample else {}
    pieces = [exact_json.dumps(piece).decode() for piece in identity.split("\0")]
    if len(pieces) == 2:  # a dialect with where it is asked, or a model of our own with its version
        found |= dict(
            zip(("dialect", "url" if "://" in pieces[1] else "version"), pieces, strict=True)
        )
    else:
        found["provider"] = "/".join(pieces)
    return found | (body["parts"] if list(body) == ["parts"] else dict(_named(body)))


def is_prompt(part: str) -> bool:
    """Whether a part, by its name, is of what was asked, rather than of how."""
    return part.startswith(_PROMPT)


def _flat(body: bytes) -> dict[str, dict[str, str]]:
    try:
        fields = exact_json.loads(body)
    except exact_json.JSONDecodeError:
        fields = None
    return {"parts": dict(_named(fields)) if isinstance(fields, dict) else {"body": _hashed(body)}}


def _named(body: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in body.items():
        if isinstance(value, list):
            for number, item in enumerate(value):
                yield f"{name}[{number}]", _value(item, shown=not is_prompt(name))
        elif isinstance(value, dict) and not is_prompt(name):
            for inner, item in value.items():
                yield f"{name}.{inner}", _value(item, shown=True)
        else:
            yield name, _value(value, shown=not is_prompt(name))


def _value(value: object, *, shown: bool) -> str:
    encoded = exact_json.dumps(value)
    return encoded.decode() if shown and len(encoded) <= _SHOWN else _hashed(encoded)


def _hashed(encoded: bytes) -> str:
    return f"#{hashlib.sha256(encoded).hexdigest()[:16]}"
