"""What the Gemini dialect makes of what comes back."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import LLMMessage, Usage
from ingather.errors import (
    AuthFailed,
    BadBody,
    Filtered,
    ModelNotFound,
    Overloaded,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    Refused,
    TooLong,
    Truncated,
)
from ingather.providers.gemini import DailyQuotas, GeminiProvider
from tests.providers.canned import Canned

HI = [LLMMessage("user", "Hi")]


def generated(*parts, finish="STOP", **extra):
    content = {"role": "model", "parts": list(parts) or [{"text": "Paris"}]}
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 3, "totalTokenCount": 12}
    return {"candidates": [{"content": content, "finishReason": finish, "index": 0}], "usageMetadata": usage,
            "modelVersion": "gemini-3-flash-001", "responseId": "r1", **extra}  # fmt: skip


def provider(body, status=200, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return GeminiProvider(
        "m", base_url="http://localhost", api_key="AIza1234", transport=Canned(body, status, names)
    )


async def ask(body, status=200, **headers):
    return await provider(body, status, **headers).complete(HI)


async def test_answer():
    response = await ask(generated())
    assert (response.content, response.model, response.finish_reason) == (
        "Paris",
        "gemini-3-flash-001",
        "stop",
    )
    assert (response.usage, response.request_id, response.rate_limits) == (Usage(9, 3), "r1", None)


async def test_texts_are_put_together_and_thoughts_kept_apart():
    response = await ask(
        generated({"text": "Hm", "thought": True}, {"text": "Par"}, {"text": "is"})
    )
    assert response.content == "Paris"
    assert response.metadata["thoughts"] == "Hm"


async def test_tool_calls_come_back_in_openais_form():
    signed = {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "s"}
    response = await ask(generated(signed, {"functionCall": {"id": "x", "name": "g"}}))
    assert (response.content, response.finish_reason) == ("", "tool_calls")
    assert response.tool_calls == [
        {
            "id": "call_0",
            "type": "function",
            "function": {"name": "f", "arguments": '{"a":1}'},
            "extra_content": {"google": {"thought_signature": "s"}},
        },
        {"id": "x", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]


async def test_what_else_comes_is_kept():
    ran = {"executableCode": {"code": "1"}}
    body = generated({"text": "x"}, ran)
    body["candidates"][0]["groundingMetadata"] = {"webSearchQueries": ["q"]}
    metadata = (await ask(body)).metadata
    assert metadata == {
        "groundingMetadata": {"webSearchQueries": ["q"]},
        "id": "r1",
        "parts": [ran],
    }


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"promptTokenCount": 5, "candidatesTokenCount": 7}, Usage(5, 7)),
        (
            {
                "promptTokenCount": 100,
                "cachedContentTokenCount": 60,
                "toolUsePromptTokenCount": 10,
                "candidatesTokenCount": 7,
                "thoughtsTokenCount": 40,
            },
            Usage(110, 47, 60, 40),
        ),
        ({"promptTokenCount": 5}, Usage(5, 0)),
        ({"promptTokenCount": 5, "candidatesTokenCount": -1}, Usage(5, 0)),
        ({}, None),
        (None, None),
        ({"promptTokenCount": True}, None),
        ({"candidatesTokenCount": 7}, None),
    ],
)
async def test_usage(usage, expected):
    assert (await ask(generated(usageMetadata=usage))).usage == expected


FILTERS = ["SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (generated(finish="MAX_TOKENS"), Truncated),
        (generated(finish="CONTINUATION"), Truncated),
        *[(generated(finish=reason), Filtered) for reason in FILTERS],
        ({**generated(), "candidates": [{"finishReason": "SAFETY"}]}, Filtered),
        (
            {**generated(), "candidates": None, "promptFeedback": {"blockReason": "SAFETY"}},
            Filtered,
        ),
        ({**generated(), "candidates": [], "promptFeedback": {"blockReason": "OTHER"}}, Filtered),
        (generated(finish="LANGUAGE"), Refused),
        (generated(finish="OTHER"), Refused),
        (generated(finish="SOMETHING_NEW"), Refused),
    ],
)
async def test_answer_that_is_not_what_was_asked_is_an_error_that_holds_it(body, error):
    with pytest.raises(ProviderError) as caught:
        await ask(body)
    assert type(caught.value) is error
    assert caught.value.response is not None
    assert caught.value.response.usage == Usage(9, 3)
    assert (caught.value.provider, caught.value.model) == ("gemini", "m")


async def test_thinking_that_eats_the_limit_is_truncated():
    with pytest.raises(Truncated):
        await ask(
            {
                **generated(),
                "candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}],
            }
        )


CANDIDATE = generated()["candidates"][0]
NO_ANSWERS = {
    "a page": b"<html></html>",
    "an empty object": {},
    "no candidates": {"candidates": []},
    "two candidates": {"candidates": [CANDIDATE, CANDIDATE]},
    "a candidate that is none": {"candidates": ["x"]},
    "parts that are none": {"candidates": [{"content": {"parts": "x"}}]},
    "content that is none": {"candidates": [{"content": "x"}]},
    "a garbled call": generated(finish="MALFORMED_FUNCTION_CALL"),
    "a garbled answer": generated(finish="MALFORMED_RESPONSE"),
}


@pytest.mark.parametrize("reason", [[], {}, 0, None])
async def test_finish_reason_that_is_none_is_not_known(reason):
    assert (await ask(generated(finish=reason))).finish_reason is None


@pytest.mark.parametrize("body", NO_ANSWERS.values(), ids=NO_ANSWERS)
async def test_200_that_is_no_answer_is_a_bad_body(body):
    with pytest.raises(BadBody, match="no generated content"):
        await ask(body)


# -- errors


def failed(status, name, words="…", *details):
    return {"error": {"code": status, "message": words, "status": name, "details": list(details)}}


def quota(quota_id):
    return {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": quota_id}],
    }


DELAY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "36.4s"}
WRONG_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
MINUTE, DAY = (
    quota("GenerateRequestsPerMinutePerProjectPerModel"),
    quota("GenerateRequestsPerDayPerProjectPerModel"),
)
NONE_AT_ALL = "You exceeded your current quota.\n* Quota exceeded for metric: free_tier_requests, limit: 0, model: m"
EXHAUSTED = (429, "RESOURCE_EXHAUSTED")


@pytest.mark.parametrize(
    ("body", "error", "wait"),
    [
        (failed(*EXHAUSTED, "…", MINUTE, DELAY), RateLimited, 36.4),
        (failed(*EXHAUSTED, "Please retry in 36.429760048s."), RateLimited, 36.429760048),
        (failed(*EXHAUSTED), RateLimited, None),
        (failed(*EXHAUSTED, "…", DAY, DELAY), RateLimited, 36.4),
        (failed(*EXHAUSTED, "…", DAY), QuotaExhausted, None),
        (failed(*EXHAUSTED, NONE_AT_ALL, MINUTE, DELAY), QuotaExhausted, 36.4),
        (failed(503, "UNAVAILABLE", "The model is overloaded."), Overloaded, None),
        (failed(400, "INVALID_ARGUMENT", "API key not valid.", WRONG_KEY), AuthFailed, None),
        (failed(403, "PERMISSION_DENIED"), AuthFailed, None),
        (failed(404, "NOT_FOUND", "models/m is not found"), ModelNotFound, None),
        (
            failed(
                400, "INVALID_ARGUMENT", "The input exceeds the maximum number of tokens allowed"
            ),
            TooLong,
            None,
        ),
    ],
)
async def test_errors(body, error, wait):
    with pytest.raises(ProviderError) as caught:
        await ask(body, body["error"]["code"])
    assert type(caught.value) is error
    assert caught.value.retry_after == wait


async def test_error_in_a_200_is_that_error():
    with pytest.raises(RateLimited):
        await ask(failed(*EXHAUSTED))


# -- the quota of a day, which may come with a delay of seconds


def limited(delay=36.0):
    return RateLimited("429", status=429, retry_after=delay, code="RESOURCE_EXHAUSTED")


def test_daily_quota_is_waited_for_once():
    quotas = DailyQuotas()
    first, early = limited(), limited()
    assert quotas.judged(first, "m", 100.0) is first
    assert quotas.judged(early, "m", 135.9) is early  # sent before the wait was over
    used_up = quotas.judged(limited(), "m", 136.0)
    assert type(used_up) is QuotaExhausted
    assert "the quota of the day is used up" in str(used_up)
    assert (used_up.status, used_up.code) == (429, "RESOURCE_EXHAUSTED")


def test_daily_quota_is_each_models_own():
    quotas = DailyQuotas()
    quotas.judged(limited(), "m", 0.0)
    assert type(quotas.judged(limited(), "n", 50.0)) is RateLimited


def test_daily_quota_that_gave_an_answer_is_waited_for_again():
    quotas = DailyQuotas()
    quotas.judged(limited(), "m", 0.0)
    quotas.answered("m")
    assert type(quotas.judged(limited(), "m", 50.0)) is RateLimited


async def test_daily_quota_over_the_wire(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("ingather.providers.gemini.monotonic", lambda: now[0])
    used = provider(failed(*EXHAUSTED, "…", DAY, DELAY), 429)
    for instant, error in ((100.0, RateLimited), (120.0, RateLimited), (137.0, QuotaExhausted)):
        now[0] = instant
        with pytest.raises(ProviderError) as caught:
            await used.complete(HI)
        assert type(caught.value) is error


async def test_quota_of_a_minute_is_always_waited_for(monkeypatch):
    now = iter(range(0, 1000, 100))
    monkeypatch.setattr("ingather.providers.gemini.monotonic", lambda: next(now))
    used = provider(failed(*EXHAUSTED, "…", MINUTE, DELAY), 429)
    for _ in range(3):
        with pytest.raises(RateLimited):
            await used.complete(HI)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
PART = st.fixed_dictionaries(
    {}, optional={"text": JSON, "thought": JSON, "functionCall": JSON, "x": JSON}
)
CONTENT = st.fixed_dictionaries({"parts": st.lists(PART, max_size=3) | JSON})
FINISHES = st.sampled_from(["STOP", "MAX_TOKENS", "SAFETY"])
FOUND = st.fixed_dictionaries(
    {}, optional={"content": CONTENT | JSON, "finishReason": FINISHES | JSON, "index": JSON}
)
BODY = st.fixed_dictionaries(
    {"candidates": st.lists(FOUND, max_size=2) | JSON},
    optional={
        "usageMetadata": JSON,
        "promptFeedback": JSON,
        "responseId": JSON,
        "modelVersion": JSON,
        "error": JSON,
    },
)


@given(BODY)
def test_whatever_comes_is_an_answer_or_a_typed_error(body):
    try:
        response = asyncio.run(ask(json.dumps(body).encode()))
    except ProviderError:
        return
    assert isinstance(response.content, str)
    assert response.finish_reason is None or isinstance(response.finish_reason, str)
