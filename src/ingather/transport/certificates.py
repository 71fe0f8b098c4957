"""Certificates of one's own: what is trusted besides what this machine trusts anyway."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from ingather.errors import SetupError

if TYPE_CHECKING:
    import os

_ENDINGS = (".pem", ".crt", ".cer", ".0")


def trusting(path: str | os.PathLike[str]) -> ssl.SSLContext:
    """What checks a server's certificate with those of `path`, a PEM file or a folder of such files, trusted as well.

    Raises `SetupError` for a path that holds none.
    """
    place = Path(path).expanduser()
    context = ssl.create_default_context()
    try:
        files = (
            [each for each in sorted(place.iterdir()) if each.suffix in _ENDINGS]
            if place.is_dir()
            else [place]
        )
    except OSError as error:
        raise SetupError(f"ca={str(place)!r} cannot be read: {error.strerror}") from None
    if not files:
        raise SetupError(
            f"ca={str(place)!r} is a folder without a file that ends in {', '.join(_ENDINGS)}"
        )
    for each in files:
        _trust(context, each)
    return context


def _trust(context: ssl.SSLContext, file: Path) -> None:
    try:
        data = file.read_bytes()
        context.load_verify_locations(
            cadata=data.decode("ascii", "ignore") if b"-----BEGIN" in data else data
        )
    except (
        OSError,
        ValueError,
    ) as error:  # ValueError: of an empty file; an SSLError is an OSError
        holds_none = isinstance(error, ssl.SSLError | ValueError)
        reason = "it holds no certificate" if holds_none else getattr(error, "strerror", None)
        raise SetupError(f"ca: {str(file)!r} cannot be used: {reason}") from None
