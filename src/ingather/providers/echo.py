"""A provider without a model: it answers from a script, or repeats the prompt. For tests and examples."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ingather.brief import described
from ingather.errors import IngatherError
from ingather.providers.several import choices_in, refuse_several
from ingather.response import LLMResponse, Usage
from ingather.task import as_messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ingather.limits import Limits
    from ingather.retry import RetryConfig
    from ingather.task import LLMMessage


class ResponseQueueExhaustedError(IngatherError):
    """A strict `EchoProvider` was called once more than it has responses."""


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """A scripted failure: the call raises `exception`.

    >>> from ingather import EchoProvider
    >>> from ingather.testing import ErrorResponse
    >>> EchoProvider().set_responses([ErrorResponse(RuntimeError("down"))])
    EchoProvider(0 calls, 1 scripted)
    """

    exception: Exception


@dataclass(slots=True)
class EchoCall:
    """One call that an `EchoProvider` had; `response` is None where it failed with `exception`.

    Also to be read as a mapping: ``call["messages"]``.
    """

    messages: list[LLMMessage]
    config_overrides: Mapping[str, object] | None
    response: LLMResponse | None = None
    exception: BaseException | None = None

    def __repr__(self) -> str:
        return described(self)

    @property
    def error(self) -> bool:
        """Whether it failed."""
        return self.exception is not None

    def __getitem__(self, name: str) -> object:
        if name not in {"messages", "config_overrides", "response", "exception", "error"}:
            raise KeyError(name)
        return getattr(self, name)


Scripted = str | LLMResponse | ErrorResponse


def text_response(
    content: str, *, model: str = "echo-model", finish_reason: str = "stop"
) -> LLMResponse:
    """An answer with this text.

    >>> from ingather.testing import text_response
    >>> text_response("Paris").content
    'Paris'
    """
    return LLMResponse(
        content,
        model=model,
        finish_reason=finish_reason,
        usage=Usage(1, _tokens(content)),
        cost_usd=0.0,
    )


class EchoProvider:
    """Answers from a script, or with the prompt.

    In this order: the response function, the first pattern that matches, the queue of responses,
    and at last ``"Echo: "`` and the last user message.

    `config`: a mapping; known keys (also under ``"options"``): ``model``, ``echo_prefix``,
    ``cycle_responses``, ``mock_tokens``, ``stream_delay``, ``strict``. `responses`: strings,
    `LLMResponse` or `ErrorResponse`. `response_fn(messages)` gives one of these. `strict`: an
    exhausted queue raises `ResponseQueueExhaustedError` instead of echoing. `prompt_builder` and
    `strict_tools` are accepted and not used.

    >>> from ingather import EchoProvider
    >>> provider = EchoProvider(responses=["one", "two"])
    >>> provider.call_count
    0
    """

    retry: RetryConfig | None = None
    is_free = True
    schema_mode: str | None = None
    schema_words = False

    def __init__(
        self,
        config: Mapping[str, object] | None = None,
        prompt_builder: object = None,  # noqa: ARG002 - a seed's argument
        responses: Iterable[Scripted] | None = None,
        response_fn: Callable[[Sequence[LLMMessage]], Scripted] | None = None,
        *,
        strict_tools: bool = True,  # noqa: ARG002 - a seed's argument
        strict: bool = False,
        limits: Limits | None = None,
    ) -> None:
        settings: dict[str, Any] = dict(config or {})
        settings |= settings.get("options") or {}
        self.model = str(settings.get("model") or "echo-model")
        self.echo_prefix = str(settings.get("echo_prefix", "Echo: "))
        self.cycle = bool(settings.get("cycle_responses", False))
        self.strict = strict or bool(settings.get("strict", False))
        self.limits = limits
        self.calls: list[EchoCall] = []
        self._mock_tokens = bool(settings.get("mock_tokens", True))
        self._delay = float(settings.get("stream_delay", 0.0))
        self._responses: deque[Scripted] = deque(responses or ())
        self._patterns: list[tuple[re.Pattern[str], Scripted]] = []
        self._response_fn = response_fn

    async def complete(
        self,
        messages: str | Sequence[LLMMessage],
        config_overrides: Mapping[str, object] | None = None,
    ) -> LLMResponse:
        """The scripted answer; a scripted failure is raised, and stays in the history all the same."""
        if config_overrides and choices_in(config_overrides) > 1:
            refuse_several(config_overrides, "echo")
        call = EchoCall(as_messages(messages), config_overrides)
        self.calls.append(call)
        try:
            # before the sleep, so that calls take the queue in their order
            scripted = self._scripted(call.messages)
            await asyncio.sleep(self._delay)
            response = call.response = self._answer(scripted, call)
        except BaseException as error:
            call.exception = error
            raise
        return response

    async def aclose(self) -> None:
        """Nothing to close."""

    def add_response(self, response: Scripted) -> Self:
        """Append one response to the queue."""
        self._responses.append(response)
        return self

    def set_responses(self, responses: Iterable[Scripted], *, cycle: bool | None = None) -> Self:
        """Replace the queue; with `cycle` it starts again at its end."""
        self._responses = deque(responses)
        if cycle is not None:
            self.cycle = cycle
        return self

    def set_response_function(
        self, response_fn: Callable[[Sequence[LLMMessage]], Scripted]
    ) -> Self:
        """Ask `response_fn(messages)` first."""
        self._response_fn = response_fn
        return self

    def add_pattern_response(self, pattern: str, response: Scripted) -> Self:
        """Give `response` where the regular expression is found in the user's messages, upper and lower case alike."""
        self._patterns.append((re.compile(pattern, re.IGNORECASE), response))
        return self

    def set_response_delay(self, seconds: float) -> Self:
        """Sleep this long in each call."""
        self._delay = seconds
        return self

    def clear_responses(self) -> Self:
        """Forget queue, patterns and function."""
        self._responses.clear()
        self._patterns.clear()
        self._response_fn = None
        return self

    def clear_history(self) -> Self:
        """Forget the calls so far."""
        self.calls.clear()
        return self

    def reset(self) -> Self:
        """Forget everything."""
        return self.clear_responses().clear_history()

    @property
    def call_count(self) -> int:
        """How many calls there were, failed ones included."""
        return len(self.calls)

    def get_call(self, index: int) -> EchoCall:
        """One call: its messages, overrides, and response or error. Raises IndexError where there was none."""
        return self.calls[index]

    def get_last_call(self) -> EchoCall | None:
        """The call that began last, None before the first."""
        return self.calls[-1] if self.calls else None

    def get_last_user_message(self) -> str | None:
        """The text of the last user message of the last call."""
        texts = _user_texts(self.calls[-1].messages) if self.calls else []
        return texts[-1] if texts else None

    def _answer(self, scripted: Scripted, call: EchoCall) -> LLMResponse:
        if isinstance(scripted, ErrorResponse):
            raise scripted.exception
        if isinstance(scripted, LLMResponse):
            return scripted
        prompt = sum(
            _tokens(message.content)
            for message in call.messages
            if isinstance(message.content, str)
        )
        usage = Usage(prompt, _tokens(scripted)) if self._mock_tokens else None
        model = str((call.config_overrides or {}).get("model") or self.model)
        return LLMResponse(scripted, model, usage=usage, cost_usd=0.0)

    def _scripted(self, messages: Sequence[LLMMessage]) -> Scripted:
        if self._response_fn is not None:
            return self._response_fn(messages)
        texts = _user_texts(messages)
        for pattern, response in self._patterns:
            if pattern.search(" ".join(texts)):
                return response
        if self._responses:
            response = self._responses.popleft()
            if self.cycle:
                self._responses.append(response)
            return response
        if self.strict:
            raise ResponseQueueExhaustedError(
                f"the scripted responses are exhausted after {len(self.calls)} call(s)"
            )
        return self.echo_prefix + (texts[-1] if texts else "(no user message)")

    def __repr__(self) -> str:
        return f"EchoProvider({len(self.calls)} calls, {len(self._responses)} scripted)"


def _user_texts(messages: Sequence[LLMMessage]) -> list[str]:
    return [
        message.content
        for message in messages
        if message.role == "user" and isinstance(message.content, str)
    ]


def _tokens(text: str) -> int:
    return max(1, len(text) // 4)
