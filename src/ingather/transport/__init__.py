"""The seam to the wire: one method, which posts bytes and gives back what came. `AiohttpTransport` is behind it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Never, Protocol

from ingather.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.transport.aiohttp_transport import AiohttpTransport

__all__ = [
    "AiohttpTransport",
    "Endpoint",
    "Reply",
    "Transport",
    "check_file_descriptors",
    "most_connections",
]

# descriptors for everything that is no connection: files, pipes, the loop's own; at most half of
# all
_OWN_FILES = 64


class Endpoint:
    """Where requests go and which headers they carry: made once per provider, so that a call prepares neither.

    >>> Endpoint("https://api.example.com/v1/chat", {"Authorization": "Bearer secret"})
    Endpoint('https://api.example.com/v1/chat')
    """

    __slots__ = ("__weakref__", "headers", "url")

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url = url
        self.headers = headers

    # the headers hold the key: they are in no repr, no pickle and no traceback
    def __repr__(self) -> str:
        return f"Endpoint({self.url!r})"

    def __reduce__(self) -> Never:
        raise TypeError("an Endpoint holds a key and cannot be pickled: make it where it is used")


class Reply:
    """What came back: the HTTP `status`, the `headers` (names in any case) and the whole `body`, decoded."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:  # a body may hold anything, a key among it
        return f"Reply({self.status}, {len(self.body)} bytes)"


class Transport(Protocol):
    """How a provider reaches its server."""

    async def post(self, endpoint: Endpoint, body: bytes) -> Reply:
        """Send `body` once and read the whole answer, whatever its status; redirects are answers too.

        Raises `ConnectFailed`, `TlsFailed`, `ConnectionLost`, `AttemptTimeout`, `AnswerTooLarge` or
        `BadBody`. A cancelled call closes its connection at once.
        """
        ...

    async def aclose(self) -> None:
        """Close what is open. A later `post` opens it again."""
        ...


def check_file_descriptors(max_concurrency: float) -> None:
    """Raise `SetupError` where this process may not open `max_concurrency` connections at once.

    >>> check_file_descriptors(10)
    """
    allowed, _ = _file_descriptors()
    most = most_connections()
    if max_concurrency <= most:
        return
    # the first that leave so many connections
    needed = max_concurrency + min(_OWN_FILES, max_concurrency)
    raise SetupError(
        f"max_concurrency={max_concurrency:.0f} needs {needed:.0f} open files, this process may "
        f"have {allowed:.0f}: "
        f"{more_files(needed)}, or lower max_concurrency to at most {most:.0f}"
    )


def more_files(needed: float | None = None) -> str:
    """What can be done so that this process may open `needed` files, or simply more.

    >>> more_files(10)
    'run `ulimit -n 10` first'
    """
    allowed, ceiling = _file_descriptors()
    if needed is None and allowed < ceiling:
        return f"raise `ulimit -n`, which is {allowed:.0f}"
    if needed is None or needed > ceiling:
        return f"have the hard limit of {ceiling:.0f} raised (`ulimit -Hn`)"
    return f"run `ulimit -n {needed:.0f}` first"


def most_connections() -> float:
    """How many connections at once this process may open.

    >>> most_connections() > 1
    True
    """
    allowed = _file_descriptors()[0]
    return max(1, allowed - min(_OWN_FILES, allowed // 2))


def _file_descriptors() -> tuple[float, float]:
    """How many files this process may open: now, and at most."""
    if sys.platform == "win32":
        return float("inf"), float("inf")
    import resource  # there is none on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return tuple(
        float("inf") if limit == resource.RLIM_INFINITY else limit for limit in (soft, hard)
    )  # type: ignore[return-value]


def __getattr__(name: str) -> object:  # it imports aiohttp, which takes a third of a second
    if name != "AiohttpTransport":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ingather.transport.aiohttp_transport import AiohttpTransport

    return AiohttpTransport
