"""What a provider answers to one request. Data only."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ingather import exact_json
from ingather.brief import brief, described

if TYPE_CHECKING:
    from collections.abc import Mapping


class Allowance(NamedTuple):
    """What is left of one resource. `reset_s`: seconds until it is full again. None: not said."""

    limit: float | None = None
    remaining: float | None = None
    reset_s: float | None = None


class RateLimits(NamedTuple):
    """A quota as an answer's headers tell it, by resource. None: nothing said."""

    requests: Allowance | None = None
    tokens: Allowance | None = None
    input_tokens: Allowance | None = None
    output_tokens: Allowance | None = None


@dataclass(slots=True)
class Usage:
    """Tokens that a provider counted.

    `input_tokens` holds the whole prompt, `cached_tokens` the part of it read from the provider's
    prompt cache; `output_tokens` the whole answer, `reasoning_tokens` the part of it spent on
    thinking. `cache_written_tokens`: the part of the prompt that was written to the cache, where
    that is billed; `cache_written_1h_tokens`: of these, what is kept for an hour.

    >>> from ingather import Usage
    >>> Usage(10, 5) + Usage(1, 2)
    Usage(input_tokens=11, output_tokens=7, cached_tokens=0, reasoning_tokens=0)
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_written_tokens: int = field(default=0, repr=False)
    cache_written_1h_tokens: int = field(default=0, repr=False)

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cache_written_tokens + other.cache_written_tokens,
            self.cache_written_1h_tokens + other.cache_written_1h_tokens,
        )


@dataclass(slots=True)
class LLMResponse:
    """A provider's answer to one request.

    `content`: the text. `finish_reason`: ``"stop"``, ``"length"``, … in the provider's words.
    `usage`: None where the provider does not say. `cost_usd`: None where the price is not known.
    `metadata`: what else the provider said. `request_id`: what the provider's support asks for.
    `rate_limits`: the quota as the provider's headers tell it. `logprobs`: those that were asked
    for, in the provider's form. `body`: the JSON of the whole answer, as it came (a stream: put
    together; damage: mended), kept in a store too; `raw` is what it says. ``str(response)`` is its
    text.

    >>> from ingather import LLMResponse
    >>> print(LLMResponse("Paris"))
    Paris
    """

    content: str
    model: str = ""
    finish_reason: str | None = "stop"
    usage: Usage | None = None
    function_call: Mapping[str, object] | None = None
    tool_calls: list[Mapping[str, object]] | None = None
    metadata: dict[str, object] = field(default_factory=dict)
    created_at: float = field(default_factory=time.time)
    cost_usd: float | None = None
    cumulative_cost_usd: float | None = None
    request_id: str | None = None
    rate_limits: RateLimits | None = None
    logprobs: object = None
    body: bytes | None = field(default=None, compare=False)

    @property
    def raw(self) -> Any:
        """The whole answer as the provider gave it, decoded anew each time; None where there is none.

        >>> from ingather import LLMResponse
        >>> LLMResponse("Paris", body=b'{"citations": ["https://example.org"]}').raw["citations"]
        ['https://example.org']
        """
        return None if self.body is None else exact_json.loads(self.body)

    @property
    def text(self) -> str:
        """The text of the answer; ``""`` where it has none, as where it calls tools."""
        return self.content if isinstance(self.content, str) else ""

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        hidden = (
            "content",
            "created_at",
            "rate_limits",
            "request_id",
            "metadata",
            "cumulative_cost_usd",
            "logprobs",
            "body",
        )
        return described(self, brief(self.content, 80), leave_out=hidden)
