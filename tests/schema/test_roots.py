"""Values that are no JSON objects travel wrapped, and come back bare."""

import datetime as dt
import enum
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from pydantic import BaseModel, Field, RootModel
from pydantic.dataclasses import dataclass

from ingather.errors import InvalidAnswer
from ingather.schema import Parsed, Schema


class Person(BaseModel):
    name: str
    age: int = Field(ge=0)


class Colour(enum.Enum):
    RED = "red"


class Point(NamedTuple):
    x: int
    y: int = 0


@dataclass
class Pet:
    name: str


People = RootModel[list[Person]]

ROOTS = [
    (Person, '{"name": "Ann", "age": 3}', Person(name="Ann", age=3)),
    (Pet, '{"name": "Rex"}', Pet("Rex")),
    (dict[str, int], '{"a": 1}', {"a": 1}),
    (Point, '{"x": 1, "y": 2}', Point(1, 2)),
    (list[Person], '{"items": [{"name": "Ann", "age": 3}]}', [Person(name="Ann", age=3)]),
    (People, '{"items": [{"name": "Ann", "age": 3}]}', People([Person(name="Ann", age=3)])),
    (set[int], '{"items": [1, 2, 2]}', {1, 2}),
    (tuple[int, str], '{"items": [1, "a"]}', (1, "a")),
    (int, '{"value": 42}', 42),
    (str, '{"value": "{}"}', "{}"),
    (bool, '{"value": true}', True),
    (dt.date, '{"value": "2026-11-20"}', dt.date(2026, 11, 20)),
    (Literal["yes", "no"], '{"value": "no"}', "no"),
    (Colour, '{"value": "red"}', Colour.RED),
    (Person | None, '{"value": null}', None),
    (int | list[int], '{"value": [1]}', [1]),
    (Any, '{"value": {"a": [1]}}', {"a": [1]}),
]


@pytest.mark.parametrize(("model", "text", "value"), ROOTS, ids=lambda part: repr(part)[:40])
def test_an_answer_in_the_form_asked_for_is_exact(model, text, value):
    assert Schema.of(model).parse(text) == Parsed(value, lenient=False)


@pytest.mark.parametrize(
    ("model", "text", "value"),
    [
        (list[Person], '[{"name": "Ann", "age": 3}]', [Person(name="Ann", age=3)]),
        (int, "42", 42),
        (str, '"Paris"', "Paris"),
        (Person | None, "null", None),
        (Person | None, '{"name": "Ann", "age": 3}', Person(name="Ann", age=3)),
        (Any, '{"a": 1}', {"a": 1}),
    ],
    ids=lambda part: repr(part)[:40],
)
def test_a_forgotten_wrapper_is_forgiven_and_said(model, text, value):
    assert Schema.of(model).parse(text) == Parsed(value, lenient=True)


def test_a_named_tuple_may_come_as_an_array():
    assert Schema.of(Point).parse("[1, 2]").value == Point(1, 2)


def test_a_list_is_not_taken_for_one_of_its_members():
    with pytest.raises(InvalidAnswer):
        Schema.of(Person).parse('[{"name": "Ann", "age": 3}, {"name": "Bob", "age": 4}]')


def test_one_object_is_not_taken_for_a_list():
    with pytest.raises(InvalidAnswer):
        Schema.of(list[Person]).parse('{"name": "Ann", "age": 3}')


def test_constraints_hold_inside_the_wrapper():
    with pytest.raises(InvalidAnswer, match=r"value: .*greater than or equal to 1"):
        Schema.of(Annotated[int, Field(ge=1)]).parse('{"value": 0}')


def test_aliases_and_validators_are_those_of_the_model():
    class Row(BaseModel):
        share: Annotated[float, Field(alias="share of sales", le=1)]

    schema = Schema.of(Row)
    assert '"required": ["share of sales"]' in schema.instruction()
    assert schema.parse('{"share of sales": 0.5}').value == Row.model_validate(
        {"share of sales": 0.5}
    )
    with pytest.raises(InvalidAnswer, match="share of sales: "):
        schema.parse('{"share of sales": 2}')
