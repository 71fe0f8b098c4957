"""What an executor brings to each of its calls: whom to ask, under which bounds and policies."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, cast

from ingather.admission.funds import Funds
from ingather.admission.gate import Gate
from ingather.admission.permit import Queue, lock
from ingather.admission.registry import gate_of, gate_of_object
from ingather.engine.meter import Meters
from ingather.engine.single_flight import SingleFlight
from ingather.errors import Rejected, SetupError
from ingather.extract.worth_asking import Learnt, Setting
from ingather.hedge import Hedge, Hedging
from ingather.limits import Limits
from ingather.limits.acceptance import Acceptance
from ingather.limits.tokens import BYTES_PER_TOKEN, UNCOUNTED, Tokens
from ingather.money.pricing import FREE, how_to_know, price_of
from ingather.money.upper_bound import (
    OUTPUT_LIMITS,
    input_limit,
    is_by_the_token,
    output_limit,
    worst_case,
    written_out,
)
from ingather.providers.base import Provider, QuotaKey, Request, WireProvider, complete
from ingather.providers.capabilities import capabilities_of
from ingather.retry import RetryConfig
from ingather.task import LLMMessage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from ingather.admission.slots import Slots
    from ingather.money.budget import Budget, Spend
    from ingather.money.pricing import Price
    from ingather.result import LLMResponse
    from ingather.schema import Schema
    from ingather.stats import Stats
    from ingather.store import Store

_nobodys = QuotaKey("", "", "", "")
_ONCE = RetryConfig(max_attempts=1)
_TEMPERATURE_0 = re.compile(rb'"temperature":0(?:\.0)?[,}]')
# as servers of one's own call it too
_LIMITS_OUTPUT = re.compile(rb'"(?:n_predict|num_predict|max_new_tokens)":')
_FUNCTIONS = 50  # that run at once where the executor has no bound of its own


@dataclass(slots=True)
class Pauses:
    """What 429s have done to one request: seconds that it was `paused`, and when the first that they met was sent.

    `is_over`: it has waited for as long as is allowed, and is the last to be tried again.
    """

    paused: float = 0.0
    refused_at: float | None = None
    is_over: bool = False


@dataclass(slots=True)
class PreparedRequest:
    """A request, frozen, to be sent as often as it takes: where it waits, what it will cost, how it is sent."""

    queue: Queue
    estimate: Tokens
    provider: Provider
    request: Request | None = None  # of our dialects; else:
    messages: Sequence[LLMMessage] = ()
    overrides: Mapping[str, object] | None = None
    price: Price | None = None  # of its tokens, where it is known
    worst: Spend | None = None  # the most that it may cost, where there is a budget
    patience: Pauses | None = None  # since the first 429

    def send(self) -> Awaitable[LLMResponse]:
        """Once."""
        if self.request is not None:
            return cast("WireProvider", self.provider).send(self.request)
        return complete(self.provider, self.messages, self.overrides)


class Context:
    """One executor's, for all its runs.

    `can`: what the provider says of itself. `wire`: the provider, where it is one of our dialects.
    `cache`, `journal`: of the executor's store. `funds`: of its budget, where that has a cap.
    """

    def __init__(
        self,
        provider: Provider,
        slots: Slots,
        retry: RetryConfig | None,
        overrides: Mapping[str, object] | None,
        timeout: float | None,
        store: Store | None = None,
        *,
        budget: Budget | None = None,
        hedge: Hedge | None = None,
    ) -> None:
        self.cache = None if store is None else SingleFlight(store)
        self.journal = None if store is None else store.journal(repr(provider), self)
        self.provider = provider
        self.can = capabilities_of(provider)
        self.wire = provider if isinstance(provider, WireProvider) else None
        self.slots = slots
        self.retry: RetryConfig = retry or self.can.retry or _ONCE
        self.overrides = overrides
        self.timeout = timeout
        # no provider tells how many are right
        most = Limits(max_concurrency=_FUNCTIONS) if slots.is_adaptive else None
        self.functions = Queue(slots, Gate("functions", most, learns=False))
        self.learnt = Learnt()
        self.hedging = None if hedge is None or self.wire is None else Hedging(hedge)
        self.budget = budget
        self.meters = Meters()
        self.funds = Funds(budget) if budget is not None and budget.caps else None
        self._bare: Queue | None = None
        self._queues: dict[QuotaKey, Queue] = {}
        self._keys: dict[QuotaKey, Acceptance] = {}  # whatever the model
        self._prices: dict[Queue, Price | None] = {}

    def freeze(
        self, messages: Sequence[LLMMessage], overrides: Mapping[str, object]
    ) -> PreparedRequest:
        """The request for `messages`, encoded once. Raises what the provider's `prepare` raises.

        With a budget, SetupError where nothing limits what it may cost.
        """
        if self.wire is not None:
            request = self.wire.prepare(messages, overrides or None)
            queue = self._queues.get(request.quota) or self._begun(request.quota)
            prepared = PreparedRequest(
                queue, request.estimate, self.wire, request, price=self._prices[queue]
            )
        else:
            if self._bare is None:
                self._begin_bare()
            assert self._bare is not None  # noqa: S101 - for the type checker
            estimate = _estimate(messages) if self._bare.gate.counts_tokens else UNCOUNTED
            price = FREE if self.can.is_free else None
            prepared = PreparedRequest(
                self._bare, estimate, self.provider, None, messages, overrides or None, price
            )
        if prepared.price is not None or self.budget is not None:
            self._appraise(prepared, messages, overrides)
        return prepared

    def _begun(self, quota: QuotaKey) -> Queue:
        """The one queue for a quota, from whichever thread it is asked for first."""
        with lock:
            queue = self._queues.get(quota)
            if queue is None:
                key = self._keys.setdefault(quota._replace(model=""), Acceptance())
                queue = Queue(self.slots, gate_of(quota, self.can.limits), key)
                if (
                    self.slots.is_adaptive
                    and (count := getattr(self.wire, "count_served", None)) is not None
                ):
                    queue.count = partial(count, quota.model)
                self._prices[queue] = self._price(quota)
                self._queues[quota] = queue
        return queue

    def _begin_bare(self) -> None:
        with lock:
            if self._bare is None:
                self._bare = Queue(self.slots, gate_of_object(self.provider, self.can.limits))

    def _appraise(
        self,
        prepared: PreparedRequest,
        messages: Sequence[LLMMessage],
        overrides: Mapping[str, object],
    ) -> None:
        """Put on it what its tokens cost, and with a budget the most that it may cost in all."""
        request, budget, price, quota = prepared.request, self.budget, prepared.price, _nobodys
        if request is not None:
            quota = request.quota
        elif budget is not None:
            quota = quota._replace(model=str(overrides.get("model") or self.can.model))
            price = self._price(quota)
        body = (
            request.body
            if request is not None
            else b""
            if self.funds is None
            else written_out(messages, overrides)
        )
        if price is not None and price != FREE and not is_by_the_token(price, body):
            price = None
        prepared.price = price
        if self.funds is None or budget is None:
            return
        if price is None and budget.max_cost_usd is not None:
            also = how_to_know(quota.provider, quota.host)
            raise SetupError(
                f"the price of {prepared.queue.gate.name} is not known, so that no cap on money "
                f"can be kept: give it in "
                f'Budget(prices={{"MODEL": (IN, OUT)}}), USD per million tokens{also}'
            )
        output = output_limit(prepared.estimate.max_output, overrides, self.can, budget)
        prepared.worst = worst_case(
            price, body, input_limit(messages, body, budget), output, dialect=quota.provider
        )

    def _price(self, quota: QuotaKey) -> Price | None:
        table = None if self.budget is None else self.budget.prices
        return (
            FREE if self.can.is_free else price_of(quota.provider, quota.host, quota.model, table)
        )

    def ask_for(
        self,
        schema: Schema,
        messages: Sequence[LLMMessage],
        overrides: dict[str, object],
        *,
        last: bool,
    ) -> Sequence[LLMMessage]:
        """Put `schema` in the dialect's own form where it has one (into `overrides`), and else into the prompt.

        Into both where a server makes a grammar of the one, and its model sees only the other.
        `last`: at the end of the last message and not in the system prompt, so that prompts which
        share their beginning go on doing so.
        """
        if self.can.schema_mode is not None:
            overrides.setdefault(
                "response_format", schema.response_format(lengths=self.can.schema_lengths)
            )
            if not self.can.schema_words:
                return messages
        instruction = schema.instruction()
        if last and messages and isinstance(messages[-1].content, str):
            return [
                *messages[:-1],
                replace(messages[-1], content=f"{messages[-1].content}\n\n{instruction}"),
            ]
        if messages and messages[0].role == "system" and isinstance(messages[0].content, str):
            return [LLMMessage("system", f"{messages[0].content}\n\n{instruction}"), *messages[1:]]
        return [LLMMessage("system", instruction), *messages]

    def setting(self, overrides: Mapping[str, object] | None) -> Setting:
        """Under which circumstances an extraction with these parameters asks."""
        params: dict[str, object] = {**(self.overrides or {}), **(overrides or {})}
        is_open, is_fixed = False, params.get("temperature") == 0
        # a server that makes grammars itself
        is_own = self.can.schema_words and self.can.schema_lengths
        probe = self._probe(params)
        if probe is not None:
            is_fixed = _TEMPERATURE_0.search(probe.body) is not None
            is_said = (
                probe.estimate.max_output is not None
                or not params.keys().isdisjoint(OUTPUT_LIMITS)
                or _LIMITS_OUTPUT.search(probe.body) is not None
            )
            # hosted models end by themselves, and count their thinking
            is_open = is_own and not is_said
        return Setting(self.can.schema_ceiling, is_open, is_fixed, self.learnt)

    def _probe(self, params: Mapping[str, object]) -> Request | None:
        """A request with these parameters; None where one cannot be made, which the calls themselves tell."""
        try:
            return (
                None
                if self.wire is None
                else self.wire.prepare([LLMMessage("user", "?")], params or None)
            )
        except (SetupError, Rejected):
            return None

    def refuse(self, error: Exception) -> None:
        """Nothing more is sent: what waits fails with `error`, and so does what comes until a new run begins."""
        for queue in self._all_queues():
            queue.refuse(error)

    def forgive(self, kind: type[Exception] = Exception) -> None:
        """A new run begins: what failed a whole pool may have been mended since."""
        for queue in self._all_queues():
            if isinstance(queue.failed, kind):
                queue.failed = None

    def forget(self) -> None:
        """A new run begins, and no other is open: whether keys are accepted is found out again."""
        self.forgive()
        for queue in self._all_queues():
            for known in (queue.key, queue.model):
                known.forget()

    def queues(self) -> list[Queue]:
        """The quotas that were drawn on."""
        return [*([] if self._bare is None else [self._bare]), *self._queues.values()]

    def stats(self) -> Stats:
        """What all runs have used so far."""
        return self.meters.stats(self)

    def _all_queues(self) -> list[Queue]:
        return [self.functions, *self.queues()]

    def __repr__(self) -> str:
        return f"Terms({self.provider!r}, {self.slots!r}, {len(self._queues)} quotas)"


def _estimate(messages: Sequence[LLMMessage]) -> Tokens:
    size = 0
    for message in messages:
        text = message.content
        if isinstance(text, str):
            size += len(text) if text.isascii() else len(text.encode())
    return Tokens(int(size / BYTES_PER_TOKEN) + 1)
