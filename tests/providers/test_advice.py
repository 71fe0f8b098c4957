"""What a failure's message says to do, where the server cannot know it."""

import json
import re
import socket
from typing import Any

import pytest

from ingather import LLMMessage, connect
from ingather.errors import (
    AuthFailed,
    ConnectFailed,
    ModelNotFound,
    ProviderError,
    RateLimited,
    ServerFault,
)
from ingather.providers.advice import Advice
from tests.servers.raw import RawServer, answer, completion

HI = [LLMMessage("user", "Hi")]
CANARY = "canary-of-the-environment-1"
UNAUTHORIZED = answer(json.dumps({"error": "Unauthorized"}), 401)


async def error_of(server, model="openai/m", **options):
    provider: Any = connect(model, base_url=server.base_url, **options)
    with pytest.raises(ProviderError) as caught:
        await provider.complete(HI)
    await provider.aclose()
    return caught.value


@pytest.mark.parametrize(
    ("model", "variable", "home"),
    [
        ("openai/m", "OPENAI_API_KEY", r"api\.openai\.com"),
        ("anthropic/m", "ANTHROPIC_API_KEY", r"api\.anthropic\.com"),
        ("gemini/m", "GOOGLE_API_KEY", r"generativelanguage\.googleapis\.com"),
        ("groq/m", "GROQ_API_KEY", r"api\.groq\.com"),
        ("vllm/m", "VLLM_API_KEY", "localhost:8000"),
        ("ollama/m", "OLLAMA_API_KEY", "localhost:11434"),
        ("azure/m", "AZURE_OPENAI_API_KEY", "the host of AZURE_OPENAI_ENDPOINT"),
    ],
)
async def test_key_that_was_not_sent_is_named(model, variable, home, monkeypatch):
    monkeypatch.setenv(variable, CANARY)
    async with RawServer(UNAUTHORIZED) as server:
        error = await error_of(server, model)
    assert isinstance(error, AuthFailed)
    whom = rf"no key was sent to 127\.0\.0\.1:{server.port}"
    said = rf'{whom}, since {variable} goes only to {home}: .*os\.environ\["{variable}"\]'
    assert re.search(said, str(error))
    assert CANARY not in str(error)


@pytest.mark.parametrize(
    "options", [{"api_key": "mine-1234"}, {"headers": {"Authorization": "Bearer mine-1234"}}]
)
async def test_key_that_was_sent_is_wrong_and_that_is_all(options, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    async with RawServer(UNAUTHORIZED) as server:
        assert "no key was sent" not in str(await error_of(server, **options))


@pytest.mark.parametrize("options", [{}, {"api_key": ""}])
async def test_that_no_key_was_sent_is_said_too(options, monkeypatch):
    if options:
        monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    async with RawServer(UNAUTHORIZED) as server:
        assert str(await error_of(server, **options)).endswith(
            f"no key was sent to 127.0.0.1:{server.port}: give api_key="
        )


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, AuthFailed), (404, ModelNotFound), (429, RateLimited), (500, ServerFault)],
)
async def test_errors_name_the_host_and_not_the_dialect(status, kind):
    async with RawServer(answer(b"{}", status)) as server:
        error = await error_of(server)
    assert isinstance(error, kind)
    assert f"{status} from 127.0.0.1:{server.port}: " in str(error)
    assert "openai" not in str(error).lower()
    assert (error.provider, error.model) == ("openai", "m")


async def test_model_that_ollama_has_not_is_pulled():
    missing = answer(
        json.dumps({"error": {"message": 'model "m" not found, try pulling it first'}}), 404
    )
    async with RawServer(missing) as server:
        assert "`ollama pull m`" in str(await error_of(server, "ollama/m"))
        assert f"{server.base_url}/models lists what it has" in str(await error_of(server))


async def test_base_url_without_a_path_is_spoken_of():
    async with RawServer(answer(b"", 404)) as server:
        provider: Any = connect("openai/m", base_url=server.url)
        with pytest.raises(ModelNotFound, match="a base_url mostly ends with /v1"):
            await provider.complete(HI)
        await provider.aclose()


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("ollama/m", "if Ollama is not running, start it: `ollama serve`"),
        ("vllm/m", "start it: `vllm serve m`"),
        ("lmstudio/m", "if LM Studio is not running, start it: `lms server start`"),
        ("llamacpp/m", "if llama.cpp is not running, start it: `llama-server -m FILE.gguf`"),
        ("sglang/m", "sglang.launch_server"),
        ("openai/m", "is the server running, and at that port?"),
    ],
)
async def test_refused_connection_says_what_to_start(model, said):
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        provider: Any = connect(model, base_url=f"http://127.0.0.1:{port}/v1")
        with pytest.raises(ConnectFailed) as caught:
            await provider.complete(HI)
        await provider.aclose()
    assert f"no connection to 127.0.0.1:{port}" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("port", "program"),
    [
        (11434, "Ollama"),
        (1234, "LM Studio"),
        (8000, "vLLM"),
        (30000, "SGLang"),
        (8080, "llama.cpp"),
    ],
)
def test_program_is_known_by_its_port(port, program):
    said = Advice("openai", f"http://127.0.0.1:{port}/v1").on(
        ConnectFailed(f"no connection to 127.0.0.1:{port}: refused"), "m"
    )
    assert f"if {program} is not running" in said


@pytest.mark.parametrize("url", ["https://api.groq.com/openai/v1", "https://llm.example:8000/v1"])
def test_nobody_starts_a_service(url):
    refused = ConnectFailed(f"no connection to {url.split('/')[2]}: refused")
    assert Advice("groq", url).on(refused, "m") == ""


@pytest.mark.parametrize(
    "said",
    [
        "too many open files, so no connection to localhost:8000: raise `ulimit -n`, or lower max_concurrency",
        "no connection to localhost:8000: the name localhost cannot be resolved: [Errno -2]",
        "no connection to the proxy on the way to localhost:8000: Connect call failed",
    ],
)
def test_nobody_starts_a_server_for_another_reason(said):
    assert Advice("vllm", "http://localhost:8000/v1").on(ConnectFailed(said), "m") == ""


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("anthropic", "https://api.anthropic.com"),
        ("gemini", "https://generativelanguage.googleapis.com"),
        ("azure", "https://me.openai.azure.com"),
        ("perplexity", "https://api.perplexity.ai"),
        ("groq", "https://api.groq.com/openai/v1"),
    ],
)
def test_base_url_that_is_right_is_not_doubted(name, url):
    assert Advice(name, url).on(ModelNotFound("404"), "m") == ""


async def test_answer_has_no_advice(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    async with RawServer(answer(completion())) as server:
        provider: Any = connect("openai/m", base_url=server.base_url)
        assert (await provider.complete(HI)).content == "Hello"
        await provider.aclose()
