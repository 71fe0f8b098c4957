"""From a model's name to the right dialect, server and key; and what is said where there is none."""

import subprocess
import sys
from contextlib import aclosing

import pytest

from ingather import EchoProvider, Limits, LLMMessage, RetryConfig, connect
from ingather.errors import BadRequest, RateLimited, ServerFault, SetupError
from ingather.providers.dialect_provider import DialectProvider
from ingather.providers.extractive import ExtractiveProvider
from ingather.retry import BackoffStrategy
from ingather.testing import Simulator

LOCAL = "http://localhost:8000/v1"
KEY = "sk-given-1234"
ENV_KEY = "sk-from-env-1234"
HI = [LLMMessage("user", "Hi")]


@pytest.fixture
def env(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", ENV_KEY)
    return monkeypatch


def made(model="openai/m", **options):
    provider = connect(model, **options)
    assert isinstance(provider, DialectProvider)
    return provider


def key_of(provider):
    authorization = provider._endpoint.headers.get("Authorization")
    return authorization and authorization.removeprefix("Bearer ")


def url_of(provider):
    return provider._base_url


def test_echo():
    provider = connect("echo", limits=Limits(requests_per_minute=5))
    assert isinstance(provider, EchoProvider)
    assert provider.limits == Limits(requests_per_minute=5)


def test_only_a_provider_that_will_send_loads_what_sends():
    code = "import ingather, sys; {}; print('aiohttp' in sys.modules); {}; print('aiohttp' in sys.modules)"
    code = code.format(
        "ingather.connect('echo')", "ingather.connect('openai/m', base_url='http://localhost:1/v1')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_openai_at_home(env):
    provider = made("openai/gpt-x")
    assert (url_of(provider), key_of(provider), provider.model) == (
        "https://api.openai.com/v1",
        ENV_KEY,
        "gpt-x",
    )


def test_model_names_may_have_slashes():
    assert made("openai/meta-llama/Llama-3", base_url=LOCAL).model == "meta-llama/Llama-3"


def test_ollama_is_the_openai_dialect_at_its_own_port(env):
    provider = made("ollama/llama3")
    assert (url_of(provider), key_of(provider)) == ("http://localhost:11434/v1", None)
    assert provider.prepare(HI).quota.provider == "ollama"


def test_what_connect_brings():
    provider = made(base_url=LOCAL, limits=Limits(max_concurrency=3), temperature=0)
    assert provider.limits == Limits(max_concurrency=3)
    assert b'"temperature":0' in provider.prepare(HI).body
    assert (provider.schema_mode, provider.max_output, provider.schema_ceiling) == (
        "native",
        None,
        None,
    )


def test_three_attempts_on_transient_faults_unless_told_otherwise():
    retry = made(base_url=LOCAL).retry
    assert retry is not None
    assert (retry.max_attempts, retry.backoff_strategy) == (3, BackoffStrategy.JITTER)
    assert retry.retries(ServerFault("x"))
    assert not retry.retries(BadRequest("x"))
    assert not retry.retries(RateLimited("x"))
    assert made(base_url=LOCAL, retry=None).retry is None
    mine = RetryConfig(max_attempts=7)
    assert made(base_url=LOCAL, retry=mine).retry is mine


# -- which key goes where


def test_key_of_the_environment_goes_home(env):
    assert key_of(made(base_url="https://api.openai.com/v1/")) == ENV_KEY


def test_key_of_the_environment_goes_to_the_host_that_the_environment_names(env):
    env.setenv("OPENAI_BASE_URL", "https://gateway.example/openai/v1")
    assert (url_of(made()), key_of(made())) == ("https://gateway.example/openai/v1", ENV_KEY)
    assert key_of(made(base_url="https://gateway.example/other/v1")) == ENV_KEY


ELSEWHERE = [
    "https://elsewhere.example/v1",
    "https://api.openai.com.elsewhere.example/v1",
    "https://api.openai.com:8443/v1",
    "https://elsewhere.example/api.openai.com/v1",
    "https://openai.com/v1",
]


@pytest.mark.parametrize("base_url", ELSEWHERE)
def test_key_of_the_environment_goes_nowhere_else(env, base_url):
    with pytest.raises(
        SetupError,
        match=r"give api_key=.*OPENAI_API_KEY goes only to "
        r"api\.openai\.com",
    ) as caught:
        connect("openai/m", base_url=base_url)
    assert ENV_KEY not in str(caught.value)
    assert key_of(made(base_url=base_url, api_key=KEY)) == KEY


@pytest.mark.parametrize(
    "base_url",
    [LOCAL, "http://127.0.0.1:8000/v1", "http://[::1]:8000/v1", "http://0.0.0.0:8000/v1"],
)
def test_this_machine_needs_no_key_and_gets_none(env, base_url):
    assert key_of(made(base_url=base_url)) is None
    assert key_of(made(base_url=base_url, api_key=KEY)) == KEY


def test_empty_key_is_none(env):
    assert key_of(made(api_key="")) is None
    assert key_of(made(base_url="https://elsewhere.example/v1", api_key="")) is None


def test_no_key_at_all():
    with pytest.raises(SetupError, match="set OPENAI_API_KEY"):
        connect("openai/m")


@pytest.mark.parametrize("host", ["api.openai.com", "gateway.example", "8.8.8.8"])
def test_key_does_not_cross_the_internet_unencrypted(host):
    with pytest.raises(SetupError, match="unencrypted: write https"):
        connect("openai/m", base_url=f"http://{host}/v1", api_key=KEY)
    assert key_of(made(base_url=f"http://{host}/v1", api_key="")) is None


@pytest.mark.parametrize(
    "host", ["vllm:8000", "10.1.2.3", "192.168.1.5:8080", "[fd00::1]", "gpu.local", "vllm.ml.svc"]
)
def test_key_may_cross_the_local_network(host):
    assert key_of(made(base_url=f"http://{host}/v1", api_key=KEY)) == KEY


def test_key_with_a_line_break_is_refused():
    with pytest.raises(SetupError, match="strip it"):
        connect("openai/m", base_url=LOCAL, api_key=f"{KEY}\n")


# -- names and URLs that are wrong

WRONG_MODELS = {
    "gpt-4o": "Did you mean 'openai/gpt-4o'",
    "opnai/gpt-4o": "Did you mean 'openai/gpt-4o'",
    "OpenAI/gpt-4o": "Did you mean 'openai/gpt-4o'",
    "olama/x": "Did you mean 'ollama/x'",
    "ecko": "Did you mean 'echo'",
    "azure/mine": "no base_url: give base_url=, as in https://RESOURCE",
    "offline/extractor": 'there is no offline/extractor: write "offline/extractive"',
    "offline": 'write "offline/extractive"',
    "offlin/extractive": "Did you mean 'offline/extractive'",
    "anthropic": "names no model: write 'anthropic/NAME'",
    "Gemini/flash": "Did you mean 'gemini/flash'",
    "openai": "names no model: write 'openai/NAME'",
    "openai/": "names no model",
    "echo/x": 'write "echo"',
    "": "names no provider",
    "/": "names no provider",
}


@pytest.mark.parametrize(("model", "said"), WRONG_MODELS.items())
def test_model_that_is_none_says_what_to_write(model, said):
    with pytest.raises(SetupError, match=said):
        connect(model)


WRONG_URLS = {
    "localhost:8000/v1": "starts with http",
    "ftp://x/v1": "starts with http",
    "http://": "starts with http",
    "/v1": "starts with http",
    "http://ex ample/v1": "starts with http",
    "http://exämple/v1": "starts with http",
    "http://x:port/v1": "not a URL",
    "http://[::1/v1": "not a URL",
    "https://x/v1?key=1": "no [?] or #",
    "https://x/v1#a": "no [?] or #",
    "https://x/v1/chat/completions": "ends before /chat/completions",
    "https://me:secret@x/v1": "holds a user or password",
}


@pytest.mark.parametrize(("base_url", "said"), WRONG_URLS.items())
def test_url_that_is_none_says_what_to_write(base_url, said):
    with pytest.raises(SetupError, match=said) as caught:
        connect("openai/m", base_url=base_url, api_key=KEY)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "base_url", ["https://x.example/v1/", "https://x.example/v1///", " https://x.example/v1"]
)
def test_slashes_and_spaces_around_a_url_do_no_harm(base_url):
    assert url_of(made(base_url=base_url, api_key=KEY)) == "https://x.example/v1"


@pytest.mark.parametrize(
    "name", ["apikey", "api-key", "API_KEY", "baseurl", "base_urll", "timeouts", "limit"]
)
def test_slip_in_a_name_of_ours_is_not_sent_along(name):
    with pytest.raises(SetupError, match="did you mean") as caught:
        made(base_url=LOCAL, **{name: KEY})
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["temperature", "top_p", "max_tokens", "seed", "user", "modalities", "reasoning_effort"]
)
def test_parameters_of_requests_are_no_slips(name):
    assert name in made(base_url=LOCAL, **{name: "x"}).prepare(HI).body.decode()


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "soon"])
def test_timeout_that_is_none(timeout):
    with pytest.raises(SetupError, match="timeout"):
        connect("openai/m", base_url=LOCAL, timeout=timeout)


def test_echo_has_no_server():
    with pytest.raises(SetupError, match="no server"):
        connect("echo", base_url=LOCAL)


def test_stream_for_all_requests_is_refused():
    with pytest.raises(SetupError, match="not in this version"):
        connect("openai/m", base_url=LOCAL, stream=True)


@pytest.mark.parametrize("messages", ["Hello", [{"role": "user", "content": "Hello"}]])
async def test_a_provider_that_is_asked_directly_takes_what_a_task_takes(messages):
    async with Simulator(model="echo") as sim:
        for name, base_url in (("openai/m", sim.base_url), ("anthropic/m", sim.origin)):
            provider = connect(name, base_url=base_url)
            assert isinstance(provider, DialectProvider)
            async with aclosing(provider):
                assert (await provider.complete(messages)).text == "Hello"
    assert (await ExtractiveProvider().complete(messages)).model
