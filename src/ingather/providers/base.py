"""What a provider is: any object with `complete`; ours have more.

What a provider may say of itself besides, by attributes or whole, stands in
`capabilities.Capabilities`; and it may have ``aclose()``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import isawaitable
from types import NoneType
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from ingather.brief import brief
from ingather.errors import NotAnAnswer
from ingather.response import LLMResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingather.limits import Limits
    from ingather.limits.tokens import Tokens
    from ingather.retry import RetryConfig
    from ingather.task import LLMMessage


IN_ONE_PIECE = b',"stream":false}'
"""The end of a body that says what is meant in any case: some servers stream unless they are told not to."""


class QuotaKey(NamedTuple):
    """Whose quota a request draws on. `key` is a fingerprint, never the key itself."""

    provider: str
    host: str
    key: str
    model: str


@dataclass(frozen=True, slots=True)
class Request:
    """One request, frozen: encoded once, sent as often as it takes.

    `body`: the bytes that go on the wire. `identity`: the bytes that, with the body, decide the
    answer (dialect, path, host). `quota`: whose limits it draws on. `estimate`: its tokens.
    `choices`: how many its answer has.
    """

    body: bytes
    identity: bytes
    quota: QuotaKey
    estimate: Tokens
    choices: int = 1

    @property
    def asked(self) -> bytes:
        """The body without what is meant in any case: by this a request is known again, in older stores as well."""
        return (
            self.body
            if not self.body.endswith(IN_ONE_PIECE)
            else self.body[: -len(IN_ONE_PIECE)] + b"}"
        )

    def __repr__(self) -> str:
        """Without the body, which may be long and says what was asked."""
        return f"Request({len(self.body):,} bytes, {self.quota.provider}, {self.quota.host}, {self.quota.model})"


@runtime_checkable
class Provider(Protocol):
    """All that is required of a provider.

    What it is given is a list and a dict, so its own parameters may be typed as those, or as
    anything wider.
    """

    async def complete(
        self, messages: list[LLMMessage], config_overrides: dict[str, object] | None = None
    ) -> LLMResponse:
        """Answer `messages`: one attempt, raising whatever went wrong."""
        ...


@runtime_checkable
class WireProvider(Provider, Protocol):
    """What our own dialects add, so that the engine can pace, remember and retry their requests."""

    def prepare(
        self, messages: Sequence[LLMMessage], config_overrides: Mapping[str, object] | None = None
    ) -> Request:
        """The request as it will be sent: pure, no I/O. Raises `SetupError` or `Rejected` for one that cannot be."""
        ...

    async def send(self, request: Request) -> LLMResponse:
        """Exactly one attempt. Raises a `ProviderError`."""
        ...


class ConnectedProvider(WireProvider, Protocol):
    """What `connect` gives: a provider that can also be asked by itself, adjusted, and closed.

    `retry`: the policy of tasks that bring none. `limits`: of its quota. `schema_mode`:
    ``"native"`` or ``"tool"``; None puts schemas into the prompt. `schema_words`: puts them there
    as well.
    """

    model: str
    retry: RetryConfig | None
    limits: Limits | None
    schema_mode: str | None
    schema_words: bool

    async def complete(
        self,
        messages: str | Sequence[LLMMessage],
        config_overrides: Mapping[str, object] | None = None,
    ) -> LLMResponse:
        """Answer `messages`, a string as one user message: one attempt, raising what went wrong."""
        ...

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        ...


_BARE_DATA = (str, bytes, bytearray, Mapping, list, tuple, int, float, NoneType)


async def complete(
    provider: Provider, messages: list[LLMMessage], overrides: dict[str, object] | None
) -> LLMResponse:
    """What `provider` answers: an `LLMResponse`, or an object of its own. Raises `NotAnAnswer` for bare data."""
    coming: object = provider.complete(messages, config_overrides=overrides)
    name = type(provider).__name__
    if not isawaitable(coming):
        raise NotAnAnswer(
            f"{name}.complete returned {_kind(coming)}, which cannot be awaited: write `async def "
            f"complete(…)`",
            coming,
        )
    answer: object = await coming
    if isinstance(answer, LLMResponse):
        return answer
    if not isinstance(answer, _BARE_DATA):
        return answer  # type: ignore[return-value]
    text = "text" if isinstance(answer, str) else "the text"
    raise NotAnAnswer(
        f"{name}.complete returned {_kind(answer)}, not an LLMResponse: write `return "
        f"LLMResponse({text})`",
        answer,
    )


def _kind(value: object) -> str:
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name.startswith(('a', 'e', 'i', 'o', 'LLM')) else 'a'} {name} ({brief(value, 60)})"
