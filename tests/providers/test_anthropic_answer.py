"""What the Anthropic dialect makes of what comes back."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import LLMMessage, Usage
from ingather.errors import (
    BadBody,
    Overloaded,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    Refused,
    TooLong,
    Truncated,
)
from ingather.providers.anthropic import AnthropicProvider
from ingather.response import Allowance
from tests.providers.canned import Canned

HI = [LLMMessage("user", "Hi")]
ANSWER_TOOL = "give_the_answer"


def message(*blocks, stop="end_turn", **extra):
    content = list(blocks) or [{"type": "text", "text": "Paris"}]
    usage = {"input_tokens": 9, "output_tokens": 3}
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": content,
            "stop_reason": stop, "usage": usage, **extra}  # fmt: skip


def text(words):
    return {"type": "text", "text": words}


def use(name, arguments, call_id="t1"):
    return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}


async def ask(body, status=200, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return await AnthropicProvider(
        "m",
        base_url="http://localhost",
        api_key="sk-ant-1234",
        transport=Canned(body, status, names),
    ).complete(HI)


async def test_answer():
    response = await ask(message(), request_id="req_1")
    assert (response.content, response.model, response.finish_reason) == (
        "Paris",
        "claude-x",
        "stop",
    )
    assert (response.usage, response.request_id) == (Usage(9, 3), "req_1")
    assert response.metadata == {"id": "msg_1", "stop_reason": "end_turn"}


async def test_texts_are_put_together_and_thoughts_kept_apart():
    thought = {"type": "thinking", "thinking": "Hm", "signature": "s"}
    response = await ask(message(thought, text("Par"), text("is")))
    assert response.content == "Paris"
    assert response.metadata["blocks"] == [thought]


@pytest.mark.parametrize("stop", ["end_turn", "stop_sequence"])
async def test_ends_that_are_a_stop(stop):
    response = await ask(message(stop=stop))
    assert (response.finish_reason, response.metadata["stop_reason"]) == ("stop", stop)


async def test_tool_calls_come_back_in_openais_form():
    response = await ask(
        message(text("Let me see"), use("f", {"a": 1}), use("g", {}, "t2"), stop="tool_use")
    )
    assert (response.content, response.finish_reason) == ("Let me see", "tool_calls")
    assert response.tool_calls == [
        {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "t2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]


async def test_tool_of_the_answer_is_the_answer():
    response = await ask(message(text("Here"), use(ANSWER_TOOL, {"age": 34}), stop="tool_use"))
    assert (response.content, response.finish_reason, response.tool_calls) == (
        '{"age":34}',
        "stop",
        None,
    )


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input_tokens": 5, "output_tokens": 7}, Usage(5, 7)),
        (
            {
                "input_tokens": 5,
                "cache_creation_input_tokens": 20,
                "cache_read_input_tokens": 100,
                "output_tokens": 7,
                "output_tokens_details": {"thinking_tokens": 4},
            },
            Usage(125, 7, 100, 4, 20),
        ),
        ({"input_tokens": 5, "output_tokens": 7, "cache_read_input_tokens": None}, Usage(5, 7)),
        ({"input_tokens": 5, "output_tokens": 7, "cache_read_input_tokens": -3}, Usage(5, 7)),
        (None, None),
        ({}, None),
        ([], None),
        ({"input_tokens": 5}, None),
        ({"input_tokens": -1, "output_tokens": 5}, None),
    ],
)
async def test_usage(usage, expected):
    assert (await ask(message(usage=usage))).usage == expected


DECLINED = {"type": "refusal", "category": "cyber", "explanation": "It is about malware"}


@pytest.mark.parametrize(
    ("body", "error", "said"),
    [
        (message(stop="max_tokens"), Truncated, "raise max_tokens"),
        (message(use(ANSWER_TOOL, {}), stop="max_tokens"), Truncated, "raise max_tokens"),
        (message(stop="model_context_window_exceeded"), Truncated, "shorten the prompt"),
        (message(stop="pause_turn"), Truncated, "paused"),
        (message(text(""), stop="refusal"), Refused, "declined"),
        (message(text(""), stop="refusal", stop_details=DECLINED), Refused, "It is about malware"),
    ],
)
async def test_answer_that_is_not_what_was_asked_is_an_error_that_holds_it(body, error, said):
    with pytest.raises(error, match=said) as caught:
        await ask(body, request_id="r")
    assert caught.value.response.usage == Usage(9, 3)
    assert (caught.value.provider, caught.value.model, caught.value.request_id) == (
        "anthropic",
        "m",
        "r",
    )


NO_ANSWERS = {
    "empty": b"",
    "a page": b"<html></html>",
    "an array": b"[]",
    "an empty object": b"{}",
    "no content": message() | {"content": None},
    "content that is none": message() | {"content": "Paris"},
    "a block that is none": message("Paris"),
    "text that is none": message({"type": "text", "text": None}),
    "two answers": message(use(ANSWER_TOOL, {}), use(ANSWER_TOOL, {})),
    "a chat completion": {"choices": [{"message": {"content": "x"}}]},
}


@pytest.mark.parametrize("body", NO_ANSWERS.values(), ids=NO_ANSWERS)
async def test_200_that_is_no_answer_is_a_bad_body(body):
    with pytest.raises(BadBody, match="no message") as caught:
        await ask(body, request_id="r")
    assert caught.value.request_id == "r"


def failed(kind, words="…", **details):
    error = {"type": kind, "message": words, **({"details": details} if details else {})}
    return {"type": "error", "error": error, "request_id": "req_b"}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (529, failed("overloaded_error", "Overloaded"), Overloaded),
        (200, failed("overloaded_error"), Overloaded),
        (
            429,
            failed("rate_limit_error", "acceleration limit", error_code="ramp_limit_exceeded"),
            RateLimited,
        ),
        (
            429,
            failed("rate_limit_error", error_code="contract_spend_limit_reached"),
            QuotaExhausted,
        ),
        (
            429,
            failed("rate_limit_error", error_code="enforced_spend_limit_reached"),
            QuotaExhausted,
        ),
        (402, failed("billing_error"), QuotaExhausted),
        (400, failed("invalid_request_error", "Your credit balance is too low"), QuotaExhausted),
        (400, failed("invalid_request_error", "prompt is too long: 2 tokens > 1 maximum"), TooLong),
        (413, failed("request_too_large"), TooLong),
    ],
)
async def test_errors(status, body, error):
    with pytest.raises(ProviderError) as caught:
        await ask(body, status)
    assert type(caught.value) is error
    assert (caught.value.status, caught.value.provider, caught.value.request_id) == (
        status,
        "anthropic",
        "req_b",
    )


async def test_cause_is_the_code():
    with pytest.raises(RateLimited) as caught:
        await ask(
            failed("rate_limit_error", error_code="ramp_limit_exceeded"), 429, retry_after="7"
        )
    assert (caught.value.code, caught.value.retry_after) == ("ramp_limit_exceeded", 7)


async def test_limits_come_back_with_their_instants_as_seconds():
    response = await ask(
        message(),
        date="Fri, 20 Nov 2026 12:00:00 GMT",
        anthropic_ratelimit_requests_limit="50",
        anthropic_ratelimit_requests_remaining="49",
        anthropic_ratelimit_requests_reset="2026-11-20T12:00:01Z",
        anthropic_ratelimit_input_tokens_limit="30000",
        anthropic_ratelimit_input_tokens_remaining="15000",
        anthropic_ratelimit_input_tokens_reset="2026-11-20T12:00:30Z",
    )
    assert response.rate_limits is not None
    assert response.rate_limits.requests == Allowance(50, 49, 1.0)
    assert response.rate_limits.input_tokens == Allowance(30000, 15000, 30.0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
KINDS = st.sampled_from(["text", "tool_use", "thinking"])
BLOCK = st.fixed_dictionaries(
    {"type": KINDS | JSON}, optional={"text": JSON, "name": JSON, "input": JSON, "id": JSON}
)
BODY = st.fixed_dictionaries(
    {"content": st.lists(BLOCK, max_size=3) | JSON},
    optional={
        "stop_reason": JSON,
        "stop_details": JSON,
        "usage": JSON,
        "model": JSON,
        "id": JSON,
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
