"""The Azure dialect: its paths, its key, the quirks of its headers, and its errors."""

import json

import pytest

from ingather import LLMMessage, connect
from ingather.errors import (
    AuthFailed,
    BadRequest,
    Filtered,
    ModelNotFound,
    Overloaded,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    ServerFault,
    SetupError,
    TooLong,
    Truncated,
)
from ingather.providers.azure import AzureProvider
from ingather.providers.base import QuotaKey
from ingather.response import Allowance, RateLimits
from ingather.testing import Simulator
from tests.providers.canned import Canned

MINE = "https://mine.openai.azure.com"
KEY = "0123456789abcdef0123456789abcdef"
ENV_KEY = "fedcba9876543210fedcba9876543210"
HI = [LLMMessage("user", "Hi")]
DEPLOYMENT = f"{MINE}/openai/deployments/gpt/chat/completions?api-version"


def made(model="azure/gpt", **options):
    provider = connect(model, **options)
    assert isinstance(provider, AzureProvider)
    return provider


def url(model="azure/gpt", **options):
    return made(model, **{"base_url": MINE, "api_key": KEY, **options})._endpoint.url


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, f"{DEPLOYMENT}=2024-10-21"),
        ({"base_url": f"{MINE}/"}, f"{DEPLOYMENT}=2024-10-21"),
        ({"base_url": f"{MINE}/openai"}, f"{DEPLOYMENT}=2024-10-21"),
        ({"api_version": "2025-04-01-preview"}, f"{DEPLOYMENT}=2025-04-01-preview"),
        ({"base_url": f"{MINE}/openai/v1"}, f"{MINE}/openai/v1/chat/completions"),
        ({"base_url": f"{MINE}/openai/v1/"}, f"{MINE}/openai/v1/chat/completions"),
        (
            {"base_url": f"{MINE}/openai/v1", "api_version": "preview"},
            f"{MINE}/openai/v1/chat/completions?api-version=preview",
        ),
        (
            {"model": "azure/my gpt/4?"},
            f"{MINE}/openai/deployments/my%20gpt%2F4%3F/chat/completions?api-version=2024-10-21",
        ),
    ],
)
def test_path(options, expected):
    assert url(**options) == expected


def test_version_of_the_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_API_VERSION", "2025-01-01-preview")
    assert url() == f"{DEPLOYMENT}=2025-01-01-preview"
    assert url(api_version="2024-10-21") == f"{DEPLOYMENT}=2024-10-21"
    assert url(base_url=f"{MINE}/openai/v1") == f"{MINE}/openai/v1/chat/completions"


def test_deployment_of_the_call_has_a_path_and_a_quota_of_its_own():
    provider = made(base_url=MINE, api_key=KEY)
    one, two = provider.prepare(HI), provider.prepare(HI, {"model": "other"})
    assert one.quota == QuotaKey("azure", "mine.openai.azure.com", one.quota.key, "gpt")
    assert two.quota == one.quota._replace(model="other")
    assert b"/deployments/other/" in two.identity


@pytest.mark.parametrize("version", ["latest; DROP", "2024", "2024-10-21&a=b", "2024-10-21-beta"])
def test_version_that_is_none_is_refused(version):
    with pytest.raises(SetupError, match="api_version is a date"):
        url(api_version=version)


@pytest.mark.parametrize(
    ("base_url", "said"),
    [
        (f"{MINE}/openai/deployments/gpt", "ends before /openai/deployments"),
        (f"{MINE}/openai/deployments/gpt/chat/completions", "ends before /chat/completions"),
        (f"{MINE}/openai?api-version=2024-10-21", "has no [?]"),
        ("mine.openai.azure.com", "starts with http.*as in https://RESOURCE"),
    ],
)
def test_url_that_says_more_than_the_resource_is_refused(base_url, said):
    with pytest.raises(SetupError, match=said):
        url(base_url=base_url)


