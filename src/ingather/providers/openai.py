"""The OpenAI dialect: Chat Completions, as OpenAI and every server that is compatible with it speak it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson

from ingather.backoff import BackoffStrategy, RetryConfig
from ingather.errors import BadBody, ProviderError, redact
from ingather.limits.headers import rate_limits
from ingather.providers.base import QuotaKey, Request
from ingather.providers.classify import classify
from ingather.providers.openai_answer import Malformed, read
from ingather.providers.openai_body import checked, encode, estimate
from ingather.providers.secret import Secret
from ingather.transport import Endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingather.limits import Limits
    from ingather.result import LLMResponse
    from ingather.task import LLMMessage
    from ingather.transport import Reply, Transport

OPENAI_URL = "https://api.openai.com/v1"
TRANSIENT_FAULTS = RetryConfig(
    max_attempts=3, initial_delay=0.5, max_delay=20.0, backoff_strategy=BackoffStrategy.JITTER, jitter_range=0.25
)
_PATH = "/chat/completions"
_TELLING_KEY = 8  # characters: shorter ones, such as "EMPTY", guard nothing and would be cut out of ordinary words


class OpenAIProvider:
    """Asks a Chat Completions server: one request an attempt, unpaced; pacing and retries are the executor's.

    `model`: sent as it is, and overridden by ``config_overrides["model"]``. `base_url`: up to and without
    ``/chat/completions``. `params`: parameters of every request, under those of the task. `timeout`: seconds for each
    attempt. `transport`: how to post, AiohttpTransport unless given. `name`: what errors and quotas call the provider.

    Raises `SetupError` for a key or a parameter that cannot be sent. Use `connect`, which also finds the key.

    >>> OpenAIProvider("llama", base_url="http://localhost:8000/v1", api_key="sk-abcdefgh")
    OpenAIProvider('llama' at localhost:8000, key 2f2bc0d8)
    """

    schema_mode = "native"
    schema_ceiling = None
    max_output = None

    def __init__(
        self,
        model: str,
        *,
        base_url: str = OPENAI_URL,
        api_key: str | None = None,
        params: Mapping[str, object] | None = None,
        limits: Limits | None = None,
        retry: RetryConfig | None = TRANSIENT_FAULTS,
        timeout: float = 600.0,
        transport: Transport | None = None,
        name: str = "openai",
    ) -> None:
        self.model = model
        self.limits = limits
        self.retry = retry
        self._name = name
        self._key = Secret(api_key) if api_key else None
        self._host = urlsplit(base_url).netloc
        # other servers keep lengths by grammar; OpenAI's strict mode refuses them
        self.schema_lengths = urlsplit(base_url).netloc != urlsplit(OPENAI_URL).netloc
        self._is_openai = self._host == urlsplit(OPENAI_URL).netloc
        self._defaults = checked({**(params or {}), "model": model})
        self._params = self._named(self._defaults)
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "ingather"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key.reveal()}"
        self._endpoint = Endpoint(base_url.rstrip("/") + _PATH, headers)
        self._identity = f"openai\0{self._endpoint.url}".encode()
        self._quotas: dict[str, QuotaKey] = {}
        if transport is None:
            from ingather.transport import AiohttpTransport  # imports aiohttp: a third of a second

            transport = AiohttpTransport(timeout=timeout)
        self._transport = transport

    def prepare(self, messages: Sequence[LLMMessage], config_overrides: Mapping[str, object] | None = None) -> Request:
        """The request as it will be sent: pure, no I/O.

        Raises `SetupError` for parameters that are not the request's to set, `BadRequest` for what is no JSON.
        """
        params = self._params
        if config_overrides:
            params = self._named({**self._defaults, **checked(config_overrides)})
        model = str(params["model"])
        quota = self._quotas.get(model) or self._quota(model)
        return Request(encode(messages, params), self._identity, quota, estimate(messages, params))

    async def send(self, request: Request) -> LLMResponse:
        """Exactly one attempt. Raises a `ProviderError`: see the tree in `ingather.errors`."""
        try:
            outcome = self._outcome(await self._transport.post(self._endpoint, request.body))
        except ProviderError as error:
            outcome = error
        if isinstance(outcome, ProviderError):
            raise self._signed(outcome, request.quota.model)
        return outcome

    async def complete(
        self, messages: Sequence[LLMMessage], config_overrides: Mapping[str, object] | None = None
    ) -> LLMResponse:
        """Prepare and send: one attempt."""
        return await self.send(self.prepare(messages, config_overrides))

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        await self._transport.aclose()

    def _outcome(self, reply: Reply) -> LLMResponse | ProviderError:
        """The answer, or the error that it is: not raised here, where a traceback would show what the server sent."""
        if not 200 <= reply.status < 300:
            return self._refusal(reply)
        try:
            data = orjson.loads(reply.body)  # strict: no invalid UTF-8, no NaN, no bottomless nesting
            if not isinstance(data, dict):
                raise Malformed("it is no object")
            if data.get("error") and not data.get("choices"):
                return self._refusal(reply)
            response, fault, why = read(data)
        except ValueError as error:
            return self._bad_body(reply, str(error))
        response.request_id = reply.headers.get("x-request-id") or _string(response.metadata.get("id"))
        response.rate_limits = rate_limits(reply.headers)
        if fault is not None:
            return fault(why[:500], status=reply.status, request_id=response.request_id, response=response)
        return response

    def _refusal(self, reply: Reply) -> ProviderError:
        return classify(reply.status, reply.headers, reply.body, provider=self._name, secrets=self._secrets())

    def _bad_body(self, reply: Reply, why: str) -> BadBody:
        head = redact(reply.body[:2000].decode("utf-8", "replace"), *self._secrets())
        return BadBody(
            f"{reply.status} from {self._host}, but the answer is no chat completion: {why}",
            status=reply.status,
            request_id=reply.headers.get("x-request-id"),
            body=head,
        )

    def _signed(self, error: ProviderError, model: str) -> ProviderError:
        """`error` with whom we asked, and without the key wherever the server may have echoed it."""
        secrets = self._secrets()
        error.provider = self._name
        error.model = model
        error.args = tuple(redact(str(part), *secrets) for part in error.args)
        error.code = error.code and redact(error.code, *secrets)
        error.request_id = error.request_id and redact(error.request_id, *secrets)
        return error

    def _named(self, params: dict[str, object]) -> dict[str, object]:
        """A None takes a parameter out; OpenAI itself has renamed ``max_tokens``, which other servers know."""
        if None in params.values():
            params = {name: value for name, value in params.items() if value is not None}
        if self._is_openai and "max_tokens" in params:
            params = {"max_completion_tokens": params["max_tokens"], **params}
            del params["max_tokens"]
        return params

    def _quota(self, model: str) -> QuotaKey:
        fingerprint = self._key.fingerprint if self._key is not None else ""
        quota = self._quotas[model] = QuotaKey(self._name, self._host, fingerprint, model)
        return quota

    def _secrets(self) -> tuple[str, ...]:
        key = self._key.reveal() if self._key is not None else ""
        return (key,) if len(key) >= _TELLING_KEY else ()

    def __repr__(self) -> str:
        key = f", key {self._key.fingerprint}" if self._key is not None else ""
        return f"OpenAIProvider({self.model!r} at {self._host}{key})"


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None
