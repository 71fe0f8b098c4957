"""Which proxy the environment asks for: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, getproxies_environment, proxy_bypass

from ingather.errors import SetupError
from ingather.redact import redact
from ingather.transport.hosts import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator


def proxy_for(url: str) -> str | None:
    """The proxy's URL, credentials included, for requests to `url`; None where they go straight there.

    Loopback is never proxied. Raises `SetupError` for a proxy that is not spoken to by HTTP.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not proxy or _goes_straight(host, port):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if urlsplit(proxy).scheme not in ("http", "https"):
        raise SetupError(
            f"the environment asks for the proxy {redact(proxy)}, and only http:// and https:// "
            f"proxies are supported: "
            f"set {parts.scheme.upper()}_PROXY to one, or NO_PROXY={host}"
        )
    return proxy


def is_excepted(no_proxy: str, host: str, port: int) -> bool:
    """Whether ``NO_PROXY`` names that host: by its name, one above it, its address, or a network that it is in.

    >>> is_excepted("*.lan, 10.0.0.0/8", "gpu.lan", 80), is_excepted("*.lan, 10.0.0.0/8", "10.1.2.3", 443)
    (True, True)
    """
    name = host.strip("[]").rstrip(".").lower()
    address = _address(name)
    for entry, its_port in _entries(no_proxy):
        if its_port in (None, port) and (_holds(entry, address) if address else _ends(entry, name)):
            return True
    return False


def _goes_straight(host: str, port: int) -> bool:
    environment = getproxies_environment()
    if not environment:  # the proxies are those of the system, with exceptions of its own
        return bool(proxy_bypass(f"{host}:{port}"))
    return is_excepted(environment.get("no", ""), host, port)


def _entries(no_proxy: str) -> Iterator[tuple[str, int | None]]:
    """Each in lower case, and its port if it has one; ``*`` for any host."""
    for written in no_proxy.replace(",", " ").lower().split():
        text = written.rpartition("://")[2]
        bare, closing, after = text.rpartition("]")
        if closing:  # an IPv6 address in brackets, with a port or the bits of a network behind it
            bare = bare.strip("[")
            text, digits = (
                (f"{bare}{after}", "") if after.startswith("/") else (bare, after.removeprefix(":"))
            )
        elif text.count(":") == 1:
            text, _, digits = text.partition(":")
        else:
            digits = ""
        if not digits or (digits.isascii() and digits.isdigit()):
            yield text.rstrip("."), int(digits) if digits else None


def _holds(entry: str, address: IPv4Address | IPv6Address) -> bool:
    if entry == "*":
        return True
    try:
        network = ip_network(entry.partition("%")[0], strict=False)
    except ValueError:
        return False
    return address in network


def _ends(entry: str, name: str) -> bool:
    above = entry.removeprefix("*").removeprefix(".")
    return entry == "*" or (above != "" and (name == above or name.endswith(f".{above}")))


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