@pytest.mark.parametrize("base_url", [MINE, f"{MINE}/openai/v1"])
def test_key_goes_in_a_header_of_its_own(base_url):
    headers = made(base_url=base_url, api_key=KEY)._endpoint.headers
    assert (headers["api-key"], "Authorization" in headers) == (KEY, False)


def test_key_of_the_environment_goes_to_the_resource_of_the_environment_only(monkeypatch):
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", ENV_KEY)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"{MINE}/")
    assert made()._endpoint.headers["api-key"] == ENV_KEY
    assert made()._endpoint.url == f"{DEPLOYMENT}=2024-10-21"
    assert made(base_url=f"{MINE}/openai/v1")._endpoint.headers["api-key"] == ENV_KEY
    for other in ("https://other.openai.azure.com", "https://mine.openai.azure.com.evil.example"):
        with pytest.raises(
            SetupError,
            match=r"AZURE_OPENAI_API_KEY goes only to "
            r"mine\.openai\.azure\.com",
        ) as caught:
            made(base_url=other)
        assert ENV_KEY not in str(caught.value)


def test_no_resource_is_trusted_that_nobody_named(monkeypatch):
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", ENV_KEY)
    with pytest.raises(SetupError, match="goes only to the host of AZURE_OPENAI_ENDPOINT"):
        made(base_url=MINE)


def test_no_resource_and_no_key_are_said(monkeypatch):
    with pytest.raises(
        SetupError,
        match=r"give base_url=, as in https://RESOURCE.* or set "
        r"AZURE_OPENAI_ENDPOINT",
    ):
        made(api_key=KEY)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", MINE)
    with pytest.raises(
        SetupError,
        match=r"no key for mine\.openai\.azure\.com: set "
        r"AZURE_OPENAI_API_KEY",
    ):
        made()


def test_keys_of_openai_do_not_go_there(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-env-1234")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", MINE)
    with pytest.raises(SetupError, match="AZURE_OPENAI_API_KEY"):
        made()


def test_output_limit_has_the_name_that_the_surface_knows():
    bodies = [
        json.loads(made(base_url=each, api_key=KEY).prepare(HI, {"max_tokens": 9}).body)
        for each in (MINE, f"{MINE}/openai/v1")
    ]
    assert [bodies[0]["max_tokens"], bodies[1]["max_completion_tokens"]] == [9, 9]


def test_schema_goes_as_to_openai():
    provider = made(base_url=MINE, api_key=KEY)
    assert (provider.schema_mode, provider.schema_lengths) == ("native", False)


# -- what comes back


async def ask(body, status=200, headers=None):
    provider = AzureProvider(
        "gpt", base_url=MINE, api_key=KEY, transport=Canned(body, status, headers)
    )
    return await provider.complete(HI)


SAFE = {"filtered": False, "severity": "safe"}
STOPPED = {
    "hate": SAFE,
    "violence": {"filtered": True, "severity": "medium"},
    "jailbreak": {"filtered": True},
}


def completion(finish="stop", **results):
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "Paris"},
        "finish_reason": finish,
        **results,
    }
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    prompts = [{"prompt_index": 0, "content_filter_results": {"hate": SAFE}}]
    head = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-2024-11-20",
    }
    return {**head, "choices": [choice], "usage": usage, "prompt_filter_results": prompts}


async def test_answer_with_what_the_filter_found():
    body = completion(content_filter_results={"hate": SAFE})
    response = await ask(body, headers={"apim-request-id": "a-1", "x-request-id": "x-1"})
    assert (response.content, response.model, response.request_id) == (
        "Paris",
        "gpt-4o-2024-11-20",
        "a-1",
    )
    assert response.metadata["content_filter_results"] == {"hate": SAFE}
    assert response.metadata["prompt_filter_results"] == body["prompt_filter_results"]


async def test_answer_that_the_filter_stopped_says_for_what():
    with pytest.raises(
        Filtered, match=r"stopped the answer: violence \(medium\), jailbreak"
    ) as caught:
        await ask(completion("content_filter", content_filter_results=STOPPED))
    assert caught.value.response is not None
    assert caught.value.response.content == "Paris"


