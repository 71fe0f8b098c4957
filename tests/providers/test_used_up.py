"""429s and their like that waiting does not help, beside those it does: real bodies of many providers."""

import json

import pytest

from ingather.errors import (
    AuthFailed,
    BadRequest,
    ModelNotFound,
    PoolFailure,
    QuotaExhausted,
    RateLimited,
    ServerFault,
    TooLong,
)
from ingather.limits.acceptance import is_certain
from ingather.limits.headers import retry_hint
from ingather.providers.classify import classify

NOW = 1_741_300_000.0  # seconds since 1970


def error(message="", **fields):
    return json.dumps({"error": {"message": message, **fields}})


def free_models(reset):
    """OpenRouter's, which quotes the headers."""
    headers = {"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    said = "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day"
    return error(said, code=429, metadata={"headers": headers, "provider_name": None})


PLAN = "You exceeded your current quota, please check your plan and billing details."
OPENAI = "Rate limit reached for gpt-4o in organization org-x on {}: Limit 3, Used 3, Requested 1."
ADD_PAYMENT = (
    "Limit: 3 / min. Please add a payment method to your account to increase your rate limit. "
    "Visit https://platform.openai.com/account/billing to add a payment method."
)
MINUTE = {"violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]}

FOR_LONG = {
    "OpenRouter": error("Rate limit exceeded: free-models-per-day", code=429),
    "OpenAI's words without its code": error(PLAN),
    "OpenAI, a day": error(OPENAI.format("requests per day (RPD)")),
    "a day in hours": error("Rate limit reached: max 100 requests per 24 hours"),
    "Groq, tokens a day": error(OPENAI.format("tokens per day (TPD)")),
    "Cohere": '{"message":"You are using a Trial key, which is limited to 1000 API calls / month."}',
    "Cerebras": error(
        "Requests per day limit exceeded - too many requests sent.", code="request_quota_exceeded"
    ),
    "Bedrock": '{"message":"Too many tokens per day, please wait before trying again."}',
    "Moonshot": error("Your account is suspended", type="exceeded_current_quota_error"),
    "Moonshot, TPD": error(
        "request reached organization TPD rate limit, current: 9", type="rate_limit_reached_error"
    ),
    "xAI": '{"code":"x","error":"Your team has used all available credits or reached its monthly spending limit."}',
    "a plan": error("The usage limit has been reached", type="usage_limit_reached"),
    "Z.ai": error("Insufficient balance or no resource package. Please recharge.", code="1113"),
    "Cloudflare": '{"errors":[{"message":"you have used up your daily free allocation of 10,000 neurons"}]}',
    "GitHub Models": error("Rate limit of 150 per 86400s exceeded for UserByModelByDay."),
    "LiteLLM": error(
        "Budget has been exceeded! Current cost: 2, Max budget: 1", type="budget_exceeded"
    ),
    "a week": error("Weekly limit reached"),
    "tomorrow": "Limit reached, please come back tomorrow",
    "until midnight": error("The quota is used up and comes back at midnight UTC"),
    "a trial": error("You have used all of your trial credits"),
    "a balance below nothing": error("Account balance is negative"),
    "a subscription": error("Your subscription has expired"),
    "a usage cap": error("Usage cap exceeded"),
    "a daily limit": error("You have hit your daily limit"),
    "Gemini, a day, without a delay": error(
        PLAN,
        status="RESOURCE_EXHAUSTED",
        details=[{"violations": [{"quotaId": "RequestsPerDayPerProject-FreeTier"}]}],
    ),
}
FLOW = {
    "OpenAI, a minute": error(OPENAI.format("requests per min (RPM)")),
    "OpenAI, tokens": error(OPENAI.format("tokens per min (TPM)")),
    "OpenAI, no payment": error(ADD_PAYMENT),
    "Gemini, a minute": error(PLAN, status="RESOURCE_EXHAUSTED", details=[MINUTE]),
    "Gemini, a minute, with a delay": error(PLAN, details=[MINUTE, {"retryDelay": "36s"}]),
    "Gemini, with a delay alone": error(PLAN, details=[{"retryDelay": "36s"}]),
    "Gemini, short": error(
        "Resource has been exhausted (e.g. check quota).", status="RESOURCE_EXHAUSTED"
    ),
    "Vertex": error(
        "Quota exceeded for "
        "aiplatform.googleapis.com/generate_content_requests_per_minute_per_project"
    ),
    "Azure": error(
        "Requests have exceeded token rate limit of your current OpenAI S0 pricing tier."
    ),
    "Cohere": '{"message":"You are using a Trial key, which is limited to 20 API calls / minute."}',
    "GitHub Models": error("Rate limit of 10 per 60s exceeded for UserByModelByMinute."),
    "Mistral": '{"message":"Requests rate limit exceeded"}',
    "Moonshot": error("request reached organization max RPM: 3", type="rate_limit_reached_error"),
    "OpenRouter": error("Rate limit exceeded: limit_rpm/google/gemini", code=429),
    "concurrency": error("Too many parallel requests for your monthly plan"),
    "nothing": "",
    "a link": error("Slow down: https://docs.example/limits/per-day"),
}


@pytest.mark.parametrize("body", FOR_LONG.values(), ids=FOR_LONG)
def test_429_that_waiting_for_minutes_does_not_help(body):
    found = classify(429, {}, body)
    assert type(found) is QuotaExhausted
    assert is_certain(found)


@pytest.mark.parametrize("body", FLOW.values(), ids=FLOW)
def test_429_that_is_flow_control(body):
    assert type(classify(429, {}, body)) is RateLimited


def test_a_day_that_is_used_up_is_not_called_an_empty_account():
    assert "run the rest when it is there again" in str(classify(429, {}, FOR_LONG["OpenRouter"]))
    assert "no credit" in str(classify(429, {}, FOR_LONG["xAI"]))


HINTS = {
    "seconds": ({"x-ratelimit-reset": str(int(NOW) + 3600)}, "", 3600.0),
    "milliseconds": ({"x-ratelimit-reset": str(int(NOW + 7200) * 1000)}, "", 7200.0),
    "from now": ({"x-ratelimit-reset": "1800"}, "", 1800.0),
    "with nothing left": ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "50"}, "", 50.0),
    "with something left": ({"x-ratelimit-remaining": "7", "x-ratelimit-reset": "50"}, "", None),
    "in the past": ({"x-ratelimit-reset": str(int(NOW) - 5)}, "", None),
    "nonsense": ({"x-ratelimit-reset": "soon"}, "", None),
    "after": ({"x-ratelimit-reset-after": "12.5"}, "", 12.5),
    "with another dash": ({"x-rate-limit-reset": str(int(NOW) + 900)}, "", 900.0),
    "the draft's": ({"ratelimit-remaining": "0", "ratelimit-reset": "42"}, "", 42.0),
    "the draft's, in one": ({"ratelimit": "limit=100, remaining=0, reset=51"}, "", 51.0),
    "the draft's, with some left": ({"ratelimit": "limit=100, remaining=3, reset=51"}, "", None),
    "the later draft's": ({"ratelimit": '"default";r=0;t=77'}, "", 77.0),
    "the later draft's, of two": ({"ratelimit": '"minute";r=5;t=30, "day";r=0;t=40000'}, "", 40000.0),
    "quoted headers": ({}, free_models(str(int(NOW + 5400) * 1000)), 5400.0),
    "a field": ({}, error("x", retry_after=33), 33.0),
    "a field of milliseconds": ({}, error("x", retry_after_ms=1500), 1.5),
    "a field with an instant": ({}, error("x", type="usage_limit_reached", resets_at=int(NOW) + 600), 600.0),
    "a field of what is left": ({}, error("x", resets_in_seconds=11234), 11234.0),
    "wait": ({}, error("Rate limit of 150 per 86400s exceeded. Please wait 34 seconds before "
                       "retrying."), 34.0),
    "resets in": ({}, error("Limit reached, resets in 3 hours"), 10800.0),
    "a date": ({}, error("You will regain access on 2025-03-07 at 00:00 UTC."), 5600.0),
    "a field with a time": ({}, error("x", reset_time="2025-03-06T22:33:20Z"), 400.0),
    "a field in camel case": ({}, error("x", resetAt=int(NOW + 900) * 1000), 900.0),
    "a field of a wait": ({}, error("x", wait_seconds=77), 77.0),
    "of the limit that is used up": (
        {
            "x-ratelimit-remaining-tokens-minute": "9", "x-ratelimit-reset-tokens-minute": "4.5",
            "x-ratelimit-remaining-requests-day": "0", "x-ratelimit-reset-requests-day": "33011.4",
        },
        "", 33011.4,
    ),
    "of the longest that is": (
        {
            "x-ratelimit-remaining-tokens-minute": "0", "x-ratelimit-reset-tokens-minute": "4.5",
            "x-ratelimit-remaining-requests-day": "0", "x-ratelimit-reset-requests-day": "33011.4",
        },
        "", 33011.4,
    ),
    "of none that is": ({"x-ratelimit-reset-requests-day": "33011.4"}, "", None),
    "retry-after goes first": ({"retry-after": "3", "x-ratelimit-reset": "900"}, "", 3.0),
}  # fmt: skip


