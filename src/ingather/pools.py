"""The process's pools: one for each quota, found again by whoever draws on it."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING

from ingather.learnt import keep, recall
from ingather.pool import Pool

if TYPE_CHECKING:
    from ingather.limits import Limits
    from ingather.providers.base import QuotaKey

_pools: dict[QuotaKey, Pool] = {}
_bare_pools: weakref.WeakKeyDictionary[object, Pool] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def pool_of(quota: QuotaKey, limits: Limits | None) -> Pool:
    """The one pool of a quota. Where it has limits already, the tighter of each holds."""
    with _lock:
        pool = _pools.get(quota)
        if pool is None:
            pool = _pools[quota] = Pool(" at ".join(filter(None, (quota.model, quota.host))))
            if (known := recall(quota)) is not None:
                pool.controller.resume(known, time.monotonic())
    pool.tighten(limits)
    return pool


def pool_of_object(provider: object, limits: Limits | None) -> Pool:
    """The pool of a provider that tells nothing of its quota: one for the object itself."""
    try:
        with _lock:
            pool = _bare_pools.get(provider)
            if pool is None:
                pool = _bare_pools[provider] = Pool(type(provider).__name__)
    except TypeError:  # neither hashable nor weakly referable: then the pool lives with its executor
        pool = Pool(type(provider).__name__)
    pool.tighten(limits)
    return pool


def _forget() -> None:
    """In a forked child: the parent's calls in flight are not ours, nor is a lock that one of its threads held."""
    global _lock  # noqa: PLW0603 - such a lock can only be replaced
    _lock = threading.Lock()
    _pools.clear()
    _bare_pools.clear()


def _keep() -> None:
    """At the end of the process: what its pools have learnt."""
    learnt = {quota: known for quota, pool in _pools.items() if (known := pool.learnt()) is not None}
    if learnt:
        keep(learnt)


os.register_at_fork(after_in_child=_forget)
atexit.register(_keep)