@pytest.mark.parametrize(
    "results", [None, [], "x", {"hate": "x"}, {"error": {"code": "content_filter_error"}}]
)
async def test_filter_that_says_nothing_stops_all_the_same(results):
    with pytest.raises(Filtered, match=r"content filter stopped the answer$"):
        await ask(completion("content_filter", content_filter_results=results))


async def test_answer_that_is_cut():
    with pytest.raises(Truncated):
        await ask(completion("length"))


HEADERS = {
    "whole seconds": (
        {
            "x-ratelimit-limit-requests": "60",
            "x-ratelimit-remaining-requests": "58",
            "x-ratelimit-reset-requests": "10",
            "x-ratelimit-limit-tokens": "8000",
            "x-ratelimit-remaining-tokens": "7984",
            "x-ratelimit-reset-tokens": "6",
        },
        RateLimits(Allowance(60, 58, 10), Allowance(8000, 7984, 6)),
    ),
    "no resets": (
        {
            "x-ratelimit-limit-requests": "8",
            "x-ratelimit-remaining-requests": "7",
            "x-ratelimit-limit-tokens": "8000",
            "x-ratelimit-remaining-tokens": "1014",
        },
        RateLimits(Allowance(8, 7), Allowance(8000, 1014)),
    ),
    "what is left, of nobody knows how much": (
        {"x-ratelimit-remaining-requests": "119", "x-ratelimit-remaining-tokens": "119916"},
        RateLimits(Allowance(None, 119), Allowance(None, 119916)),
    ),
    "minus one and nothing": (
        {
            "x-ratelimit-limit-requests": "-1",
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": "0",
            "x-ratelimit-limit-tokens": "-1",
            "x-ratelimit-remaining-tokens": "-1",
            "x-ratelimit-reset-tokens": "0",
        },
        None,
    ),
    "a limit of nothing": (
        {
            "x-ratelimit-limit-tokens": "0",
            "x-ratelimit-remaining-tokens": "0",
            "x-ratelimit-reset-tokens": "0",
        },
        None,
    ),
    "minus one beside a limit": (
        {"x-ratelimit-limit-tokens": "8000", "x-ratelimit-remaining-tokens": "-1"},
        RateLimits(None, Allowance(8000)),
    ),
    "minus one alone": (
        {"x-ratelimit-remaining-requests": "-1", "x-ratelimit-remaining-tokens": "-1"},
        None,
    ),
}


@pytest.mark.parametrize(("headers", "expected"), HEADERS.values(), ids=HEADERS)
async def test_quirks_of_its_headers(headers, expected):
    assert (await ask(completion(), headers=headers)).rate_limits == expected


LIMITED = "Requests have exceeded the token rate limit of your current pricing tier. Please retry after {} seconds."
WAITS = {
    "milliseconds first": ({"retry-after-ms": "2500", "retry-after": "60"}, LIMITED.format(6), 2.5),
    "then seconds": ({"retry-after": "7"}, LIMITED.format(6), 7.0),
    "then what it says": ({}, LIMITED.format(6), 6.0),
    "one second": ({}, "Please retry after 1 second.", 1.0),
    "milliseconds that are none": (
        {"retry-after-ms": "soon", "retry-after": "7"},
        LIMITED.format(6),
        7.0,
    ),
    "try again": ({}, "Rate limit is exceeded. Try again in 2 seconds.", 2.0),
    "a day": ({}, LIMITED.format(86400), 86400.0),
    "nothing": ({}, "Slow down.", None),
}


@pytest.mark.parametrize(("headers", "message", "wait"), WAITS.values(), ids=WAITS)
async def test_429_says_how_long(headers, message, wait):
    with pytest.raises(RateLimited) as caught:
        await ask({"error": {"code": "429", "message": message}}, 429, headers)
    assert caught.value.retry_after == wait


