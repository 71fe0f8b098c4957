"""What went wrong on the wire, in our words: each failure of aiohttp, of TLS and of the system as one typed error."""

from __future__ import annotations

import errno
import ssl

import aiohttp

from ingather.errors import (
    AttemptTimeout,
    BadBody,
    ConnectFailed,
    ConnectionLost,
    ProviderError,
    SetupError,
    TlsFailed,
)
from ingather.redact import redact
from ingather.transport.open_files import more_files

FAULTS = (aiohttp.ClientError, OSError)  # TimeoutError is an OSError

# hung up during the handshake
_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


def typed(
    fault: aiohttp.ClientError | OSError, host: str, timeout: float
) -> ProviderError | SetupError:
    """`fault` of an exchange with `host` that had `timeout` seconds, as one of our errors. Its text holds no key."""
    match fault:
        case aiohttp.ConnectionTimeoutError():
            return ConnectFailed(
                f"no connection to {host} in time: is it up, and reachable from here?"
            )
        case aiohttp.ClientConnectorCertificateError():
            return TlsFailed(
                f"TLS certificate verification failed for {host}: {_said(fault.certificate_error)}"
            )
        case aiohttp.ClientConnectorSSLError() if not isinstance(fault.os_error, _CUT):
            return TlsFailed(
                f"TLS handshake with {host} failed: {_said(fault.os_error)}. Does it serve HTTPS?"
            )
        case aiohttp.ClientConnectorError():
            return ConnectFailed(_unconnected(fault, host))
        case _ if getattr(fault, "is_unsent", False):
            return ConnectFailed(f"{host} closed the connection before anything was sent")
        case aiohttp.ClientHttpProxyError():
            return ConnectFailed(
                f"the proxy on the way to {host} answers {fault.status} {_line(fault.message)}"
            )
        case aiohttp.ClientResponseError():
            return BadBody(f"malformed HTTP response from {host}: {_line(fault.message)}")
        case aiohttp.InvalidURL():
            return SetupError(f"not a usable URL: {host}")
        case TimeoutError():
            return AttemptTimeout(f"no answer from {host} within {timeout:g} s")
        case _:
            return ConnectionLost(
                f"connection to {host} lost before the full response arrived: {_said(fault)}"
            )


def _unconnected(fault: aiohttp.ClientConnectorError, host: str) -> str:
    reason = fault.os_error
    if reason.errno in (errno.EMFILE, errno.ENFILE):
        return f"too many open files, so no connection to {host}: {more_files()}, or have fewer calls in flight"
    if isinstance(fault, aiohttp.ClientConnectorDNSError):  # its host may be that of a proxy
        return f"no connection to {host}: the name {fault.host} cannot be resolved: {_said(reason)}"
    whom = (
        f"the proxy on the way to {host}"
        if isinstance(fault, aiohttp.ClientProxyConnectionError)
        else host
    )
    return f"no connection to {whom}: {_said(reason)}"


def _said(fault: BaseException) -> str:
    return _line(str(fault) or type(fault).__name__)


def _line(text: str) -> str:
    return redact(" ".join(text.split()))[:200]
