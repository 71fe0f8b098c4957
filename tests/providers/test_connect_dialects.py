"""Anthropic and Gemini by `connect`: which server, which key, and that no one else sees it."""

import json

import pytest

from ingather import LLMMessage, connect
from ingather.errors import ProviderError, SetupError
from ingather.providers.anthropic import AnthropicProvider
from ingather.providers.dialect_provider import DialectProvider
from ingather.providers.gemini import GeminiProvider
from tests.servers.raw import RawServer, answer

HI = [LLMMessage("user", "Hi")]
KEY = "canary.7f3a9c/do+not=tell"  # no form of key that a pattern knows
HEADER = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}
HOME = {"anthropic": "api.anthropic.com", "gemini": "generativelanguage.googleapis.com"}
DIALECTS = pytest.mark.parametrize("dialect", HOME)


def made(dialect, **options):
    provider = connect(f"{dialect}/m", **options)
    assert isinstance(provider, DialectProvider)
    return provider


def key_of(provider):
    return provider._endpoint.headers.get(HEADER[provider._name])


def host_of(provider):
    return provider.prepare(HI).quota.host


@pytest.mark.parametrize(
    ("dialect", "kind"), [("anthropic", AnthropicProvider), ("gemini", GeminiProvider)]
)
def test_dialect_has_its_provider(dialect, kind):
    provider = made(dialect, api_key=KEY)
    assert type(provider) is kind
    assert (host_of(provider), provider.prepare(HI).quota.provider) == (HOME[dialect], dialect)
    assert provider.retry is not None


@pytest.mark.parametrize(
    ("dialect", "variable"),
    [
        ("anthropic", "ANTHROPIC_API_KEY"),
        ("gemini", "GEMINI_API_KEY"),
        ("gemini", "GOOGLE_API_KEY"),
    ],
)
def test_key_of_the_environment_goes_home(monkeypatch, dialect, variable):
    monkeypatch.setenv(variable, KEY)
    assert key_of(made(dialect)) == KEY
    assert key_of(made(dialect, base_url="http://localhost:1")) is None
    with pytest.raises(SetupError, match="give api_key="):
        made(dialect, base_url="https://elsewhere.example")


def test_geminis_own_variable_goes_over_googles(monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "other-key-123")
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    assert key_of(made("gemini")) == KEY


@DIALECTS
def test_environment_names_the_host(monkeypatch, dialect):
    monkeypatch.setenv(f"{dialect.upper()}_API_KEY", KEY)
    monkeypatch.setenv(f"{dialect.upper()}_BASE_URL", "https://gateway.example/x")
    provider = made(dialect)
    assert (host_of(provider), key_of(provider)) == ("gateway.example", KEY)


@DIALECTS
def test_openais_key_is_not_theirs(monkeypatch, dialect):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(SetupError, match=f"set {dialect.upper()}_API_KEY"):
        made(dialect)


@pytest.mark.parametrize(
    ("dialect", "base_url"),
    [
        ("anthropic", "https://x.example/v1/messages"),
        ("gemini", "https://x.example/v1/models/m:generateContent"),
    ],
)
def test_base_url_ends_before_the_path(dialect, base_url):
    with pytest.raises(SetupError, match="base_url ends before"):
        made(dialect, base_url=base_url, api_key=KEY)


def test_schema_mode_is_chosen():
    assert made("anthropic", api_key=KEY).schema_mode == "native"
    assert made("anthropic", api_key=KEY, schema_mode="tool").schema_mode == "tool"
    with pytest.raises(SetupError, match="schema_mode"):
        made("gemini", api_key=KEY, schema_mode="tool")


def test_model_of_gemini_that_would_lead_elsewhere_is_refused():
    with pytest.raises(SetupError, match="no name of a Gemini model"):
        connect("gemini/../../x?key=1", api_key=KEY)


ECHO = json.dumps(
    {
        "error": {
            "message": f"your key is {KEY}",
            "type": KEY,
            "status": KEY,
            "details": [{"reason": KEY}],
        }
    }
)
FAULTS = {
    **{
        f"{status}": answer(ECHO, status, request_id=KEY, x_request_id=KEY)
        for status in (400, 401, 403, 429, 500)
    },
    "error in a 200": answer(ECHO),
    "no JSON": answer(f"your key is {KEY}"),
    "refused": answer(
        json.dumps({"content": [], "stop_reason": "refusal", "stop_details": {"explanation": KEY}})
    ),
    "blocked": answer(json.dumps({"promptFeedback": {"blockReason": KEY}})),
    "stopped": answer(json.dumps({"candidates": [{"finishReason": KEY}]})),
}


@DIALECTS
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_key_is_sent_in_its_header_and_told_to_nobody(dialect, fault):
    async with RawServer(fault) as server:
        provider = made(dialect, base_url=server.url, api_key=KEY)
        with pytest.raises(ProviderError) as caught:
            await provider.complete(HI)
        await provider.aclose()
    (request,) = server.requests
    assert request.headers[HEADER[dialect]] == KEY
    assert "authorization" not in request.headers
    assert KEY not in request.line + request.body.decode()
    error = caught.value
    # that is the answer itself
    told = {name: value for name, value in vars(error).items() if name != "response"}
    assert (
        KEY not in f"{error} {error!r} {told} {error.__cause__!r} {error.__context__!r} "
        f"{provider!r} {vars(provider)}"
    )
