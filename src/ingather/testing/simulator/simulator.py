"""The simulated provider as an object: in the running loop, or in a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Self

from ingather.errors import SetupError
from ingather.testing.simulator.settings import Settings

if TYPE_CHECKING:
    from ingather.testing.simulator.ledger import Call, Stats
    from ingather.testing.simulator.service import Listener


@dataclass(kw_only=True, repr=False, eq=False)
class Simulator(Settings):
    """A provider on this machine, for tests, demos and benchmarks. See `Settings` for what it takes.

    It speaks as OpenAI, Anthropic and Gemini do, each at its own paths: one quota, one script, one
    ledger for all.

    In a coroutine ``async with Simulator(rpm=600) as sim`` serves on the running loop; elsewhere
    ``with`` does so in a thread. Inside, `base_url` (or `origin`) is what a client needs. It can be
    opened again after it was closed, with an empty ledger.

    Raises SetupError for settings that make no sense, and, when opened, for an address that cannot
    be had.

    >>> from ingather.testing import Simulator
    >>> with Simulator(latency=0.2, rpm=600) as sim:
    ...     sim.base_url.startswith("http://127.0.0.1:")
    True
    """

    _listener: Listener | None = field(default=None, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _stop: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = field(default=None, init=False)

    @property
    def base_url(self) -> str:
        """Where OpenAI's clients find it, such as ``"http://127.0.0.1:41234/v1"``; SetupError before it is opened."""
        return f"{self.origin}/v1"

    @property
    def origin(self) -> str:
        """As `base_url`, for clients that add the version themselves, as Anthropic's and Google's do."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            f"http://{'127.0.0.1' if host in {'0.0.0.0', '[::]', ''} else host}:{self._open.port}"  # noqa: S104
        )

    @property
    def ledger(self) -> list[Call]:
        """A row for each call so far, in order of arrival."""
        return list(self._open.service.ledger.rows)

    def stats(self) -> Stats:
        """Totals, as `GET /stats` gives them."""
        service = self._open.service
        return service.ledger.stats(service.clock())

    def reset(self) -> None:
        """Begin anew: an empty ledger, full buckets, the script from its start."""
        self._open.service.reset()

    @property
    def _open(self) -> Listener:
        if self._listener is None:
            raise SetupError(
                "the simulator is not open: use `async with Simulator(…) as sim`, or `with` "
                "outside of a loop"
            )
        return self._listener

    async def start(self) -> None:
        """Serve on the running loop until `stop`."""
        from ingather.testing.simulator.service import Listener, Service

        if self._listener is not None and self._listener.is_open:
            raise SetupError(f"this simulator is open already, at {self.base_url}")
        listener = Listener(Service(self))
        try:
            await listener.open(self.host, self.port)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            hint = "; port 0 takes a free one" if error.errno == errno.EADDRINUSE else ""
            raise SetupError(
                f"cannot listen on {self.host} port {self.port}: {reason}{hint}"
            ) from error
        self._listener = listener

    async def stop(self) -> None:
        """End what is in flight and close; the ledger stays readable until it is opened again."""
        if self._listener is not None:
            await self._listener.close()

    def start_thread(self) -> Self:
        """Serve from a thread of its own until `stop_thread`; returns when it listens, raises what `start` raises."""
        opened = threading.Event()
        failures = list[SetupError]()

        async def serve() -> None:
            try:
                await self.start()
            except SetupError as failure:
                failures.append(failure)
                return
            else:
                stop = asyncio.Event()
                self._stop = asyncio.get_running_loop(), stop
            finally:
                opened.set()
            await stop.wait()
            await self.stop()

        self._thread = threading.Thread(
            target=lambda: asyncio.run(serve()), name="ingather-simulator", daemon=True
        )
        self._thread.start()
        opened.wait()
        if failures:
            self.stop_thread()
            raise failures[0]
        return self

    def stop_thread(self) -> None:
        """End what is in flight, close, and wait for the thread."""
        if self._stop is not None:
            loop, stop = self._stop
            loop.call_soon_threadsafe(stop.set)
        if self._thread is not None:
            self._thread.join()
        self._stop = self._thread = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.stop()

    def __enter__(self) -> Self:
        return self.start_thread()

    def __exit__(self, *failure: object) -> None:
        self.stop_thread()

    def __repr__(self) -> str:
        given = [
            f"{item.name}={getattr(self, item.name)!r}"
            for item in fields(Settings)
            if item.init
            and item.repr
            and item.name not in {"host", "port"}
            and getattr(self, item.name) != item.default
        ]
        listener = self._listener
        where = self.base_url if listener is not None and listener.is_open else "closed"
        calls = f"{listener.service.ledger.calls} calls" if listener is not None else "no calls"
        return f"Simulator({', '.join([where, *given, calls])})"
