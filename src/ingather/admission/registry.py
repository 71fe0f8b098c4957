"""The process's pools: one for each quota, found again by whoever draws on it."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING

from ingather.admission.gate import Gate
from ingather.admission.saved import keep, recall

if TYPE_CHECKING:
    from ingather.limits import Limits
    from ingather.providers.base import QuotaKey

_gates: dict[QuotaKey, Gate] = {}
_bare_gates: weakref.WeakKeyDictionary[object, Gate] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def gate_of(quota: QuotaKey, limits: Limits | None) -> Gate:
    """The one pool of a quota. Where it has limits already, the tighter of each holds."""
    with _lock:
        gate = _gates.get(quota)
        if gate is None:
            gate = _gates[quota] = Gate(" at ".join(filter(None, (quota.model, quota.host))))
            if (known := recall(quota)) is not None:
                gate.controller.resume(known, time.monotonic())
    gate.tighten(limits)
    return gate


def gate_of_object(provider: object, limits: Limits | None) -> Gate:
    """The pool of a provider that tells nothing of its quota: one for the object itself."""
    try:
        with _lock:
            gate = _bare_gates.get(provider)
            if gate is None:
                gate = _bare_gates[provider] = Gate(type(provider).__name__)
    except (
        TypeError
    ):  # neither hashable nor weakly referable: then the pool lives with its executor
        gate = Gate(type(provider).__name__)
    gate.tighten(limits)
    return gate


def _forget() -> None:
    """In a forked child: the parent's calls in flight are not ours, nor is a lock that one of its threads held."""
    global _lock  # noqa: PLW0603 - such a lock can only be replaced
    _lock = threading.Lock()
    _gates.clear()
    _bare_gates.clear()


def _keep() -> None:
    """At the end of the process: what its pools have learnt."""
    learnt = {
        quota: known for quota, gate in _gates.items() if (known := gate.learnt()) is not None
    }
    if learnt:
        keep(learnt)


os.register_at_fork(after_in_child=_forget)
atexit.register(_keep)
