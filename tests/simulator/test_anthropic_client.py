"""Anthropic's own client is content with it."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel

from ingather.testing import Say, Simulator

anthropic = pytest.importorskip("anthropic", reason="the package anthropic is not installed")


class Person(BaseModel):
    name: str
    age: int


ASKED: dict = {
    "model": "claude-any",
    "max_tokens": 200,
    "messages": [
        {"role": "user", "content": "We sell boats. Our office is in Oslo.\n\nWhere is the office?"}
    ],
}
ANN: dict = {**ASKED, "messages": [{"role": "user", "content": "Ann Lee is 30 years old"}]}
SAVE: dict = {"name": "save", "description": "Save it.", "input_schema": Person.model_json_schema()}


@asynccontextmanager
async def asking(api_key="sk-ant-any", **settings):
    async with (
        Simulator(**settings) as sim,
        anthropic.AsyncAnthropic(
            base_url=sim.origin, api_key=api_key, max_retries=0, timeout=5
        ) as client,
    ):
        yield sim, client


async def test_a_message():
    async with asking() as (sim, client):
        message = await client.messages.create(**ASKED)
    assert message.content[0].text == "Our office is in Oslo."
    assert (message.role, message.model, message.stop_reason) == (
        "assistant",
        "claude-any",
        "end_turn",
    )
    assert (message.usage.input_tokens, message.usage.output_tokens) == (15, 6)
    assert message._request_id.startswith("req_")
    assert [(call.model, call.status, call.charged) for call in sim.ledger] == [
        ("claude-any", 200, 215)
    ]


async def test_the_system_prompt_is_counted_and_is_no_text_to_quote():
    async with asking() as (_, client):
        plain = await client.messages.create(**ASKED)
        message = await client.messages.create(
            **ASKED, system=[{"type": "text", "text": "Berlin. Berlin. Berlin."}]
        )
    assert message.content[0].text == "Our office is in Oslo."
    assert message.usage.input_tokens > plain.usage.input_tokens


async def test_structured_output_in_its_own_form():
    async with asking() as (_, client):
        message = await client.messages.parse(**ANN, output_format=Person)
    assert message.parsed_output == Person(name="Ann Lee", age=30)


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "save"}])
async def test_a_tool_that_must_be_called_is_called(choice):
    async with asking() as (_, client):
        message = await client.messages.create(**ANN, tools=[SAVE], tool_choice=choice)
    (block,) = message.content
    assert (message.stop_reason, block.type, block.name) == ("tool_use", "tool_use", "save")
    assert block.input == {"name": "Ann Lee", "age": 30}


async def test_what_a_tool_gave_is_text_to_quote():
    messages = [
        *ASKED["messages"],
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "t", "name": "find", "input": {}}],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t",
                    "content": [{"type": "text", "text": "It rained."}],
                }
            ],
        },
    ]
    async with asking(model="echo") as (_, client):
        message = await client.messages.create(**{**ASKED, "messages": messages}, tools=[SAVE])
    assert message.content[0].text == "It rained."


async def test_a_stream():
    async with asking() as (_, client), client.messages.stream(**ASKED) as stream:
        pieces = [text async for text in stream.text_stream]
        message = await stream.get_final_message()
    assert len(pieces) > 1
    assert "".join(pieces) == message.content[0].text == "Our office is in Oslo."
    assert (message.stop_reason, message.usage.input_tokens, message.usage.output_tokens) == (
        "end_turn",
        15,
        6,
    )


async def test_a_streamed_tool_call():
    forced: dict = {**ANN, "tools": [SAVE], "tool_choice": {"type": "any"}}
    async with asking() as (_, client), client.messages.stream(**forced) as stream:
        message = await stream.get_final_message()
    assert message.content[0].input == {"name": "Ann Lee", "age": 30}


async def test_tokens_are_counted_without_a_call():
    async with asking(rpm=60, burst=1) as (sim, client):
        counts = [
            (await client.messages.count_tokens(model="m", messages=ASKED["messages"]))
            for _ in range(3)
        ]
    assert [count.input_tokens for count in counts] == [15, 15, 15]
    assert sim.stats()["admitted_requests"] == 0


async def test_models():
    async with asking() as (_, client):
        assert [model.id async for model in client.models.list()] == ["extractive"]


async def test_stop_sequences_and_the_output_limit():
    async with asking(model="echo") as (_, client):
        asked = {**ASKED, "messages": [{"role": "user", "content": "one two three"}]}
        stopped = await client.messages.create(**asked, stop_sequences=["three", "two"])
        cut = await client.messages.create(**{**asked, "max_tokens": 1})
    assert (stopped.content[0].text, stopped.stop_reason, stopped.stop_sequence) == (
        "one ",
        "stop_sequence",
        "two",
    )
    assert (cut.content[0].text, cut.stop_reason, cut.usage.output_tokens) == (
        "one ",
        "max_tokens",
        1,
    )


async def test_a_tool_call_that_is_cut_has_no_arguments():
    async with asking() as (_, client):
        message = await client.messages.create(
            **{**ANN, "max_tokens": 2}, tools=[SAVE], tool_choice={"type": "any"}
        )
    assert (message.stop_reason, message.content[0].input) == ("max_tokens", {})


async def test_a_refusal():
    async with asking(script=["refusal", "content_filter"]) as (_, client):
        for _ in range(2):
            message = await client.messages.create(**ASKED)
            assert (message.stop_reason, message.stop_details.type) == ("refusal", "refusal")


async def test_limits_in_headers():
    async with asking(rpm=60, tpm=60_000) as (_, client):
        before = datetime.now(UTC)
        got = await client.messages.with_raw_response.create(**ASKED)
    headers = got.headers
    for name, limit, least in [
        ("requests", 60, 59),
        ("tokens", 60_000, 59_785),
        ("input-tokens", 60_000, 59_785),
        ("output-tokens", 60_000, 59_785),
    ]:
        assert headers[f"anthropic-ratelimit-{name}-limit"] == str(limit)
        # it fills up meanwhile
        assert least <= int(headers[f"anthropic-ratelimit-{name}-remaining"]) < limit
        reset = datetime.fromisoformat(headers[f"anthropic-ratelimit-{name}-reset"])
        assert reset.utcoffset() == timedelta(0)
        assert timedelta(0) < reset - before < timedelta(seconds=60)


async def test_a_rate_limit_error_with_its_headers():
    async with asking(rpm=1, burst=1) as (_, client):
        await client.messages.create(**ASKED)
        with pytest.raises(anthropic.RateLimitError) as failure:
            await client.messages.create(**ASKED)
    error = failure.value
    assert (error.type, error.response.headers["anthropic-ratelimit-requests-remaining"]) == (
        "rate_limit_error",
        "0",
    )
    assert 50 <= int(error.response.headers["retry-after"]) <= 60
    assert error.body["request_id"] == error.request_id
    assert error.request_id.startswith("req_")


async def test_without_headers_it_says_nothing_of_limits():
    async with asking(rpm=1, burst=1, headers=False) as (_, client):
        await client.messages.create(**ASKED)
        with pytest.raises(anthropic.RateLimitError) as failure:
            await client.messages.create(**ASKED)
    headers = failure.value.response.headers
    assert [name for name in headers if "retry" in name or "ratelimit" in name] == []


@pytest.mark.parametrize(
    ("step", "error", "kind", "words"),
    [
        ("529", anthropic.OverloadedError, "overloaded_error", "Overloaded"),
        ("500", anthropic.InternalServerError, "api_error", ""),
        ("503", anthropic.ServiceUnavailableError, "api_error", ""),
        ("504", anthropic.GatewayTimeoutError, "timeout_error", ""),
        ("acceleration:2", anthropic.RateLimitError, "rate_limit_error", "acceleration limit"),
        (
            "too_big",
            anthropic.RateLimitError,
            "rate_limit_error",
            "Limit 500000, Requested 1000000",
        ),
        ("402", anthropic.PaymentRequiredError, "billing_error", ""),
        ("quota", anthropic.BadRequestError, "invalid_request_error", "credit balance is too low"),
        (
            "context_length",
            anthropic.BadRequestError,
            "invalid_request_error",
            "prompt is too long",
        ),
        ("filtered", anthropic.BadRequestError, "invalid_request_error", "content filtering"),
        ("413", anthropic.ContentTooLargeError, "request_too_large", ""),
        ("401", anthropic.AuthenticationError, "authentication_error", ""),
        ("403", anthropic.PermissionDeniedError, "permission_error", ""),
        ("404", anthropic.NotFoundError, "not_found_error", "claude-any"),
    ],
)
async def test_each_fault_is_its_error(step, error, kind, words):
    async with asking(script=[step]) as (_, client):
        with pytest.raises(error) as failure:
            await client.messages.create(**ASKED)
        assert failure.value.body["type"] == "error"
        assert failure.value.type == kind
        assert words in failure.value.api_message
        assert await client.messages.create(**ASKED)


async def test_an_acceleration_limit_is_told_by_its_code_and_says_how_long_to_wait():
    async with asking(script=["acceleration:2"]) as (_, client):
        with pytest.raises(anthropic.RateLimitError) as failure:
            await client.messages.create(**ASKED)
    assert failure.value.error_code == "ramp_limit_exceeded"
    assert failure.value.response.headers["retry-after"] == "2"


async def test_a_wrong_key_is_not_let_in():
    async with asking(api_key="sk-ant-wrong") as (sim, client):
        sim.api_key = "sk-ant-right"
        with pytest.raises(anthropic.AuthenticationError) as failure:
            await client.messages.create(**ASKED)
        assert "sk-ant" not in str(failure.value)
        assert await client.with_options(api_key="sk-ant-right").messages.create(**ASKED)


@pytest.mark.parametrize("step", ["drop", "reset", "truncate"])
async def test_a_broken_connection(step):
    async with asking(script=[step]) as (_, client):
        with pytest.raises(anthropic.APIConnectionError):
            await client.messages.create(**ASKED)


async def test_a_stream_that_is_cut():
    async with asking(script=["truncate"]) as (_, client):
        stream = await client.messages.create(**ASKED, stream=True)
        # its HTTP library's own, as it comes
        with pytest.raises(Exception, match="peer closed connection"):
            [event async for event in stream]


async def test_a_script_by_text_says_what_it_shall():
    async with asking(script={"Oslo": [Say("No.")]}) as (_, client):
        assert (await client.messages.create(**ASKED)).content[0].text == "No."


@pytest.mark.parametrize(
    "wrong",
    [
        {"messages": []}, {"messages": [{"role": "system", "content": "x"}]}, {"model": ""}, {"max_tokens": 0},
        {"messages": [{"role": "user", "content": ""}]}, {"max_tokens": None}, {"tool_choice": {"type": "any"}},
        {"tools": [SAVE], "tool_choice": {"type": "tool", "name": "x"}}, {"output_config": {"format": {"type": "xml"}}},
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        {"output_config": {"format": {"type": "json_schema", "schema": {"anyOf": [{"minimum": 1}]}}}},
    ],
)  # fmt: skip
async def test_a_bad_request_is_a_400_in_the_providers_form(wrong):
    async with asking() as (_, client):
        with pytest.raises(anthropic.BadRequestError) as failure:
            await client.messages.create(**ANN, extra_body=wrong)
    assert failure.value.type == "invalid_request_error"


async def test_a_wrong_path_is_an_error_in_the_providers_form():
    async with asking() as (_, client):
        with pytest.raises(anthropic.NotFoundError) as failure:
            await client.get("/v1/nothing", cast_to=object)
    assert failure.value.type == "not_found_error"


async def test_the_version_must_be_told():
    async with asking() as (_, client):
        bare = client.with_options(default_headers={"anthropic-version": anthropic.Omit()})
        with pytest.raises(anthropic.BadRequestError, match="anthropic-version"):
            await bare.messages.create(**ASKED)


async def test_a_request_may_say_what_it_is_called_and_what_shall_become_of_it():
    async with asking() as (sim, client):
        with pytest.raises(anthropic.OverloadedError):
            await client.messages.create(
                **ASKED, extra_headers={"X-Simulate": "529"}, metadata={"custom_id": "row-1"}
            )
    assert [(call.custom_id, call.status, call.fault) for call in sim.ledger] == [
        ("row-1", 529, "529")
    ]
