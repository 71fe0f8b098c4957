"""What a provider promises, with a server that we did not write and with our own, by our client and by OpenAI's."""

import asyncio
import json

import openai
import pytest

from ingather import LLMMessage
from ingather.errors import AuthFailed, BadRequest, ModelNotFound, TooLong, Truncated
from tests.providers.peers import ENDLESS, KEY, OVERFLOW, PEERS

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "mood": {"enum": ["good", "bad"]},
    },
    "required": ["name", "age", "mood"],
    "additionalProperties": False,
}
AS_PERSON = {
    "type": "json_schema",
    "json_schema": {"name": "Person", "schema": PERSON, "strict": True},
}
PROMPT = "Ann is 34 years old and in a good mood. Who is Ann?"
SHORT = {"stop": ["]"], "temperature": 0, "max_tokens": 100}

TEXT_ONLY = {
    "llama, Anthropic",
    "llama, Responses",
}  # which ignores schemas there, and in the latter says nothing of cuts
SCHEMAS = pytest.mark.parametrize(
    "peer", [name for name in PEERS if name not in TEXT_ONLY], indirect=True
)
CHAT = pytest.mark.parametrize("peer", ["llama", "simulated"], indirect=True)


@pytest.fixture
async def provider(peer):
    provider = peer.connect()
    yield provider
    await provider.aclose()


def user(text):
    return [LLMMessage("user", text)]


def is_person(text):
    person = json.loads(text)
    assert person.keys() == {"name", "age", "mood"}
    assert len(person["name"]) <= 20
    assert 0 <= person["age"] <= 120
    assert person["mood"] in ("good", "bad")


async def test_text_comes_back_with_what_belongs_to_it(peer, provider):
    response = await provider.complete(user(PROMPT), peer.short)
    assert isinstance(response.content, str)
    assert (response.model, response.finish_reason) == ("tiny", "stop")
    assert response.usage.input_tokens > 5
    assert response.usage.output_tokens > 0
    assert response.request_id
    assert response.metadata["id"].startswith(peer.id_prefix)


async def test_conversation_with_a_system_message_parts_and_a_tool(peer, provider):
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "age_of", "arguments": '{"name": "Ann"}'},
    }
    messages = [
        LLMMessage("system", "Be brief."),
        LLMMessage("user", [{"type": "text", "text": "How old is Ann?"}]),
        LLMMessage("assistant", None, tool_calls=[call]),
        LLMMessage.of({"role": "tool", "tool_call_id": "call_1", "content": "34"}),
        LLMMessage("user", PROMPT),
    ]
    response = await provider.complete(messages, peer.short)
    assert response.usage.input_tokens >= 20


async def test_text_of_any_script_arrives(peer, provider):
    response = await provider.complete(
        user("Zażółć gęślą jaźń — שלום עולם — 你好 🙂 \u202e"), peer.short
    )
    assert response.usage.input_tokens > 5


@SCHEMAS
async def test_answer_to_a_schema_is_valid(provider):
    response = await provider.complete(
        user(PROMPT), {"response_format": AS_PERSON, "max_tokens": 200}
    )
    is_person(response.content)


@SCHEMAS
async def test_many_at_once(provider):
    calls = [
        provider.complete(user(f"{PROMPT} {n}"), {"response_format": AS_PERSON, "max_tokens": 200})
        for n in range(16)
    ]
    for response in await asyncio.gather(*calls):
        is_person(response.content)


@SCHEMAS
async def test_answer_that_is_cut_is_truncated_and_kept(provider):
    with pytest.raises(Truncated) as caught:
        await provider.complete(user(PROMPT), {"max_tokens": 3, "response_format": AS_PERSON})
    response = caught.value.response
    assert response is not None
    assert response.finish_reason == "length"
    assert response.usage is not None
    assert response.usage.output_tokens <= 4
    assert caught.value.model == "tiny"


