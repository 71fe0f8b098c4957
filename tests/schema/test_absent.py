"""A ``null`` where the model has a default stands for the default; NaN and infinities are refused."""

import dataclasses
import decimal
from typing import Any, Literal, NamedTuple, NotRequired

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from ingather.errors import InvalidAnswer
from ingather.schema import Parsed, Schema


class Leaf(BaseModel):
    name: str
    size: int = 5
    note: str | None = "none"
    any: Any = 7
    more: list["Leaf"] = Field(default_factory=list)


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    weight: float = 4.0


class Dog(BaseModel):
    kind: Literal["dog"]
    weight: float | None


class Home(BaseModel):
    pets: list[Cat | Dog]
    by_name: dict[str, Leaf] = {}
    pair: tuple[Leaf, int] | None = None


class Options(TypedDict):
    depth: NotRequired[int]


class Point(NamedTuple):
    x: int
    y: int = 9


@dataclasses.dataclass
class Job:
    name: str
    needs: list[int] = dataclasses.field(default_factory=lambda: [1])


def test_null_gives_the_default_and_counts_as_exact():
    assert Schema.of(Leaf).parse('{"name": "a", "size": null, "more": null}') == Parsed(
        Leaf(name="a"), lenient=False
    )


def test_null_stays_null_where_the_field_takes_it():
    text = '{"name": "a", "size": null, "note": null, "any": null}'
    assert Schema.of(Leaf).parse(text).value == Leaf(name="a", size=5, note=None, any=None)


def test_null_for_a_field_without_default_is_an_error():
    with pytest.raises(InvalidAnswer, match="name: Input should be a valid string"):
        Schema.of(Leaf).parse('{"name": null, "size": null}')


@pytest.mark.parametrize(
    ("model", "text", "value"),
    [
        (Options, '{"depth": null}', {}),
        (Point, '{"x": 1, "y": null}', Point(1)),
        (Job, '{"name": "a", "needs": null}', Job("a")),
        (list[Leaf], '{"items": [{"name": "a", "size": null}]}', [Leaf(name="a")]),
    ],
)
def test_every_kind_of_model_has_its_defaults(model, text, value):
    assert Schema.of(model).parse(text) == Parsed(value, lenient=False)


def test_defaults_are_found_wherever_a_model_is():
    text = """{"pets": [{"kind": "dog", "weight": null}, {"kind": "cat", "weight": null}],
               "by_name": {"x": {"name": "a", "more": [{"name": "b", "size": null}]}},
               "pair": [{"name": "c", "size": null}, 1]}"""
    assert Schema.of(Home).parse(text).value == Home(
        pets=[Dog(kind="dog", weight=None), Cat()],
        by_name={"x": Leaf(name="a", more=[Leaf(name="b")])},
        pair=(Leaf(name="c"), 1),
    )


def test_whole_numbers_beyond_64_bits_survive():
    class Big(BaseModel):
        number: int
        size: int = 1

    assert Schema.of(Big).parse(f'{{"number": {2**90}, "size": null}}').value == Big(number=2**90)


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "-1E+999", "1" * 400, '"nan"', '" -INF"']
)
@pytest.mark.parametrize("model", [float, float | None, list[float] | float])
def test_numbers_that_are_not_finite_are_refused(model, number):
    with pytest.raises(InvalidAnswer):
        Schema.of(model).parse(f'{{"value": {number}}}')


@pytest.mark.parametrize("number", ["NaN", "1e999"])
def test_they_are_refused_where_anything_goes(number):
    with pytest.raises(InvalidAnswer, match="NaN and Infinity are not JSON"):
        Schema.of(dict[str, Any]).parse(f'{{"a": [{number}]}}')


def test_strings_that_look_like_them_are_strings():
    class Word(BaseModel):
        word: str
        share: float

    text = '{"word": "NaN", "share": 1e-999}'
    assert Schema.of(Word).parse(text) == Parsed(Word(word="NaN", share=0.0), lenient=False)


def test_a_whole_number_may_be_larger_than_any_float():
    assert Schema.of(int).parse('{"value": ' + "1" * 400 + "}").value == int("1" * 400)


def test_decimals_keep_their_digits():
    text = '{"value": "12345678901234567.89123"}'
    assert Schema.of(decimal.Decimal).parse(text).value == decimal.Decimal(
        "12345678901234567.89123"
    )


def test_null_beside_what_is_no_character_is_an_invalid_answer_like_any():
    with pytest.raises(InvalidAnswer):
        Schema.of(Leaf).parse("null \ud800")
