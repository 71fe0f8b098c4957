"""Services that speak OpenAI's Chat Completions: what they take of a schema is less than a server of one's own does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

from ingather.providers.dialect_provider import DialectProvider, Options
from ingather.providers.openai import ChatCompletions


@dataclass(frozen=True)
class ServiceChatCompletions(ChatCompletions):
    """``POST /chat/completions`` of a service. `takes_schemas`: it keeps to a JSON schema in ``response_format``.

    >>> ServiceChatCompletions(takes_schemas=False).schema_mode is None
    True
    """

    takes_schemas: bool = True

    @property
    def schema_mode(self) -> str | None:  # type: ignore[override]
        return "native" if self.takes_schemas else None

    @property
    def schema_lengths(self) -> bool:
        # some refuse them, some ignore them: in the descriptions, all models read them
        return False


class ServiceProvider(DialectProvider):
    """Asks a service; see `DialectProvider` for what else it takes.

    >>> ServiceProvider("llama", base_url="https://api.groq.com/openai/v1", api_key="sk-abcdefgh")
    ServiceProvider('llama' at api.groq.com, key 2f2bc0d8)
    """

    def __init__(
        self, model: str, *, base_url: str, takes_schemas: bool = True, **options: Unpack[Options]
    ) -> None:
        super().__init__(
            ServiceChatCompletions(takes_schemas=takes_schemas), model, base_url=base_url, **options
        )
