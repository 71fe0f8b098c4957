"""What the executor makes of answers to a task with a response_model; what a schema is, is tests/schema's business."""

import json
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from pydantic import BaseModel

from ingather import (
    EchoProvider,
    LLMMessage,
    LLMResponse,
    LLMTask,
    ParallelLLMExecutor,
    RetryConfig,
    Usage,
)
from ingather.errors import InvalidAnswer, NotAnAnswer, SetupError, Truncated
from ingather.events import ReAsked


class Planet(BaseModel):
    name: str
    moons: int


@dataclass
class Star:
    name: str


MARS = '{"name": "Mars", "moons": 2}'


def text_of(message):
    assert isinstance(message.content, str)
    return message.content


async def one(provider, task, **options):
    [result] = await ParallelLLMExecutor(provider, **options).gather([task])
    return result


@pytest.mark.parametrize(
    ("response_model", "answer", "value"),
    [
        (Planet, MARS, Planet(name="Mars", moons=2)),
        (Star, '{"name": "Sol"}', Star("Sol")),
        (list[int], '{"items": [1, 2]}', [1, 2]),
        (int, '{"value": 7}', 7),
        (Planet, f"Here you are:\n```json\n{MARS}\n```", Planet(name="Mars", moons=2)),
    ],
    ids=["model", "dataclass", "list", "int", "fenced"],
)
async def test_the_value_is_an_instance_and_the_response_stays_beside_it(
    response_model, answer, value
):
    result = await one(
        EchoProvider(responses=[answer]), LLMTask("?", response_model=response_model)
    )
    assert result.success
    assert result.value == value
    assert type(result.value) is type(value)
    assert result.response is not None
    assert result.response.content == answer


async def test_without_a_response_model_json_stays_text():
    assert (await one(EchoProvider(responses=[MARS]), LLMTask("?"))).value.content == MARS


async def test_a_provider_without_a_schema_mode_is_told_in_the_system_prompt():
    provider = EchoProvider(responses=[MARS, MARS])
    await one(provider, LLMTask("Mars?", response_model=Planet))
    await one(
        provider,
        LLMTask(
            [LLMMessage("system", "Be exact."), LLMMessage("user", "Mars?")], response_model=Planet
        ),
    )
    for call, opening in zip(provider.calls, ["", "Be exact."], strict=True):
        system, user = call.messages
        assert (system.role, user.role, user.content) == ("system", "user", "Mars?")
        assert text_of(system).startswith(opening)
        assert "moons" in text_of(system)
        assert call.config_overrides is None


async def test_a_provider_with_a_schema_mode_gets_it_as_response_format():
    provider = EchoProvider(responses=[MARS])
    provider.schema_mode = "native"
    await one(provider, LLMTask("Mars?", {"temperature": 0}, response_model=Planet))
    call = provider.get_call(0)
    assert [message.content for message in call.messages] == ["Mars?"]
    assert call.config_overrides is not None
    assert call.config_overrides["temperature"] == 0
    assert "moons" in json.dumps(call.config_overrides["response_format"])


@pytest.mark.parametrize(
    "wrong", ["no idea", '{"name": "Mars"}', '{"name": "Mars", "moons": "two"}', "[]", ""]
)
async def test_an_answer_that_does_not_fit_is_sent_back_once_with_its_error(wrong):
    provider = EchoProvider(responses=[wrong, MARS])
    result = await one(provider, LLMTask("Mars?", response_model=Planet))
    assert result.value == Planet(name="Mars", moons=2)
    assert result.attempts == 2
    first, second = provider.calls
    assert second.messages[: len(first.messages)] == first.messages
    assistant, user = second.messages[len(first.messages) :]
    assert (assistant.role, user.role) == ("assistant", "user")
    assert text_of(assistant).startswith(wrong)
    assert "Planet" in text_of(user)


async def test_every_answer_was_paid_for():
    answers = [
        LLMResponse("no", usage=Usage(10, 1), cost_usd=0.25),
        LLMResponse(MARS, usage=Usage(20, 2), cost_usd=0.5),
    ]
    result = await one(EchoProvider(responses=answers), LLMTask("?", response_model=Planet))
    assert result.usage == Usage(30, 3)
    assert result.cost_usd == pytest.approx(0.75)


