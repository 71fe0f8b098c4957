"""OpenAI's own client is content with the simulator's responses."""

import json
from typing import Literal

import openai
import pytest
from openai.types.responses import Response
from pydantic import BaseModel

from ingather.testing import Simulator

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:openai")
PROMPT = "We sell boats. Our office is in Oslo.\n\nWhere is the office?"


class Person(BaseModel):
    name: str
    age: int
    mood: Literal["happy", "sad", "unknown"]


TOOL: dict = {
    "type": "function",
    "name": "save",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
    "strict": False,
}
FORCED: dict = {"tools": [TOOL], "tool_choice": {"type": "function", "name": "save"}}


@pytest.fixture
async def client():
    async with Simulator() as sim, of(sim) as client:
        yield client


def of(sim):
    return openai.AsyncOpenAI(base_url=sim.base_url, api_key="sk-x", max_retries=0, timeout=5)


async def test_a_response(client):
    answer = await client.responses.create(model="m", input=PROMPT)
    Response.model_validate(answer.model_dump(), strict=True)
    assert answer.output_text == "Our office is in Oslo."
    assert (answer.model, answer.status, answer.error, answer.incomplete_details) == (
        "m",
        "completed",
        None,
        None,
    )
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens


async def test_instructions_and_items_are_read(client):
    conversation: list = [
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "We sell boats. Our office is in Oslo."}],
        },
        {"type": "message", "role": "assistant", "content": "Noted."},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "function_call", "call_id": "c1", "name": "age_of", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "34"},
        {"role": "user", "content": "Where is the office?"},
    ]
    answer = await client.responses.create(model="m", input=conversation, instructions="Be brief.")
    assert "Oslo" in answer.output_text
    assert answer.usage.input_tokens > 20


async def test_parse_with_a_pydantic_model(client):
    answer = await client.responses.parse(
        model="m", input="John Smith is 30 years old", text_format=Person
    )
    assert answer.output_parsed == Person(name="John Smith", age=30, mood="unknown")


async def test_a_function_call(client):
    answer = await client.responses.create(model="m", input=PROMPT, **FORCED)
    (call,) = answer.output
    assert (call.type, call.name, json.loads(call.arguments)) == (
        "function_call",
        "save",
        {"city": "Oslo"},
    )


async def test_a_stream(client):
    stream = await client.responses.create(model="m", input=PROMPT, stream=True)
    events = [event async for event in stream]
    assert [event.sequence_number for event in events] == [*range(len(events))]
    assert "".join(
        event.delta for event in events if event.type == "response.output_text.delta"
    ) == ("Our office is in Oslo.")
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == "Our office is in Oslo."


async def test_a_stream_is_put_together_by_the_client(client):
    async with client.responses.stream(model="m", input=PROMPT, **FORCED) as stream:
        async for _ in stream:
            pass
        final = await stream.get_final_response()
    assert json.loads(final.output[0].arguments) == {"city": "Oslo"}


async def test_answers_that_are_not_whole():
    async with Simulator(script=["refusal", "length", "content_filter"]) as sim, of(sim) as client:
        refused, cut, filtered = [
            await client.responses.create(model="m", input=PROMPT) for _ in range(3)
        ]
    assert (refused.status, refused.output[0].content[0].type) == ("completed", "refusal")
    assert (cut.status, cut.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert (filtered.status, filtered.incomplete_details.reason) == ("incomplete", "content_filter")


async def test_output_limit(client):
    answer = await client.responses.create(model="m", input=PROMPT, max_output_tokens=2)
    assert (answer.output_text, answer.status) == ("Our offi", "incomplete")


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ("drop", openai.APIConnectionError),
        ("500", openai.InternalServerError),
        ("401", openai.AuthenticationError),
        ("404", openai.NotFoundError),
        ("429", openai.RateLimitError),
        ("filtered", openai.BadRequestError),
    ],
)
async def test_each_fault_is_its_error(step, error):
    async with Simulator(script=[step]) as sim, of(sim) as client:
        with pytest.raises(error):
            await client.responses.create(model="m", input=PROMPT)
        assert (await client.responses.create(model="m", input=PROMPT)).output_text


BAD = {
    "chat's messages": ({"messages": []}, "moved to 'input'"),
    "chat's limit": ({"max_tokens": 5}, "moved to 'max_output_tokens'"),
    "chat's form": ({"response_format": {"type": "json_object"}}, "moved to 'text.format'"),
    "chat's stop": ({"stop": ["x"]}, "Unknown parameter: 'stop'"),
    "chat's tool": (
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        r"Missing required parameter: 'tools\[0\].name'",
    ),
    "no such tool": (
        {"tools": [TOOL], "tool_choice": {"type": "function", "name": "x"}},
        "'x' not found",
    ),
    "a schema without a name": (
        {"text": {"format": {"type": "json_schema", "schema": {}}}},
        r"text\.format\.name",
    ),
    "a form that there is not": ({"text": {"format": {"type": "xml"}}}, r"text\.format\.type"),
    "nothing": ({"input": []}, "non-empty"),
    "chat's part": (
        {"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
        "Invalid value: 'text'",
    ),
    "an item that there is not": ({"input": [{"type": "x"}]}, r"input\[0\]"),
    "a limit that is none": ({"max_output_tokens": "many"}, "positive integer"),
}


@pytest.mark.parametrize(("body", "said"), BAD.values(), ids=BAD)
async def test_request_of_another_form_is_refused(client, body, said):
    with pytest.raises(openai.BadRequestError, match=said):
        await client.responses.create(model="m", input="Hi", extra_body=body)
