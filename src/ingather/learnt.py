"""Keeps what was learnt about quotas from one process to the next: one small file in the user's cache directory.

It is read once and written at the end of the process, one entry a quota: its rates, how many calls were in flight, and
when that was. Quotas are told apart by a fingerprint; no key and nothing of a prompt is in it. Losing it costs
nothing but learning anew. With ``INGATHER_KEEP_LIMITS=0`` in the environment it is neither read nor written.
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

from ingather.limits.learnt import DAY, Learnt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.providers.base import QuotaKey

logger = logging.getLogger("ingather")


def cache_directory() -> Path:
    """Where this user's programs keep what they can do without."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "ingather"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "ingather"
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "ingather"


def recall(quota: QuotaKey) -> Learnt | None:
    """What was learnt about it within a day, if anything."""
    entry = _entries(_path()).get(_fingerprint(quota)) if _is_wanted() else None
    return Learnt.read(entry) if entry is not None else None


def keep(learnt: Mapping[QuotaKey, Learnt]) -> None:
    """Write it beside what the file holds of other quotas. Where that cannot be, the log says so and nothing else."""
    if not _is_wanted():
        return
    path = _path()
    now = time.time()
    entries = _entries(path)
    for quota, found in learnt.items():
        entries[_fingerprint(quota)] = {"of": f"{quota.provider}/{quota.model}", "at": now, **found.written()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix="limits-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(orjson.dumps(entries, option=orjson.OPT_INDENT_2))
            Path(name).replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        logger.debug("the learnt limits cannot be kept in %s: %s", path, error)


def _is_wanted() -> bool:
    return os.environ.get("INGATHER_KEEP_LIMITS") != "0"


def _path() -> Path:
    return cache_directory() / "limits.json"


def _fingerprint(quota: QuotaKey) -> str:
    return hashlib.sha256("\0".join(quota).encode("utf-8", "replace")).hexdigest()[:24]


def _entries(path: Path) -> dict[str, Mapping[str, object]]:
    """Those of the last day. A file that is none is as good as empty."""
    try:
        data = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    now = time.time()
    entries = data.items() if isinstance(data, dict) else ()
    return {key: entry for key, entry in entries if isinstance(entry, dict) and _is_fresh(entry.get("at"), now)}


def _is_fresh(at: object, now: float) -> bool:
    return isinstance(at, int | float) and -60.0 < now - at < DAY
