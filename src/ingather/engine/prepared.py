"""A request, ready to be sent as often as it takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from ingather.providers.base import complete

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ingather.admission.permit import Queue
    from ingather.engine.shared_text import SharedText
    from ingather.limits.tokens import Tokens
    from ingather.money.budget import Spend
    from ingather.money.pricing import Price
    from ingather.providers.base import Provider, Request, WireProvider
    from ingather.response import LLMResponse
    from ingather.task import LLMMessage


@dataclass(slots=True)
class PreparedRequest:
    """A request, encoded once, to be sent as often as it takes.

    `queue`: where it waits. `request`: of our dialects; else `messages` and `params` for a bare
    provider. `price`: of its tokens, where it is known. `worst`: the most that it may cost, where
    there is a budget. `text`: what it has in common with other requests of an extraction.
    """

    queue: Queue
    estimate: Tokens
    provider: Provider
    request: Request | None = None
    messages: list[LLMMessage] = field(default_factory=list)
    params: dict[str, object] | None = None
    price: Price | None = None
    worst: Spend | None = None
    text: SharedText | None = None

    def send(self) -> Awaitable[LLMResponse]:
        """Send it once."""
        if self.request is not None:
            return cast("WireProvider", self.provider).send(self.request)
        return complete(self.provider, self.messages, self.params)
