"""Keyword arguments of `connect`: parameters are sent, other tools' names of our arguments are not."""

import pytest

from ingather import LLMMessage, connect
from ingather.errors import SetupError

LOCAL = "http://localhost:8000/v1"
HI = [LLMMessage("user", "Hi")]
VALUE = "canary-value-123"


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("apikey", "api_key="),
        ("openai_api_key", "api_key="),
        ("token", "api_key="),
        ("baseurl", "base_url="),
        ("api_base", "base_url="),
        ("azure_endpoint", "base_url="),
        ("url", "base_url="),
        ("timeout_s", "timeout="),
        ("request_timeout", "timeout="),
        ("max_retries", "RetryConfig(max_attempts"),
        ("num_retries", "RetryConfig(max_attempts"),
        ("rpm", "Limits(requests_per_minute"),
        ("tpm", "Limits(tokens_per_minute"),
        ("max_concurrency", "Limits(max_concurrency"),
        ("organization", 'headers={"OpenAI-Organization"'),
        ("default_headers", "headers="),
        ("extra_headers", "headers="),
        ("verify", "ca=PATH"),
        ("ssl_verify", "ca=PATH"),
        ("proxy", "HTTPS_PROXY"),
        ("model_name", "the first argument"),
        ("cache_dir", "store=PATH"),
        ("progress_bar", "progress=True"),
        ("Api-Base", "base_url="),
        ("headerss", "headers="),
        ("limit", "limits="),
    ],
)
def test_argument_by_another_name_is_refused_with_ours(name, ours):
    with pytest.raises(SetupError) as caught:
        connect("openai/m", base_url=LOCAL, **{name: VALUE})  # type: ignore[call-overload]
    assert "did you mean" in str(caught.value)
    assert ours in str(caught.value)
    assert VALUE not in str(caught.value)


@pytest.mark.parametrize("name", ["http_client", "verbose", "extra_query"])
def test_argument_that_has_no_equal_here_is_refused(name):
    with pytest.raises(SetupError, match=f"no '{name}', and nothing in its place: leave it out"):
        connect("openai/m", base_url=LOCAL, **{name: VALUE})  # type: ignore[call-overload]


def test_likely_slip_of_a_parameter_is_sent_with_a_warning():
    with pytest.warns(
        UserWarning, match="'temprature' is sent as it is: did you mean 'temperature'"
    ):
        provider = connect("openai/m", base_url=LOCAL, temprature=0)
    assert b'"temprature":0' in provider.prepare(HI).body


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chat_template_kwargs", {"enable_thinking": False}),
        ("guided_json", {"type": "object"}),
        ("thinking", {"type": "disabled"}),
        ("logprobs", True),
        ("provider", {"order": ["a"], "allow_fallbacks": False}),
        ("a_name_of_one_server", [1, {"a": None}]),
        ("store", True),
        ("metadata", {"a": "b"}),
    ],
)
def test_parameters_that_one_server_knows_are_sent_without_a_word(name, value):
    provider = connect("vllm/m", **{name: value})
    assert f'"{name}":'.encode() in provider.prepare(HI).body


def test_fields_of_extra_body_stand_beside_the_others():
    provider = connect("vllm/m", temperature=0, extra_body={"top_k": 5, "temperature": 1})
    assert b'"temperature":1,"top_k":5' in provider.prepare(HI).body
    with pytest.raises(SetupError, match="extra_body is an object"):
        connect("vllm/m", extra_body=1)
    for name in ("api_key", "base_url", "headers", "messages"):
        with pytest.raises(SetupError, match=name):
            connect("vllm/m", extra_body={name: {}})


@pytest.mark.parametrize(
    "given",
    [{"google": {"thinking_config": {}}}, {"extra_body": {"google": {"thinking_config": {}}}}],
)
def test_extra_body_of_googles_compatible_api_stays_one(given):
    provider = connect("openai/gemini", base_url=LOCAL, extra_body={"top_k": 5, **given})
    body = provider.prepare(HI).body
    assert b'"extra_body":{"google":{"thinking_config":{}}}' in body
    assert b'"top_k":5' in body
