"""Templates name fields, and can do nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather.errors import SetupError
from ingather.jobs import Template


def test_fields_take_the_place_of_their_names():
    template = Template("{name} is {age}: {name}")
    assert template.fields == ("name", "age")
    assert template.render({"name": "Ida", "age": 40, "more": 1}) == "Ida is 40: Ida"


def test_a_field_s_name_is_all_that_stands_between_the_braces():
    assert Template("{Company name} {a.b}").render({"Company name": "X", "a.b": "Y"}) == "X Y"


def test_doubled_braces_are_braces():
    assert Template('{{"a": "{x}"}}').render({"x": "1"}) == '{"a": "1"}'


def test_values_that_are_no_text_are_json():
    assert Template("{x}").render({"x": {"a": [1, True, 0.5]}}) == '{"a":[1,true,0.5]}'


def test_a_value_is_never_a_template_itself():
    assert Template("{x}").render({"x": "{y} {{"}) == "{y} {{"


@pytest.mark.parametrize("text", ["{x.__class__}", "{x!r}", "{x:>10}", "{x[0]}", "{0}", "{}"])
def test_nothing_but_a_field_can_be_reached(text):
    with pytest.raises(SetupError, match="names the field"):
        Template(text).render({"x": "value"})


@pytest.mark.parametrize("text", ["a { b", "a } b", "{x} {", "{a{b}}"])
def test_a_single_brace_is_an_error_that_shows_where(text):
    with pytest.raises(SetupError, match=r"single '[{}]' in the prompt template"):
        Template(text)


def test_a_template_without_fields_would_ask_the_same_of_every_row():
    with pytest.raises(SetupError, match="names no field"):
        Template("Hello")


def test_an_unknown_field_is_named_with_those_that_are_there():
    with pytest.raises(SetupError, match="'nmae'; there are: 'name', 'age'"):
        Template("{nmae}").render({"name": 1, "age": 2})


def test_null_is_not_sent():
    with pytest.raises(SetupError, match="'x', which the template names, is null"):
        Template("{x}").render({"x": None})


@given(st.text(), st.text())
def test_any_text_goes_through_unchanged(before, value):
    escaped = before.replace("{", "{{").replace("}", "}}")
    assert Template(escaped + "{x}").render({"x": value}) == before + value
