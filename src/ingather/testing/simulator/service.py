"""The simulated provider's HTTP: which path goes where, and the life of one call."""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from ingather.process.threads import run_in_thread
from ingather.testing.simulator import sending as delivery
from ingather.testing.simulator.anthropic_server import Anthropic
from ingather.testing.simulator.azure_server import Azure
from ingather.testing.simulator.behaviour import Behaviour, Fate
from ingather.testing.simulator.forms import Answer, Problem, Unanswerable, Wire
from ingather.testing.simulator.gemini_server import Gemini
from ingather.testing.simulator.ledger import Call, Ledger
from ingather.testing.simulator.openai_server import OpenAI
from ingather.testing.simulator.responses_server import Responses

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingather.testing.simulator.forms import Ask, Dialect
    from ingather.testing.simulator.settings import Settings

# OpenAI's chat completions are last: they speak to all others
_DIALECTS: tuple[Dialect, ...] = (Anthropic(), Gemini(), Azure(), Responses(), OpenAI())
_MODELS = frozenset({"/v1/models", "/v1beta/models"})
_OWN_PATHS = _MODELS | {"/stats", "/reset"}
_LARGEST = 64 * 1024 * 1024  # bytes of a request
_BACKLOG = 4096  # connections that wait to be accepted: a client may open a thousand at once
# tokens of a prompt whose answer is composed in less time than a thread takes to begin
_AT_ONCE = 1000
_GRACE = 5.0  # seconds that cancelled calls have to end when it is closed; they need none
_NAME = "ingather-simulator"
# where the connection's end is not the client's
_OWN_DOING = frozenset({"drop", "reset", "truncate"})


