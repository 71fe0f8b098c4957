"""Keeps what was learnt about quotas from one process to the next: small files in the user's cache directory.

One a quota, so that processes which end at once take nothing from each other: its rates, how many
calls were in flight, and when that was. It is read when the quota is first drawn on, and written at
the end of the process. Quotas are told apart by a fingerprint; no key and nothing of a prompt is in
it. Losing it costs nothing but learning anew. With ``INGATHER_KEEP_LIMITS=0`` in the environment it
is neither read nor written.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from ingather.limits.snapshot import DAY, Learnt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.providers.base import QuotaKey

logger = logging.getLogger("ingather")

_LARGEST = 65_536  # bytes of a file that may be ours
_AHEAD = 60.0  # seconds that another clock may be ahead


def cache_directory() -> Path | None:
    """Where this user's programs keep what they can do without; None where there is no such place."""
    if (given := os.environ.get("XDG_CACHE_HOME")) and Path(given).is_absolute():
        return Path(given) / "ingather"
    try:
        home = Path.home()
    except RuntimeError:  # a user without a name or a home, as in some containers
        return None
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home) / "ingather"
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "ingather"


def recall(quota: QuotaKey) -> Learnt | None:
    """What was learnt about it within a day, if anything. A file that is not ingather's is ignored."""
    folder = _folder()
    if folder is None:
        return None
    try:
        with (folder / _name(quota)).open("rb") as file:
            entry = orjson.loads(file.read(_LARGEST))
    except (OSError, orjson.JSONDecodeError):
        return None
    is_ours = isinstance(entry, dict) and _is_fresh(entry.get("at"), time.time())
    return Learnt.read(entry) if is_ours else None


def keep(learnt: Mapping[QuotaKey, Learnt]) -> None:
    """Write it down for a day. Where that cannot be, the log says so and nothing else."""
    folder = _folder()
    if folder is None:
        return
    now = time.time()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for quota, found in learnt.items():
            entry = {"of": f"{quota.provider}/{quota.model}", "at": now, **found.written()}
            _replace(folder / _name(quota), orjson.dumps(entry, option=orjson.OPT_INDENT_2))
        _sweep(folder, now)
    except OSError as error:
        logger.debug("the learnt limits cannot be kept in %s: %s", folder, error)


def _folder() -> Path | None:
    directory = cache_directory() if os.environ.get("INGATHER_KEEP_LIMITS") != "0" else None
    return None if directory is None else directory / "limits"


def _name(quota: QuotaKey) -> str:
    fingerprint = hashlib.sha256("\0".join(quota).encode("utf-8", "replace")).hexdigest()
    return f"{fingerprint[:24]}.json"


def _replace(path: Path, content: bytes) -> None:
    """Whoever reads it finds the old content or the new, whole, whenever this process is killed."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix="new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _sweep(folder: Path, now: float) -> None:
    """Remove what nobody believes any more, and what killed processes left."""
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process sweeps too
            if path.stat().st_mtime < now - DAY:
                path.unlink()


def _is_fresh(at: object, now: float) -> bool:
    return isinstance(at, int | float) and -_AHEAD < now - at < DAY
