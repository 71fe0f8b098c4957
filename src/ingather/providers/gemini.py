"""The Gemini dialect: ``generateContent`` of Google's Gemini API."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Unpack

from ingather.errors import ProviderError, QuotaExhausted, RateLimited, SetupError
from ingather.providers.body import encoded
from ingather.providers.dialect_provider import DialectProvider, Options
from ingather.providers.error_body import Problem
from ingather.providers.gemini_answer import read
from ingather.providers.gemini_input import conversation, fields
from ingather.providers.streamed import unread
from ingather.schema.ceiling import CEILINGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingather.providers.streamed import Stream
    from ingather.response import LLMResponse
    from ingather.task import LLMMessage
    from ingather.transport import Reply

GEMINI_URL = "https://generativelanguage.googleapis.com"
_VERSION = re.compile(r"/v\d+(?:alpha|beta)?\d*$")
# it stands in the path, and must lead nowhere else
_MODEL = re.compile(r"(?:[A-Za-z]\w*/)?\w[\w.-]*", re.ASCII)


@dataclass(frozen=True)
class GenerateContent:
    """``POST /v1beta/models/MODEL:generateContent``; the key travels in a header, never in the URL.

    >>> GenerateContent().url("https://generativelanguage.googleapis.com", "gemini-3-flash")
    'https://generativelanguage.googleapis.com/v1beta/models/gemini-3-flash:generateContent'
    """

    name = "gemini"
    noun = "generated content"
    answer_field = "candidates"
    request_id = "x-request-id"
    schema_mode = "native"
    schema_lengths = False  # it ignores them; in a description the model reads them
    schema_words = False
    schema_ceiling = CEILINGS["gemini"]
    max_output = None

    def url(self, base_url: str, model: str) -> str:
        if not _MODEL.fullmatch(model):
            raise SetupError(
                f"{model!r:.80} is no name of a Gemini model: letters, digits, dots and dashes"
            )
        path = model if "/" in model else f"models/{model}"
        base = base_url if _VERSION.search(base_url) else f"{base_url}/v1beta"
        return f"{base}/{path}:generateContent"

    def headers(self, key: str) -> dict[str, str]:
        return {"x-goog-api-key": key} if key else {}

    def fields(self, params: Mapping[str, object]) -> Mapping[str, object]:
        return fields(params)

    def encode(self, messages: Sequence[LLMMessage], fields: Mapping[str, object]) -> bytes:
        """The body, the same bytes for the same request.

        >>> from ingather.task import LLMMessage
        >>> GenerateContent().encode([LLMMessage("user", "Hi")], {})
        b'{"contents":[{"parts":[{"text":"Hi"}],"role":"user"}]}'
        """
        return encoded({**fields, **conversation(messages)}, messages)

    def output_limit(self, fields: Mapping[str, object]) -> object:
        config = fields.get("generationConfig")
        return config.get("maxOutputTokens") if isinstance(config, dict) else None

    def joined(self, stream: Stream) -> dict[str, object]:
        return unread(stream)

    read = staticmethod(read)


@dataclass
class DailyQuotas:
    """Tells a day's quota that is used up from one that only names it.

    Google sends the quota of a day with a delay of seconds, and at times it is over by then: the
    wait is worth it once.

    >>> quotas = DailyQuotas()
    >>> [type(quotas.judged(RateLimited("", retry_after=36.0), "m", now)).__name__ for now in (0.0, 5.0, 36.5)]
    ['RateLimited', 'RateLimited', 'QuotaExhausted']
    """

    _waited: dict[str, float] = field(default_factory=dict)  # by model: when the wait is over

    def judged(self, error: RateLimited, model: str, now: float) -> RateLimited | QuotaExhausted:
        """`error` itself, or what it is once the delay that it asked for has been waited for. `now`: seconds."""
        if now < self._waited.setdefault(model, now + (error.retry_after or 0.0)):
            return error
        return QuotaExhausted(
            f"{error}; the quota of the day is used up: waiting as asked did not help",
            status=error.status,
            code=error.code,
            retry_after=error.retry_after,
            request_id=error.request_id,
            body=error.body,
        )

    def answered(self, model: str) -> None:
        """There was an answer: what was said of the day no longer holds."""
        self._waited.pop(model, None)


class GeminiProvider(DialectProvider):
    """Asks the Gemini API; see `DialectProvider` for what it takes.

    `base_url`: with or without a version such as ``/v1beta`` at its end.

    >>> GeminiProvider("gemini-3-flash", api_key="AIza-abcdefgh")
    GeminiProvider('gemini-3-flash' at generativelanguage.googleapis.com, key 1e9446c9)
    """

    def __init__(
        self, model: str, *, base_url: str = GEMINI_URL, **options: Unpack[Options]
    ) -> None:
        self._days = DailyQuotas()
        super().__init__(GenerateContent(), model, base_url=base_url, **options)

    def _outcome(self, reply: Reply, model: str, choices: int) -> LLMResponse | ProviderError:
        outcome = super()._outcome(reply, model, choices)
        if not isinstance(outcome, ProviderError):
            self._days.answered(model)
        return outcome

    def _refusal(self, reply: Reply, model: str) -> ProviderError:
        error = super()._refusal(reply, model)
        if (
            isinstance(error, RateLimited)
            and Problem.read(reply.body.decode("utf-8", "replace")).daily
        ):
            return self._days.judged(error, model, monotonic())
        return error
