"""The gates of a process: one for each quota, found again by whoever draws on it."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from typing import TYPE_CHECKING

from ingather.admission.gate import Gate
from ingather.admission.saved import keep, recall
from ingather.process.fork import renew_in_child

if TYPE_CHECKING:
    from ingather.limits import Limits
    from ingather.money.budget import Budget
    from ingather.providers.base import QuotaKey


class Registry:
    """Gates by quota, and whoever waits for budgets: executors that share a registry share them.

    `remembers`: whether what was learnt about a quota in an earlier process is looked up.
    """

    def __init__(self, *, remembers: bool = False) -> None:
        self._remembers = remembers
        self._gates: dict[QuotaKey, Gate] = {}
        self._bare: weakref.WeakKeyDictionary[object, Gate] = weakref.WeakKeyDictionary()
        self._lines: weakref.WeakKeyDictionary[Budget, object] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def gate_of(self, quota: QuotaKey, limits: Limits | None) -> Gate:
        """The one gate of a quota. Where it has limits already, the tighter of each holds."""
        with self._lock:
            gate = self._gates.get(quota)
            if gate is None:
                name = " at ".join(filter(None, (quota.model, quota.host)))
                gate = self._gates[quota] = Gate(name)
                if self._remembers and (known := recall(quota)) is not None:
                    gate.controller.resume(known, time.monotonic())
        gate.tighten(limits)
        return gate

    def gate_of_object(self, provider: object, limits: Limits | None) -> Gate:
        """The gate of a provider that tells nothing of its quota: one for the object itself."""
        name = type(provider).__name__
        try:
            with self._lock:
                gate = self._bare.get(provider)
                if gate is None:
                    gate = self._bare[provider] = Gate(name)
        except TypeError:  # neither hashable nor weakly referable: it lives with its executor
            gate = Gate(name)
        gate.tighten(limits)
        return gate

    def forget(self) -> None:
        """Forget all gates: a forked child has none of its parent's calls in flight."""
        self._lock = threading.Lock()  # one of the parent's threads may have held it
        self._gates.clear()
        self._bare.clear()

    def keep(self) -> None:
        """Write down what was learnt about the quotas, for later processes."""
        learnt = {
            quota: known
            for quota, gate in self._gates.items()
            if (known := gate.learnt()) is not None
        }
        if learnt:
            keep(learnt)

    def __repr__(self) -> str:
        return f"Registry({len(self._gates)} quotas, {len(self._bare)} bare providers)"


registry = Registry(remembers=True)
"""The process's own."""

renew_in_child(registry.forget)
atexit.register(registry.keep)
