"""Every request that may have been read is an attempt; only where nothing was written does one go again by itself."""

import asyncio
import contextlib
import socket
import ssl
import struct
import threading

import aiohttp
import pytest

from ingather import Budget, LLMTask, ParallelLLMExecutor, RetryConfig, connect
from ingather.errors import ConnectFailed, ConnectionLost
from ingather.transport import Endpoint
from ingather.transport.aiohttp_transport import AiohttpTransport
from tests.servers.raw import RawServer, answer, completion


def end(exchange):
    exchange.writer.close()


def reset(exchange):
    exchange.reset()


def faulty(fault, *which, before=b"", body=b"{}"):
    """Answers, but ends the connection of the `which`-th requests of all, after sending `before`; none: of each."""

    async def serve(exchange):
        if which and len(server.requests) not in which:
            await exchange.send(answer(body))
            return
        if before:
            await exchange.send(before)
        fault(exchange)

    server = RawServer(serve)
    return server


BEFORE = {
    "after reading": b"",
    "after a byte": b"H",
    "after half a head": b"HTTP/1.1 200 OK\r\ncontent-le",
    "after half a body": b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{",
    "after half a chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{",
}


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
@pytest.mark.parametrize("fault", [end, reset])
async def test_request_that_a_kept_alive_connection_lost_is_not_sent_again_unseen(
    post, fault, before
):
    async with faulty(fault, 2, before=before) as server:
        await post(server.url, b"1")
        with pytest.raises(ConnectionLost):
            await post(server.url, b"2")
        await post(server.url, b"3")
    assert [request.body for request in server.requests] == [b"1", b"2", b"3"]


RETRY = RetryConfig(max_attempts=3, initial_delay=0.001)


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
@pytest.mark.parametrize("fault", [end, reset])
async def test_as_many_attempts_are_told_as_have_arrived(fault, before):
    async with faulty(fault, 2, 4, 5, 7, before=before, body=completion()) as server:
        provider = connect("openai/m", base_url=server.base_url, api_key="k", retry=RETRY)
        async with ParallelLLMExecutor(provider, max_concurrency=1) as executor:
            results = await executor.gather([LLMTask("?") for _ in range(5)])
    assert sum(result.attempts for result in results) == len(server.requests) > 5


async def test_server_that_dies_after_reading_gets_what_is_told_and_the_budget_is_charged_for_it():
    async with faulty(end, *range(2, 100), body=completion()) as server:
        provider = connect("openai/m", base_url=server.base_url, api_key="k", retry=RETRY)
        budget = Budget(max_tokens=10**6)
        async with ParallelLLMExecutor(provider, max_concurrency=1, budget=budget) as executor:
            results = await executor.gather([LLMTask("?", {"max_tokens": 100}) for _ in range(5)])
    assert sum(result.attempts for result in results) == len(server.requests)
    # what each may have cost, but for the one answered
    assert budget.spent.tokens >= 100 * (len(server.requests) - 1)


class Closing(threading.Thread):
    """Answers whatever comes, and keeps its connections open until it is told to `end` them all.

    A thread, since its clients' loop must not turn between the end of a connection and the next
    request.
    """

    def __init__(self, tls=None):
        super().__init__(daemon=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.tls = tls
        self.open = {}
        self.arrived = 0
        self.start()

    def run(self):
        with self.listening, contextlib.suppress(OSError):
            while True:
                sock, _ = self.listening.accept()
                serving = threading.Thread(target=self.serve, args=(sock,), daemon=True)
                self.open[serving] = sock
                serving.start()

    def serve(self, sock):
        if self.tls is not None:
            sock = self.open[threading.current_thread()] = self.tls.wrap_socket(
                sock, server_side=True
            )
        with sock, contextlib.suppress(OSError, ValueError):
            while data := sock.recv(65536):
                while not data.endswith(b"{}"):
                    data += sock.recv(65536)
                self.arrived += 1
                sock.sendall(answer())

    def end(self, how="in order"):
        """When this returns, the other end has been told."""
        for serving, sock in list(self.open.items()):
            if how == "with a last word":
                sock.sendall(answer(b"idle for too long", 408))
            if how == "with a reset":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RD)  # which wakes the thread
            serving.join()
            del self.open[serving]

    def stop(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.join()
        self.end()


ENDS = ["in order", "with a reset", "with a last word"]


@pytest.fixture
def closing():
    servers = []

    def serving(tls=None):
        servers.append(Closing(tls))
        return servers[-1]

    yield serving
    for server in servers:
        server.stop()


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("open_before", [1, 5])
async def test_connections_that_were_closed_before_we_wrote_cost_nothing(
    post, closing, how, open_before
):
    server = closing()
    url = f"http://127.0.0.1:{server.port}"
    await asyncio.gather(*(post(url) for _ in range(open_before)))
    server.end(how)
    assert (await post(url)).status == 200
    assert server.arrived == open_before + 1


@pytest.mark.blocking_ok  # the trusted certificate is read
@pytest.mark.parametrize("how", ["in order", "with a last word"])
async def test_the_same_over_tls(post, closing, certificate, monkeypatch, how):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    monkeypatch.setattr(
        aiohttp.connector,
        "_SSL_CONTEXT_VERIFIED",
        ssl.create_default_context(cafile=certificate[0]),
    )
    server = closing(context)
    url = f"https://localhost:{server.port}"
    await post(url)
    server.end(how)
    assert (await post(url)).status == 200
    assert server.arrived == 2


async def test_the_same_by_a_proxy(post, closing, monkeypatch):
    server = closing()
    monkeypatch.setenv("HTTP_PROXY".lower(), f"http://127.0.0.1:{server.port}")
    await post("http://llm.example/v1")
    server.end("in order")
    assert (await post("http://llm.example/v1")).status == 200
    assert server.arrived == 2


async def test_large_body_too_goes_to_a_new_connection_and_arrives_whole(post):
    async with RawServer() as server:
        await post(server.url)
        for exchange in server.requests:
            exchange.writer.transport.abort()
        await post(server.url, b"x" * 3 * 2**20)
    assert [len(request.body) for request in server.requests] == [2, 3 * 2**20]


async def test_new_connection_that_is_closed_before_we_wrote_is_no_connection(monkeypatch):
    """It is told as an attempt, since it would go round for ever; nothing was sent, so it may not be billed."""
    from ingather.transport import connections

    monkeypatch.setattr(connections._Responses, "is_open", lambda _: False)
    transport = AiohttpTransport()
    async with RawServer() as server:
        with pytest.raises(ConnectFailed, match="before anything was sent"):
            await transport.post(Endpoint(server.url, {}), b"{}")
        await transport.aclose()
    assert server.requests == []


async def test_connection_that_the_server_closed_while_idle_is_not_used(post):
    async def answer_and_close(exchange):
        await exchange.send(answer())
        exchange.writer.close()
        await exchange.writer.wait_closed()

    async with RawServer(answer_and_close) as server:
        for _ in range(3):
            assert (await post(server.url)).status == 200
    assert server.connections == len(server.requests) == 3
