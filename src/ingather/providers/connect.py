"""From a model's name to a provider that answers: which dialect, which server, which key."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, cast, overload
from urllib.parse import SplitResult, urlsplit

from ingather.errors import SetupError
from ingather.limits import Limits
from ingather.providers import plugins
from ingather.providers.advice import Advice
from ingather.providers.connect_options import check_names
from ingather.providers.dialect_provider import TRANSIENT_FAULTS
from ingather.providers.directory import HOMES
from ingather.providers.own_headers import OwnHeaders
from ingather.providers.presets import PRESETS
from ingather.providers.suggestions import FORMS, KNOWN, WITHOUT_SERVER, meant
from ingather.task import positive_seconds
from ingather.transport.hosts import is_loopback, is_near

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.providers.base import ConnectedProvider
    from ingather.providers.echo import EchoProvider
    from ingather.retry import RetryConfig
    from ingather.transport import Transport


_TIMEOUT = 600.0  # seconds


@overload
def connect(  # type: ignore[overload-overlap]  # it is the one without a request to prepare
    model: Literal["echo"], *, limits: Limits | None = None
) -> EchoProvider: ...
@overload
def connect(
    model: str,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    limits: Limits | None = None,
    timeout: float = _TIMEOUT,
    retry: RetryConfig | None = TRANSIENT_FAULTS,
    api: str | None = None,
    api_version: str | None = None,
    schema_mode: str | None = None,
    headers: Mapping[str, str] | None = None,
    ca: str | os.PathLike[str] | None = None,
    **params: object,
) -> ConnectedProvider: ...
def connect(
    model: str,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    limits: Limits | None = None,
    timeout: float = _TIMEOUT,
    retry: RetryConfig | None = TRANSIENT_FAULTS,
    api: str | None = None,
    api_version: str | None = None,
    schema_mode: str | None = None,
    headers: Mapping[str, str] | None = None,
    ca: str | os.PathLike[str] | None = None,
    **params: object,
) -> ConnectedProvider | EchoProvider:
    """A provider for `model`: whom to ask, a slash, the model's name; or ``"echo"``.

    The dialects are ``"openai/NAME"``, ``"anthropic/NAME"``, ``"gemini/NAME"``,
    ``"azure/DEPLOYMENT"`` and ``"ollama/NAME"``. Services and servers that are compatible with
    OpenAI's have presets, such as ``"groq/NAME"``, ``"openrouter/NAME"`` or ``"vllm/NAME"``:
    docs/dialects.md lists them. ``"offline/extractive"`` needs no server and no key: a baseline
    that copies from the prompt.

    With `base_url`, ``"openai/NAME"`` reaches every compatible server; without, that of
    ``OPENAI_BASE_URL`` or OpenAI's own. It speaks the Responses API to OpenAI's own host and Chat
    Completions to any other; `api` chooses, ``"responses"`` or ``"chat"``. Azure's resource is
    `base_url` or ``AZURE_OPENAI_ENDPOINT``, and `api_version` is 2024-10-21 unless given or in
    ``OPENAI_API_VERSION``; a base_url that ends with ``/openai/v1`` needs none. Ollama is at port
    11434 of this machine, or where ``OLLAMA_BASE_URL`` or ``OLLAMA_HOST`` say. `schema_mode`
    ``"tool"`` has ``"anthropic/NAME"`` send schemas as tools, for servers without
    ``output_config``.

    A provider of another distribution that is installed (a plug-in) is found by its name, as in
    ``"acme/NAME"``; it is given the arguments that are given here, and says what it takes.

    A key of the environment, ``OPENAI_API_KEY``, ``ANTHROPIC_API_KEY``, ``GEMINI_API_KEY`` (or
    ``GOOGLE_API_KEY``) and their like, goes only to the provider's own host and that of its
    variable; any other host needs `api_key`, or none if it is this machine; ``api_key=""`` sends
    none. A key goes unencrypted only to this machine or the local network.

    `headers`: of every request, as secret as a key; one that carries a key (``Authorization``)
    stands in place of `api_key`. `ca`: a file of certificates in PEM, or a folder of such files, to
    be trusted besides the usual ones (or those of ``SSL_CERT_FILE``); certificates are always
    checked.

    `limits`: caps on the quota. `timeout`: seconds for each attempt. `retry`: for tasks that bring
    none, three attempts on transient faults unless given; None is one attempt. `params`: parameters
    of every request; a name that is likely a slip of a known one is sent with a warning.

    Raises `SetupError` that says what to do.

    >>> from ingather import connect
    >>> connect("openai/llama-3", base_url="http://localhost:8000/v1", temperature=0)
    OpenAIProvider('llama-3' at localhost:8000)
    """
    if not isinstance(model, str):
        raise SetupError(
            f'the model is text such as "openai/gpt-5-mini", not {type(model).__name__}'
        )
    dialect, _, name = model.strip().partition("/")
    plugged = _plugged(
        dialect, name, params, base_url=base_url, api_key=api_key, limits=limits, timeout=timeout,
        retry=retry, api=api, api_version=api_version, schema_mode=schema_mode, headers=headers, ca=ca,
    )  # fmt: skip
    if plugged is not None:
        return plugged
    _check_dialect(model, dialect, name)
    check_names(params)
    own = _own_options(dialect, api=api, api_version=api_version, schema_mode=schema_mode)
    if dialect in WITHOUT_SERVER:
        has_server = bool(base_url or api_key or headers or ca)
        return _without_server(dialect, name, params, limits, given=has_server)
    url = _checked_url(dialect, base_url or _url_of_environment(dialect) or HOMES[dialect].url)
    sent = OwnHeaders(headers)
    key = _key(dialect, url, api_key, sent)
    seconds = _seconds(timeout)
    is_sent = bool(key) or _authorizes(dialect, sent)
    return HOMES[dialect].made(
        name,
        base_url=url.geturl(),
        api_key=key,
        params=params,
        limits=limits,
        retry=retry,
        timeout=seconds,
        name=dialect,
        headers=sent,
        advice=_advice(dialect, url, is_sent=is_sent, is_wanted=api_key != ""),
        transport=None if ca is None else _trusting(ca, url, seconds),
        **own,
    )


def _plugged(
    dialect: str, name: str, params: Mapping[str, object], **options: object
) -> ConnectedProvider | None:
    """What a plug-in makes of it, which never stands in for one of ours."""
    if dialect in KNOWN:
        return None
    made = plugins.provider_of(dialect, name, {**spoken(**options), **params})
    return cast("ConnectedProvider | None", made)


def spoken(**options: object) -> dict[str, object]:
    """Those arguments of `connect` that say something, for a factory that has defaults of its own.

    >>> spoken(base_url=None, timeout=5.0, limits=Limits(), retry=None)
    {'timeout': 5.0, 'retry': None}
    """
    silent = {"timeout": _TIMEOUT, "retry": TRANSIENT_FAULTS, "limits": Limits(), "headers": {}}
    return {
        name: value
        for name, value in options.items()
        if (value is not None or name == "retry") and value != silent.get(name)
    }


def _own_options(dialect: str, **options: str | None) -> dict[str, str]:
    """Those that are given; SetupError where the dialect has no such choice."""
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if dialect not in HOMES or name not in HOMES[dialect].takes:
            whose = next(other for other, home in HOMES.items() if name in home.takes)
            raise SetupError(
                f"{name}= is for {whose}/NAME: {dialect!r} has no such choice, leave it out"
            )
    return given


def _url_of_environment(dialect: str) -> str | None:
    return next(filter(None, map(os.environ.get, _urls(dialect))), None)


def _urls(dialect: str) -> tuple[str, ...]:
    return HOMES[dialect].urls or (f"{dialect.upper()}_BASE_URL",)


def _check_dialect(model: str, dialect: str, name: str) -> None:
    if dialect == "echo" and name:
        raise SetupError(f'{model!r}: write "echo", which has no models')
    if dialect in WITHOUT_SERVER or (dialect in HOMES and name):
        return
    if dialect in HOMES:
        raise SetupError(f"{model!r} names no model: write {dialect + '/NAME'!r}")
    others = "".join(f", {each}/NAME" for each in plugins.installed())
    also = f"; plug-ins here: {others[2:]}" if others else ""
    raise SetupError(
        f"{model!r} names no provider. {meant(model)} A model is written {FORMS}{also}"
    )


def _seconds(timeout: float) -> float:
    try:
        return positive_seconds("timeout", timeout) or _TIMEOUT
    except (TypeError, ValueError):
        raise SetupError(f"timeout is a positive number of seconds, not {timeout!r}") from None


def _checked_url(dialect: str, text: str) -> SplitResult:
    home = HOMES[dialect]
    text = home.completed(text.strip())
    example = home.example or home.url
    if not text:
        raise SetupError(
            f"no base_url: give base_url=, as in {example}, or set {' or '.join(_urls(dialect))}"
        )
    try:
        url = urlsplit(text.rstrip("/"))
        host, _ = url.hostname, url.port
    except ValueError:
        raise SetupError(f"base_url is not a URL, as {example} is one") from None
    if url.username is not None or url.password is not None:
        raise SetupError(
            "base_url holds a user or password, which would end up in logs: use api_key="
        )
    if (
        url.scheme not in ("http", "https")
        or not host
        or not text.isascii()
        or not text.isprintable()
        or " " in text
    ):
        raise SetupError(
            f"base_url starts with http:// or https:// and a host, as in {example}: not {text!r}"
        )
    if url.query or url.fragment:
        raise SetupError(f"base_url has no ? or #: {text!r}")
    if url.path.endswith(home.path):
        raise SetupError(f"base_url ends before {home.path}, which is added to it: {text!r}")
    return url


def _key(dialect: str, url: SplitResult, given: str | None, headers: OwnHeaders) -> str | None:
    if given and (name := headers.named(HOMES[dialect].key_header)):
        raise SetupError(f"api_key= and the header {name} are both a key: give one of them")
    key = given
    # a header that is given goes over the environment
    if given is None and not _authorizes(dialect, headers):
        key = _key_of_environment(dialect, url)
    host = url.hostname or ""
    if (key or headers.is_secret) and url.scheme == "http" and not is_near(host):
        raise SetupError(f"the key would go to {host} unencrypted: write https:// in base_url")
    return key


def _authorizes(dialect: str, headers: OwnHeaders) -> bool:
    """Whether they carry a key in place of ours; one for a gateway on the way there does not."""
    return bool(headers.named(HOMES[dialect].key_header, "authorization"))


def _hosts(dialect: str) -> list[str]:
    """Where a key of the environment may go."""
    home, named = HOMES[dialect], _url_of_environment(dialect)
    return [urlsplit(each).netloc for each in (home.url, home.completed(named) if named else "")]


def _key_of_environment(dialect: str, url: SplitResult) -> str | None:
    home, hosts = HOMES[dialect], _hosts(dialect)
    key = next(filter(None, map(os.environ.get, home.keys)), None)
    if key and url.netloc in hosts:
        return key
    if not home.needs_key or is_loopback(url.hostname or ""):
        return None
    variables = " or ".join(home.keys)
    if url.netloc in hosts:
        raise SetupError(f"no key for {url.netloc}: set {variables}, or give api_key=")
    raise SetupError(
        f'no key for {url.netloc}: give api_key= (or api_key="" if it needs none). {variables} '
        f"goes only to "
        f"{' and '.join(filter(None, hosts)) or f'the host of {_urls(dialect)[0]}'}{_preset_there(url)}"
    )


def _preset_there(url: SplitResult) -> str:
    for name, preset in PRESETS.items():
        if urlsplit(preset.url).netloc == url.netloc:
            return f"; {name}/NAME goes there with {preset.keys[0]}"
    return ""


def _advice(dialect: str, url: SplitResult, *, is_sent: bool, is_wanted: bool) -> Advice:
    """What it needs to know of a key of the environment that does not go to `url`, unless none was wanted."""
    hosts = list(filter(None, _hosts(dialect)))
    unsent = next((name for name in HOMES[dialect].keys if os.environ.get(name)), "")
    if not is_wanted or url.netloc in hosts:
        unsent = ""
    home = " and ".join(hosts) or f"the host of {_urls(dialect)[0]}"
    return Advice(dialect, url.geturl(), is_sent, unsent, home)


def _trusting(ca: str | os.PathLike[str], url: SplitResult, timeout: float) -> Transport:
    from ingather.transport import AiohttpTransport
    from ingather.transport.certificates import trusting

    if url.scheme != "https":
        raise SetupError(f"ca= is for https://, and base_url is {url.geturl()}: leave it out")
    return AiohttpTransport(timeout=timeout, tls=trusting(ca))


def _without_server(
    dialect: str, name: str, params: dict[str, object], limits: Limits | None, *, given: bool
) -> ConnectedProvider | EchoProvider:
    if given:
        raise SetupError(
            f'"{dialect}" has no server: leave out base_url=, api_key=, headers= and ca='
        )
    if dialect == "echo":
        from ingather.providers.echo import EchoProvider

        return EchoProvider(limits=limits)
    from ingather.providers.extractive import ExtractiveProvider

    return ExtractiveProvider(name, params=params, limits=limits)
