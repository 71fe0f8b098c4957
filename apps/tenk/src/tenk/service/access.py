"""Who may come in, and with how much: the door before every route.

A request names a host that is ours (another name that leads here is not believed: DNS rebinding),
comes with the token, in a header or in the cookie that the page got for it, and if it changes
something, from our own page or from no page at all. What is larger than allowed is refused before
it is read. Every answer forbids the browser all that is not ours.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from tenk.service.settings import Settings

HEADER = "x-tenk-token"
# no other site's page can send it without asking, and nobody is told yes
PAGE_HEADER = "x-tenk-page"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LINK_WITHOUT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>tenk: no token</title>
<h1>This link is missing its token</h1><p>Open the address that <code>tenk serve</code> printed when it started. It
ends with a token, which this browser then remembers until it is closed.</p></html>"""


class Door:
    """ASGI middleware. `settings`: the token, the host, the caps."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._hosts = _names(settings.host)
        self._cookie = f"tenk-{settings.port}"  # browsers share cookies between the ports of a host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # no web sockets here
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        guarded = _with_headers(send)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, guarded)
            return
        most = self._most(scope)
        meter = _Meter(receive, guarded, most)
        await self._app(scope, meter.receive, meter.send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        if not self._is_own_host(headers.get("host", "")):
            return _problem(
                421,
                "the Host of this request is not this service: open the address that it printed",
            )
        if (response := self._by_link(scope)) is not None:
            return response
        by_header = self._is_token(
            headers.get(HEADER, "") or _bearer(headers.get("authorization", ""))
        )
        if not by_header and not self._is_token(_cookie(headers.get("cookie", ""), self._cookie)):
            if scope["path"].startswith("/api/"):
                return _problem(
                    401, f"no token: send the one that `tenk serve` printed as the header {HEADER}"
                )
            return Response(_LINK_WITHOUT, 401, media_type="text/html")
        if scope["method"] not in _SAFE and not self._is_from_here(headers, by_header=by_header):
            return _problem(
                403, f"this came from another page, or lacks the header {HEADER} or {PAGE_HEADER}"
            )
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._most(scope):
            return _problem(
                413, f"the request is larger than the {self._most(scope):,} bytes that are taken"
            )
        return None

    def _by_link(self, scope: Scope) -> Response | None:
        """The first visit: the token of the link becomes a cookie, and leaves the address bar."""
        if scope["path"] != "/" or scope["method"] != "GET":
            return None
        tokens = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if not tokens or not self._is_token(tokens[0]):
            return None
        response = RedirectResponse("/", 303)
        response.set_cookie(
            self._cookie, self._settings.token, path="/", httponly=True, samesite="strict"
        )
        return response

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._settings.token.encode())

    def _is_own_host(self, host: str) -> bool:
        """Whether this name is ours; its port may be another, that of a tunnel."""
        try:
            named = urlsplit(f"//{host}")
            name, _ = named.hostname or "", named.port
        except ValueError:
            return False
        return name in self._hosts or ("*" in self._hosts and _is_address(name))

    def _is_from_here(self, headers: Headers, *, by_header: bool) -> bool:
        """Whether what changes something comes from our own page, or from a program that has the token."""
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{headers.get('host', '')}":
            return False
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        return by_header or PAGE_HEADER in headers

    def _most(self, scope: Scope) -> int:
        uploads = scope["method"] == "POST" and scope["path"] == "/api/analyses"
        return (
            self._settings.caps.upload + self._settings.caps.body
            if uploads
            else self._settings.caps.body
        )

    def __repr__(self) -> str:
        return f"Door({', '.join(sorted(self._hosts))})"


class _Meter:
    """Counts the bytes of a body as it comes; one too large is answered with 413, whatever the route makes of it."""

    def __init__(self, receive: Receive, send: Send, most: int) -> None:
        self._receive = receive
        self._send = send
        self._left = most
        self._most = most
        self._answered = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        return message if self._left >= 0 else {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self._left >= 0:
            await self._send(message)
        elif not self._answered:
            self._answered = True
            refusal = _problem(
                413, f"the request is larger than the {self._most:,} bytes that are taken"
            )
            await refusal({"type": "http", "method": "POST"}, self._receive, self._send)


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _ALWAYS.items():
                headers[name] = value
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return guarded


def _problem(status: int, detail: str) -> Response:
    return JSONResponse(
        {"detail": detail}, status, headers={"connection": "close"} if status == 413 else None
    )


def _bearer(authorization: str) -> str:
    scheme, _, given = authorization.partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def _cookie(header: str, name: str) -> str:
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return "" if morsel is None else morsel.value


def _names(host: str) -> frozenset[str]:
    """The names under which a service at `host` is asked for; ``*`` is any address: a name may be rebound, that not.

    >>> sorted(_names("127.0.0.1"))
    ['127.0.0.1', '::1', 'localhost']
    """
    if is_loopback(host):
        return frozenset({"localhost", "127.0.0.1", "::1", host.lower()})
    if host in ("0.0.0.0", "::"):  # noqa: S104 - asked about, not bound
        return frozenset({"*", "localhost", socket.gethostname().lower(), socket.getfqdn().lower()})
    return frozenset({host.lower()})


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    return host.lower() == "localhost" or (
        _is_address(host) and ipaddress.ip_address(host).is_loopback
    )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
