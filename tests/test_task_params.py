"""A call's parameters as keyword arguments of its task."""

import copy
import dataclasses
import pickle
import warnings

import pytest

from ingather import EchoProvider, ExtractTask, LLMMessage, LLMTask, ParallelLLMExecutor
from ingather.task import Task
from ingather.task_params import KNOWN, likely_typo

KINDS = [
    lambda **params: LLMTask("Hello", **params),
    lambda **params: ExtractTask("Hello", dict, **params),
]
both_kinds = pytest.mark.parametrize("kind", KINDS, ids=["LLMTask", "ExtractTask"])


@both_kinds
def test_keyword_arguments_are_parameters_of_the_call(kind):
    assert kind(model="m", temperature=0).config_overrides == {"model": "m", "temperature": 0}


@both_kinds
def test_they_are_added_to_config_overrides_which_stay_the_callers(kind):
    mine = {"seed": 1}
    assert kind(config_overrides=mine, temperature=0).config_overrides == {
        "seed": 1,
        "temperature": 0,
    }
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
    [
        "response_format",
        "stop",
        "tools",
        "text",
        "metadata",
        "store",
        "provider",
        "samplers",
        "think",
        "top_k",
        "n",
    ],
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
        LLMTask("Hello", system=["Be brief."])  # type: ignore[call-overload]


def test_an_extraction_has_instructions_and_no_system_message():
    with pytest.raises(TypeError, match="instructions"):
        ExtractTask("Text", dict, system="Be brief.")


@pytest.mark.parametrize(
    "task",
    [LLMTask("Hello", system="s", model="m"), ExtractTask("Hello", dict, model="m")],
    ids=["LLM", "Extract"],
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


# -- likely slips: sent, with a warning at the line that gives them


@both_kinds
@pytest.mark.parametrize(
    ("slip", "meant"), [("temprature", "temperature"), ("max_token", "max_tokens")]
)
def test_a_likely_slip_is_sent_with_a_warning_that_names_what_was_meant(kind, slip, meant):
    with pytest.warns(
        UserWarning, match=f"'{slip}' is sent as it is: did you mean '{meant}'"
    ) as warned:
        task = kind(**{slip: 1})
    assert task.config_overrides == {slip: 1}
    assert [warning.filename for warning in warned] == [__file__]


@both_kinds
@pytest.mark.parametrize(
    "overrides", [{"temprature": 1}, {"extra_body": {"temprature": 1}}], ids=["own", "extra_body"]
)
def test_a_slip_in_config_overrides_is_warned_of_as_well(kind, overrides):
    with pytest.warns(UserWarning, match="'temprature'") as warned:
        kind(config_overrides=overrides)
    assert [warning.filename for warning in warned] == [__file__]


def test_a_slip_in_an_executors_parameters_is_warned_of_as_well():
    with pytest.warns(
        UserWarning, match="'temprature' is sent as it is: did you mean 'temperature'"
    ) as warned:
        ParallelLLMExecutor(EchoProvider(), default_config_overrides={"temprature": 1})
    assert [warning.filename for warning in warned] == [__file__]


async def test_a_slip_is_not_warned_of_again_where_tasks_are_made_of_a_task():
    with pytest.warns(UserWarning, match="temprature") as warned:
        steps: list[Task] = [
            LLMTask("a", temprature=1),
            ExtractTask("Ines is 41.", list[str], temprature=1),
        ]
    assert len(warned) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await ParallelLLMExecutor(EchoProvider()).execute_sequential(steps, pass_result=True)
        await ParallelLLMExecutor("offline/extractive").gather(steps)


@both_kinds
def test_parameters_that_are_known_or_of_nobody_are_sent_without_a_word(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kind(temperature=0, guided_json={}, my_own=1, config_overrides={"top_k": 1, "x": 2})


# -- which names are likely slips, and of which

SLIPS = {
    "temprature": "temperature",
    "temperatur": "temperature",
    "temp": "temperature",
    "Temperature": "temperature",
    "top-p": "top_p",
    "maxTokens": "max_tokens",
    "max_token": "max_tokens",
    "max_tokns": "max_tokens",
    "max_new_tokens": "max_tokens",
    "response_fromat": "response_format",
    "resoning_effort": "reasoning_effort",
    "chat_template_kwarg": "chat_template_kwargs",
    "frequencypenalty": "frequency_penalty",
    "presence_penality": "presence_penalty",
    "stop_words": "stop",
    "modle": "model",
    "tool": "tools",
    "logprob": "logprobs",
}


@pytest.mark.parametrize(("written", "meant"), SLIPS.items())
def test_slip_has_a_name_that_was_meant(written, meant):
    assert likely_typo(written) == meant


NO_SLIPS = """chat_template_kwargs guided_json guided_regex guided_choice structured_outputs thinking logprobs
    top_logprobs seed extra_body reasoning_effort reasoning provider models route plugins transforms top_k top_a min_p
    topK topP thinkingConfig thinking_config thinking_budget enable_thinking random_seed safe_prompt search_parameters
    n_predict cache_prompt mirostat repeat_penalty repetition_penalty ignore_eos min_tokens stop_token_ids priority
    my_own x a top_n n_best google json_mode verbose lora"""


@pytest.mark.parametrize("name", NO_SLIPS.split())
def test_name_that_a_server_knows_or_nobody_is_none(name):
    assert likely_typo(name) is None


def test_no_known_name_is_a_slip_of_another():
    assert [name for name in KNOWN if likely_typo(name) is not None] == []
