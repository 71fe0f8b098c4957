"""What all dialects have in common: one request an attempt, the key kept secret, every failure a typed error."""

from __future__ import annotations

from collections.abc import Mapping
from time import time
from typing import TYPE_CHECKING, NamedTuple, TypedDict
from urllib.parse import urlsplit

from ingather import exact_json
from ingather.errors import BadBody, ProviderError
from ingather.limits.headers import rate_limits
from ingather.providers.api_key import Secret
from ingather.providers.base import QuotaKey, Request
from ingather.providers.body import checked, estimate
from ingather.providers.classify import classify
from ingather.providers.cost import told_cost
from ingather.providers.dialect import Malformed
from ingather.providers.error_body import error_in, quotation
from ingather.providers.server_slots import PATIENCE, props_url, total_slots
from ingather.providers.several import choices_in, read_all
from ingather.providers.streamed import json_of
from ingather.redact import redact
from ingather.retry import BackoffStrategy, RetryConfig
from ingather.task import as_messages
from ingather.transport import Endpoint, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingather.limits import Limits
    from ingather.providers.advice import Advice
    from ingather.providers.dialect import Dialect
    from ingather.providers.own_headers import OwnHeaders
    from ingather.response import LLMResponse
    from ingather.task import LLMMessage
    from ingather.transport import Transport

TRANSIENT_FAULTS = RetryConfig(
    max_attempts=3,
    initial_delay=0.5,
    max_delay=20.0,
    backoff_strategy=BackoffStrategy.JITTER,
    jitter_range=0.25,
)
_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "User-Agent": "ingather",
}
# characters: shorter ones, such as "EMPTY", guard nothing and would be cut out of ordinary words
_TELLING_KEY = 8


class Options(TypedDict, total=False):
    """What a provider of any dialect takes; see `DialectProvider`."""

    api_key: str | None
    params: Mapping[str, object] | None
    limits: Limits | None
    retry: RetryConfig | None
    timeout: float
    transport: Transport | None
    name: str
    headers: OwnHeaders | None
    advice: Advice | None


class _Route(NamedTuple):
    """A model's: where its requests go, what of that decides the answer, and whose limits they draw on."""

    endpoint: Endpoint
    identity: bytes
    quota: QuotaKey


