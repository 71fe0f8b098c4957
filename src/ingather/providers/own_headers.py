"""Headers that the user adds to every request: checked once, and as secret as a key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Never

from ingather.errors import SetupError

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)  # a token of RFC 9110
_OURS = frozenset((
    "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "keep-alive", "te",
    "trailer", "upgrade", "expect", "accept-encoding", "proxy-connection", "proxy-authorization",
))  # fmt: skip
_WHOSE = re.compile(
    r"auth|key|token|secret|password|credential|cookie|organization|project|account|tenant",
    re.ASCII,
)
_SECRET = re.compile(r"auth|key|token|secret|password|credential|cookie", re.ASCII)
_BETWEEN = re.compile(r"[\s;,]+|(?<=\w)=(?=\w)", re.ASCII)
_NEUTRAL = re.compile(
    r"user-agent|x-title|(?:http-)?referer|x-client-|(?:x-)?(?:request|correlation|session|trace)-?id"
    r"|trace(?:parent|state)|baggage|x-b3-|idempotency",
    re.ASCII,
)


class OwnHeaders:
    """Names and values; a repr shows the names alone, and it refuses to be pickled.

    Raises `SetupError` for what is no header, and for one that the connection itself needs.

    >>> OwnHeaders({"X-Team": "search-7"})
    OwnHeaders(X-Team)
    """

    __slots__ = ("_values",)

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        if headers is not None and not isinstance(headers, Mapping):
            raise SetupError(
                f'headers are a mapping such as {{"X-Team": "search"}}, not '
                f"{type(headers).__name__}"
            )
        self._values: dict[str, str] = {}
        for name, value in (headers or {}).items():
            self._values[_checked(name)] = _value(name, value)
        if len({name.lower() for name in self._values}) < len(self._values):
            raise SetupError("headers: a name is there twice, in upper and lower case")

    def reveal(self) -> dict[str, str]:
        return dict(self._values)

    def named(self, *wanted: str) -> str:
        """The first of these names, in lower case, as it is written here; empty where there is none."""
        return next((name for name in self._values if name.lower() in wanted), "")

    @property
    def is_secret(self) -> bool:
        """Whether one of them is a secret by its name."""
        return any(_SECRET.search(name.lower()) for name in self._values)

    @property
    def account(self) -> str:
        """What says whose quota a request draws on; never to be shown."""
        return self._written(lambda name: _WHOSE.search(name) is not None)

    @property
    def variant(self) -> str:
        """A digest of what may change the answer; empty where nothing may."""
        said = self._written(lambda name: not _WHOSE.search(name) and not _NEUTRAL.match(name))
        return hashlib.sha256(said.encode()).hexdigest()[:16] if said else ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be shown nowhere: each value, and the pieces of a secret (``Bearer …``, ``session=…; …``)."""
        secret = [value for name, value in self._values.items() if _SECRET.search(name.lower())]
        return (
            *self._values.values(),
            *(piece for value in secret for piece in _BETWEEN.split(value)),
        )

    def _written(self, wanted: Callable[[str], bool]) -> str:
        pairs = sorted((name.lower(), value) for name, value in self._values.items())
        return "\n".join(f"{name}: {value}" for name, value in pairs if wanted(name))

    def __bool__(self) -> bool:
        return bool(self._values)

    def __repr__(self) -> str:
        return f"OwnHeaders({', '.join(self._values)})"

    def __reduce__(self) -> Never:
        raise TypeError(
            "headers may hold a key and cannot be pickled: read them where they are used"
        )


def parsed_header(written: str) -> tuple[str, str]:
    """``"NAME:VALUE"``, as on the command line. Raises `SetupError` that does not repeat the value.

    >>> parsed_header("X-Team: search")
    ('X-Team', 'search')
    """
    name, colon, value = written.partition(":")
    if not colon or not name.strip():
        raise SetupError("a header is written NAME:VALUE, such as 'X-Team:search'")
    return name.strip(), value.strip()


def _checked(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SetupError(f"{_start_of(name)} is not the name of a header")
    if name.lower() in _OURS:
        raise SetupError(f"the header {name} belongs to the connection and cannot be set")
    return name


def _value(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise SetupError(f"the value of the header {name} is text, not {type(value).__name__}")
    if not value.isascii() or not value.isprintable():
        raise SetupError(
            f"the value of the header {name} has line breaks or other signs that no header may have"
        )
    return value.strip()


def _start_of(name: object) -> str:
    """As much as may be shown: the rest may be a value that ended up there."""
    if not isinstance(name, str):
        return f"a {type(name).__name__}"
    found = _NAME.match(name)
    return repr(f"{found[0]:.40}…") if found else "what begins with a sign that no name has"
