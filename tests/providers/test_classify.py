"""The table of errors: real bodies of many providers, each with the one class that it is."""

import json

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import errors
from ingather.errors import (
    AuthFailed,
    BadBody,
    BadRequest,
    Filtered,
    ModelNotFound,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    Redirected,
    ServerFault,
    TooBig,
    TooLong,
)
from ingather.providers.classify import classify, classify_exception


def error(message="", **fields):
    return json.dumps({"error": {"message": message, **fields}})


CANARY = "canary-7f3a9c-do-not-tell"
TOO_LARGE = "Request too large for gpt-4o on tokens per min (TPM): Limit {}, Requested {}. The input must be reduced."
CLOUDFLARE = (
    "<html><head><title>413 Request Entity Too Large</title></head>"
    "<body><center>cloudflare</center></body></html>"
)
PER_DAY = {"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}

TABLE = {
    # no credit
    "OpenAI, no credit": (
        429,
        error("You exceeded your current quota", type="insufficient_quota"),
        QuotaExhausted,
    ),
    "OpenAI, no credit by code": (429, error(code="insufficient_quota"), QuotaExhausted),
    "402": (402, error("Insufficient Balance", type="unknown_error"), QuotaExhausted),
    "Anthropic, billing": (403, error("…", type="billing_error"), QuotaExhausted),
    "Anthropic, credit": (
        400,
        error("Your credit balance is too low", type="invalid_request_error"),
        QuotaExhausted,
    ),
    "Anthropic, spend": (
        400,
        error("You have reached your specified API usage limits."),
        QuotaExhausted,
    ),
    "Gemini, day used up": (
        429,
        error(status="RESOURCE_EXHAUSTED", details=[PER_DAY]),
        QuotaExhausted,
    ),
    "a gateway that quotes": (
        429,
        error("RateLimitError: code insufficient_quota", code="429"),
        QuotaExhausted,
    ),
    # flow control
    "OpenAI, rate": (
        429,
        error("Rate limit reached … Limit 500, Used 500, Requested 1.", code="rate_limit_exceeded"),
        RateLimited,
    ),
    "Anthropic, rate": (429, error(type="rate_limit_error"), RateLimited),
    "Gemini, minute": (429, error(status="RESOURCE_EXHAUSTED", code=429), RateLimited),
    "Gemini, day with a delay": (
        429,
        error(status="RESOURCE_EXHAUSTED", details=[PER_DAY, {"retryDelay": "36s"}]),
        RateLimited,
    ),
    "429, empty": (429, "", RateLimited),
    "429, HTML": (429, "<html>slow down</html>", RateLimited),
    "OpenAI, too big": (
        429,
        error(TOO_LARGE.format("30000", "45000"), type="tokens", code="rate_limit_exceeded"),
        TooBig,
    ),
    "OpenAI, big but possible": (
        429,
        error(TOO_LARGE.format("30,000", "29,999"), type="tokens"),
        RateLimited,
    ),
    "Groq, too big with 413": (
        413,
        error(TOO_LARGE.format("6000", "7,500"), code="rate_limit_exceeded"),
        TooBig,
    ),
    # overload
    "Anthropic, overloaded": (
        529,
        '{"type":"error","error":{"type":"overloaded_error"},"request_id":"r"}',
        Overloaded,
    ),
    "OpenAI, slow down": (503, error("Slow Down", code="slow_down"), Overloaded),
    "llama.cpp, loading": (
        503,
        error("Loading model", code=503, type="unavailable_error"),
        Overloaded,
    ),
    "Gemini, unavailable": (
        503,
        error("The model is overloaded.", code=503, status="UNAVAILABLE"),
        Overloaded,
    ),
    **{
        f"{status}, HTML": (status, "<html></html>", Overloaded)
        for status in (502, 503, 520, 521, 522, 523, 524)
    },
    # faults
    "OpenAI, 500": (500, error("The server had an error", type="server_error"), ServerFault),
    "a limit on the output, 500": (500, error("max_tokens must be at most 8"), BadRequest),
    "tokens, but no limit, 500": (500, error("max_tokens: internal failure"), ServerFault),
    "Anthropic, 500": (500, error(type="api_error"), ServerFault),
    "408": (408, "", ServerFault),
    "409": (409, error("locked"), ServerFault),
    "504": (504, error(type="timeout_error"), ServerFault),
    "599": (599, "", ServerFault),
    # too long
    "OpenAI, too long": (
        400,
        error("…", type="invalid_request_error", param="messages", code="context_length_exceeded"),
        TooLong,
    ),
    "Anthropic, too long": (
        400,
        error("prompt is too long: 2 tokens > 1", type="invalid_request_error"),
        TooLong,
    ),
    "Anthropic, too large": (413, error(type="request_too_large"), TooLong),
    "Cloudflare": (413, CLOUDFLARE, TooLong),
    "llama.cpp, too long": (
        400,
        error(
            "exceeds the available context size",
            code=400,
            type="exceed_context_size_error",
            n_ctx=256,
        ),
        TooLong,
    ),
    "vLLM, too long": (
        400,
        '{"object":"error","message":"This model\'s maximum context length is 4096 tokens.","type":"BadRequestError"}',
        TooLong,
    ),
    "Gemini, too long": (
        400,
        error(
            "The input token count exceeds the maximum number of tokens allowed",
            status="INVALID_ARGUMENT",
        ),
        TooLong,
    ),
    "a cap that is too high is not": (400, error("max_tokens is too large: 100000"), BadRequest),
    # filters
    "Azure, filter": (
        400,
        error("…", code="content_filter", innererror={"code": "ResponsibleAIPolicyViolation"}),
        Filtered,
    ),
    "OpenAI, policy": (400, error(code="content_policy_violation"), Filtered),
    "OpenAI, prompt": (400, error(code="invalid_prompt"), Filtered),
    "OpenAI, cyber": (400, error(code="cyber_policy"), Filtered),
    "Gemini, blocked": (200, '{"promptFeedback":{"blockReason":"SAFETY"}}', Filtered),
    "OpenRouter, flagged": (403, error("Your input was flagged", code=403), Filtered),
    # keys and models
    "OpenAI, key": (401, error("Incorrect API key provided", code="invalid_api_key"), AuthFailed),
    "llama.cpp, key": (
        401,
        error("Invalid API Key", code=401, type="authentication_error"),
        AuthFailed,
    ),
    "Gemini, key": (
        400,
        error("API key not valid. Please pass a valid API key.", status="INVALID_ARGUMENT"),
        AuthFailed,
    ),
    "403": (
        403,
        error("Country not supported", code="unsupported_country_region_territory"),
        AuthFailed,
    ),
    "OpenAI, model": (
        404,
        error("The model `x` does not exist", code="model_not_found"),
        ModelNotFound,
    ),
    "Ollama, model": (
        404,
        '{"error":"model \'x\' not found, try pulling it first"}',
        ModelNotFound,
    ),
    "Azure, deployment": (404, error(code="DeploymentNotFound"), ModelNotFound),
    "404, HTML": (404, "<html><h1>nginx</h1></html>", ModelNotFound),
    # other refusals
    "400": (400, error("Invalid value", type="invalid_request_error"), BadRequest),
    "422, FastAPI": (422, '{"detail":[{"loc":["body","n"],"msg":"too many"}]}', BadRequest),
    "llama.cpp, 501": (
        501,
        error("not supported", code=501, type="not_supported_error"),
        BadRequest,
    ),
    "418": (418, "", BadRequest),
    "307": (307, "", Redirected),
    "301": (301, "", Redirected),
    # errors that come with a 200
    "200, overloaded": (200, error(type="overloaded_error"), Overloaded),
    "200, OpenRouter's number": (200, error("Provider returned error", code=429), RateLimited),
    "200, number of a fault": (200, error(code=502), Overloaded),
    "200, server error": (200, error(type="server_error"), ServerFault),
    "200, invalid request": (200, error(type="invalid_request_error"), BadRequest),
    "200, who knows": (200, error("hm"), BadBody),
    "200, Gemini's list": (200, f"[{error(status='RESOURCE_EXHAUSTED')}]", RateLimited),
}


@pytest.mark.parametrize(("status", "body", "kind"), TABLE.values(), ids=TABLE)
def test_answer_is_its_error(status, body, kind):
    found = classify(status, {}, body, provider="openai", model="m")
    assert type(found) is kind
    assert (found.status, found.provider, found.model) == (status, "openai", "m")
    assert str(status) in str(found)


def test_every_class_of_the_wire_has_a_row():
    made_elsewhere = {
        "ConnectFailed",
        "ConnectionLost",
        "AttemptTimeout",
        "QuotaWait",
        "TlsFailed",
        "AnswerTooLarge",
    }
    made_elsewhere |= {"Truncated", "Refused", "EmptyAnswer", "InvalidAnswer"}
    families = {"ProviderError", "TransientError", "PoolFailure", "Rejected", "AnswerError"}
    kinds = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.ProviderError)
    }
    assert {kind.__name__ for _, _, kind in TABLE.values()} == kinds - made_elsewhere - families


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (500, "false", BadRequest),
        (429, "false", BadRequest),
        (503, "false", BadRequest),
        (400, "true", ServerFault),
        (404, "true", ServerFault),
        (500, "true", ServerFault),
        (400, "false", BadRequest),
        (503, "maybe", Overloaded),
    ],
)
def test_x_should_retry_goes_over_the_status(status, said, kind):
    assert type(classify(status, {"x-should-retry": said}, "")) is kind


