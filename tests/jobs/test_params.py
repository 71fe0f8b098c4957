"""Parameters: which a line may set, and of which type."""

import pytest

from ingather.errors import SetupError
from ingather.jobs import Recipe, Row
from ingather.jobs.params import checked_params, parsed_param, run_params
from ingather.jobs.typos import Typos


def test_known_parameters_pass():
    params = {
        "temperature": 0,
        "top_p": 0.5,
        "max_tokens": 5,
        "stop": ["a"],
        "response_format": {"type": "json_object"},
    }
    assert checked_params(params) == params


def test_a_line_s_model_is_left_out_since_the_run_s_holds():
    assert checked_params({"model": "another"}) == {}


@pytest.mark.parametrize(
    "name", ["base_url", "api_key", "headers", "extra_headers", "url", "host", "api_base"]
)
def test_a_line_never_says_where_to_ask_or_with_which_key(name):
    with pytest.raises(SetupError, match="a line does not set"):
        checked_params({name: "x"})


@pytest.mark.parametrize(
    "name", ["Base-URL", "apiKey", "API_KEY", "Authorization", "x-api-key", "defaultHeaders"]
)
def test_nor_in_another_spelling_or_in_an_extra_body(name):
    with pytest.raises(SetupError, match="a line does not set"):
        checked_params({name: "x"})
    with pytest.raises(SetupError, match="a line does not set"):
        checked_params({"extra_body": {name: "x"}})


ANYTHING: dict[str, object] = {
    "chat_template_kwargs": {"enable_thinking": False, "deep": [{"er": None}]},
    "guided_json": {"type": "object"},
    "thinking": {"type": "disabled"},
    "logprobs": True,
    "top_logprobs": 3,
    "seed": None,
    "provider": {"order": ["a"], "allow_fallbacks": False},
    "user": "u",
    "thinkingConfig": {"thinkingBudget": 0},
    "a_name_of_one_server": 1e-9,
}


def test_any_other_parameter_is_taken_as_it_is():
    assert checked_params(ANYTHING) == ANYTHING


def test_fields_of_extra_body_are_checked_as_the_others():
    params = {"top_p": 1, "extra_body": {"top_k": 5, "google": {"thinking_config": {}}}}
    assert checked_params(params) == params
    with pytest.raises(SetupError, match="'top_k' is a whole number"):
        checked_params({"extra_body": {"top_k": "many"}})
    with pytest.raises(SetupError, match="'extra_body' is an object"):
        checked_params({"extra_body": [1]})


def test_what_holds_anyway_is_left_out():
    assert checked_params({"stream": False, "background": False, "n": 1}) == {}


def test_likely_slip_is_told_once_a_name_and_taken():
    told: list[str] = []
    typos = Typos(tell=told.append)
    recipe = Recipe(typos=typos)
    for number in (3, 4):
        task = recipe.line(
            Row(number, {"prompt": "x", "params": {"temprature": 0, "mine": 1}})
        ).task
        assert task.config_overrides == {"temprature": 0, "mine": 1}
    assert told == [
        "line 3: the parameter 'temprature' is sent as it is: did you mean 'temperature'?"
    ]


def test_strictly_it_is_an_error_of_its_line():
    recipe = Recipe(typos=Typos(strict=True))
    with pytest.raises(
        SetupError,
        match=r"'temprature' is not known: did you mean "
        r"'temperature'\?",
    ):
        recipe.line(Row(3, {"prompt": "x", "params": {"temprature": 0}}))
    assert recipe.line(Row(3, {"prompt": "x", "params": {"mine": 1}})).task.config_overrides == {
        "mine": 1
    }


def test_without_anybody_to_tell_it_is_in_the_log(caplog):
    Typos().check(["max_tokns"], "line 1")
    assert "did you mean 'max_tokens'?" in caplog.text


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("model=x", "--model says whom to ask"),
        ("messages=[]", "each task has its own"),
        ("prompt=Hi", "each task has its own"),
        ("base_url=x", "give --base-url"),
        ("headers={}", "give --header"),
    ],
)
def test_what_the_run_or_its_tasks_say_is_no_parameter_of_the_run(written, said):
    with pytest.raises(SetupError, match=said):
        run_params([written])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("a={x: 1}", "begins as JSON, and is none"),
        ("a=[1,", "begins as JSON, and is none"),
        ("a=True", "write a=true"),
        ("a=None", "write a=null"),
    ],
)
def test_value_that_was_meant_as_json_is_named(written, said):
    with pytest.raises(SetupError, match=said):
        parsed_param(written)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("temperature", "0", "is a number, not '0'"),
        ("temperature", True, "is a number, not True"),
        ("max_tokens", 1.5, "is a whole number, not 1.5"),
        ("tools", {}, "is a list"),
        ("logit_bias", [], "is an object"),
        ("stop", 1, "is text or a list"),
        ("parallel_tool_calls", 1, "is true or false"),
        ("stream", True, "always taken whole"),
        ("n", 2, "one answer a task"),
    ],
)
def test_a_parameter_of_another_type_is_named(name, value, said):
    with pytest.raises(SetupError, match=said):
        checked_params({name: value})


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("temperature=0.2", ("temperature", 0.2)),
        ("stop=END", ("stop", "END")),
        ('stop=["a","b"]', ("stop", ["a", "b"])),
        ('chat_template_kwargs={"thinking": false}', ("chat_template_kwargs", {"thinking": False})),
        ('text="True"', ("text", "True")),
        ("seed=null", ("seed", None)),
        ("user=a=b", ("user", "a=b")),
        ("user=", ("user", "")),
    ],
)
def test_an_assignment_is_json_or_text(written, expected):
    assert parsed_param(written) == expected


@pytest.mark.parametrize("written", ["temperature", "=1", " =1"])
def test_what_is_no_assignment_is_an_error(written):
    with pytest.raises(SetupError, match="name=value"):
        parsed_param(written)
