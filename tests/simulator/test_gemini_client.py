"""Google's own client is content with it."""

from contextlib import asynccontextmanager
from enum import Enum

import aiohttp
import pytest
from pydantic import BaseModel

from ingather.testing import Say, Simulator

genai = pytest.importorskip("google.genai", reason="the package google-genai is not installed")
errors, types = genai.errors, genai.types

pytestmark = pytest.mark.filterwarnings(
    "ignore:Inheritance class AiohttpClientSession:DeprecationWarning"
)


class Mood(Enum):
    HAPPY = "happy"
    UNKNOWN = "unknown"


class Person(BaseModel):
    name: str
    age: int
    nickname: str | None
    mood: Mood
    friends: list[str]


ASKED: dict = {
    "model": "gemini-any",
    "contents": "We sell boats. Our office is in Oslo.\n\nWhere is the office?",
}
ANN: dict = {**ASKED, "contents": "Ann Lee is 30 years old"}
AGE = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}
SAVE = types.FunctionDeclaration(name="save", description="Save it.", parameters_json_schema=AGE)
FORCED: dict = {
    "tools": [types.Tool(function_declarations=[SAVE])],
    "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["save"]}},
    "automatic_function_calling": {"disable": True},
}


@asynccontextmanager
async def asking(api_key="AIza-any", **settings):
    async with Simulator(**settings) as sim:
        client = genai.Client(api_key=api_key, http_options={"base_url": sim.origin})
        async with client.aio as models:
            yield sim, models.models
        client.close()


def violations(error):
    details = error.details["error"]["details"]
    return next(
        detail["violations"]
        for detail in details
        if detail["@type"].endswith("google.rpc.QuotaFailure")
    )


def retry_delay(error):
    details = error.details["error"].get("details", [])
    return [
        detail["retryDelay"]
        for detail in details
        if detail["@type"].endswith("google.rpc.RetryInfo")
    ]


async def test_an_answer():
    async with asking() as (sim, models):
        answer = await models.generate_content(**ASKED)
    assert answer.text == "Our office is in Oslo."
    assert (answer.candidates[0].finish_reason, answer.model_version) == (
        types.FinishReason.STOP,
        "gemini-any",
    )
    usage = answer.usage_metadata
    assert (usage.prompt_token_count, usage.candidates_token_count, usage.total_token_count) == (
        15,
        6,
        21,
    )
    assert answer.response_id
    assert [(call.model, call.status) for call in sim.ledger] == [("gemini-any", 200)]


async def test_the_system_prompt_is_counted_and_is_no_text_to_quote():
    async with asking() as (_, models):
        plain = await models.generate_content(**ASKED)
        answer = await models.generate_content(
            **ASKED, config={"system_instruction": "Berlin. Berlin. Berlin."}
        )
    assert answer.text == "Our office is in Oslo."
    assert answer.usage_metadata.prompt_token_count > plain.usage_metadata.prompt_token_count


async def test_turns_of_a_chat():
    turn = [
        types.Content(role="user", parts=[types.Part(text="We sell boats.")]),
        types.Content(role="model", parts=[types.Part(text="Indeed.")]),
        types.Content(role="user", parts=[types.Part(text="What is sold?")]),
    ]
    async with asking() as (_, models):
        assert (await models.generate_content(model="m", contents=turn)).text == "We sell boats."


async def test_structured_output_in_googles_schema_form():
    async with asking() as (_, models):
        config = {"response_mime_type": "application/json", "response_schema": Person}
        answer = await models.generate_content(**ANN, config=config)
    assert (answer.parsed.name, answer.parsed.age, answer.parsed.mood) == (
        "Ann Lee",
        30,
        Mood.UNKNOWN,
    )


async def test_structured_output_as_json_schema():
    async with asking() as (_, models):
        config = {
            "response_mime_type": "application/json",
            "response_json_schema": Person.model_json_schema(),
        }
        answer = await models.generate_content(**ANN, config=config)
    person = Person.model_validate_json(answer.text)
    assert (person.name, person.age) == ("Ann Lee", 30)


async def test_json_without_a_schema():
    async with asking() as (_, models):
        answer = await models.generate_content(
            **ASKED, config={"response_mime_type": "application/json"}
        )
    assert answer.parsed is None
    assert answer.text == '{"answer": "Our office is in Oslo."}'


async def test_a_function_that_must_be_called_is_called():
    async with asking() as (_, models):
        answer = await models.generate_content(**ANN, config=FORCED)
    (call,) = answer.function_calls
    assert (call.name, call.args) == ("save", {"name": "Ann Lee", "age": 30})
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP


