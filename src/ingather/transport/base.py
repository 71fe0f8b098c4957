"""The seam to the wire: what providers send with, and what comes back. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Mapping


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


class Stream(Protocol):
    """A response as it comes: its head at once, its body piece by piece, decompressed.

    Use it with ``async with``, which closes the connection where the body was not read to its end.
    """

    status: int
    headers: Mapping[str, str]

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The body's pieces. Raises as `Transport.post` does, in the middle too."""
        ...

    async def aclose(self) -> None:
        """Close the connection, unless the body was read to its end."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *failure: object) -> None: ...


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


class StreamingTransport(Transport, Protocol):
    """A transport that carries any method, and bodies of any size both ways."""

    async def open(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | AsyncIterable[bytes] | None = None,
        *,
        timeout: float | None = None,
        idle_timeout: float | None = None,
    ) -> Stream:
        """Send a request and read the response's head; the body is the stream's, without a cap.

        `body`: bytes, or an async iterable of them that is sent as it comes. `timeout`: seconds
        until the head is there, upload included; `idle_timeout`: seconds between two pieces of the
        body. None: the transport's own. Raises as `post` does.
        """
        ...
