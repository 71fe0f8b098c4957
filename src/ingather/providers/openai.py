"""The OpenAI dialect: Chat Completions, as OpenAI and every server that is compatible with it speak it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack
from urllib.parse import urlsplit

from ingather.providers.base import IN_ONE_PIECE
from ingather.providers.body import encoded
from ingather.providers.dialect_provider import DialectProvider, Options
from ingather.providers.openai_answer import read
from ingather.providers.openai_body import on_wire
from ingather.providers.streamed import chat_completion
from ingather.schema.ceiling import CEILINGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingather.schema.ceiling import Ceiling
    from ingather.task import LLMMessage

OPENAI_URL = "https://api.openai.com/v1"
_HOST = "api.openai.com"


def is_openai(base_url: str) -> bool:
    """Whether that is OpenAI's own host, or one of its regions.

    >>> is_openai("https://eu.api.openai.com/v1"), is_openai("https://openai.example/v1")
    (True, False)
    """
    host = urlsplit(base_url).netloc
    return host == _HOST or host.endswith(f".{_HOST}")


@dataclass(frozen=True)
class ChatCompletions:
    """``POST /chat/completions``. `at_home`: at OpenAI's own host, which knows ``max_tokens`` by another name only.

    >>> ChatCompletions().url("http://localhost:8000/v1", "llama")
    'http://localhost:8000/v1/chat/completions'
    """

    at_home: bool = False
    name = "openai"
    noun = "chat completion"
    answer_field = "choices"
    request_id = "x-request-id"
    schema_mode = "native"
    max_output = None

    @property
    def schema_lengths(self) -> bool:
        # other servers keep lengths by grammar; OpenAI's strict mode refuses them
        return not self.at_home

    @property
    def schema_words(self) -> bool:
        # a server that makes a grammar of a schema shows its model nothing of it
        return not self.at_home

    @property
    def schema_ceiling(self) -> Ceiling | None:
        return CEILINGS["openai"] if self.at_home else None

    def url(self, base_url: str, model: str) -> str:  # noqa: ARG002 - the model is in the body
        return f"{base_url}/chat/completions"

    def headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"} if key else {}

    def fields(self, params: Mapping[str, object]) -> Mapping[str, object]:
        if self.at_home and "max_tokens" in params:
            rest = {name: value for name, value in params.items() if name != "max_tokens"}
            return {"max_completion_tokens": params["max_tokens"], **rest}
        return params

    def encode(self, messages: Sequence[LLMMessage], fields: Mapping[str, object]) -> bytes:
        """The body, the same bytes for the same request.

        >>> from ingather.task import LLMMessage
        >>> ChatCompletions().encode([LLMMessage("user", "Hi")], {"model": "m"})
        b'{"messages":[{"content":"Hi","role":"user"}],"model":"m","stream":false}'
        """
        body = encoded({**fields, "messages": [on_wire(message) for message in messages]}, messages)
        return body[:-1] + IN_ONE_PIECE

    def output_limit(self, fields: Mapping[str, object]) -> object:
        # which counts, servers do not agree on
        given = (fields.get("max_completion_tokens"), fields.get("max_tokens"))
        return max((cap for cap in given if isinstance(cap, int)), default=None)

    joined = staticmethod(chat_completion)
    read = staticmethod(read)


class OpenAIProvider(DialectProvider):
    """Asks a Chat Completions server; see `DialectProvider` for what it takes.

    >>> OpenAIProvider("llama", base_url="http://localhost:8000/v1", api_key="sk-abcdefgh")
    OpenAIProvider('llama' at localhost:8000, key 2f2bc0d8)
    """

    def __init__(
        self, model: str, *, base_url: str = OPENAI_URL, **options: Unpack[Options]
    ) -> None:
        super().__init__(ChatCompletions(is_openai(base_url)), model, base_url=base_url, **options)
