"""The Anthropic dialect: the Messages API, as Anthropic and every server that is compatible with it speak it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Unpack
from urllib.parse import urlsplit

from ingather.errors import SetupError
from ingather.providers.anthropic_answer import read
from ingather.providers.anthropic_input import conversation, fields
from ingather.providers.body import encoded
from ingather.providers.dialect_provider import DialectProvider, Options
from ingather.providers.streamed import unread
from ingather.schema.ceiling import CEILINGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingather.providers.streamed import Stream
    from ingather.task import LLMMessage

ANTHROPIC_URL = "https://api.anthropic.com"
# all servers know it; the newer 2026-10-21 refuses temperature from models that have it
API_VERSION = "2023-06-01"
# the API wants a limit: all models take this one, and its quota is charged with it in advance
MAX_OUTPUT = 8192


def is_anthropic(base_url: str) -> bool:
    """Whether that is Anthropic's own host."""
    host = urlsplit(base_url).hostname or ""
    return host == "anthropic.com" or host.endswith(".anthropic.com")


@dataclass(frozen=True)
class Messages:
    """``POST /v1/messages``, at Anthropic's own host or another (`at_home`).

    `schema_mode`: how a schema travels, as ``output_config`` or as a tool.

    >>> Messages().url("https://api.anthropic.com", "claude-haiku-4-5")
    'https://api.anthropic.com/v1/messages'
    """

    schema_mode: Literal["native", "tool"] = "native"
    at_home: bool = True
    name = "anthropic"
    noun = "message"
    answer_field = "content"
    request_id = "request-id"
    schema_lengths = True  # what strict mode refuses is put into descriptions, and the rest kept
    schema_ceiling = CEILINGS["anthropic"]
    max_output = MAX_OUTPUT

    @property
    def schema_words(self) -> bool:
        # a tool's schema stands in the prompt anyway
        return not self.at_home and self.schema_mode == "native"

    def url(self, base_url: str, model: str) -> str:  # noqa: ARG002 - the model is in the body
        return f"{base_url.removesuffix('/v1')}/v1/messages"

    def headers(self, key: str) -> dict[str, str]:
        version = {"anthropic-version": API_VERSION}
        return {"x-api-key": key, **version} if key else version

    def fields(self, params: Mapping[str, object]) -> Mapping[str, object]:
        return fields(params, as_tool=self.schema_mode == "tool", max_tokens=self.max_output)

    def encode(self, messages: Sequence[LLMMessage], fields: Mapping[str, object]) -> bytes:
        """The body, the same bytes for the same request.

        >>> from ingather.task import LLMMessage
        >>> Messages().encode([LLMMessage("user", "Hi")], {"model": "m", "max_tokens": 9})
        b'{"max_tokens":9,"messages":[{"content":"Hi","role":"user"}],"model":"m"}'
        """
        return encoded({**fields, **conversation(messages)}, messages)

    def output_limit(self, fields: Mapping[str, object]) -> object:
        return fields.get("max_tokens")

    def joined(self, stream: Stream) -> dict[str, object]:
        return unread(stream)

    read = staticmethod(read)


class AnthropicProvider(DialectProvider):
    """Asks a Messages server; see `DialectProvider` for what it takes.

    `base_url`: with or without ``/v1`` at its end. `schema_mode`: ``"tool"`` sends a schema as a
    strict tool that must be called, for servers and models without ``output_config``; what strict
    mode refuses goes as a plain tool anyway.

    >>> AnthropicProvider("claude-haiku-4-5", api_key="sk-ant-abcdefgh")
    AnthropicProvider('claude-haiku-4-5' at api.anthropic.com, key effd2c5b)
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str = ANTHROPIC_URL,
        schema_mode: Literal["native", "tool"] = "native",
        **options: Unpack[Options],
    ) -> None:
        if schema_mode not in ("native", "tool"):
            raise SetupError(f'schema_mode is "native" or "tool", not {schema_mode!r}')
        super().__init__(
            Messages(schema_mode, is_anthropic(base_url)), model, base_url=base_url, **options
        )