async def test_a_second_answer_that_does_not_fit_is_the_tasks_failure():
    provider = EchoProvider(responses=["no", "still no", MARS])
    result = await one(provider, LLMTask("?", response_model=Planet))
    assert isinstance(result.error, InvalidAnswer)
    assert (result.success, result.value, result.attempts) == (False, None, 2)
    assert result.response is not None
    assert result.response.content == "still no"
    assert result.error.response is result.response


@pytest.mark.parametrize(("reasks", "attempts"), [(0, 1), (1, 2), (3, 4)])
async def test_how_often_is_the_tasks_choice(reasks, attempts):
    result = await one(EchoProvider(), LLMTask("?", response_model=Planet, reasks=reasks))
    assert isinstance(result.error, InvalidAnswer)
    assert result.attempts == attempts


async def test_a_re_ask_is_no_attempt_of_the_retry_policy():
    provider = EchoProvider(responses=["no", "no", "no", MARS])
    task = LLMTask("?", response_model=Planet, reasks=3, retry=RetryConfig(max_attempts=1))
    assert (await one(provider, task)).success


async def test_an_invalid_answer_is_not_retried_unless_the_policy_says_so():
    policy = RetryConfig(3, 0.0, retry_on_exceptions=[InvalidAnswer])
    assert (
        await one(
            EchoProvider(), LLMTask("?", response_model=int), default_retry=RetryConfig(3, 0.0)
        )
    ).attempts == 2
    assert (
        await one(EchoProvider(), LLMTask("?", response_model=int), default_retry=policy)
    ).attempts == 4


async def test_a_re_ask_is_an_event():
    events: list[object] = []
    provider = EchoProvider(responses=["no", MARS])
    await one(provider, LLMTask("?", response_model=Planet), on_event=events.append)
    [re_asked] = [event for event in events if isinstance(event, ReAsked)]
    assert isinstance(re_asked.error, InvalidAnswer)


async def test_a_predicate_on_results_sees_the_value():
    provider = EchoProvider(responses=[MARS, '{"name": "Io", "moons": 0}'])
    policy = RetryConfig(2, 0.0, retry_on_result=lambda planet: planet.moons > 0)
    result = await one(provider, LLMTask("?", response_model=Planet), default_retry=policy)
    assert result.value == Planet(name="Io", moons=0)


@pytest.mark.parametrize("finish_reason", ["length", "max_tokens"])
async def test_a_cut_answer_is_truncated_and_not_sent_back(finish_reason):
    provider = EchoProvider(
        responses=[half := LLMResponse('{"name": "Ma', finish_reason=finish_reason), MARS]
    )
    result = await one(provider, LLMTask("?", response_model=Planet))
    assert isinstance(result.error, Truncated)
    assert "max_tokens" in str(result.error)
    assert result.attempts == 1
    assert result.response is half


@pytest.mark.parametrize("answer", ["just text", None, {"name": "Mars", "moons": 2}])
async def test_a_provider_that_answers_with_something_else_fails_that_task_in_words(answer):
    class Bare:
        async def complete(self, messages, config_overrides=None):
            return answer

    result = await one(Bare(), LLMTask("?", response_model=Planet))
    assert isinstance(result.error, NotAnAnswer)
    assert "not an LLMResponse" in str(result.error)
    assert (result.error.answer, result.attempts) == (answer, 1)


async def test_an_answer_with_no_more_than_a_content_is_read():
    class Bare:
        async def complete(self, messages, config_overrides=None):
            return SimpleNamespace(content=MARS)

    assert (await one(Bare(), LLMTask("?", response_model=Planet))).value == Planet(
        name="Mars", moons=2
    )


async def test_a_response_model_that_is_none_at_all_fails_before_anything_is_sent():
    provider = EchoProvider()
    result = await one(provider, LLMTask("?", response_model="Planet"))
    assert isinstance(result.error, SetupError)
    assert (result.attempts, provider.call_count) == (0, 0)


async def test_the_tasks_messages_are_left_as_they_are():
    task = LLMTask("Mars?", response_model=Planet)
    await one(EchoProvider(responses=["no", MARS]), task)
    assert task.messages == [LLMMessage("user", "Mars?")]
