import pytest

from ingather.transport import Endpoint
from ingather.transport.http1 import AiohttpTransport


@pytest.fixture
async def post():
    """Post to a URL by a fresh transport, which is closed at the end: ``await post(url, body, timeout=…)``."""
    transports: dict[tuple, AiohttpTransport] = {}

    async def post(url, body=b"{}", headers=None, **options):
        key = tuple(options.items())
        transport = transports.setdefault(key, AiohttpTransport(**options))
        endpoint = endpoints.setdefault(url, Endpoint(url, headers or {"Content-Type": "application/json"}))
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
