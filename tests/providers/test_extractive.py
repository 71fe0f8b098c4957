"""The embedded model as a provider: what it sends, what it answers, what it refuses. No server, no key, no network."""

import asyncio
import json
import threading

import pytest
from pydantic import BaseModel

from ingather import LLMMessage, LLMTask, ParallelLLMExecutor, connect
from ingather.errors import BadRequest, Refused, SetupError, Truncated
from ingather.extractive import VERSION
from ingather.providers.base import WireProvider
from ingather.providers.extractive import ExtractiveProvider

TEXT = (
    "Acme Boats Inc. sells boats. Revenue was $4.2 billion in 2024. Our headquarters are in Oslo."
)


class Facts(BaseModel):
    revenue: float
    headquarters: str | None = None
    seasonality: str | None = None


class Loss(BaseModel):
    revenue: float
    impairment: float


def user(text):
    return [LLMMessage("user", text)]


def form(schema):
    return {
        "response_format": {"type": "json_schema", "json_schema": {"name": "X", "schema": schema}}
    }


AGE = form({"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]})


@pytest.fixture
def provider():
    return connect("offline/extractive")


async def test_a_model_is_filled_with_what_the_text_says_and_the_rest_is_null():
    async with ParallelLLMExecutor("offline/extractive") as executor:
        (result,) = await executor.gather([LLMTask(TEXT, response_model=Facts)])
    assert result.unwrap() == Facts(revenue=4.2e9, headquarters="Oslo", seasonality=None)
    assert result.cost_usd == 0.0


async def test_what_is_required_and_not_said_is_refused_by_its_name():
    async with ParallelLLMExecutor("offline/extractive") as executor:
        (result,) = await executor.gather([LLMTask(TEXT, response_model=Loss)])
    assert isinstance(result.error, Refused)
    assert "the text says nothing that fits 'impairment'" in str(result.error)
    assert (result.error.provider, result.error.model, result.attempts) == (
        "offline",
        "extractive",
        1,
    )
    assert result.response is not None
    assert result.response.finish_reason == "refusal"
    assert result.response.metadata["field"] == "impairment"


async def test_an_answer_says_what_it_is_and_counts_its_tokens_by_bytes(provider):
    response = await provider.complete(user("Ann is 30 years old"), AGE)
    assert (response.content, response.finish_reason) == ('{"age": 30}', "stop")
    assert (response.usage.input_tokens, response.usage.output_tokens) == (5, 3)
    assert "not a language model" in response.metadata["baseline"]
    assert response.metadata["version"] == VERSION
    assert response.cost_usd == 0.0


async def test_text_is_the_best_sentence(provider):
    response = await provider.complete(user(f"{TEXT}\n\nWhere are the headquarters?"))
    assert response.content == "Our headquarters are in Oslo."


async def test_any_json_object_will_do(provider):
    asked = {"response_format": {"type": "json_object"}}
    response = await provider.complete(user(f"{TEXT}\n\nWhere are the headquarters?"), asked)
    assert json.loads(response.content) == {"answer": "Our headquarters are in Oslo."}


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
async def test_an_answer_that_is_cut_is_truncated_and_kept(provider, name):
    with pytest.raises(Truncated, match="max_tokens") as caught:
        await provider.complete(user("Ann is 30 years old"), {**AGE, name: 2})
    assert caught.value.response is not None
    assert caught.value.response.content == '{"age": '
    assert caught.value.response.finish_reason == "length"


def test_it_is_a_wire_provider_and_takes_schemas_with_their_lengths(provider):
    assert isinstance(provider, WireProvider)
    assert isinstance(provider, ExtractiveProvider)
    assert (provider.schema_mode, provider.schema_lengths, provider.retry) == ("native", True, None)


def test_the_same_request_is_the_same_bytes_and_what_changes_nothing_is_not_in_it(provider):
    request = provider.prepare(user("Hi"), AGE)
    again = provider.prepare(
        user("Hi"), {**AGE, "temperature": 0.7, "seed": 3, "model": "extractive"}
    )
    assert request == again
    assert provider.prepare(user("Hi")).body != request.body
    assert provider.prepare(user("Ho"), AGE).body != request.body


def test_the_version_of_the_answers_is_part_of_the_identity(provider, monkeypatch):
    before = provider.prepare(user("Hi")).identity
    monkeypatch.setattr("ingather.providers.extractive.VERSION", VERSION + 1)
    assert ExtractiveProvider().prepare(user("Hi")).identity != before


def test_its_quota_is_its_own(provider):
    assert provider.prepare(user("Hi")).quota == ("offline", "", "", "extractive")
    assert provider.prepare(user("Hello you"), {"max_tokens": 50}).estimate == (3, 50)


async def test_many_calls_at_once_leave_the_loop_free(provider):
    text = " ".join(
        f"Fact {number} is that boat {number} costs ${number},000." for number in range(3000)
    )
    beats = 0

    async def beat():
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    beating = asyncio.create_task(beat())
    threads = set[str]()
    meanwhile = []

    class Seen(ExtractiveProvider):
        async def send(self, request):
            threads.update(thread.name for thread in threading.enumerate())
            before = beats
            answer = await super().send(request)
            meanwhile.append(beats - before)
            return answer

    answers = await asyncio.gather(
        *(Seen().complete(user(f"{text}\n\nWhat does boat {n} cost?")) for n in (5, 77))
    )
    beating.cancel()
    assert [answer.content for answer in answers] == [
        "Fact 5 is that boat 5 costs $5,000.",
        "Fact 77 is that boat 77 costs $77,000.",
    ]
    assert min(meanwhile) > 0
    assert "ingather-function" in threads


WRONG = {
    "there is no offline/extractor": ("offline/extractor", {}),
    'write "offline/extractive"': ("offline", {}),
    "leave out base_url=, api_key=": ("offline/extractive", {"base_url": "http://localhost:1/v1"}),
    "no server": ("offline/extractive", {"api_key": "sk-1234567890"}),
    "calls no functions": ("offline/extractive", {"tools": [{"type": "function"}]}),
    "positive number of tokens": ("offline/extractive", {"max_tokens": 0}),
    "json_schema": ("offline/extractive", {"response_format": {"type": "xml"}}),
    "is for openai/NAME": ("offline/extractive", {"api": "chat"}),
}


@pytest.mark.parametrize(("said", "asked"), WRONG.items())
def test_wrong_use_says_what_to_do(said, asked):
    model, options = asked
    with pytest.raises(SetupError, match=said):
        connect(model, **options)


def test_another_model_for_one_call_is_wrong_use_too(provider):
    with pytest.raises(SetupError, match="there is no offline/gpt-5"):
        provider.prepare(user("Hi"), {"model": "gpt-5"})


def test_pictures_are_refused_before_anything_is_sent(provider):
    picture: dict[str, object] = {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64,AA=="},
    }
    parts = [LLMMessage("user", [{"type": "text", "text": "What is it?"}, picture])]
    with pytest.raises(BadRequest, match="reads text only"):
        provider.prepare(parts)
    with pytest.raises(BadRequest, match="no messages"):
        provider.prepare([])


async def test_a_schema_that_nothing_satisfies_is_a_bad_request(provider):
    with pytest.raises(BadRequest, match="enum without values"):
        await provider.complete(user("Hi"), form({"enum": []}))


def test_it_says_that_it_is_no_language_model(provider):
    assert "not a language model" in repr(provider)
    assert "not a language model" in str(ExtractiveProvider.__doc__)
