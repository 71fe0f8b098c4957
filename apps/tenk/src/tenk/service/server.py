"""The service on a socket, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import uvicorn

from ingather import Store
from tenk.errors import TenkError
from tenk.service.app import service
from tenk.service.money import caps_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenk.service.settings import Settings

_GRACE = 5  # seconds for answers that are under way when it stops


class CannotListen(TenkError):
    """The address is in use, or is none of this machine."""


class _Server(uvicorn.Server):
    """Ends the streams of events first: they would go on for as long as their readers like."""

    def stop(self) -> None:
        """Have it end soon."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        desk = getattr(self.config.app.state, "desk", None)  # type: ignore[union-attr]  # ours
        if desk is not None:
            desk.hang_up()
        await super().shutdown(sockets)


class Started(NamedTuple):
    """A service that listens: its settings, with the port that was free; `stop` ends it, from any thread."""

    settings: Settings
    stop: Callable[[], None]


def serve(settings: Settings, started: Callable[[Started], None]) -> None:
    """Serve until interrupted or stopped. `started` is told once it listens.

    Raises `CannotListen`, `NoPrice` for a cap on money that cannot be kept, and ingather's
    `StoreUnusable` for a file that holds something else.
    """
    settings = replace(settings, usd=asyncio.run(caps_of(settings)))
    with (
        Store(settings.state) as store,
        contextlib.closing(_listening(settings.host, settings.port)) as listener,
    ):
        settings = replace(settings, port=listener.getsockname()[1])
        config = uvicorn.Config(
            service(settings, store),
            log_config=None,
            access_log=False,  # its lines would hold the token
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
            ws="none",
        )
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        server = _Server(config)
        started(Started(settings, server.stop))
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(server.serve(sockets=[listener]))


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}: {error.strerror or error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise CannotListen(
            f"cannot listen on {host}:{port}: {error.strerror or error}; --port names another"
        ) from error
    return listener
