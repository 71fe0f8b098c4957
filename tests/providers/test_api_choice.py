"""Which of OpenAI's two APIs is spoken where; and that the choice is of no other dialect."""

import json

import pytest

from ingather import LLMMessage, connect
from ingather.errors import SetupError
from ingather.providers.dialect_provider import DialectProvider

KEY = "sk-given-1234"
HI = [LLMMessage("user", "Hi")]
HOME = "https://api.openai.com/v1"
ELSEWHERE = "https://gateway.example/v1"


def url(model="openai/m", **options):
    provider = connect(model, **{"api_key": KEY, **options})
    assert isinstance(provider, DialectProvider)
    return provider._endpoint.url


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, f"{HOME}/responses"),
        ({"base_url": f"{HOME}/"}, f"{HOME}/responses"),
        ({"base_url": "https://eu.api.openai.com/v1"}, "https://eu.api.openai.com/v1/responses"),
        ({"base_url": ELSEWHERE}, f"{ELSEWHERE}/chat/completions"),
        (
            {"base_url": "https://api.openai.com.elsewhere.example/v1"},
            "https://api.openai.com.elsewhere.example/v1/chat/completions",
        ),
        (
            {"base_url": "https://myapi.openai.com/v1"},
            "https://myapi.openai.com/v1/chat/completions",
        ),
        ({"base_url": "http://localhost:8000/v1"}, "http://localhost:8000/v1/chat/completions"),
        ({"api": "chat"}, f"{HOME}/chat/completions"),
        ({"api": "responses"}, f"{HOME}/responses"),
        ({"base_url": ELSEWHERE, "api": "responses"}, f"{ELSEWHERE}/responses"),
        ({"base_url": ELSEWHERE, "api": "chat"}, f"{ELSEWHERE}/chat/completions"),
    ],
)
def test_openai_speaks_responses_at_home_and_chat_completions_elsewhere(options, expected):
    assert url(**options) == expected


def test_environment_leads_elsewhere_too(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", ELSEWHERE)
    assert url() == f"{ELSEWHERE}/chat/completions"


def test_same_parameters_do_for_both():
    common = {"max_tokens": 9, "reasoning_effort": "low", "temperature": 0}
    by_responses = json.loads(connect("openai/m", api_key=KEY, **common).prepare(HI).body)  # type: ignore[call-overload]
    by_chat = json.loads(connect("openai/m", api_key=KEY, api="chat", **common).prepare(HI).body)  # type: ignore[call-overload]
    assert (by_responses["max_output_tokens"], by_responses["reasoning"]) == (9, {"effort": "low"})
    assert (by_chat["max_completion_tokens"], by_chat["reasoning_effort"]) == (9, "low")


@pytest.mark.parametrize("api", ["completions", "Responses", ""])
def test_api_that_there_is_not_is_refused(api):
    with pytest.raises(SetupError, match='api is "responses" or "chat"'):
        url(api=api)


@pytest.mark.parametrize("model", ["ollama/m", "azure/m", "anthropic/m", "gemini/m", "echo"])
def test_no_other_dialect_has_the_choice(model):
    with pytest.raises(SetupError, match="api= is for openai/NAME"):
        connect(model, api="chat")


@pytest.mark.parametrize("model", ["openai/m", "ollama/m", "anthropic/m", "gemini/m", "echo"])
def test_versions_are_azures(model):
    with pytest.raises(SetupError, match="api_version= is for azure/NAME"):
        connect(model, api_version="2024-10-21")


@pytest.mark.parametrize("api", ["responses", "chat", None])
def test_path_is_not_part_of_the_base_url(api):
    with pytest.raises(SetupError, match="base_url ends before /responses"):
        url(base_url=f"{ELSEWHERE}/responses", api=api)


def test_parameter_that_responses_have_not_says_which_api_has():
    with pytest.raises(SetupError, match=r"has no 'seed'.*chat"):
        connect("openai/m", api_key=KEY, seed=1)
    assert url(api="chat", seed=1)
