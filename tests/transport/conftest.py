import shutil
import subprocess

import pytest

from ingather.transport import Endpoint
from ingather.transport.aiohttp_transport import AiohttpTransport


@pytest.fixture
async def post():
    """Post to a URL by a fresh transport, which is closed at the end: ``await post(url, body, timeout=…)``."""
    transports: dict[tuple, AiohttpTransport] = {}

    async def post(url, body=b"{}", headers=None, **options):
        key = tuple(options.items())
        transport = transports.setdefault(key, AiohttpTransport(**options))
        endpoint = endpoints.setdefault(
            url, Endpoint(url, headers or {"Content-Type": "application/json"})
        )
        return await transport.post(endpoint, body)

    endpoints: dict[str, Endpoint] = {}
    yield post
    for transport in transports.values():
        await transport.aclose()


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for localhost that nobody has signed, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    made = (folder / "cert.pem", folder / "key.pem")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-out", made[0], "-keyout", made[1]]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return made