class Service:
    """Answers requests for as long as it is served. One ledger and one quota for all dialects."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self.clock = clock
        self.closing = False
        self.reset()

    def reset(self) -> None:
        """Begin anew: empty ledger, full buckets, the script from its start. Calls in flight end in the old ledger."""
        self.ledger = Ledger(self.clock(), self.settings.ledger_size)
        self.behaviour = Behaviour(self.settings)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One HTTP request; what `aiohttp.web.Server` calls."""
        path = request.path
        if request.method == "POST":
            for dialect in _DIALECTS:
                if dialect.takes(path):
                    return await self._call(request, dialect)
        dialect = next(dialect for dialect in _DIALECTS if dialect.speaks(path, request.headers))
        match request.method, path:
            case "GET", _ if path in _MODELS:
                wire = dialect.models((self.settings.model,))
            case "GET", "/stats":
                stats: dict[str, object] = {**self.ledger.stats(self.clock())}
                if request.query.get("ledger", "") not in {"", "0"}:
                    stats["ledger"] = [call.row() for call in list(self.ledger.rows)]
                wire = Wire(orjson.dumps(stats))
            case "POST", "/reset":
                self.reset()
                wire = Wire(b"{}")
            case method, _:
                known = path in _OWN_PATHS or any(dialect.takes(path) for dialect in _DIALECTS)
                problem = Problem("status", f"Invalid URL ({method} {path})", 405 if known else 404)
                wire = dialect.problem(problem, hints=False)
        return delivery.respond(wire, {"Server": _NAME})

    async def _call(self, request: web.BaseRequest, dialect: Dialect) -> web.StreamResponse:
        body = await _body(request)
        if body is None:
            problem = Problem("status", f"The request is larger than {_LARGEST} bytes.", 413)
            return delivery.respond(dialect.problem(problem, hints=False), {"Server": _NAME})
        ledger = self.ledger
        call = ledger.open(self.clock(), hashlib.sha256(body).digest())
        try:
            response = await self._answer(request, dialect, body, call)
            call.status = 0 if call.fault in {"drop", "reset"} else response.status
        except (asyncio.CancelledError, ConnectionError):
            call.disconnected = call.fault not in _OWN_DOING and not self.closing
            raise
        finally:
            ledger.close(call, self.clock())
        return response

    async def _answer(
        self, request: web.BaseRequest, dialect: Dialect, body: bytes, call: Call
    ) -> web.StreamResponse:
        try:
            self.behaviour.check_key(dialect.key(request.headers))
            ask = dialect.ask(request.path, body, request.headers)
            call.model, call.custom_id = ask.model, ask.custom_id
            if ask.counting:
                count = Answer("", "stop", ask.prompt_tokens, 0)
                return delivery.respond(
                    dialect.answer(ask, count, "", 0), self._headers(dialect, call)
                )
            decided = self.clock()
            fate = await self._said(
                self.behaviour.decide(ask, call, self.ledger, decided), ask, call
            )
        except Unanswerable as unanswerable:
            return self._refuse(dialect, unanswerable.problem, call)
        if fate.delay == math.inf:
            await asyncio.Event().wait()
        elif (
            delay := fate.delay - (self.clock() - decided)
        ) > 0:  # composing is part of the latency
            await asyncio.sleep(delay)
        return await self._deliver(request, dialect, ask, fate, call)

    async def _said(self, fate: Fate, ask: Ask, call: Call) -> Fate:
        """The fate with its answer, composed in a thread where the prompt is long, so that other calls go on."""
        composing = partial(self.behaviour.said, fate, ask, call.fingerprint)
        if not fate.unsaid or ask.prompt_tokens <= _AT_ONCE:
            return composing()
        said = await run_in_thread(composing, "composing an answer")
        assert isinstance(said, Fate)  # noqa: S101 - threads do not know what they run
        return said

    async def _deliver(
        self, request: web.BaseRequest, dialect: Dialect, ask: Ask, fate: Fate, call: Call
    ) -> web.StreamResponse:
        headers = self._headers(dialect, call)
        if fate.reply is not None:
            body = (
                fate.reply.body if isinstance(fate.reply.body, bytes) else fate.reply.body.encode()
            )
            return delivery.respond(
                Wire(body, fate.reply.status, dict(fate.reply.headers)), headers
            )
        if fate.problem is not None:
            return self._refuse(dialect, fate.problem, call)
        if fate.how in {"drop", "reset"}:
            return delivery.drop(request, reset=fate.how == "reset")
        assert fate.answer is not None  # noqa: S101 - what is no problem and no reply is an answer
        call.prompt_tokens, call.completion_tokens = (
            fate.answer.prompt_tokens,
            fate.answer.completion_tokens,
        )
        call_id, created = f"{call.fingerprint.hex()[:20]}{call.seen}", int(time.time())
        if ask.stream and fate.how in {"", "slow", "truncate"}:
            events = dialect.stream(ask, fate.answer, call_id, created)
            return await delivery.stream(request, events, headers, how=fate.how, pause=fate.pause)
        wire = delivery.broken(fate.how, dialect.answer(ask, fate.answer, call_id, created))
        if fate.how == "slow":
            return await delivery.trickle(request, wire, headers, fate.pause)
        if fate.how == "truncate":
            return await delivery.truncate(request, wire, headers)
        return delivery.respond(wire, headers)

    def _refuse(self, dialect: Dialect, problem: Problem, call: Call) -> web.Response:
        named = replace(problem, call_id=_id(call))
        return delivery.respond(
            dialect.problem(named, hints=self.settings.headers), self._headers(dialect, call)
        )

    def _headers(self, dialect: Dialect, call: Call) -> dict[str, str]:
        levels = self.behaviour.quota.levels(self.clock()) if self.settings.headers else {}
        return {"Server": _NAME, **dialect.headers(_id(call), levels, time.time())}

    def __repr__(self) -> str:
        return f"Service({self.ledger!r}, {self.behaviour!r})"


def _id(call: Call) -> str:
    return f"req_{call.number:08x}{call.fingerprint.hex()[:16]}"


async def _body(request: web.BaseRequest) -> bytes | None:
    """The body, None for one that is too large."""
    if request.content.is_eof():  # it came with the head, as most do
        return request.content.read_nowait()
    chunks, size = list[bytes](), 0
    while chunk := await request.content.readany():
        chunks.append(chunk)
        size += len(chunk)
        if size > _LARGEST:
            return None
    return b"".join(chunks)


class Listener:
    """A service on a TCP port of the running loop."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.port = 0
        self._http: web.Server | None = None
        self._socket: asyncio.Server | None = None

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    async def open(self, host: str, port: int) -> None:
        """Listen; OSError where the address cannot be had."""
        loop = asyncio.get_running_loop()
        self._http = web.Server(self.service.handle, handler_cancellation=True, access_log=None)
        self._socket = await loop.create_server(self._http, host, port, backlog=_BACKLOG)
        self.port = self._socket.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and end what is in flight."""
        self.service.closing = True
        if self._socket is not None and self._http is not None:
            self._socket.close()
            self._http.pre_shutdown()
            for connection in self._http.connections:
                connection.force_close()  # which cancels what it was serving
            await self._http.shutdown(timeout=_GRACE)
            await self._socket.wait_closed()
        self._socket = self._http = None

    def __repr__(self) -> str:
        return (
            f"Listener(port={self.port}, {self.service!r})" if self.is_open else "Listener(closed)"
        )
