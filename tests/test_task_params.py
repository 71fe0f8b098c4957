"""A call's parameters as keyword arguments of its task."""

import copy
import dataclasses
import pickle

import pytest

from ingather import EchoProvider, ExtractTask, LLMMessage, LLMTask, ParallelLLMExecutor

KINDS = [lambda **params: LLMTask("Hello", **params), lambda **params: ExtractTask("Hello", dict, **params)]
both_kinds = pytest.mark.parametrize("kind", KINDS, ids=["LLMTask", "ExtractTask"])


@both_kinds
def test_keyword_arguments_are_parameters_of_the_call(kind):
    assert kind(model="m", temperature=0).config_overrides == {"model": "m", "temperature": 0}


@both_kinds
def test_they_are_added_to_config_overrides_which_stay_the_callers(kind):
    mine = {"seed": 1}
    assert kind(config_overrides=mine, temperature=0).config_overrides == {"seed": 1, "temperature": 0}
    assert mine == {"seed": 1}


@both_kinds
def test_a_parameter_that_is_given_twice_is_an_error(kind):
    with pytest.raises(TypeError, match="'seed' is given twice"):
        kind(config_overrides={"seed": 1}, seed=1)


@both_kinds
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("respons_model", "did you mean response_model="),
        ("time_out", "did you mean timeout="),
        ("tags", "did you mean tag="),
        ("api_key", "connect"),
        ("base_url", "connect"),
        ("prompt", "it goes first"),
        ("max_retries", "RetryConfig"),
        ("max_concurrency", "executor"),
    ],
)
def test_a_slip_is_told_and_not_sent_as_a_parameter(kind, name, hint):
    with pytest.raises(TypeError, match=f"takes no {name}=: .*{hint}"):
        kind(**{name: 1})


@both_kinds
@pytest.mark.parametrize(
    "name",
    ["response_format", "stop", "tools", "text", "metadata", "store", "provider", "samplers", "think", "top_k", "n"],
)
def test_names_of_providers_that_are_near_to_ours_are_parameters(kind, name):
    assert kind(**{name: "x"}).config_overrides == {name: "x"}


def test_system_is_a_message_before_the_others():
    assert LLMTask("Hello", system="Be brief.").messages == [
        LLMMessage("system", "Be brief."),
        LLMMessage("user", "Hello"),
    ]


@pytest.mark.parametrize("role", ["system", "developer"])
def test_two_system_messages_are_an_error(role):
    with pytest.raises(TypeError, match="given twice"):
        LLMTask([{"role": role, "content": "a"}, {"role": "user", "content": "b"}], system="c")


def test_a_system_message_that_is_no_text_is_an_error():
    with pytest.raises(TypeError, match="system is a text"):
        LLMTask("Hello", system=["Be brief."])  # type: ignore[arg-type]


def test_an_extraction_has_instructions_and_no_system_message():
    with pytest.raises(TypeError, match="instructions"):
        ExtractTask("Text", dict, system="Be brief.")


@pytest.mark.parametrize(
    "task", [LLMTask("Hello", system="s", model="m"), ExtractTask("Hello", dict, model="m")], ids=["LLM", "Extract"]
)
def test_such_tasks_can_be_compared_copied_replaced_and_pickled(task):
    assert copy.deepcopy(task) == task
    assert pickle.loads(pickle.dumps(task)) == task
    assert dataclasses.replace(task) == task
    assert dataclasses.replace(task, tag="other") != task
    assert dataclasses.replace(task, seed=1).config_overrides == {"model": "m", "seed": 1}
    with pytest.raises(TypeError, match="given twice"):
        dataclasses.replace(task, model="other")


async def test_the_provider_gets_them_over_those_of_the_executor():
    provider = EchoProvider()
    executor = ParallelLLMExecutor(provider, default_config_overrides={"seed": 1, "top_p": 1})
    await executor.gather([LLMTask("Hello", system="Be brief.", seed=2)])
    assert provider.calls[0].config_overrides == {"seed": 2, "top_p": 1}
    assert [message.role for message in provider.calls[0].messages] == ["system", "user"]
