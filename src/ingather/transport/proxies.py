"""Which proxy the environment asks for: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ingather.errors import SetupError, redact
from ingather.transport.hosts import is_loopback


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
    if not proxy or proxy_bypass(f"{host}:{port}"):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if urlsplit(proxy).scheme not in ("http", "https"):
        raise SetupError(
            f"the environment asks for the proxy {redact(proxy)}, and only http:// and https:// proxies are supported: "
            f"set {parts.scheme.upper()}_PROXY to one, or NO_PROXY={host}"
        )
    return proxy
