"""Several choices in one answer: asked for by batch lines, judged by the worst, refused where there is but one."""

import json

import pytest

from ingather import LLMMessage, connect
from ingather.errors import (
    BadBody,
    EmptyAnswer,
    Filtered,
    ProviderError,
    Refused,
    SetupError,
    Truncated,
)
from ingather.providers.azure import AzureChatCompletions
from ingather.providers.echo import EchoProvider
from ingather.providers.openai import OpenAIProvider
from ingather.providers.several import Choices, read_all
from tests.providers.test_openai_answer import Canned

HI = [LLMMessage("user", "Hi")]
GOOD = {"message": {"role": "assistant", "content": "Yes"}, "finish_reason": "stop"}
OTHERS = ("anthropic/m", "gemini/m", "ollama/m", "openai/m", "offline/extractive")


def ending(reason, content="No"):
    return {"message": {"role": "assistant", "content": content}, "finish_reason": reason}


async def ask(*choices, n=2):
    body = {"choices": list(choices), "usage": {"prompt_tokens": 1, "completion_tokens": 9}}
    transport = Canned(json.dumps(body).encode())
    provider = OpenAIProvider("m", base_url="http://localhost/v1", transport=transport)
    return await provider.complete(HI, {"n": Choices(n)})


def to(model):
    if model.startswith("offline"):
        return connect(model)
    return connect(model, api_key="sk-12345678", api="responses" if model == "openai/m" else None)


async def test_the_answer_has_all_choices_that_were_asked_for():
    answer = await ask(GOOD, ending("stop"), GOOD, n=3)
    assert answer.content == "Yes"
    assert [choice["message"]["content"] for choice in answer.raw["choices"]] == [
        "Yes",
        "No",
        "Yes",
    ]
    assert answer.usage.output_tokens == 9


@pytest.mark.parametrize(
    ("choice", "error"),
    [
        (ending("length"), Truncated),
        (ending("content_filter"), Filtered),
        (ending("bored"), Refused),
        (ending("stop", ""), EmptyAnswer),
        (ending("stop", None), EmptyAnswer),
        (
            {
                "message": {"role": "assistant", "content": None, "refusal": "I will not"},
                "finish_reason": "stop",
            },
            Refused,
        ),
        (ending("error"), ProviderError),
        ({"message": None, "error": {"message": "down", "code": 502}}, ProviderError),
        ({"finish_reason": "stop"}, BadBody),
        ("Yes", BadBody),
    ],
)
@pytest.mark.parametrize("at", [0, 1, 2])
async def test_one_bad_choice_is_none_that_passes_as_right(choice, error, at):
    choices = [GOOD, GOOD]
    choices.insert(at, choice)
    with pytest.raises(error):
        await ask(*choices, n=3)


async def test_a_choice_that_is_cut_hides_none_that_is_worse():
    with pytest.raises(Filtered):
        await ask(ending("length"), ending("content_filter"))


@pytest.mark.parametrize(("came", "asked"), [(1, 2), (3, 2), (0, 2), (2, 1)])
async def test_fewer_or_more_choices_than_asked_for_are_no_answer(came, asked):
    with pytest.raises(BadBody, match="choices, and"):
        await ask(*[GOOD] * came, n=asked)


def test_the_filter_of_azure_is_read_in_the_choice_that_it_stopped():
    stopped = {
        **ending("content_filter"),
        "content_filter_results": {"hate": {"filtered": True, "severity": "high"}},
    }
    answer = read_all(AzureChatCompletions(), {"choices": [GOOD, stopped]}, 2)
    assert answer.error is Filtered
    assert answer.why.endswith("hate (high)")


@pytest.mark.parametrize("model", OTHERS)
@pytest.mark.parametrize("name", ["n", "best_of", "candidate_count", "candidateCount"])
def test_who_makes_one_choice_refuses_more_by_name(model, name):
    with pytest.raises(SetupError, match=f"{name} is 2, and .* gives one answer"):
        to(model).prepare(HI, {name: Choices(2)})
    one = to(model).prepare(HI, {name: 1}).body
    assert b"best_of" not in one or model == "ollama/m"


def test_a_task_of_ones_own_has_one_answer():
    with pytest.raises(SetupError, match="sample="):
        OpenAIProvider("m", base_url="http://localhost/v1").prepare(HI, {"n": 2})


async def test_echo_says_that_it_gives_one():
    with pytest.raises(SetupError, match="echo gives one answer"):
        await EchoProvider().complete("Hi", {"n": Choices(2)})
