"""What the OpenAI dialect makes of what comes back."""

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
    Overloaded,
    ProviderError,
    RateLimited,
    Redirected,
    Refused,
    TooLong,
    Truncated,
)
from ingather.providers.openai import OpenAIProvider
from ingather.response import Allowance, RateLimits
from ingather.transport import Reply
from tests.servers.raw import RawServer, answer, completion

HI = [LLMMessage("user", "Hi")]
KEY = "sk-12345678-test"


class Canned:
    """A transport that has the same answer to everything."""

    def __init__(self, body, status=200, headers=None):
        self.reply = Reply(status, headers or {}, body)

    async def post(self, endpoint, body):
        return self.reply

    async def aclose(self):
        pass


async def ask(body, status=200, **headers):
    transport = Canned(
        body, status, {name.replace("_", "-"): value for name, value in headers.items()}
    )
    return await OpenAIProvider(
        "m", base_url="http://localhost/v1", api_key=KEY, transport=transport
    ).complete(HI)


async def test_answer_over_a_real_connection():
    async with RawServer(answer(completion("Paris"), X_Request_Id="req_1")) as server:
        provider = OpenAIProvider("m", base_url=server.base_url, api_key=KEY)
        response = await provider.complete(HI, {"temperature": 0})
        await provider.aclose()
    (request,) = server.requests
    assert request.line == "POST /v1/chat/completions HTTP/1.1"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    asked = {
        "messages": [{"role": "user", "content": "Hi"}],
        "model": "m",
        "temperature": 0,
        "stream": False,
    }
    assert request.json == asked
    assert (response.content, response.model, response.finish_reason) == ("Paris", "m-2026", "stop")
    assert (response.usage, response.request_id, response.cost_usd) == (Usage(9, 3), "req_1", None)


async def test_request_id_is_the_bodys_where_no_header_has_one():
    assert (await ask(completion())).request_id == "chatcmpl-1"


async def test_limits_come_back_on_the_answer():
    response = await ask(
        completion(), x_ratelimit_limit_requests="500", x_ratelimit_remaining_requests="1"
    )
    assert response.rate_limits == RateLimits(Allowance(500, 1))
    assert (await ask(completion())).rate_limits is None


async def test_usage_with_its_details():
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    assert (await ask(completion(usage=usage))).usage == Usage(100, 50, 60, 20)


@pytest.mark.parametrize(
    "usage",
    [None, {}, [], 5, {"prompt_tokens": 5}, {"prompt_tokens": -1, "completion_tokens": 5}]
    + [{"prompt_tokens": bad, "completion_tokens": 5} for bad in (True, 1.5, "5", None)],
)
async def test_usage_that_is_missing_or_absurd_is_unknown(usage):
    assert (await ask(completion(usage=usage))).usage is None


async def test_details_that_are_absurd_are_none():
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": -5},
    }
    assert (await ask(completion(usage=usage))).usage == Usage(9, 3)


def with_message(finish="stop", **message):
    return json.dumps(
        {"choices": [{"message": {"role": "assistant", **message}, "finish_reason": finish}]}
    ).encode()


async def test_tool_calls_come_back():
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    response = await ask(with_message("tool_calls", content=None, tool_calls=[call]))
    assert (response.content, response.tool_calls, response.finish_reason) == (
        "",
        [call],
        "tool_calls",
    )


async def test_function_call_comes_back():
    function = {"name": "f", "arguments": "{}"}
    response = await ask(with_message("function_call", content=None, function_call=function))
    assert (response.content, response.function_call) == ("", function)


async def test_content_in_parts_is_put_together():
    parts = [
        {"type": "thinking", "thinking": []},
        {"type": "text", "text": "Par"},
        {"type": "text", "text": "is"},
    ]
    assert (await ask(with_message(content=parts))).content == "Paris"


async def test_what_a_server_adds_is_kept():
    response = await ask(with_message(content="x", reasoning_content="because", annotations=[]))
    assert response.metadata == {"reasoning_content": "because"}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (completion("half", "length"), Truncated),
        (completion("", "content_filter"), Filtered),
        (with_message(content=None, refusal="I cannot"), Refused),
        (with_message("length", content=None, refusal="I cannot"), Refused),
    ],
    ids=["cut", "filtered", "refused", "refused and cut"],
)
async def test_answer_that_is_not_what_was_asked_is_an_error_that_holds_it(body, error):
    with pytest.raises(ProviderError) as caught:
        await ask(body, x_request_id="r")
    assert type(caught.value) is error
    assert caught.value.response is not None
    assert caught.value.response.request_id == "r"
    assert caught.value.response.content == (
        json.loads(body)["choices"][0]["message"]["content"] or ""
    )
    assert (caught.value.provider, caught.value.model, caught.value.status) == ("openai", "m", 200)


