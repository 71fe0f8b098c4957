"""A client that is not ours is content with it."""

import json
from typing import Literal

import openai
import pytest
from pydantic import BaseModel

from ingather.testing import Simulator

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:openai")


class Person(BaseModel):
    name: str
    age: int
    occupation: str
    mood: Literal["happy", "sad", "unknown"]
    friends: list["Person"] | None


@pytest.fixture
async def client():
    async with (
        Simulator() as sim,
        openai.AsyncOpenAI(base_url=sim.base_url, api_key="x", max_retries=0) as client,
    ):
        yield client


def of(sim):
    return openai.AsyncOpenAI(base_url=sim.base_url, api_key="sk-x", max_retries=0, timeout=5)


MESSAGES: list = [
    {"role": "user", "content": "We sell boats. Our office is in Oslo.\n\nWhere is the office?"}
]


async def test_a_completion(client):
    answer = await client.chat.completions.create(model="m", messages=MESSAGES)
    assert answer.choices[0].message.content == "Our office is in Oslo."
    assert answer.model == "m"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


async def test_models(client):
    assert [model.id async for model in client.models.list()] == ["extractive"]


async def test_parse_with_a_pydantic_model(client):
    text = "Extract person info: John Smith is a 30-year-old software engineer"
    answer = await client.chat.completions.parse(
        model="m", messages=[{"role": "user", "content": text}], response_format=Person
    )
    person = answer.choices[0].message.parsed
    assert (person.name, person.age, person.occupation, person.mood) == (
        "John Smith",
        30,
        "software engineer",
        "unknown",
    )


async def test_a_stream_with_usage(client):
    stream = await client.chat.completions.create(
        model="m", messages=MESSAGES, stream=True, stream_options={"include_usage": True}, n=2
    )
    chunks = [chunk async for chunk in stream]
    texts = ["", ""]
    for chunk in chunks[:-1]:
        choice = chunk.choices[0]
        texts[choice.index] += choice.delta.content or ""
    assert texts == ["Our office is in Oslo."] * 2
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]].count("stop") == 2
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 12


async def test_a_stream_keeps_all_white_space():
    text = "  two  words,\n\n\tand\ttabs \n"
    async with Simulator(model="echo") as sim, of(sim) as client:
        stream = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": text}], stream=True
        )
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == text


async def test_a_streamed_tool_call(client):
    tool = {
        "type": "function",
        "function": {"name": "save", "parameters": {"properties": {"city": {"type": "string"}}}},
    }
    stream = await client.chat.completions.create(
        model="m",
        messages=MESSAGES,
        stream=True,
        tools=[tool],
        tool_choice={"type": "function", "function": {"name": "save"}},
    )
    calls = [
        call
        for chunk in [chunk async for chunk in stream]
        for call in chunk.choices[0].delta.tool_calls or []
    ]
    assert calls[0].function.name == "save"
    assert json.loads("".join(call.function.arguments for call in calls)) == {"city": "Oslo"}


async def test_a_rate_limit_error_with_its_headers():
    async with Simulator(rpm=1, burst=1) as sim, of(sim) as client:
        await client.chat.completions.create(model="m", messages=MESSAGES)
        with pytest.raises(openai.RateLimitError) as failure:
            await client.chat.completions.create(model="m", messages=MESSAGES)
    error = failure.value
    assert (error.code, error.type) == ("rate_limit_exceeded", "requests")
    assert float(error.response.headers["retry-after-ms"]) > 50_000
    assert error.response.headers["x-ratelimit-remaining-requests"] == "0"
    assert error.request_id is not None


async def test_its_own_retries_come_through():
    async with Simulator(script=["500", "429:0.01", "ok"]) as sim:
        async with openai.AsyncOpenAI(base_url=sim.base_url, api_key="x", max_retries=2) as client:
            await client.chat.completions.create(model="m", messages=MESSAGES)
        assert [call.status for call in sim.ledger] == [500, 429, 200]


@pytest.mark.parametrize(
    ("step", "error"),
    [
        ("drop", openai.APIConnectionError),
        ("reset", openai.APIConnectionError),
        ("truncate", openai.APIConnectionError),
        ("500", openai.InternalServerError),
        ("503", openai.InternalServerError),
        ("401", openai.AuthenticationError),
        ("403", openai.PermissionDeniedError),
        ("404", openai.NotFoundError),
        ("409", openai.ConflictError),
        ("filtered", openai.BadRequestError),
        ("quota", openai.RateLimitError),
    ],
)
async def test_each_fault_is_its_error(step, error):
    async with Simulator(script=[step]) as sim, of(sim) as client:
        with pytest.raises(error):
            await client.chat.completions.create(model="m", messages=MESSAGES)
        assert (await client.chat.completions.create(model="m", messages=MESSAGES)).choices


async def test_a_stream_that_is_cut():
    async with Simulator(script=["truncate"]) as sim, of(sim) as client:
        stream = await client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        with pytest.raises(openai.APIConnectionError):
            [chunk async for chunk in stream]


async def test_a_refusal_and_a_cut_answer():
    async with Simulator(script=["refusal", "length"]) as sim, of(sim) as client:
        refused = await client.chat.completions.create(model="m", messages=MESSAGES)
        assert refused.choices[0].message.refusal
        assert refused.choices[0].message.content is None
        with pytest.raises(openai.LengthFinishReasonError):
            await client.chat.completions.parse(
                model="m", messages=MESSAGES, response_format=Person
            )
