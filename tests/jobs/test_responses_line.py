"""Batch lines of the Responses API: what goes in, and what comes out, by the dialect's own reading and writing."""

import json

import orjson
import pytest
from openai.types.responses import Response

from ingather.errors import Refused, SetupError
from ingather.jobs import Recipe, Row
from ingather.jobs.batch import RESPONSES
from ingather.jobs.batch_answer import batch_answer_line
from ingather.jobs.responses_line import read_input, response_object
from ingather.providers.responses import ResponsesProvider
from ingather.providers.responses_answer import read
from ingather.response import LLMResponse
from ingather.result import TaskResult

ITEMS: list[dict[str, object]] = [
    {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "What is 2 + 3?"}],
    },
    {"type": "function_call", "call_id": "c", "name": "add", "arguments": '{"a":2,"b":3}'},
    {"type": "function_call_output", "call_id": "c", "output": "5"},
]
TOOL = {"type": "function", "name": "add", "parameters": {"type": "object"}, "strict": False}


def sent(body: dict[str, object]) -> dict[str, object]:
    line = {
        "custom_id": "a",
        "method": "POST",
        "url": "/v1/responses",
        "body": {"model": "gpt", **body},
    }
    task = Recipe(own_models=True, speaks_responses=True).line(Row(1, dict(line))).task
    provider = ResponsesProvider("other", base_url="http://127.0.0.1:1/v1")
    whole: dict[str, object] = orjson.loads(
        provider.prepare(task.messages, task.config_overrides).body
    )
    return whole


def test_a_body_is_sent_as_it_is():
    body = {
        "input": ITEMS,
        "instructions": "Add.",
        "tools": [TOOL],
        "max_output_tokens": 50,
        "reasoning": {"effort": "low"},
    }
    assert sent(body) == {"model": "gpt", "store": False, **body}


THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}


@pytest.mark.parametrize("said", [CALL, {"type": "message", "role": "assistant", "content": "Hm"}])
def test_reasoning_goes_along_with_what_follows_it(said):
    output = {"type": "function_call_output", "call_id": "c", "output": "5"}
    question = {"type": "message", "role": "user", "content": "Hi"}
    items = [question, THOUGHT, said, *([output] if said is CALL else [])]
    assert sent({"input": items})["input"] == items


@pytest.mark.parametrize("rest", [[], [{"role": "user", "content": "x"}]])
def test_reasoning_that_nothing_said_follows_is_named(rest):
    with pytest.raises(SetupError, match="reasoning"):
        read_input([THOUGHT, *rest])


def test_text_alone_is_one_message():
    assert sent({"input": "Hi"})["input"] == [{"type": "message", "role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    "item",
    [
        {
            "type": "custom_tool_call",
            "call_id": "c",
            "name": "sql",
            "input": "select 1",
            "id": "ctc_1",
        },
        {
            "type": "custom_tool_call_output",
            "call_id": "c",
            "output": [{"type": "input_text", "text": "1"}],
        },
        {"type": "item_reference", "id": "msg_1"},
        {"id": "msg_1"},
        {
            "type": "web_search_call",
            "id": "ws_1",
            "status": "completed",
            "action": {"type": "search", "query": "x"},
        },
        {"type": "mcp_approval_response", "approval_request_id": "r", "approve": True},
        {"type": "of_next_year", "n": 2**70},
    ],
)
def test_an_item_that_no_message_says_is_sent_as_it_is(item):
    user = {"type": "message", "role": "user", "content": "Hi"}
    assert sent({"input": [user, item, user]})["input"] == [user, item, user]
    assert sent({"input": [item, user], "instructions": "Be brief"})["input"] == [item, user]


def test_reasoning_stands_before_the_item_that_it_led_to():
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
    call = {"type": "custom_tool_call", "call_id": "c", "name": "sql", "input": "select 1"}
    assert sent({"input": [thought, call]})["input"] == [thought, call]


def test_tools_of_the_api_are_sent_as_they_are():
    tools = [
        {"type": "custom", "name": "sql", "format": {"type": "text"}},
        {"type": "web_search"},
        TOOL,
    ]
    assert sent({"input": "Hi", "tools": tools})["tools"] == tools


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("  ", "not empty"),
        (5, "'input' is text, or a list of items"),
        ([], "not empty"),
        (["x"], "item 1 of 'input' is an object with a 'type'"),
        ([{"type": "message", "role": "wizard", "content": "x"}], "message 1 has no 'role'"),
        (
            [{"type": "function_call", "call_id": "c"}],
            "item 1 of 'input', a function_call, has no 'name'",
        ),
        ([{"type": 5}], "item 1 of 'input' is an object with a 'type'"),
    ],
)
def test_what_no_message_can_carry_is_named(said, problem):
    with pytest.raises(SetupError) as caught:
        read_input(said)
    assert problem in str(caught.value)


PROVIDER_S: dict[str, object] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_700_000_000,
    "status": "completed",
    "model": "gpt-5-mini-2025-08-07",
    "output": [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "5", "annotations": []}],
        },
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "c",
            "name": "add",
            "arguments": "{}",
            "status": "completed",
        },
    ],
    "usage": {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 3},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 15,
    },
}


def test_an_answer_comes_out_as_the_provider_gave_it():
    body = response_object(read(PROVIDER_S).response, {"tools": [TOOL]})
    response = Response.model_validate(body)
    assert (response.id, response.created_at, response.model) == (
        "resp_1",
        1_700_000_000,
        "gpt-5-mini-2025-08-07",
    )
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call"]
    assert response.output_text == "5"
    assert response.usage is not None
    assert (response.usage.total_tokens, response.usage.output_tokens_details.reasoning_tokens) == (
        15,
        2,
    )
    assert body["tools"] == [TOOL]


def test_an_answer_that_is_cut_is_incomplete():
    body = response_object(LLMResponse("Once", finish_reason="length"), {"model": "m"})
    response = Response.model_validate(body)
    assert (response.status, response.model) == ("incomplete", "m")
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


def test_a_refusal_is_a_part_of_its_message():
    answer = LLMResponse("")
    result = TaskResult("a", False, None, Refused("the model declined: No."), response=answer)
    line = json.loads(batch_answer_line(result, "a", RESPONSES))
    [item] = Response.model_validate(line["response"]["body"]).output
    assert item.type == "message"
    assert item.content[0].type == "refusal"
    assert item.content[0].refusal == "No."