async def test_a_function_with_parameters_in_googles_schema_form():
    schema = types.Schema(
        type="OBJECT", properties={"age": types.Schema(type="INTEGER")}, required=["age"]
    )
    tool = types.Tool(
        function_declarations=[types.FunctionDeclaration(name="save", parameters=schema)]
    )
    async with asking() as (_, models):
        answer = await models.generate_content(**ANN, config={**FORCED, "tools": [tool]})
    assert answer.function_calls[0].args == {"age": 30}


async def test_a_stream():
    async with asking() as (_, models):
        chunks = [chunk async for chunk in await models.generate_content_stream(**ASKED)]
    assert len(chunks) > 1
    assert "".join(chunk.text for chunk in chunks) == "Our office is in Oslo."
    assert [chunk.candidates[0].finish_reason for chunk in chunks[:-1]] == [None] * (
        len(chunks) - 1
    )
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert chunks[-1].usage_metadata.total_token_count == 21


async def test_a_streamed_function_call():
    async with asking() as (_, models):
        chunks = [
            chunk async for chunk in await models.generate_content_stream(**ANN, config=FORCED)
        ]
    assert [call.args for chunk in chunks for call in chunk.function_calls or []] == [
        {"name": "Ann Lee", "age": 30}
    ]


async def test_tokens_are_counted_without_a_call():
    async with asking(rpm=60, burst=1) as (sim, models):
        counts = [await models.count_tokens(**ASKED) for _ in range(3)]
    assert [count.total_tokens for count in counts] == [15, 15, 15]
    assert sim.stats()["admitted_requests"] == 0


async def test_models():
    async with asking() as (_, models):
        assert [model.name async for model in await models.list()] == ["models/extractive"]


async def test_stop_sequences_candidates_and_the_output_limit():
    async with asking(model="echo") as (_, models):
        config = {"stop_sequences": ["three", "two"], "candidate_count": 3}
        stopped = await models.generate_content(model="m", contents="one two three", config=config)
        cut = await models.generate_content(
            model="m", contents="one two three", config={"max_output_tokens": 1}
        )
    assert [one.content.parts[0].text for one in stopped.candidates] == ["one "] * 3
    assert (cut.text, cut.candidates[0].finish_reason) == ("one ", types.FinishReason.MAX_TOKENS)


async def test_a_blocked_prompt_is_an_answer_without_candidates():
    async with asking(script=["filtered"]) as (_, models):
        answer = await models.generate_content(**ASKED)
    assert answer.candidates is None
    assert answer.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT


@pytest.mark.parametrize(("step", "reason"), [("content_filter", "SAFETY"), ("refusal", "OTHER")])
async def test_a_blocked_answer(step, reason):
    async with asking(script=[step]) as (_, models):
        answer = await models.generate_content(**ASKED)
    assert answer.candidates[0].finish_reason == reason
    assert (answer.text is None) == (step == "refusal")


async def test_a_rate_limit_error_says_in_its_body_which_limit_and_how_long():
    async with asking(rpm=1, burst=1) as (_, models):
        await models.generate_content(**ASKED)
        with pytest.raises(errors.ClientError) as failure:
            await models.generate_content(**ASKED)
    error = failure.value
    assert (error.code, error.status) == (429, "RESOURCE_EXHAUSTED")
    (violation,) = violations(error)
    assert (violation["quotaId"], violation["quotaValue"]) == (
        "GenerateRequestsPerMinutePerProjectPerModel",
        "1",
    )
    (wait,) = retry_delay(error)
    assert 50 < float(wait.removesuffix("s")) <= 60
    assert f"Please retry in {wait}." in error.message
    assert [name for name in error.response.headers if "retry" in name or "ratelimit" in name] == []


async def test_without_headers_it_does_not_say_how_long():
    async with asking(tpm=20, headers=False, model="echo") as (_, models):
        await models.generate_content(model="m", contents="x", config={"max_output_tokens": 16})
        with pytest.raises(errors.ClientError) as failure:
            await models.generate_content(model="m", contents="x", config={"max_output_tokens": 16})
    assert retry_delay(failure.value) == []
    assert violations(failure.value)[0]["quotaId"] == "GenerateContentInputTokensPerModelPerMinute"