@pytest.mark.parametrize(("headers", "body", "seconds"), HINTS.values(), ids=HINTS)
def test_when_a_quota_is_there_again(headers, body, seconds):
    assert retry_hint(headers, body, now=NOW) == seconds


def test_a_day_with_a_known_end_waits_for_it():
    found = classify(429, {}, free_models(str(int(NOW + 5400) * 1000)), now=NOW)
    assert type(found) is RateLimited  # and QuotaWait where that is longer than max_wait
    assert found.retry_after == 5400.0


@pytest.mark.parametrize(
    ("status", "body", "kind", "certain"),
    [
        (403, "<html><title>Sorry, you have been blocked</title></html>", AuthFailed, False),
        (403, '{"error":"blocked by guardrail: prompt injection"}', AuthFailed, False),
        (401, "Unauthorized", AuthFailed, False),
        (403, error("You do not have permission to access the File x", status="PERMISSION_DENIED"), AuthFailed, False),
        (403, error("Your key may not use it", type="permission_error"), AuthFailed, False),
        (404, error("No such File object: file-9", type="invalid_request_error"), ModelNotFound, False),
        (404, error(type="not_found_error"), ModelNotFound, False),
        (402, error("This requires more credits, or fewer max_tokens: you can only afford 9."), QuotaExhausted, False),
        (402, "", QuotaExhausted, False),
        (402, error("Insufficient credits. Add more"), QuotaExhausted, True),
        (403, error("Key limit exceeded (monthly limit). Manage it in the settings", code=403), QuotaExhausted, True),
        (402, error("You have exceeded your monthly included credits for Inference Providers."), QuotaExhausted, True),
        (402, error("Insufficient Balance", type="unknown_error"), QuotaExhausted, True),
        (403, '{"statusCode":403,"message":"Out of call volume quota. Quota will be replenished in 12:00:00"}',
         QuotaExhausted, True),
        (401, error("Incorrect API key provided", code="invalid_api_key"), AuthFailed, True),
        (401, error("invalid x-api-key", type="authentication_error"), AuthFailed, True),
        (401, error("Access denied due to invalid subscription key", code="401"), AuthFailed, True),
        (401, error("x", code="account_deactivated"), AuthFailed, True),
        (400, error("API key not valid.", status="INVALID_ARGUMENT"), AuthFailed, True),
        (403, error("x", type="billing_error"), QuotaExhausted, True),
        (429, error("x", code="insufficient_quota"), QuotaExhausted, True),
    ],
)  # fmt: skip
def test_whether_a_refusal_concerns_all_calls(status, body, kind, certain):
    found = classify(status, {}, body)
    assert isinstance(found, PoolFailure)
    assert (type(found), is_certain(found)) == (kind, certain)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, error("image input is not supported - hint: provide the mmproj", type="server_error"), BadRequest),
        (500, error("This server does not support multimodal", type="server_error"), BadRequest),
        (500, error("x", type="not_supported_error"), BadRequest),
        (500, error("Not implemented", type="NotImplementedError"), BadRequest),
        (501, "", BadRequest),
        (500, error("this model is missing data required for image input"), BadRequest),
        (500, error("Failed to parse grammar", type="server_error"), BadRequest),
        (500, error("Conversation roles must alternate user/assistant"), BadRequest),
        (500, error("Only user and assistant roles are supported!"), BadRequest),
        (500, error("Could not compile regex"), BadRequest),
        (500, error("NotImplementedError: guided decoding"), BadRequest),
        (500, error("Model is not multimodal"), BadRequest),
        (500, error("model requires more system memory (5.6 GiB) than is available (3.0 GiB)"), BadRequest),
        (500, error("tools param requires --jinja flag"), BadRequest),
        (500, error("Cannot use custom grammar constraints with tools."), BadRequest),
        (500, error("input is too large to process. increase the physical batch size"), TooLong),
        (500, error("This model's maximum context length is 4096 tokens"), TooLong),
        (500, error("The server had an error while processing your request", type="server_error"), ServerFault),
        (500, error("insufficient memory"), ServerFault),
        (500, "", ServerFault),
    ],
)  # fmt: skip
def test_500_for_what_a_server_cannot_do_at_all_is_not_tried_again(status, body, kind):
    assert type(classify(status, {}, body)) is kind
