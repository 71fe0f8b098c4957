"""What an executor brings to each of its calls: routes, bounds and policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingather.admission.funds import Funds
from ingather.admission.gate import Gate
from ingather.admission.permit import Queue
from ingather.engine.meters import Meters
from ingather.engine.question import Question
from ingather.engine.route import Route
from ingather.engine.single_flight import SingleFlight
from ingather.extract.worth_asking import Discovered
from ingather.hedge import Hedge, Hedging
from ingather.limits import Limits
from ingather.retry import RetryConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.admission.permit import Slots
    from ingather.admission.quotas import Quotas
    from ingather.engine.shared_text import SharedText
    from ingather.money.budget import Budget
    from ingather.providers.base import Provider
    from ingather.store import Store
    from ingather.task import LLMTask

_ONCE = RetryConfig(max_attempts=1)
_FUNCTIONS = 50  # that run at once where the executor has no bound of its own


class Context:
    """One executor's, for all its runs.

    `route`: where requests go. `functions`: the queue of functions. `single_flight`, `journal`: of
    the executor's store. `funds`: of its budget, where that has a cap. `discovered`: what extractions
    have found out about the provider.
    """

    def __init__(
        self,
        provider: Provider,
        slots: Slots,
        quotas: Quotas,
        *,
        retry: RetryConfig | None = None,
        params: Mapping[str, object] | None = None,
        timeout: float | None = None,
        store: Store | None = None,
        budget: Budget | None = None,
        hedge: Hedge | None = None,
    ) -> None:
        self.slots = slots
        self.route = Route(provider, slots, quotas, None if budget is None else budget.prices)
        self.retry: RetryConfig = retry or self.route.capabilities.retry or _ONCE
        self.params = params
        self.timeout = timeout
        self.budget = budget
        # no provider tells how many functions are right
        most = Limits(max_concurrency=_FUNCTIONS) if slots.is_adaptive else None
        self.functions = Queue(slots, Gate("functions", most, learns=False))
        self.discovered = Discovered()
        self.hedging = None if hedge is None or self.route.wire is None else Hedging(hedge)
        self.funds = Funds(budget) if budget is not None and budget.caps else None
        self.meters = Meters(budget, lambda: [queue.gate for queue in self.route.queues()])
        self.single_flight = None if store is None else SingleFlight(store)
        self.journal = None if store is None else store.journal(repr(provider), self)

    def question(self, task: LLMTask, text: SharedText | None = None) -> Question:
        """What a task asks for."""
        return Question(task, self.params, self.budget, text)

    def refuse(self, error: Exception) -> None:
        """Send nothing more: what waits fails with `error`, and what comes until a new run."""
        for queue in self._queues():
            queue.refuse(error)

    def forgive(self, kind: type[Exception] = Exception) -> None:
        """A new run begins: what failed a whole quota may have been mended since."""
        for queue in self._queues():
            if isinstance(queue.failed, kind):
                queue.failed = None

    def forget(self) -> None:
        """A new run begins, and no other is open: whether keys are accepted is found out again."""
        self.forgive()
        for queue in self._queues():
            for known in (queue.key, queue.model):
                known.forget()

    def _queues(self) -> list[Queue]:
        return [self.functions, *self.route.queues()]

    def __repr__(self) -> str:
        return f"Context({self.route!r}, {self.slots!r})"
