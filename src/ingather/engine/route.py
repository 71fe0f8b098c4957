"""Where a request may go: a provider, what it can, its quotas and what its tokens cost."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ingather.admission.permit import Queue
from ingather.limits.acceptance import Acceptance
from ingather.money.pricing import FREE, price_of
from ingather.process.locks import lock
from ingather.providers.base import QuotaKey, WireProvider
from ingather.providers.capabilities import capabilities_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.admission.permit import Slots
    from ingather.admission.quotas import Quotas
    from ingather.money.pricing import Price
    from ingather.providers.base import Provider

NO_QUOTA = QuotaKey("", "", "", "")


class Route:
    """One provider, as an executor uses it. It makes a queue for each quota that is drawn on.

    `wire`: the provider, where it is one of our dialects. `prices`: the user's own.
    """

    __slots__ = (
        "_accepted", "_bare", "_prices", "_queues", "_quotas", "_slots", "_table", "capabilities", "provider", "wire"
    )  # fmt: skip

    def __init__(
        self,
        provider: Provider,
        slots: Slots,
        quotas: Quotas,
        prices: Mapping[str, tuple[float, float]] | None,
    ) -> None:
        self.provider = provider
        self.capabilities = capabilities_of(provider)
        self.wire = provider if isinstance(provider, WireProvider) else None
        self._slots = slots
        self._quotas = quotas
        self._table = prices
        self._bare: Queue | None = None
        self._queues: dict[QuotaKey, Queue] = {}
        self._prices: dict[Queue, Price | None] = {}
        self._accepted: dict[QuotaKey, Acceptance] = {}  # whatever the model

    def queue(self, quota: QuotaKey) -> Queue:
        """The queue for a quota."""
        return self._queues.get(quota) or self._begin(quota)

    def bare_queue(self) -> Queue:
        """The queue of a provider that tells nothing of its quotas."""
        if self._bare is None:
            with lock:
                if self._bare is None:
                    gate = self._quotas.gate_of_object(self.provider, self.capabilities.limits)
                    self._bare = Queue(self._slots, gate)
        return self._bare

    def price_at(self, queue: Queue) -> Price | None:
        """USD by the token at a quota's queue; None where not known."""
        return self._prices[queue]

    def price(self, quota: QuotaKey) -> Price | None:
        """USD by the token of a quota; None where not known."""
        if self.capabilities.is_free:
            return FREE
        return price_of(quota.provider, quota.host, quota.model, self._table)

    def queues(self) -> list[Queue]:
        """Those that were drawn on."""
        return [*([] if self._bare is None else [self._bare]), *self._queues.values()]

    def _begin(self, quota: QuotaKey) -> Queue:
        """The one queue for a quota, from whichever thread it is asked for first."""
        with lock:
            queue = self._queues.get(quota)
            if queue is None:
                accepted = self._accepted.setdefault(quota._replace(model=""), Acceptance())
                gate = self._quotas.gate_of(quota, self.capabilities.limits)
                queue = Queue(self._slots, gate, accepted)
                count = getattr(self.wire, "count_served", None)
                if self._slots.is_adaptive and count is not None:
                    queue.count = partial(count, quota.model)
                self._prices[queue] = self.price(quota)
                self._queues[quota] = queue
        return queue

    def __repr__(self) -> str:
        return f"Route({self.provider!r}, {len(self._queues)} quotas)"