PROMPT = "The response was filtered due to the prompt triggering the content management policy."
INNER = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": STOPPED}
ERRORS = {
    "the prompt is filtered": (
        400,
        {
            "error": {
                "message": PROMPT,
                "type": None,
                "param": "prompt",
                "code": "content_filter",
                "status": 400,
                "innererror": INNER,
            }
        },
        Filtered,
    ),
    "known by the inner error": (
        400,
        {"error": {"message": "…", "code": None, "innererror": INNER}},
        Filtered,
    ),
    "known by its words": (400, {"error": {"message": PROMPT, "code": "400"}}, Filtered),
    "a key": (
        401,
        {"error": {"code": "401", "message": "Access denied due to invalid subscription key"}},
        AuthFailed,
    ),
    "a token": (
        401,
        {"statusCode": 401, "message": "Unauthorized. Access token is missing"},
        AuthFailed,
    ),
    "a firewall": (
        403,
        {"error": {"code": "403", "message": "Access denied due to Virtual Network"}},
        AuthFailed,
    ),
    "no deployment": (
        404,
        {"error": {"code": "DeploymentNotFound", "message": "does not exist"}},
        ModelNotFound,
    ),
    "no such path": (
        404,
        {"error": {"code": "404", "message": "Resource not found"}},
        ModelNotFound,
    ),
    "a limit": (429, {"error": {"code": "429", "message": LIMITED.format(6)}}, RateLimited),
    "a limit by name": (
        429,
        {"error": {"code": "RateLimitReached", "message": "exceeded token limit"}},
        RateLimited,
    ),
    "no capacity": (
        429,
        {"error": {"code": "NoCapacity", "message": "high demand, retry after 20 s"}},
        RateLimited,
    ),
    "no quota": (
        429,
        {"error": {"code": "insufficient_quota", "message": "You exceeded your quota"}},
        QuotaExhausted,
    ),
    "an old version": (
        400,
        {"error": {"code": "BadRequest", "message": "API version not supported"}},
        BadRequest,
    ),
    "another operation": (
        400,
        {"error": {"code": "OperationNotSupported", "message": "not with it"}},
        BadRequest,
    ),
    "too long": (400, {"error": {"code": "context_length_exceeded", "message": "…"}}, TooLong),
    "a fault": (
        500,
        {"error": {"code": "InternalServerError", "message": "Backend returned …"}},
        ServerFault,
    ),
    "a timeout": (
        408,
        {"error": {"code": "Timeout", "message": "The operation was timeout."}},
        ServerFault,
    ),
    "away": (
        503,
        {"error": {"code": "503", "message": "The service is temporarily unavailable"}},
        Overloaded,
    ),
}


@pytest.mark.parametrize(("status", "body", "error"), ERRORS.values(), ids=ERRORS)
async def test_error_is_the_one_that_it_is(status, body, error):
    with pytest.raises(ProviderError) as caught:
        await ask(body, status, {"apim-request-id": "a-1"})
    assert type(caught.value) is error
    assert (caught.value.provider, caught.value.model, caught.value.request_id) == (
        "azure",
        "gpt",
        "a-1",
    )


async def test_with_the_simulator_all_the_way():
    async with Simulator(
        api_key=KEY, rpm=60, burst=1, script=["filtered", "404", "content_filter", "ok"]
    ) as sim:
        for newer in ("", "/openai/v1"):
            sim.reset()
            provider = connect(
                "azure/gpt", base_url=sim.base_url.removesuffix("/v1") + newer, api_key=KEY
            )
            with pytest.raises(Filtered, match="prompt"):
                await provider.complete(HI)
            with pytest.raises(ModelNotFound, match="deployment"):
                await provider.complete(HI)
            with pytest.raises(Filtered, match=r"violence \(medium\)"):
                await provider.complete(HI)
            with pytest.raises(RateLimited, match="Please retry after 1 seconds") as caught:
                await provider.complete(HI)
            await provider.aclose()
            assert 0 < (caught.value.retry_after or 0) <= 1
            assert {call.model for call in sim.ledger} == {"gpt"}
