"""Parameters: which a line may set, and of which type."""

import pytest

from ingather.errors import SetupError
from ingather.jobs.params import checked_params, parsed_param


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


@pytest.mark.parametrize("name", ["base_url", "api_key", "headers", "extra_headers", "url", "host", "api_base"])
def test_a_line_never_says_where_to_ask_or_with_which_key(name):
    with pytest.raises(SetupError, match="a line does not set"):
        checked_params({name: "x"})


def test_an_unknown_parameter_is_named_with_what_was_meant():
    with pytest.raises(SetupError, match=r"'temprature' is not taken; did you mean 'temperature'\?"):
        checked_params({"temprature": 0})


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
