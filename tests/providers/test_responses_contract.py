"""What the Responses API has beside the contract, at llama.cpp's server and at ours, by our client and OpenAI's."""

import json
from functools import partial
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from ingather import LLMMessage, LLMTask, ParallelLLMExecutor, connect
from ingather.errors import Truncated
from ingather.testing import Simulator
from tests.providers import peers
from tests.providers.peers import KEY, OVERFLOW

PROMPT = "Ann is 34 years old. Who is Ann?"
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "age_of", "arguments": '{"name": "Ann"}'},
}


class Person(BaseModel):
    name: str
    age: int


@pytest.fixture(scope="module", params=["llama", "simulated"])
def server(request):
    with getattr(peers, request.param)() as server:
        yield server


@pytest.fixture
async def simulated():
    """For what llama.cpp has not here: schemas and functions."""
    async with Simulator() as simulator:
        provider: Any = connect("openai/tiny", base_url=simulator.base_url, api="responses")
        yield simulator, provider
        await provider.aclose()


@pytest.fixture
async def provider(server):
    provider = connected(server)
    yield provider
    await provider.aclose()


@pytest.fixture
async def official(server):
    async with openai.AsyncOpenAI(base_url=server.base_url, api_key=KEY, max_retries=0) as client:
        yield client


def connected(server, **options):
    return server.connect(**{"api": "responses", **options})


def user(text):
    return [LLMMessage("user", text)]


async def said(provider, messages):
    """What it says, also where the model of llama.cpp's server comes to no end, which that calls completed."""
    try:
        return await provider.complete(messages, {"temperature": 0, "max_tokens": 200})
    except Truncated as cut:
        return cut.response


async def test_a_real_server_that_calls_a_cut_answer_completed_is_found_out(provider):
    with pytest.raises(Truncated):
        await provider.complete(user(PROMPT), {"temperature": 0, "max_tokens": 1})


async def test_conversation_with_a_system_message_parts_and_a_tool(provider):
    messages = [
        LLMMessage("system", "Be brief."),
        LLMMessage("user", [{"type": "text", "text": "How old is Ann?"}]),
        LLMMessage("assistant", "Let me look."),
        LLMMessage("assistant", [{"type": "text", "text": "I look."}], tool_calls=[CALL]),
        LLMMessage.of({"role": "tool", "tool_call_id": "call_1", "content": "34"}),
        LLMMessage("system", "Be kind."),
        LLMMessage("user", PROMPT),
    ]
    response = await said(provider, messages)
    assert response.usage.input_tokens > 20


async def test_response_model_is_filled(simulated):
    _, provider = simulated
    async with ParallelLLMExecutor(provider) as executor:
        results = await executor.execute(
            {"ann": LLMTask("Ann Smith is 34 years old", response_model=Person)}
        )
    assert results["ann"].unwrap() == Person(name="Ann Smith", age=34)


async def test_forced_function_is_called(simulated):
    _, provider = simulated
    function = {
        "name": "save",
        "parameters": {"type": "object", "properties": {"age": {"type": "integer"}}},
    }
    choice = {"type": "function", "function": {"name": "save"}}
    tools = {"tools": [{"type": "function", "function": function}], "tool_choice": choice}
    response = await provider.complete(user(PROMPT), tools)
    (call,) = response.tool_calls
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == (
        "save",
        {"age": 34},
    )


async def test_rate_limit_is_waited_for():
    async with Simulator(rpm=1200, burst=2, script={"Call 7": ["429"]}) as sim:
        provider = connect("openai/tiny", base_url=sim.base_url, api="responses")
        async with ParallelLLMExecutor(provider, max_concurrency=None) as executor:
            results = await executor.gather([LLMTask(f"Call {n}") for n in range(12)])
        assert [result.error for result in results] == [None] * 12
        assert (
            sum(result.rejected for result in results)
            == sum(call.status == 429 for call in sim.ledger)
            > 0
        )


# -- the same with a client that we did not write


def parameters(**more):
    return {
        "model": "tiny",
        "input": PROMPT,
        "temperature": 0,
        "max_output_tokens": 200,
        "store": False,
        **more,
    }


@pytest.mark.blocking_ok
async def test_official_client_gets_text(official):
    answer = await official.responses.create(**parameters())
    assert answer.output_text
    assert (answer.model, answer.status) == ("tiny", "completed")


@pytest.mark.blocking_ok
async def test_both_clients_are_told_the_same(official, provider):
    theirs = await official.responses.create(**parameters(instructions="Be brief."))
    ours = await said(provider, [LLMMessage("system", "Be brief."), *user(PROMPT)])
    assert ours.content == theirs.output_text
    assert (ours.usage.input_tokens, ours.usage.output_tokens) == (
        theirs.usage.input_tokens,
        theirs.usage.output_tokens,
    )


@pytest.mark.blocking_ok
async def test_official_client_parses(simulated):
    simulator, _ = simulated
    async with openai.AsyncOpenAI(
        base_url=simulator.base_url, api_key="-", max_retries=0
    ) as client:
        answer = await client.responses.parse(**parameters(text_format=Person))
    assert answer.output_parsed == Person(name="Ann", age=34)


@pytest.mark.blocking_ok
async def test_both_clients_see_the_same_errors(server, official):
    with pytest.raises(openai.BadRequestError):
        await official.responses.create(**parameters(input=OVERFLOW))
    stranger = partial(openai.AsyncOpenAI, base_url=server.base_url, max_retries=0)
    async with stranger(api_key="sk-wrong") as client:
        with pytest.raises(openai.AuthenticationError):
            await client.responses.create(**parameters())
