"""A local HTTP server whose replies a test scripts, for the contract of providers."""

from __future__ import annotations

import json
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOK = 0.01  # seconds from one look to the next, whether it is over
_PATIENCE = 30.0  # seconds to wait for a client that hangs up


class Scripted(NamedTuple):
    """One reply: `body` is sent as it is, or as JSON where it is not bytes.

    With `status` 0 the connection is closed instead; with -1 nothing comes until the client hangs up.
    """

    status: int
    body: object = b""
    headers: Mapping[str, str] = {}


class Received(NamedTuple):
    """One request that came."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class ContractServer:
    """Gives the replies of its `script` in turn, and the last one again and again.

    `requests`: those that came. `most_at_once`: how many of them were being answered at one moment.
    `hung_up`: set when a client left before its answer.

    >>> with ContractServer() as server:
    ...     server.script = [Scripted(200, {"answer": "Paris"})]
    ...     server.base_url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(self) -> None:
        self.script: list[Scripted] = []
        self.requests: list[Received] = []
        self.most_at_once = 0
        self.hung_up = threading.Event()
        self._at_once = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        serve = partial(self._server.serve_forever, poll_interval=_LOOK)
        self._thread = threading.Thread(target=serve, daemon=True)

    @property
    def base_url(self) -> str:
        """Where it is, without a path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def take(self, request: Received) -> Scripted:
        """The reply to a request that has come."""
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            return self.script[min(number, len(self.script) - 1)]

    def answered(self) -> None:
        """One of them is over."""
        with self._lock:
            self._at_once -= 1

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                reply = server.take(Received(self.path, dict(self.headers.items()), body))
                try:
                    _send(self, reply, server.hung_up)
                finally:
                    server.answered()

            do_GET = do_POST  # noqa: N815 - as above

            def log_message(self, *_: object) -> None:
                """Nothing: a test's output is its own."""

        return Handler

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __repr__(self) -> str:
        return f"ContractServer({self.base_url}, {len(self.requests)} requests)"


def _send(handler: BaseHTTPRequestHandler, reply: Scripted, hung_up: threading.Event) -> None:
    if reply.status == 0:
        handler.close_connection = True
        return
    if reply.status < 0:
        handler.connection.settimeout(_PATIENCE)
        if not handler.connection.recv(1):
            hung_up.set()
        handler.close_connection = True
        return
    body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
    handler.send_response(reply.status)
    for name, value in {"Content-Type": "application/json", **reply.headers}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
