"""Proxies of the environment: used, bypassed for NO_PROXY and this machine, and silent about their passwords."""

import asyncio
import socket

import pytest

from ingather.errors import ConnectFailed, SetupError
from ingather.transport.proxies import is_excepted, proxy_for
from tests.servers.raw import RawServer, answer

URL = "http://llm.example/v1"
CANARY = "canary-proxy-password"


async def test_request_goes_by_the_proxy_with_its_credentials(post, monkeypatch):
    async with RawServer(answer(b"by proxy")) as proxy:
        monkeypatch.setenv("HTTP_PROXY".lower(), f"http://me:{CANARY}@127.0.0.1:{proxy.port}")
        assert (await post(URL)).body == b"by proxy"
    (request,) = proxy.requests
    assert request.line == "POST http://llm.example/v1 HTTP/1.1"
    assert request.headers["proxy-authorization"].startswith("Basic ")


async def test_this_machine_is_never_proxied(post, monkeypatch):
    async with RawServer() as proxy, RawServer() as server:
        monkeypatch.setenv("HTTP_PROXY".lower(), proxy.url)
        await post(server.url)
    assert (len(proxy.requests), len(server.requests)) == (0, 1)


@pytest.mark.parametrize("status", [407, 502])
async def test_tunnel_that_the_proxy_refuses(post, monkeypatch, status):
    async with RawServer(answer(b"", status)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:{CANARY}@127.0.0.1:{proxy.port}")
        with pytest.raises(ConnectFailed, match=f"proxy.*llm.example.*{status}") as caught:
            await post(URL.replace("http", "https"), headers={"Authorization": f"Bearer {CANARY}"})
    assert proxy.requests[0].line == "CONNECT llm.example:443 HTTP/1.1"
    assert "authorization" not in proxy.requests[0].headers
    assert CANARY not in f"{caught.value} {caught.value!r}"


async def test_proxy_that_is_not_there(post, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{CANARY}@127.0.0.1:9")
    with pytest.raises(ConnectFailed, match="the proxy on the way") as caught:
        await post(URL.replace("http", "https"))
    assert CANARY not in f"{caught.value} {caught.value!r}"


async def test_proxy_whose_name_nobody_knows(post, monkeypatch):
    async def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    monkeypatch.setenv("HTTP_PROXY".lower(), f"http://me:{CANARY}@proxy.example:3128")
    with pytest.raises(
        ConnectFailed, match=r"the name proxy\.example cannot be resolved"
    ) as caught:
        await post(URL)
    assert CANARY not in f"{caught.value} {caught.value!r}"


async def test_environment_is_read_once(post, monkeypatch):
    async with RawServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY".lower(), proxy.url)
        await post(URL)
        monkeypatch.delenv("HTTP_PROXY".lower())
        await asyncio.gather(*[post(URL) for _ in range(3)])
    assert len(proxy.requests) == 4


@pytest.mark.parametrize(
    ("url", "environment", "proxy"),
    [
        (URL, {}, None),
        (URL, {"http_proxy": "http://p:1"}, "http://p:1"),
        (URL, {"http_proxy": "p:1"}, "http://p:1"),
        (URL, {"https_proxy": "http://p:1"}, None),
        ("https://llm.example/v1", {"https_proxy": "http://p:1"}, "http://p:1"),
        ("https://llm.example/v1", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        (URL, {"all_proxy": "http://p:1"}, "http://p:1"),
        (URL, {"http_proxy": "http://p:1", "no_proxy": "llm.example"}, None),
        (URL, {"http_proxy": "http://p:1", "no_proxy": ".example"}, None),
        (URL, {"http_proxy": "http://p:1", "no_proxy": "*"}, None),
        (URL, {"http_proxy": "http://p:1", "no_proxy": "other.example"}, "http://p:1"),
        (
            "http://llm.example:8000/v1",
            {"http_proxy": "http://p:1", "no_proxy": "llm.example:8000"},
            None,
        ),
        (
            "http://llm.example:8001/v1",
            {"http_proxy": "http://p:1", "no_proxy": "llm.example:8000"},
            "http://p:1",
        ),
        ("http://localhost:8000/v1", {"http_proxy": "http://p:1"}, None),
        ("http://127.1.2.3/v1", {"http_proxy": "http://p:1"}, None),
        ("http://[::1]:8000/v1", {"http_proxy": "http://p:1"}, None),
        ("http://llm.localhost/v1", {"http_proxy": "http://p:1"}, None),
        ("http://localhost.example/v1", {"http_proxy": "http://p:1"}, "http://p:1"),
    ],
)
def test_which_proxy(url, environment, proxy, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == proxy


@pytest.mark.parametrize(
    ("no_proxy", "host", "port"),
    [
        ("10.0.0.0/8", "10.1.2.3", 80),
        ("192.168.0.0/16,10.0.0.0/8", "10.1.2.3", 80),
        ("10.1.2.3/8", "10.200.0.1", 80),
        ("10.1.2.3", "10.1.2.3", 8000),
        ("10.1.2.3:8000", "10.1.2.3", 8000),
        ("fd00::/8", "fd12::1", 443),
        ("[fd00::]/8", "[fd12::1]", 443),
        ("[fd12::1]:443", "fd12::1", 443),
        ("[fd12::1]", "fd12::1", 8000),
        ("fd12::1", "fd12:0:0::1", 443),
        ("10.0.0.0/8", "::ffff:10.1.2.3", 443),
        ("*.lan", "gpu.lan", 80),
        ("*.lan", "a.gpu.lan", 80),
        (".lan", "gpu.lan", 80),
        ("lan", "gpu.lan", 80),
        ("*.lan:8000", "gpu.lan", 8000),
        ("GPU.Lan", "gpu.lan", 80),
        ("gpu.lan.", "gpu.lan", 80),
        ("gpu.lan", "gpu.lan.", 80),
        ("other example.com", "llm.example.com", 80),
        ("other,  example.com ,", "example.com", 80),
        ("*", "llm.example", 80),
        ("other,*", "10.1.2.3", 80),
        ("http://gpu.lan", "gpu.lan", 80),
    ],
)
def test_host_that_no_proxy_names(no_proxy, host, port):
    assert is_excepted(no_proxy, host, port)


@pytest.mark.parametrize(
    ("no_proxy", "host", "port"),
    [
        ("", "gpu.lan", 80),
        (",  ,", "gpu.lan", 80),
        (".", "gpu.lan", 80),
        ("10.0.0.0/8", "11.1.2.3", 80),
        ("10.0.0.0/8", "10.example.com", 80),
        ("10.1.2.3:8000", "10.1.2.3", 8001),
        ("1.2.3", "10.1.2.3", 80),
        ("fd00::/8", "10.1.2.3", 80),
        ("10.0.0.0/8", "fd12::1", 80),
        ("10.0.0.0/99", "10.1.2.3", 80),
        ("*.lan", "gpulan", 80),
        ("lan", "gpu.wlan", 80),
        ("*.lan:8000", "gpu.lan", 80),
        ("gpu.lan:port", "gpu.lan", 80),
        ("example.com", "example.com.elsewhere", 80),
    ],
)
def test_host_that_no_proxy_does_not_name(no_proxy, host, port):
    assert not is_excepted(no_proxy, host, port)


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize("proxy", ["http_proxy", "HTTP_PROXY"])
def test_variables_may_be_in_upper_or_lower_case(name, proxy, monkeypatch):
    monkeypatch.setenv(proxy, "http://p:1")
    monkeypatch.setenv(name, "10.0.0.0/8 *.lan")
    found = [proxy_for(f"http://{host}/v1") for host in ("10.1.2.3", "gpu.lan:8000", "llm.example")]
    assert found == [None, None, "http://p:1"]


def test_proxy_of_another_kind_is_a_set_up_error(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", f"socks5://me:{CANARY}@p:1")
    with pytest.raises(SetupError, match=r"HTTP_PROXY.*NO_PROXY=llm\.example") as caught:
        proxy_for(URL)
    assert CANARY not in str(caught.value)