def test_x_should_retry_does_not_go_over_what_the_body_names():
    assert (
        type(classify(429, {"x-should-retry": "true"}, error(code="insufficient_quota")))
        is QuotaExhausted
    )
    assert (
        type(classify(400, {"x-should-retry": "true"}, error(code="context_length_exceeded")))
        is TooLong
    )


def test_error_tells_what_the_answer_told():
    body = error(
        "Rate limit reached. Please try again in 20s.", type="tokens", code="rate_limit_exceeded"
    )
    found = classify(429, {"x-request-id": "req_9"}, body)
    assert (found.code, found.retry_after, found.request_id) == ("rate_limit_exceeded", 20, "req_9")
    assert "Rate limit reached" in str(found)
    assert found.body.startswith('{"error"')


def test_number_in_place_of_a_code_is_not_its_name():
    assert (
        classify(400, {}, error(code=400, type="exceed_context_size_error")).code
        == "exceed_context_size_error"
    )


def test_request_id_of_the_body():
    assert (
        classify(
            529, {}, '{"type":"error","error":{"type":"overloaded_error"},"request_id":"req_a"}'
        ).request_id
        == "req_a"
    )


def test_redirect_names_where_it_leads_without_credentials():
    found = classify(307, {"location": f"https://user:{CANARY}@elsewhere.example/v1"}, "")
    assert "elsewhere.example" in str(found)
    assert CANARY not in str(found)


