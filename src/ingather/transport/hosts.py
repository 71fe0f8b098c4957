"""What the name of a host tells by itself: nothing is looked up."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

# endings that no public host has
_NEAR = (".local", ".internal", ".lan", ".home.arpa", ".svc", ".localdomain")


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("example.com")
    (True, False)
    """
    name = host.rstrip(".").lower()
    address = _address(name)
    if address is not None:
        return address.is_loopback or address.is_unspecified
    return name == "localhost" or name.endswith(".localhost")


def is_near(host: str) -> bool:
    """Whether `host` is this machine or on its own network: a private address, or a name that is not a public one.

    >>> is_near("vllm"), is_near("10.0.0.7"), is_near("api.example.com")
    (True, True, False)
    """
    name = host.rstrip(".").lower()
    address = _address(name)
    if address is not None:
        return address.is_private or address.is_loopback or address.is_link_local
    return "." not in name or name.endswith((*_NEAR, ".localhost"))


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name.strip("[]"))
    except ValueError:
        return None
