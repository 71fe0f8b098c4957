"""What comes back: a provider's answer, and the result of a task. Data only."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ingather import exact_json
from ingather.brief import brief, cut, described

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.limits.headers import RateLimits
    from ingather.task import Task


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


@dataclass(slots=True)
class TaskResult:
    """What became of one task.

    `value`: the function's result; an instance of the task's response_model; or, without one, the
    `LLMResponse`. `error`: None exactly when `success`. `response`: the last answer, also where it
    was no success. `usage` and `cost_usd`: over all attempts, None where not known.

    Times in milliseconds: `queued_ms` until the task was first admitted, `duration_ms` from there
    to its end, `backoff_ms` the part of that spent sleeping between attempts. `attempts`: requests
    on the wire, `rejected` how many of them were 429s. `index`: the task's place in the input.

    Of an `ExtractTask`: `parts` has for each field that was asked for the result of the call that
    filled it, or of the last that failed to; `missing` names the fields that have no value of their
    own. A part's `origin` says how it came: ``"part"``, a call of its own; ``"retry"``, asked
    again; ``"single"``, the one prompt for what was missing (whose cost stands at each field that
    it filled); ``"code"``, a function; ``"cache"``. Elsewhere it is ``""``.

    `cached`: it was answered from the store, or by an identical call that was in flight. Nothing
    was paid for it then: `attempts` is 0, `usage` counts no tokens, `cost_usd` is 0.0, and what the
    answer once took stands in ``response.usage``. `unsaved`: it was bought, but could not be
    stored; the run ends with a `StoreError`.

    >>> from ingather import TaskResult
    >>> TaskResult("sum", True, 3).unwrap()
    3
    """

    tag: str
    success: bool
    value: Any = None  # whatever the task gives: only the caller knows its type
    error: Exception | None = None
    duration_ms: float = 0.0
    index: int = 0
    task: Task | None = None
    response: LLMResponse | None = None
    usage: Usage | None = None
    cost_usd: float | None = None
    attempts: int = 0
    rejected: int = 0
    queued_ms: float = 0.0
    backoff_ms: float = 0.0
    cached: bool = False
    parts: Mapping[str, TaskResult] | None = None
    missing: tuple[str, ...] = ()
    origin: str = ""
    unsaved: bool = False

    def unwrap(self) -> Any:
        """The value; raises the task's error where it failed."""
        if self.error is not None:
            raise self.error
        return self.value

    def __repr__(self) -> str:
        outcome = (
            f"value={brief(self.value, 80)}" if self.success else f"error={brief(self.error, 80)}"
        )
        tag = brief(self.tag, 40)
        return cut(
            f"TaskResult({tag}, {outcome}, {self.duration_ms:.1f} ms, attempts={self.attempts})"
        )
