"""Certificates are always checked, and there is no switch."""

import asyncio
import ssl
import subprocess
import sys

import pytest

from ingather.errors import ConnectFailed, TlsFailed
from tests.servers.raw import RawServer


@pytest.fixture
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.mark.blocking_ok  # the server's side of TLS
async def test_certificate_that_nobody_signed(post, tls):
    async with RawServer(tls=tls) as server:
        said = r"TLS certificate verification failed for 127\.0\.0\.1:\d+:"
        with pytest.raises(TlsFailed, match=said):
            await post(server.url)
    assert server.requests == []


async def say_400(reader, writer):
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


async def hang_up(_, writer):
    writer.close()


@pytest.mark.parametrize(
    ("greet", "error", "said"),
    [(say_400, TlsFailed, "Does it serve HTTPS"), (hang_up, ConnectFailed, "no connection to")],
)
async def test_server_that_speaks_no_tls(post, greet, error, said):
    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        with pytest.raises(error, match=said):
            await post(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")


TRUSTING = """
import asyncio, ssl, sys
sys.path.insert(0, ".")
from ingather.errors import TlsFailed
from ingather.transport import Endpoint
from ingather.transport.aiohttp_transport import AiohttpTransport
from tests.servers.raw import RawServer

async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*sys.argv[1:])
    transport = AiohttpTransport()
    async with RawServer(tls=context) as server:
        reply = await transport.post(Endpoint(f"https://localhost:{server.port}", {}), b"{}")
        print(reply.status)
        try:
            await transport.post(Endpoint(server.url, {}), b"{}")
        except TlsFailed as error:
            print(error)
        await transport.aclose()

asyncio.run(main())
"""


def test_trusted_certificate_holds_for_its_own_host_only(certificate):
    done = subprocess.run(
        [sys.executable, "-c", TRUSTING, *certificate],
        env={"SSL_CERT_FILE": str(certificate[0])},
        capture_output=True,
        text=True,
        check=True,
    )
    status, refused = done.stdout.splitlines()
    assert status == "200"
    assert "IP address mismatch" in refused
