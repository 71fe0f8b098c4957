"""The Ollama dialect: where it is, that it gets no key, and what it would ignore."""

import json

import pytest

from ingather import LLMMessage, connect
from ingather.errors import ModelNotFound, SetupError
from ingather.providers.ollama import OllamaProvider, completed
from tests.providers.canned import Canned

HI = [LLMMessage("user", "Hi")]
HERE = "http://localhost:11434/v1"


def made(**options):
    provider = connect("ollama/llama3:8b", **options)
    assert isinstance(provider, OllamaProvider)
    return provider


def test_it_is_at_its_port_with_no_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-env-1234")
    provider = made()
    assert provider._endpoint.url == f"{HERE}/chat/completions"
    assert "Authorization" not in provider._endpoint.headers
    assert (provider.prepare(HI).quota.provider, provider.model) == ("ollama", "llama3:8b")


HOSTS = {
    "0.0.0.0": "http://127.0.0.1:11434/v1",
    "0.0.0.0:8080": "http://127.0.0.1:8080/v1",
    "127.0.0.1": "http://127.0.0.1:11434/v1",
    ":8080": "http://127.0.0.1:8080/v1",
    "gpu": "http://gpu:11434/v1",
    "gpu:8080": "http://gpu:8080/v1",
    "::1": "http://[::1]:11434/v1",
    "[::1]:8080": "http://[::1]:8080/v1",
    "[::]:8080": "http://[::1]:8080/v1",
    "http://gpu:8080": "http://gpu:8080/v1",
    "http://gpu:8080/": "http://gpu:8080/v1",
    "http://gpu:8080/v1/": "http://gpu:8080/v1",
    "http://gpu": "http://gpu/v1",
    "https://llm.example": "https://llm.example/v1",
    "https://llm.example/ollama/v1": "https://llm.example/ollama/v1",
    ' "gpu:8080" ': "http://gpu:8080/v1",
}


@pytest.mark.parametrize(("host", "expected"), HOSTS.items())
def test_host_is_read_as_ollama_reads_it(monkeypatch, host, expected):
    monkeypatch.setenv("OLLAMA_HOST", host)
    assert made()._base_url == expected
    assert completed(expected) == expected


def test_base_url_goes_over_the_environment(monkeypatch):
    monkeypatch.setenv("OLLAMA_HOST", "one")
    assert made()._base_url == "http://one:11434/v1"
    monkeypatch.setenv("OLLAMA_BASE_URL", "http://two:11434")
    assert made()._base_url == "http://two:11434/v1"
    assert made(base_url="http://three:11434")._base_url == "http://three:11434/v1"


@pytest.mark.parametrize(
    "host", ["http://gpu:port", "a b", "http://x:y@gpu", "ftp://gpu", "gpu/?a=b"]
)
def test_host_that_is_none_is_refused(monkeypatch, host):
    monkeypatch.setenv("OLLAMA_HOST", host)
    with pytest.raises(SetupError, match="base_url"):
        made()


def test_key_goes_where_it_is_told_to():
    assert made(base_url="https://llm.example", api_key="abcdefgh")._endpoint.headers[
        "Authorization"
    ] == ("Bearer abcdefgh")
    with pytest.raises(SetupError, match="unencrypted"):
        made(base_url="http://llm.example", api_key="abcdefgh")


def test_key_of_the_environment_does_not_leave_the_host_of_the_environment(monkeypatch):
    monkeypatch.setenv("OLLAMA_API_KEY", "abcdefgh")
    assert "Authorization" not in made(base_url="https://llm.example")._endpoint.headers
    monkeypatch.setenv("OLLAMA_HOST", "https://llm.example")
    assert made()._endpoint.headers["Authorization"] == "Bearer abcdefgh"


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_output_limit_has_the_only_name_that_it_knows(name):
    body = json.loads(made().prepare(HI, {name: 9}).body)
    assert (body["max_tokens"], "max_completion_tokens" in body) == (9, False)
    assert made().prepare(HI, {name: 9}).estimate.max_output == 9


IGNORED = {
    "num_ctx": "OLLAMA_CONTEXT_LENGTH",
    "num_predict": "max_tokens",
    "keep_alive": "OLLAMA_KEEP_ALIVE",
    "format": "response_format",
    "think": "reasoning_effort",
    "options": "beside the other",
    "top_k": "Modelfile",
}


@pytest.mark.parametrize(("name", "said"), IGNORED.items())
def test_parameter_that_it_would_ignore_is_refused(name, said):
    with pytest.raises(SetupError, match=f"ignores '{name}'.*{said}"):
        made(**{name: 1})
    with pytest.raises(SetupError, match=said):
        made().prepare(HI, {name: 1})


KNOWN = [
    "temperature",
    "top_p",
    "seed",
    "stop",
    "response_format",
    "reasoning_effort",
    "tools",
    "presence_penalty",
]


@pytest.mark.parametrize("name", KNOWN)
def test_parameter_that_it_knows_is_sent(name):
    assert name in json.loads(made(**{name: "x"}).prepare(HI).body)


ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "llama3:8b",
    "system_fingerprint": "fp_ollama",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Paris", "reasoning": "Capital…"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
}


async def test_answer_comes_back_with_what_it_thought():
    response = await OllamaProvider("llama3:8b", transport=Canned(ANSWER)).complete(HI)
    assert (response.content, response.usage.output_tokens) == ("Paris", 3)
    assert response.metadata["reasoning"] == "Capital…"


async def test_model_that_is_not_pulled_is_said():
    body = {
        "error": {"message": 'model "x" not found, try pulling it first', "type": "not_found_error"}
    }
    with pytest.raises(ModelNotFound, match="try pulling it first"):
        await OllamaProvider("x", transport=Canned(body, 404)).complete(HI)