def test_page_is_quoted_by_its_title():
    assert "413 Request Entity Too Large" in str(classify(413, {}, CLOUDFLARE))


@pytest.mark.parametrize("status", [400, 401, 429, 500, 200])
def test_key_that_is_echoed_is_cut_out(status):
    found = classify(
        status, {}, error(f"key {CANARY} in {CANARY * 3}", code="x"), secrets=(CANARY,)
    )
    assert CANARY not in f"{found!r} {found} {found.body}"


def test_message_is_one_short_line_of_printable_text():
    said = str(classify(400, {}, error("first\nsecond\x1b[31m red\x00" + "x" * 5000)))
    assert said.isprintable()
    assert len(said) < 600


@given(st.integers(100, 999), st.dictionaries(st.text(), st.text()), st.text() | st.binary())
def test_whatever_comes_is_some_error(status, headers, body):
    assert isinstance(classify(status, headers, body), errors.ProviderError)


NAMES = st.sampled_from(
    ["error", "message", "code", "type", "status", "details", "innererror", "detail"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner))


@given(st.sampled_from([200, 400, 404, 413, 429, 500]), JSON)
def test_whatever_json_comes_is_some_error(status, body):
    assert isinstance(classify(status, {}, json.dumps(body)), errors.ProviderError)


# -- foreign exceptions


def openai_error(kind, status, body, headers=None):
    request = httpx2.Request("POST", "https://api.openai.com/v1/chat/completions")
    response = httpx2.Response(status, headers=headers, content=body, request=request)
    return kind("said so", response=response, body=json.loads(body).get("error"))


def classified(original) -> errors.ProviderError:
    found = classify_exception(original)
    assert isinstance(found, errors.ProviderError)
    assert found.__cause__ is original
    return found


def test_exception_of_the_openai_package_is_classified():
    original = openai_error(
        openai.RateLimitError, 429, error(code="insufficient_quota"), {"X-Request-Id": "r"}
    )
    found = classified(original)
    assert type(found) is QuotaExhausted
    assert found.request_id == "r"


def test_hint_of_a_foreign_exception_is_read():
    original = openai_error(openai.RateLimitError, 429, error(), {"Retry-After": "7"})
    assert classified(original).retry_after == 7


def test_exception_of_httpx_is_classified_by_its_response():
    response = httpx2.Response(503, request=httpx2.Request("POST", "http://x"))
    original = httpx2.HTTPStatusError("503", request=response.request, response=response)
    assert type(classified(original)) is Overloaded


def test_exception_over_an_unread_stream_is_classified():
    class Unread:
        status_code = 429
        headers = {"retry-after": "2"}  # noqa: RUF012

        @property
        def content(self):
            raise httpx2.ResponseNotRead

    class StreamError(RuntimeError):
        response = Unread()

    original = StreamError("stream")
    assert classified(original).retry_after == 2


@pytest.mark.parametrize(
    "original",
    [
        ValueError("x"),
        TimeoutError("x"),
        errors.Truncated("x"),
        errors.SetupError("x"),
        openai.APIConnectionError(request=httpx2.Request("POST", "http://x")),
    ],
    ids=repr,
)
def test_other_exceptions_are_left_alone(original):
    assert classify_exception(original) is original


def test_exception_about_a_success_is_left_alone():
    response = httpx2.Response(200, request=httpx2.Request("POST", "http://x"))
    original = openai.APIResponseValidationError(response=response, body=None)
    assert classify_exception(original) is original