async def test_want_of_credit_is_the_quota_of_a_day():
    async with asking(script=["quota"]) as (_, models):
        with pytest.raises(errors.ClientError) as failure:
            await models.generate_content(**ASKED)
    assert failure.value.code == 429
    assert "PerDay" in violations(failure.value)[0]["quotaId"]
    assert retry_delay(failure.value) == []


@pytest.mark.parametrize(
    ("step", "code", "status", "words"),
    [
        ("500", 500, "INTERNAL", ""),
        ("503", 503, "UNAVAILABLE", ""),
        ("504", 504, "DEADLINE_EXCEEDED", ""),
        ("429:2.5", 429, "RESOURCE_EXHAUSTED", "Please retry in 2.5s"),
        ("acceleration", 429, "RESOURCE_EXHAUSTED", ""),
        ("too_big", 429, "RESOURCE_EXHAUSTED", "limit: 500000, requested: 1000000"),
        ("context_length", 400, "INVALID_ARGUMENT", "maximum number of tokens"),
        ("401", 400, "INVALID_ARGUMENT", "API key not valid"),
        ("403", 403, "PERMISSION_DENIED", ""),
        ("404", 404, "NOT_FOUND", "models/gemini-any"),
        ("413", 413, "INVALID_ARGUMENT", ""),
    ],
)
async def test_each_fault_is_its_error(step, code, status, words):
    async with asking(script=[step]) as (_, models):
        with pytest.raises(errors.APIError) as failure:
            await models.generate_content(**ASKED)
        assert (failure.value.code, failure.value.status) == (code, status)
        assert words in failure.value.message
        assert (await models.generate_content(**ASKED)).text


async def test_a_wrong_key_is_not_let_in():
    async with asking(api_key="AIza-wrong") as (sim, models):
        sim.api_key = "AIza-right"
        with pytest.raises(errors.ClientError) as failure:
            await models.generate_content(**ASKED)
        assert "AIza" not in str(failure.value)
        assert failure.value.details["error"]["details"][0]["reason"] == "API_KEY_INVALID"
        sim.api_key = "AIza-wrong"
        assert (await models.generate_content(**ASKED)).text


async def test_a_script_by_text_says_what_it_shall():
    async with asking(script={"Oslo": [Say("No.")]}) as (_, models):
        assert (await models.generate_content(**ASKED)).text == "No."


@pytest.mark.parametrize(
    "wrong",
    [
        {"contents": []}, {"contents": [{"role": "user", "parts": []}]}, {"max_tokens": 5},
        {"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, {"generationConfig": {"maxOutputTokens": 0}},
        {"generationConfig": {"responseMimeType": "text/xml"}}, {"generationConfig": {"responseSchema": AGE}},
        {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("version", ["v1", "v1beta"])
async def test_a_bad_request_is_a_400_in_the_providers_form(wrong, version):
    body = {"contents": [{"role": "user", "parts": [{"text": "x"}]}], **wrong}
    async with Simulator() as sim, aiohttp.ClientSession() as session:
        url = f"{sim.origin}/{version}/models/gemini-any:generateContent"
        async with session.post(url, json=body) as got:
            assert got.status == 400
            assert (await got.json())["error"]["status"] == "INVALID_ARGUMENT"


async def test_names_with_underscores_are_the_same():
    body = {
        "contents": [{"parts": [{"text": "one two"}]}],
        "generation_config": {"max_output_tokens": 1},
    }
    async with Simulator(model="echo") as sim, aiohttp.ClientSession() as session:
        url = f"{sim.origin}/v1beta/models/gemini-any:generateContent"
        async with session.post(url, json=body) as got:
            answer = await got.json()
    assert answer["candidates"][0] == {
        "content": {"role": "model", "parts": [{"text": "one "}]},
        "finishReason": "MAX_TOKENS",
        "index": 0,
    }


async def test_a_wrong_path_is_an_error_in_the_providers_form():
    async with Simulator() as sim, aiohttp.ClientSession() as session:
        got = await session.post(f"{sim.origin}/v1beta/models/gemini-any:sing")
        assert (got.status, (await got.json())["error"]["status"]) == (404, "NOT_FOUND")


async def test_a_request_may_say_what_it_is_called_and_what_shall_become_of_it():
    async with asking() as (sim, models):
        config = {"http_options": {"headers": {"X-Simulate": "503"}}}
        with pytest.raises(errors.ServerError):
            await models.generate_content(model="m", contents="[id: row-1] Hello", config=config)
    assert [(call.custom_id, call.status, call.fault) for call in sim.ledger] == [
        ("row-1", 503, "503")
    ]
