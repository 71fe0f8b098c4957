"""Presets: where each well-known server is, which key goes there, and how it is asked."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ingather import LLMMessage, connect
from ingather.admission.quotas import process_quotas
from ingather.errors import SetupError
from ingather.money.pricing import _HOMES as PRICED
from ingather.money.pricing import price_of
from ingather.providers.dialect_provider import DialectProvider
from ingather.providers.directory import HOMES
from ingather.providers.presets import DIALECTS, OWN_SERVERS, PRESETS, SERVICES
from ingather.providers.responses import ResponsesProvider

KEY = "given-by-the-environment-1"
HI = [LLMMessage("user", "Hi")]


def made(model, **options):
    provider = connect(model, **options)
    assert isinstance(provider, DialectProvider)
    return provider


def sent_to(provider):
    return provider._endpoint.url, provider._endpoint.headers.get("Authorization")


def test_well_known_servers_have_presets():
    named = (
        "openrouter",
        "groq",
        "mistral",
        "deepseek",
        "together",
        "fireworks",
        "xai",
        "cerebras",
    )
    own = ("lmstudio", "vllm", "sglang", "llamacpp")
    assert {*named, *own} <= set(PRESETS)
    assert set(HOMES) == {*DIALECTS, *PRESETS}


@pytest.mark.parametrize("name", SERVICES)
def test_key_of_a_service_goes_to_its_own_host(name, monkeypatch):
    preset = PRESETS[name]
    with pytest.raises(SetupError, match=f"set {preset.keys[0]}"):
        connect(f"{name}/m")
    monkeypatch.setenv(preset.keys[0], KEY)
    url, authorization = sent_to(made(f"{name}/m"))
    assert url == f"{preset.url}/chat/completions"
    assert url.startswith("https://")
    assert authorization == f"Bearer {KEY}"


@pytest.mark.parametrize("name", SERVICES)
def test_key_of_a_service_goes_nowhere_else(name, monkeypatch):
    monkeypatch.setenv(PRESETS[name].keys[0], KEY)
    with pytest.raises(SetupError, match="goes only to"):
        connect(f"{name}/m", base_url="https://elsewhere.example/v1")
    assert sent_to(made(f"{name}/m", base_url="http://127.0.0.1:9/v1"))[1] is None


def test_openais_key_goes_to_no_service(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(SetupError, match="set GROQ_API_KEY"):
        connect("groq/m")


@pytest.mark.parametrize("name", OWN_SERVERS)
def test_server_of_ones_own_is_on_this_machine_and_needs_no_key(name, monkeypatch):
    preset = PRESETS[name]
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert sent_to(made(f"{name}/org/m")) == (f"{preset.url}/chat/completions", None)
    monkeypatch.setenv(preset.keys[0], KEY)
    assert sent_to(made(f"{name}/m"))[1] == f"Bearer {KEY}"
    assert sent_to(made(f"{name}/m", base_url="http://127.0.0.1:9/v1"))[1] is None


@pytest.mark.parametrize("name", PRESETS)
def test_variable_names_another_host(name, monkeypatch):
    monkeypatch.setenv(f"{name.upper()}_BASE_URL", "https://gateway.example/x/v1")
    monkeypatch.setenv(PRESETS[name].keys[0], KEY)
    assert sent_to(made(f"{name}/m")) == (
        "https://gateway.example/x/v1/chat/completions",
        f"Bearer {KEY}",
    )


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("http://gpu:9000", "http://gpu:9000/v1"),
        ("gpu", "http://gpu:8000/v1"),
        ("http://gpu/x/v1", "http://gpu/x/v1"),
    ],
)
def test_base_url_of_ones_own_server_may_be_a_host(written, url):
    assert sent_to(made("vllm/m", base_url=written))[0] == f"{url}/chat/completions"


def test_base_url_of_a_preset_names_the_preset():
    with pytest.raises(SetupError, match="groq/NAME goes there with GROQ_API_KEY"):
        connect("openai/llama", base_url="https://api.groq.com/openai/v1")


def test_names_of_models_may_have_slashes():
    provider = made("openrouter/anthropic/claude-haiku-4.5", api_key=KEY)
    assert b'"model":"anthropic/claude-haiku-4.5"' in provider.prepare(HI).body


@pytest.mark.parametrize("name", PRESETS)
def test_quota_names_the_preset_and_the_host(name):
    quota = made(f"{name}/m", api_key=KEY).prepare(HI).quota
    assert (quota.provider, quota.host) == (name, urlsplit(PRESETS[name].url).netloc)


@pytest.mark.parametrize("name", PRESETS)
def test_max_tokens_keeps_its_name(name):
    assert b'"max_tokens":9' in made(f"{name}/m", api_key=KEY, max_tokens=9).prepare(HI).body


def test_schema_travels_as_the_server_takes_it():
    modes = {name: made(f"{name}/m", api_key=KEY).schema_mode for name in PRESETS}
    assert [name for name, mode in modes.items() if mode is None] == ["deepseek", "moonshot", "zai"]
    assert not made("groq/m", api_key=KEY).schema_lengths
    assert made("vllm/m").schema_lengths


@pytest.mark.parametrize("name", PRESETS)
def test_responses_can_be_chosen(name):
    assert isinstance(made(f"{name}/m", api_key=KEY, api="responses"), ResponsesProvider)
    assert not isinstance(made(f"{name}/m", api_key=KEY), ResponsesProvider)
    with pytest.raises(SetupError, match='"responses" or "chat"'):
        connect(f"{name}/m", api_key=KEY, api="completions")


def test_prices_are_those_of_the_presets_host():
    hosts = {name: urlsplit(preset.url).netloc for name, preset in PRESETS.items()}
    assert {name: host for name, (_, host) in PRICED.items() if name in hosts} == {
        name: host for name, host in hosts.items() if name in PRICED
    }


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("groq", "llama-3.3-70b-versatile"),
        ("openrouter", "anthropic/claude-haiku-4.5"),
        ("mistral", "mistral-small-latest"),
        ("deepseek", "deepseek-chat"),
        ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        ("xai", "grok-4"),
        ("cerebras", "llama3.1-8b"),
        ("moonshot", "kimi-k2.5"),
        ("zai", "glm-4.6"),
    ],
)
def test_price_of_a_services_model_is_known(name, model):
    quota = made(f"{name}/{model}", api_key=KEY).prepare(HI).quota
    assert price_of(quota.provider, quota.host, quota.model) is not None
    elsewhere = (
        made(f"{name}/{model}", api_key=KEY, base_url="https://elsewhere.example/v1")
        .prepare(HI)
        .quota
    )
    assert price_of(elsewhere.provider, elsewhere.host, elsewhere.model) is None


def test_documentation_has_the_same_table():
    page = (Path(__file__).parents[2] / "docs" / "dialects.md").read_text()
    rows = {
        match[1]: match[0]
        for match in re.finditer(r"^\| `(\w+)` \([^|]*\) \|.*$", page, re.MULTILINE)
    }
    assert rows.keys() == PRESETS.keys()
    for name, preset in PRESETS.items():
        assert all(each in rows[name] for each in (preset.title, f"| {preset.url} |", *preset.keys))


@pytest.mark.parametrize(
    ("model", "options", "name"),
    [
        ("groq/llama", {"api_key": KEY}, "llama at api.groq.com"),
        ("openai/llama", {"base_url": "http://localhost:8000/v1"}, "llama at localhost:8000"),
    ],
)
def test_quota_is_called_by_its_host_and_not_by_the_dialect(model, options, name):
    assert process_quotas.gate_of(made(model, **options).prepare(HI).quota, None).name == name