def choices(*found):
    return json.dumps({"choices": list(found)}).encode()


CHOICE = {"message": {"content": "x"}, "finish_reason": "stop"}
NO_ANSWERS = {
    "empty": b"",
    "a page": b"<html><body>502 Bad Gateway</body></html>",
    "null": b"null",
    "a number": b"5",
    "an array": b"[]",
    "an empty object": b"{}",
    "cut": completion()[:-20],
    "bottomless": b"[" * 10_000 + b"]" * 10_000,
    "a bottomless field": completion("x").replace(b'"x"', b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
    "two documents": completion() + completion(),
    "no choices": choices(),
    "two choices": choices(CHOICE, CHOICE),
    "choices that are none": b'{"choices": {"0": {}}}',
    "a choice that is none": choices("x"),
    "no message": choices({"finish_reason": "stop"}),
    "a message that is none": choices({"message": "x"}),
    "content that is no text": choices({"message": {"content": 5}}),
    "content that is an object": choices({"message": {"content": {"a": 1}}}),
    "tool calls that are none": choices({"message": {"content": "", "tool_calls": "x"}}),
    "an error that says nothing": b'{"error": "hm"}',
}


@pytest.mark.parametrize("body", NO_ANSWERS.values(), ids=NO_ANSWERS)
async def test_200_that_is_no_answer_is_a_bad_body(body):
    with pytest.raises(BadBody) as caught:
        await ask(body, x_request_id="r")
    assert (caught.value.status, caught.value.request_id) == (200, "r")
    assert (caught.value.provider, caught.value.model) == ("openai", "m")
    assert len(caught.value.body) <= 200


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"error": {"type": "overloaded_error", "message": "x"}}', Overloaded),
        (b'{"error": {"code": 429, "message": "x"}, "choices": []}', RateLimited),
        (b'{"error": {"code": "context_length_exceeded"}}', TooLong),
    ],
)
async def test_error_in_a_200_is_that_error(body, error):
    with pytest.raises(error):
        await ask(body)


async def test_duplicate_keys_count_once():
    assert (await ask(completion("x").replace(b'"m-2026"', b'"a", "model": "b"'))).model == "b"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
MESSAGE = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("content", "refusal", "tool_calls", "function_call", "x"), JSON)
)
CHOICES = st.lists(
    st.fixed_dictionaries({}, optional={"message": MESSAGE | JSON, "finish_reason": JSON}),
    max_size=2,
)
BODY = st.fixed_dictionaries(
    {},
    optional={"choices": CHOICES | JSON, "usage": JSON, "model": JSON, "id": JSON, "error": JSON},
)


@given(BODY | JSON | st.binary())
def test_whatever_comes_is_an_answer_or_a_typed_error(body):
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        response = asyncio.run(ask(encoded))
    except ProviderError:
        return
    assert isinstance(response.content, str)
    assert response.finish_reason is None or isinstance(response.finish_reason, str)


async def test_429_brings_its_hint():
    with pytest.raises(RateLimited) as caught:
        await ask(b'{"error": {"message": "Please try again in 20s."}}', 429)
    assert caught.value.retry_after == 20


async def test_redirect_is_not_followed_and_says_where_to():
    async with (
        RawServer() as elsewhere,
        RawServer(answer(b"", 307, location=elsewhere.url)) as server,
    ):
        provider = OpenAIProvider("m", base_url=server.base_url, api_key=KEY)
        with pytest.raises(Redirected, match=str(elsewhere.port)):
            await provider.complete(HI)
        await provider.aclose()
    assert elsewhere.requests == []


async def test_unauthorized_says_what_to_do():
    with pytest.raises(AuthFailed, match="check api_key"):
        await ask(b'{"error": {"message": "Incorrect API key provided"}}', 401)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"detail": "out of memory"}', "out of memory"),
        (
            b'{"error_code": 18, "error_msg": "qps request limit reached"}',
            "qps request limit reached",
        ),
        (b'{"choices": null, "base_resp": {"status_msg": "no such voice"}}', "no such voice"),
        (b"<html><head><title>502 Bad Gateway</title></head></html>", "it says: 502 Bad Gateway"),
        (b"upstream connect error", "upstream connect error"),
        (b'{"detail": "key sk-12345678-test is not known"}', "is not known"),
    ],
)
async def test_what_stands_in_place_of_an_answer_is_told(body, said):
    with pytest.raises(BadBody, match="no chat completion") as caught:
        await ask(body)
    assert said in str(caught.value)
    assert KEY not in str(caught.value)
