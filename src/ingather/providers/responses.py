"""The dialect of OpenAI's Responses API, which OpenAI recommends over Chat Completions; few other servers have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

from ingather.errors import EmptyAnswer, Truncated
from ingather.providers.body import encoded
from ingather.providers.dialect_provider import DialectProvider, Options
from ingather.providers.openai import OPENAI_URL, is_openai
from ingather.providers.responses_answer import ends_at, read
from ingather.providers.responses_body import items, translated
from ingather.providers.streamed import response
from ingather.schema.ceiling import CEILINGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingather.providers.base import Request
    from ingather.providers.dialect import Answer
    from ingather.providers.streamed import Stream
    from ingather.response import LLMResponse
    from ingather.task import LLMMessage


@dataclass(frozen=True)
class Responses:
    """``POST /responses``. `at_home`: at OpenAI's own host, whose strict mode refuses lengths in a schema.

    >>> Responses().url("https://api.openai.com/v1", "gpt")
    'https://api.openai.com/v1/responses'
    """

    at_home: bool = False
    name = "openai-responses"
    noun = "response"
    # an error is one whatever stands beside it: what was said until then, the usage
    answer_field = ""
    request_id = "x-request-id"
    schema_mode = "native"
    schema_ceiling = CEILINGS["openai"]
    max_output = None

    @property
    def schema_lengths(self) -> bool:
        return not self.at_home

    @property
    def schema_words(self) -> bool:
        # a server that makes a grammar of a schema shows its model nothing of it
        return not self.at_home

    def url(self, base_url: str, model: str) -> str:  # noqa: ARG002 - the model is in the body
        return f"{base_url}/responses"

    def headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"} if key else {}

    def fields(self, params: Mapping[str, object]) -> Mapping[str, object]:
        return translated(params)

    def encode(self, messages: Sequence[LLMMessage], fields: Mapping[str, object]) -> bytes:
        """The body, the same bytes for the same request.

        >>> from ingather.task import LLMMessage
        >>> Responses().encode([LLMMessage("user", "Hi")], {"model": "m"})
        b'{"input":[{"content":"Hi","role":"user","type":"message"}],"model":"m"}'
        """
        instructions, said = items(messages, instructed="instructions" in fields)
        brought = {} if instructions is None else {"instructions": instructions}
        return encoded({**fields, **brought, "input": said}, messages)

    def output_limit(self, fields: Mapping[str, object]) -> object:
        return fields.get("max_output_tokens")

    def joined(self, stream: Stream) -> dict[str, object]:
        return response(stream)

    def read(self, data: Mapping[str, object]) -> Answer:
        return read(data)


class ResponsesProvider(DialectProvider):
    """Asks a server for responses; see `DialectProvider` for what it takes. Answers are not stored there.

    Parameters have the names of Chat Completions or of the Responses API.

    >>> ResponsesProvider("gpt", api_key="sk-abcdefgh")
    ResponsesProvider('gpt' at api.openai.com, key 2f2bc0d8)
    """

    async def send(self, request: Request) -> LLMResponse:
        """Exactly one attempt; a server of one's own may call completed what ends at the limit: `Truncated` then."""
        try:
            response = await super().send(request)
        except EmptyAnswer as empty:  # its thinking may have taken all that there was
            if (
                self._at_home
                or empty.response is None
                or not ends_at(request.estimate.max_output, empty.response)
            ):
                raise
            response = empty.response
        if not self._at_home and ends_at(request.estimate.max_output, response):
            why = "the answer ends at the output limit, though the server calls it completed: raise max_tokens"
            raise self._signed(Truncated(why, status=200, response=response), request.quota.model)
        return response

    def __init__(
        self, model: str, *, base_url: str = OPENAI_URL, **options: Unpack[Options]
    ) -> None:
        self._at_home = is_openai(base_url)
        super().__init__(Responses(self._at_home), model, base_url=base_url, **options)