@SCHEMAS
async def test_parameters_of_connect_hold_for_all_and_those_of_the_call_win(peer):
    provider = peer.connect(max_tokens=3, response_format=AS_PERSON)
    with pytest.raises(Truncated):
        await provider.complete(user(PROMPT))
    is_person((await provider.complete(user(PROMPT), {"max_tokens": 200})).content)
    await provider.aclose()


async def test_prompt_beyond_the_context_is_too_long(provider):
    with pytest.raises(TooLong, match="shorten or split"):
        await provider.complete(user(OVERFLOW))


async def test_parameter_that_makes_no_sense_is_a_bad_request(peer, provider):
    with pytest.raises(BadRequest, match=r"400 from (127\.0\.0\.1|localhost):") as caught:
        await provider.complete(user(PROMPT), {"max_tokens": "many"})
    assert (caught.value.status, caught.value.provider) == (400, peer.dialect)


@pytest.mark.parametrize("key", ["sk-a-wrong-key", ""])
async def test_wrong_key_is_no_entry(peer, key):
    provider = peer.connect(api_key=key)
    with pytest.raises(AuthFailed, match="check api_key"):
        await provider.complete(user(PROMPT))
    await provider.aclose()


async def test_path_that_is_not_there_is_said(peer):
    provider = peer.connect(base_url=f"{peer.base_url}/v2")
    with pytest.raises(ModelNotFound, match="base_url"):
        await provider.complete(user(PROMPT))
    await provider.aclose()


async def test_cancelled_calls_end_on_the_server(peer, provider):
    calls = [
        asyncio.ensure_future(provider.complete(user(ENDLESS), peer.endless)) for _ in range(3)
    ]
    await peer.until(lambda count: count > 0)
    assert all(call.cancel() for call in calls)  # none was over
    if peer.notices_hang_up:
        await peer.until(lambda count: count == 0)
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError}
    assert (await provider.complete(user(PROMPT), peer.short)).finish_reason == "stop"


async def test_connection_outlives_its_hundredth_request(peer, provider):
    for n in range(105):  # llama.cpp closes a connection after a hundred
        await provider.complete(user(str(n)), peer.short)


# -- the same with a client that we did not write


@pytest.fixture
async def official(peer):
    async with openai.AsyncOpenAI(base_url=peer.base_url, api_key=KEY, max_retries=0) as client:
        yield client


@CHAT
@pytest.mark.blocking_ok
async def test_official_client_gets_text(official):
    answer = await official.chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": PROMPT}], **SHORT
    )
    assert isinstance(answer.choices[0].message.content, str)
    assert (answer.model, answer.choices[0].finish_reason) == ("tiny", "stop")
    assert answer.usage.prompt_tokens > 5


@CHAT
@pytest.mark.blocking_ok
async def test_official_client_gets_an_answer_to_a_schema(official):
    answer = await official.chat.completions.create(
        model="tiny",
        messages=[{"role": "user", "content": PROMPT}],
        response_format=AS_PERSON,
        max_tokens=200,
    )
    is_person(answer.choices[0].message.content)


@CHAT
@pytest.mark.blocking_ok
async def test_both_clients_are_told_the_same(official, provider):
    theirs = await official.chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": PROMPT}], **SHORT
    )
    ours = await provider.complete(user(PROMPT), SHORT)
    assert ours.content == theirs.choices[0].message.content
    assert (ours.usage.input_tokens, ours.usage.output_tokens) == (
        theirs.usage.prompt_tokens,
        theirs.usage.completion_tokens,
    )


@CHAT
@pytest.mark.blocking_ok
async def test_both_clients_see_the_same_errors(peer, official):
    with pytest.raises(openai.BadRequestError):
        await official.chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": OVERFLOW}]
        )
    async with openai.AsyncOpenAI(
        base_url=peer.base_url, api_key="sk-wrong", max_retries=0
    ) as stranger:
        with pytest.raises(openai.AuthenticationError):
            await stranger.chat.completions.create(
                model="tiny", messages=[{"role": "user", "content": PROMPT}]
            )
