"""What a task asks a model for, and how it becomes the request of a route: encoded once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ingather.engine.appraisal import appraised
from ingather.engine.prepared import PreparedRequest
from ingather.limits.tokens import BYTES_PER_TOKEN, UNCOUNTED, Tokens
from ingather.money.pricing import FREE
from ingather.task import LLMMessage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingather.engine.route import Route
    from ingather.engine.shared_text import SharedText
    from ingather.errors import InvalidAnswer
    from ingather.money.budget import Budget
    from ingather.providers.capabilities import Capabilities
    from ingather.response import LLMResponse
    from ingather.schema import Schema
    from ingather.task import LLMTask


class Question:
    """What a task asks a model for. `params`: of the request. `budget`: the executor's, if any."""

    __slots__ = (
        "_budget",
        "_follow_ups",
        "_prepared",
        "_route",
        "params",
        "schema",
        "task",
        "text",
    )

    def __init__(
        self,
        task: LLMTask,
        defaults: Mapping[str, object] | None,
        budget: Budget | None,
        text: SharedText | None = None,
        follow_ups: Sequence[LLMMessage] = (),
    ) -> None:
        self.task = task
        self.schema = None if task.response_model is None else _schema_of(task.response_model)
        self.params: dict[str, object] = {**(defaults or {}), **(task.config_overrides or {})}
        self.text = text
        self._budget = budget
        self._follow_ups = follow_ups
        self._route: Route | None = None
        self._prepared: PreparedRequest

    def on(self, route: Route) -> PreparedRequest:
        """The request on this route. Raises what the provider's `prepare` raises.

        With a budget, `SetupError` where nothing limits what it may cost.
        """
        if self._route is not route:
            self._prepared = self._prepare(route)
            self._route = route
        return self._prepared

    def asked_again(self, response: LLMResponse | None, error: InvalidAnswer) -> Question:
        """The question that sends an answer back with what is wrong with it."""
        assert self.schema is not None  # noqa: S101 - for the type checker: it did not fit one
        more = self.schema.reask_messages(text_of(response), error)
        follow_ups = [*self._follow_ups, *more]
        return Question(self.task, self.params, self._budget, self.text, follow_ups)

    def _prepare(self, route: Route) -> PreparedRequest:
        task, params = self.task, self.params
        messages = list(task.messages)
        if self.schema is not None:
            params = params.copy()
            messages = _with_schema(
                messages, self.schema, params, route.capabilities, last=task.schema_last
            )
        if self._follow_ups:
            messages = [*messages, *self._follow_ups]
        if route.wire is not None:
            request = route.wire.prepare(messages, params or None)
            queue = route.queue(request.quota)
            prepared = PreparedRequest(
                queue, request.estimate, route.wire, request, price=route.price_at(queue)
            )
        else:
            queue = route.bare_queue()
            estimate = _estimate(messages) if queue.gate.counts_tokens else UNCOUNTED
            price = FREE if route.capabilities.is_free else None
            prepared = PreparedRequest(
                queue, estimate, route.provider, None, messages, params or None, price
            )
        prepared.text = self.text
        if prepared.price is not None or self._budget is not None:
            prepared.price, prepared.worst = appraised(
                prepared, route, self._budget, messages, params
            )
        return prepared

    def __repr__(self) -> str:
        return f"Question({self.task!r})"


def text_of(response: LLMResponse | None) -> str:
    """The text of an answer, ``""`` where there is none."""
    content = getattr(response, "content", None)
    return content if isinstance(content, str) else ""


def _with_schema(
    messages: list[LLMMessage],
    schema: Schema,
    params: dict[str, object],
    can: Capabilities,
    *,
    last: bool,
) -> list[LLMMessage]:
    """Put `schema` in the dialect's own form where it has one (into `params`), else into the prompt.

    Into both where a server makes a grammar of the one, and its model sees only the other. `last`:
    at the end of the last message and not in the system prompt, so that prompts which share their
    beginning go on doing so.
    """
    if can.schema_mode is not None:
        form = schema.response_format(lengths=can.schema_lengths)
        params.setdefault("response_format", form)
        if not can.schema_words:
            return messages
    instruction = schema.instruction()
    if last and messages and isinstance(messages[-1].content, str):
        asked = replace(messages[-1], content=f"{messages[-1].content}\n\n{instruction}")
        return [*messages[:-1], asked]
    if messages and messages[0].role == "system" and isinstance(messages[0].content, str):
        system = LLMMessage("system", f"{messages[0].content}\n\n{instruction}")
        return [system, *messages[1:]]
    return [LLMMessage("system", instruction), *messages]


def _schema_of(response_model: object) -> Schema:
    from ingather.schema import Schema

    return Schema.of(response_model)


def _estimate(messages: Sequence[LLMMessage]) -> Tokens:
    size = 0
    for message in messages:
        text = message.content
        if isinstance(text, str):
            size += len(text) if text.isascii() else len(text.encode())
    return Tokens(int(size / BYTES_PER_TOKEN) + 1)
