"""Quotas: a gate for each, found again by whoever draws on it."""

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
    from ingather.providers.base import QuotaKey


class Quotas:
    """The quotas of providers, as the executors that share this object know them.

    Limits set and learnt, pauses after a 429 and outages are one for all of them. Executors share
    those of the process, unless they are given some of their own: in tests, which must not know of
    each other, or for tenants whose keys are one to us and several to the provider.

    `remembers`: look up what an earlier process has learnt about a quota.

    >>> from ingather import EchoProvider, ParallelLLMExecutor, Quotas
    >>> executor = ParallelLLMExecutor(EchoProvider(), quotas=Quotas())
    """

    def __init__(self, *, remembers: bool = False) -> None:
        self._remembers = remembers
        self._gates: dict[QuotaKey, Gate] = {}
        self._bare: weakref.WeakKeyDictionary[object, Gate] = weakref.WeakKeyDictionary()
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
        return f"Quotas({len(self._gates)}, {len(self._bare)} bare providers)"


process_quotas = Quotas(remembers=True)
"""The process's own."""

renew_in_child(process_quotas.forget)
atexit.register(process_quotas.keep)
