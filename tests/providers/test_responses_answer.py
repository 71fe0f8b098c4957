"""What the Responses dialect makes of what comes back."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import LLMMessage, Usage
from ingather.errors import (
    BadBody,
    BadRequest,
    EmptyAnswer,
    Filtered,
    ProviderError,
    RateLimited,
    Refused,
    ServerFault,
    Truncated,
)
from ingather.providers.responses import ResponsesProvider
from ingather.response import Allowance, RateLimits
from tests.providers.canned import Canned

HI = [LLMMessage("user", "Hi")]
KEY = "sk-12345678-test"


async def ask(body, status=200, **headers):
    transport = Canned(
        body, status, {name.replace("_", "-"): value for name, value in headers.items()}
    )
    return await ResponsesProvider(
        "m", base_url="http://localhost/v1", api_key=KEY, transport=transport
    ).complete(HI)


def text(said, **more):
    return {"type": "output_text", "text": said, "annotations": [], **more}


def message(*parts, **more):
    return {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [*parts],
        **more,
    }


def response(*output, status="completed", **more):
    usage = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}
    head = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m-2026",
        "error": None,
        "usage": usage,
    }
    return {**head, "status": status, "output": [*output], **more}


REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "…"}
CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "f",
    "arguments": '{"a":1}',
}


async def test_text_with_what_belongs_to_it():
    answer = await ask(response(message(text("Par"), text("is"))), x_request_id="req_1")
    assert (answer.content, answer.model, answer.finish_reason) == ("Paris", "m-2026", "stop")
    assert (answer.usage, answer.request_id, answer.cost_usd, answer.tool_calls) == (
        Usage(9, 3),
        "req_1",
        None,
        None,
    )
    assert answer.metadata == {"id": "resp_1", "created_at": 1, "status": "completed"}


async def test_request_id_is_the_bodys_where_no_header_has_one():
    assert (await ask(response(message(text("x"))))).request_id == "resp_1"


async def test_limits_come_back_on_the_answer():
    body = response(message(text("x")))
    answer = await ask(body, x_ratelimit_limit_requests="500", x_ratelimit_remaining_requests="1")
    assert answer.rate_limits == RateLimits(Allowance(500, 1))


async def test_usage_with_its_details():
    usage = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 5},
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 20},
        "total_tokens": 150,
    }
    assert (await ask(response(message(text("x")), usage=usage))).usage == Usage(100, 50, 60, 20, 5)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        [],
        5,
        {"input_tokens": 5},
        {"input_tokens": -1, "output_tokens": 5},
        {"prompt_tokens": 5},
    ],
)
async def test_usage_that_is_missing_or_absurd_is_unknown(usage):
    assert (await ask(response(message(text("x")), usage=usage))).usage is None


async def test_function_calls_come_back_as_those_of_chat_completions():
    answer = await ask(response(REASONING, CALL, {**CALL, "call_id": "call_2"}))
    calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
        for n in (1, 2)
    ]
    assert (answer.content, answer.tool_calls, answer.finish_reason) == ("", calls, "tool_calls")


async def test_custom_calls_too():
    answer = await ask(
        response({"type": "custom_tool_call", "call_id": "c", "name": "sql", "input": "select 1"})
    )
    assert answer.tool_calls == [
        {"id": "c", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}
    ]


async def test_calls_that_came_are_sent_back_as_they_were():
    answer = await ask(response(CALL))
    transport = Canned(response(message(text("x"))))
    provider = ResponsesProvider("m", base_url="http://localhost/v1", transport=transport)
    told = LLMMessage.of({"role": "tool", "tool_call_id": "call_1", "content": "2"})
    await provider.complete(
        [*HI, LLMMessage("assistant", answer.content, tool_calls=answer.tool_calls), told]
    )
    ((_, body),) = transport.asked
    assert body["input"][1:] == [
        {name: value for name, value in CALL.items() if name != "id"},
        {"type": "function_call_output", "call_id": "call_1", "output": "2"},
    ]


async def test_reasoning_that_came_is_sent_back_with_its_answer():
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    answer = await ask(response({**REASONING, "encrypted_content": None}, REASONING, search, CALL))
    transport = Canned(response(message(text("x"))))
    provider = ResponsesProvider("m", base_url="http://localhost/v1", transport=transport)
    told = LLMMessage(
        "assistant", answer.content, tool_calls=answer.tool_calls, metadata=answer.metadata
    )
    await provider.complete([*HI, told])
    ((_, body),) = transport.asked
    assert [item["type"] for item in body["input"]] == ["message", "reasoning", "function_call"]
    assert body["input"][1] == REASONING


async def test_comments_on_the_way_are_not_the_answer():
    comment, final = (
        message(text("Looking."), phase="commentary"),
        message(text("Paris"), phase="final_answer"),
    )
    assert (await ask(response(comment, final))).content == "Paris"
    assert (await ask(response(comment))).content == "Looking."


async def test_what_else_came_is_kept():
    note = {
        "type": "url_citation",
        "url": "https://x.example",
        "title": "x",
        "start_index": 0,
        "end_index": 1,
    }
    answer = await ask(
        response(REASONING, message(text("x", annotations=[note])), service_tier="flex")
    )
    assert answer.metadata["output"] == [REASONING]
    assert answer.metadata["annotations"] == [note]
    assert answer.metadata["service_tier"] == "flex"


NO = {"type": "refusal", "refusal": "I cannot"}


def incomplete(*output, reason):
    return response(*output, status="incomplete", incomplete_details={"reason": reason})


@pytest.mark.parametrize(
    ("body", "error", "finish", "said"),
    [
        (response(message(NO)), Refused, "stop", "declined: I cannot"),
        (
            incomplete(message(text("half")), reason="max_output_tokens"),
            Truncated,
            "length",
            "raise max_tokens",
        ),
        (
            incomplete(REASONING, reason="max_output_tokens"),
            Truncated,
            "length",
            "raise max_tokens",
        ),
        (incomplete(reason="max_output_tokens"), Truncated, "length", "raise max_tokens"),
        (
            incomplete(message(text("half")), reason="content_filter"),
            Filtered,
            "content_filter",
            "content filter",
        ),
        (
            incomplete(message(text("half")), reason="max_messages"),
            Truncated,
            "max_messages",
            "incomplete: max_mess",
        ),
        (incomplete(message(text("half")), reason=None), Truncated, "incomplete", "incomplete"),
        (
            response(message(text("half")), status="incomplete"),
            Truncated,
            "incomplete",
            "incomplete",
        ),
        (incomplete(message(NO), reason="max_output_tokens"), Refused, "length", "declined"),
    ],
    ids=[
        "refused",
        "cut",
        "cut in thought",
        "cut at once",
        "filtered",
        "other",
        "no reason",
        "nothing said",
        "both",
    ],
)
async def test_answer_that_is_not_what_was_asked_is_an_error_that_holds_it(
    body, error, finish, said
):
    with pytest.raises(ProviderError, match=said) as caught:
        await ask(body, x_request_id="r")
    assert type(caught.value) is error
    answer = caught.value.response
    assert answer is not None
    assert (answer.request_id, answer.finish_reason, answer.usage) == ("r", finish, Usage(9, 3))
    assert (caught.value.model, caught.value.status) == ("m", 200)


# -- a server that calls completed what it cut


def counted(item, tokens):
    return response(item, usage={"input_tokens": 9, "output_tokens": tokens})


def limited(body, limit=10, home="http://localhost/v1"):
    provider = ResponsesProvider("m", base_url=home, api_key=KEY, transport=Canned(body))
    return provider.complete(HI, {"max_tokens": limit} if limit else None)


CUT_JSON = {**CALL, "arguments": '{"a":'}


THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [],
    "content": [{"type": "reasoning_text", "text": "Hm"}],
}


@pytest.mark.parametrize(
    "item",
    [
        message(text("Once upon")),
        message(text('{"a": 1')),
        message(text("12")),
        CUT_JSON,
        THOUGHT,
        message(text("")),
    ],
)
async def test_an_answer_that_took_all_tokens_that_it_might_was_cut(item):
    with pytest.raises(Truncated, match="though the server calls it completed") as caught:
        await limited(counted(item, 10))
    assert caught.value.response is not None
    assert (caught.value.model, caught.value.response.usage) == ("m", Usage(9, 10))


@pytest.mark.parametrize(
    ("item", "tokens", "limit"),
    [
        (message(text("Once upon")), 9, 10),
        (message(text("Once upon")), 10, None),
        (message(text(' {"a": [1]}\n')), 10, 10),
        (message(text("[1]")), 10, 10),
        (CALL, 10, 10),
    ],
    ids=["fewer tokens", "no limit", "whole JSON", "a list", "a whole call"],
)
async def test_one_that_has_its_end_was_not(item, tokens, limit):
    assert (await limited(counted(item, tokens), limit)).finish_reason in ("stop", "tool_calls")


async def test_thinking_alone_below_the_limit_is_no_cut():
    with pytest.raises(EmptyAnswer):
        await limited(counted(THOUGHT, 9))


async def test_openai_itself_is_believed():
    answer = await limited(
        counted(message(text("Once upon")), 10), home="https://api.openai.com/v1"
    )
    assert answer.content == "Once upon"


FAILURES = {
    "server_error": ServerFault,
    "rate_limit_exceeded": RateLimited,
    "invalid_prompt": Filtered,
    "bio_policy": Filtered,
    "misalignment_policy_violation": Filtered,
    "image_content_policy_violation": Filtered,
    "vector_store_timeout": ServerFault,
    "failed_to_download_image": ServerFault,
    "invalid_image": BadRequest,
    "image_too_large": BadRequest,
    "unsupported_image_media_type": BadRequest,
    "data_residency_mismatch": BadRequest,
    "who_knows": BadBody,
}


@pytest.mark.parametrize(("code", "error"), FAILURES.items())
@pytest.mark.parametrize("output", [[], [message(text("half"))]], ids=["nothing", "half"])
async def test_response_that_failed_is_the_error_that_it_names(code, error, output):
    with pytest.raises(ProviderError) as caught:
        await ask(
            response(*output, status="failed", error={"code": code, "message": "It went wrong."})
        )
    assert type(caught.value) is error
    assert caught.value.code == code
    assert "It went wrong." in str(caught.value)


NO_ANSWERS = {
    "empty": b"",
    "a page": b"<html></html>",
    "null": b"null",
    "an empty object": {},
    "no output": {"status": "completed"},
    "output that is no list": response() | {"output": "x"},
    "an item that is none": response("x"),
    "content that is no list": response({"type": "message", "content": "x"}),
    "a part that is none": response(message("x")),
    "text that is none": response(message({"type": "output_text", "text": 5})),
    "a call without arguments": response({"type": "function_call", "call_id": "c", "name": "f"}),
    "failed without a reason": response(message(text("x")), status="failed"),
    "queued": response(status="queued"),
    "in progress": response(message(text("x")), status="in_progress"),
    "cancelled": response(message(text("x")), status="cancelled"),
    "no status": {
        name: value for name, value in response(message(text("x"))).items() if name != "status"
    },
    "a chat completion": {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]},
}


@pytest.mark.parametrize("body", NO_ANSWERS.values(), ids=NO_ANSWERS)
async def test_200_that_is_no_answer_is_a_bad_body(body):
    with pytest.raises(BadBody, match="the answer is no response: ") as caught:
        await ask(body, x_request_id="r")
    assert (caught.value.status, caught.value.request_id, caught.value.model) == (200, "r", "m")


async def test_429_brings_its_hint():
    with pytest.raises(RateLimited) as caught:
        await ask(
            {"error": {"message": "Please try again in 20s.", "code": "rate_limit_exceeded"}}, 429
        )
    assert caught.value.retry_after == 20


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
PART = st.fixed_dictionaries(
    {"type": st.sampled_from(["output_text", "refusal", "x"])},
    optional={"text": JSON, "refusal": JSON, "annotations": JSON},
)
ITEM = st.fixed_dictionaries(
    {"type": st.sampled_from(["message", "function_call", "custom_tool_call", "reasoning"])},
    optional={
        "content": st.lists(PART, max_size=2) | JSON,
        "call_id": JSON,
        "name": JSON,
        "arguments": JSON,
    },
)
BODY = st.fixed_dictionaries(
    {"status": st.sampled_from(["completed", "incomplete", "failed", None])},
    optional={
        "output": st.lists(ITEM, max_size=2) | JSON,
        "incomplete_details": JSON | st.fixed_dictionaries({"reason": JSON}),
        **dict.fromkeys(("usage", "model", "id", "error"), JSON),
    },
)


@given(BODY | JSON)
def test_whatever_comes_is_an_answer_or_a_typed_error(body):
    try:
        answer = asyncio.run(ask(json.dumps(body).encode()))
    except ProviderError:
        return
    assert isinstance(answer.content, str)
    assert isinstance(answer.finish_reason, str)