class DialectProvider:
    """Asks a server in `dialect`: one request an attempt, unpaced; pacing and retries are the executor's.

    `model`: overridden by ``config_overrides["model"]``. `base_url`: up to and without the
    dialect's path. `params`: parameters of every request, under those of the task. `timeout`:
    seconds for each attempt. `transport`: how to post, AiohttpTransport unless given. `name`: what
    errors and quotas call the provider, the dialect's unless given. `headers`: of every request,
    over those of the dialect. `advice`: what to do about failures.

    Raises `SetupError` for a key or a parameter that cannot be sent. Use `connect`, which also
    finds the key.
    """

    def __init__(
        self,
        dialect: Dialect,
        model: str,
        *,
        base_url: str,
        api_key: str | None = None,
        params: Mapping[str, object] | None = None,
        limits: Limits | None = None,
        retry: RetryConfig | None = TRANSIENT_FAULTS,
        timeout: float = 600.0,
        transport: Transport | None = None,
        name: str = "",
        headers: OwnHeaders | None = None,
        advice: Advice | None = None,
    ) -> None:
        self.model = model
        self.limits = limits
        self.retry = retry
        self.schema_mode = dialect.schema_mode
        self.schema_lengths = dialect.schema_lengths
        self.schema_words = dialect.schema_words
        self.schema_ceiling = dialect.schema_ceiling
        self.max_output = dialect.max_output
        self._dialect = dialect
        self._name = name or dialect.name
        self._key = Secret(api_key) if api_key else None
        self._headers = headers or None
        self._advice = advice
        self._account = self._fingerprint()
        self._base_url = base_url.rstrip("/")
        self._host = urlsplit(base_url).netloc
        self._defaults = checked({**(params or {}), "model": model})
        self._fields = self._translated(self._defaults)
        self._limit = dialect.output_limit(self._fields)
        self._routes: dict[str, _Route] = {}
        self._endpoints: dict[str, Endpoint] = {}
        self._endpoint = self._route(model).endpoint
        if transport is None:
            from ingather.transport import AiohttpTransport  # imports aiohttp: a third of a second

            transport = AiohttpTransport(timeout=timeout)
        self._transport = transport

    def prepare(
        self, messages: Sequence[LLMMessage], config_overrides: Mapping[str, object] | None = None
    ) -> Request:
        """The request as it will be sent: pure, no I/O.

        Raises `SetupError` for parameters that are not the request's to set, `BadRequest` for what
        is no JSON.
        """
        fields, model, limit = self._fields, self.model, self._limit
        if config_overrides:
            params = {**self._defaults, **checked(config_overrides)}
            fields, model = self._translated(params), str(params["model"])
            limit = self._dialect.output_limit(fields)
        route = self._routes.get(model) or self._route(model)
        body = self._dialect.encode(messages, fields)
        return Request(
            body, route.identity, route.quota, estimate(messages, limit), choices_in(fields)
        )

    async def send(self, request: Request) -> LLMResponse:
        """Exactly one attempt. Raises a `ProviderError`: see the tree in `ingather.errors`."""
        model = request.quota.model
        route = self._routes.get(model) or self._route(model)
        try:
            reply = await self._transport.post(route.endpoint, request.body)
            outcome = self._outcome(reply, model, request.choices)
        except ProviderError as error:
            outcome = error
        if isinstance(outcome, ProviderError):
            raise self._signed(outcome, model)
        return outcome

    async def complete(
        self,
        messages: str | Sequence[LLMMessage],
        config_overrides: Mapping[str, object] | None = None,
    ) -> LLMResponse:
        """Prepare and send: one attempt. A string is one user message."""
        return await self.send(self.prepare(as_messages(messages), config_overrides))

    async def count_served(self, model: str) -> int | None:
        """How many requests its server answers at once, where that is one's own and tells it; else None."""
        url = props_url(self._name, self._base_url, model)
        get = getattr(self._transport, "get", None)  # a transport of the user's own may do without
        if url is None or get is None:
            return None
        try:
            return total_slots(
                await get(Endpoint(url, {**self._sent_headers(), "Connection": "close"}), PATIENCE)
            )
        except ProviderError:
            return None

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        await self._transport.aclose()

    def _outcome(self, reply: Reply, model: str, choices: int) -> LLMResponse | ProviderError:
        """The answer, or the error that it is: not raised here, where a traceback would show what the server sent."""
        if not 200 <= reply.status < 300:
            return self._refusal(reply, model)
        try:
            data, reply = self._read(reply)
        except ValueError as error:
            return self._bad_body(reply, str(error), is_quoted=not isinstance(error, Malformed))
        problem, is_answer = error_in(data), bool(data.get(self._dialect.answer_field))
        if problem is not None and not is_answer:
            return self._refusal(reply, model)
        try:
            response, fault, why, found = read_all(self._dialect, data, choices)
        except Malformed as error:
            if problem is not None:
                return self._failure(reply, problem, model)
            # an error that does not call itself one
            refusal = None if is_answer else self._refusal(reply, model)
            if refusal is not None and type(refusal) is not BadBody:
                return refusal
            return self._bad_body(reply, str(error), is_quoted=not is_answer)
        response.request_id = reply.headers.get(self._dialect.request_id) or _string(
            response.metadata.get("id")
        )
        response.rate_limits = rate_limits(reply.headers)
        response.cost_usd = told_cost(data, reply.headers)
        response.body = reply.body
        problem = problem or found
        if problem is not None:
            failure = self._failure(reply, problem, model)
        elif fault is BadBody:
            failure = self._bad_body(reply, why)
        elif fault is not None:
            failure = fault(why[:500], status=reply.status, request_id=response.request_id)
        else:
            return response
        failure.response = response
        return failure

    def _read(self, reply: Reply) -> tuple[dict[str, object], Reply]:
        """What it says, and the same as whole JSON without a key in it. Raises ValueError."""
        data, body = json_of(reply.body, self._dialect.joined)
        for secret in self._secrets():
            body = body.replace(secret.encode(), b"***")
        return data, Reply(reply.status, reply.headers, body)

    def _failure(self, reply: Reply, problem: Mapping[str, object], model: str) -> ProviderError:
        """The error that an error object is which came with a 200, beside an answer or within it."""
        told = {**problem, "type": problem.get("type") or "server_error"}
        body = exact_json.dumps({"error": told}, default=str)
        headers = {name.lower(): value for name, value in reply.headers.items()} | _headers_in(
            problem
        )
        return self._refusal(Reply(reply.status, headers, body), model)

    def _refusal(self, reply: Reply, model: str) -> ProviderError:  # noqa: ARG002 - a dialect's quotas may be by model
        secrets = self._secrets()
        return classify(
            reply.status,
            reply.headers,
            reply.body,
            provider=self._host,
            secrets=secrets,
            now=time(),
        )

    def _bad_body(self, reply: Reply, why: str, *, is_quoted: bool = False) -> BadBody:
        head = redact(reply.body[:2000].decode("utf-8", "replace"), *self._secrets())
        said = quotation(head) if is_quoted else ""
        return BadBody(
            f"{reply.status} from {self._host}, but the answer is no {self._dialect.noun}: "
            f"{why}{said}",
            status=reply.status,
            request_id=reply.headers.get(self._dialect.request_id),
            body=head,
        )

    def _signed(self, error: ProviderError, model: str) -> ProviderError:
        """`error` with whom we asked, and without the key wherever the server may have echoed it."""
        secrets = self._secrets()
        error.provider = self._name
        error.model = model
        if self._advice is not None and (also := self._advice.on(error, model)):
            error.args = (f"{error}; {also}",)
        error.args = tuple(redact(str(part), *secrets) for part in error.args)
        error.code = error.code and redact(error.code, *secrets)
        error.request_id = error.request_id and redact(error.request_id, *secrets)
        return error

    def _translated(self, params: Mapping[str, object]) -> Mapping[str, object]:
        """The dialect's fields; a None takes a parameter out."""
        if None in params.values():
            params = {name: value for name, value in params.items() if value is not None}
        return self._dialect.fields(params)

    def _route(self, model: str) -> _Route:
        url = self._dialect.url(self._base_url, model)
        # one for all models that have a path in common: it has the connections
        endpoint = self._endpoints.get(url)
        if endpoint is None:
            endpoint = self._endpoints[url] = Endpoint(url, self._sent_headers())
        quota = QuotaKey(self._name, self._host, self._account, model)
        variant = self._headers.variant if self._headers is not None else ""
        identity = "\0".join(filter(None, (self._dialect.name, url, variant)))
        route = self._routes[model] = _Route(endpoint, identity.encode(), quota)
        return route

    def _sent_headers(self) -> dict[str, str]:
        key = self._key.reveal() if self._key is not None else ""
        ours = {**_HEADERS, **self._dialect.headers(key)}
        own = self._headers.reveal() if self._headers is not None else {}
        over = {name.lower() for name in own}
        return {**{name: value for name, value in ours.items() if name.lower() not in over}, **own}

    def _fingerprint(self) -> str:
        """Of the key, and of headers that say whose quota it is."""
        key = self._key.fingerprint if self._key is not None else ""
        account = self._headers.account if self._headers is not None else ""
        return Secret(f"{key}+{account.encode().hex()}").fingerprint if account else key

    def _secrets(self) -> tuple[str, ...]:
        key = (self._key.reveal(),) if self._key is not None else ()
        own = self._headers.secrets if self._headers is not None else ()
        return tuple(secret for secret in (*key, *own) if len(secret) >= _TELLING_KEY)

    def __repr__(self) -> str:
        key = f", key {self._key.fingerprint}" if self._key is not None else ""
        return f"{type(self).__name__}({self.model!r} at {self._host}{key})"


def _headers_in(problem: Mapping[str, object]) -> dict[str, str]:
    """The headers of whom a gateway asked, where it passes them on: they say how long to wait."""
    about = problem.get("metadata")
    told = about.get("headers") if isinstance(about, Mapping) else None
    return (
        {str(name).lower(): str(value) for name, value in told.items()}
        if isinstance(told, Mapping)
        else {}
    )


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None
