"""A list travels in an object and comes back bare, whether it is the whole or a field; other values likewise."""

import enum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, create_model

from tests.extract.stand_ins import Raw, Reader, extracted


class Product(BaseModel):
    name: str


class ProductList(BaseModel):
    items: list[Product]


class Size(enum.Enum):
    SMALL = "small"


def part(kind, said, default=...):
    """One field of this type: how it travelled, and its value."""
    provider = Reader({"it": said})
    result = extracted(provider, create_model("M", it=(kind, default)), split="fields")
    assert result.error is None
    (call,) = provider.calls
    return list(call.form["properties"]), result.value.it


WRAPPED = [
    (list[Product], [{"name": "a"}], "items", [Product(name="a")]),
    (list[str] | None, ["a"], "items", ["a"]),
    (set[int], [1, 2], "items", {1, 2}),
    (tuple[int, str], [1, "a"], "items", (1, "a")),
    (int, 3, "value", 3),
    (str | None, None, "value", None),
    (Size, "small", "value", Size.SMALL),
    (Literal["a", "b"], "b", "value", "b"),
]


@pytest.mark.parametrize(
    ("kind", "said", "key", "value"), WRAPPED, ids=[str(case[0]) for case in WRAPPED]
)
def test_what_is_no_object_is_wrapped_and_unwrapped(kind, said, key, value):
    assert part(kind, said) == ([key], value)


def test_what_travels_without_its_name_is_described_by_what_is_asked():
    described = Annotated[int, Field(description="In which\n year?", examples=[1990])]
    provider = Reader({"it": 3})
    extracted(provider, create_model("M", it=(described, ...)), split="fields")
    (call,) = provider.calls
    assert call.properties["value"]["description"].startswith("In which year?")


def test_an_object_travels_as_it_is():
    assert part(Product, {"name": "a"}) == (["name"], Product(name="a"))


def test_a_list_in_an_object_of_its_own_is_wrapped_no_further():
    said = {"items": [{"name": "a"}]}
    assert part(ProductList, said) == (["items"], ProductList(items=[Product(name="a")]))


@pytest.mark.parametrize("split", ["fields", "single", "auto"])
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (list[Product], [Product(name="a")]),
        (set[str], {"a"}),
        (Annotated[list[str], Field(min_length=1)], ["a"]),
        (tuple[str, ...], ("a",)),
    ],
)
def test_the_whole_may_be_a_list(kind, value, split):
    provider = Reader({"items": [{"name": "a"}] if kind == list[Product] else ["a"]})
    result = extracted(provider, kind, split=split)
    (call,) = provider.calls
    assert result.value == value
    assert result.parts["items"].value == value
    assert list(call.form["properties"]) == ["items"]


def test_a_list_that_does_not_fit_is_asked_again():
    provider = Reader({"items": Raw('{"items": []}')})
    result = extracted(provider, Annotated[list[str], Field(min_length=1)])
    assert "at least 1 item" in str(result.error)
    assert len(provider.calls) == 2


@pytest.mark.parametrize(
    "text",
    ['["a"]', '```json\n{"items": ["a"]}\n```', 'Here: {"items": ["a"]}.', '{"items":["a"]}'],
)
def test_a_forgotten_wrapper_and_prose_are_tolerated_as_everywhere(text):
    result = extracted(
        Reader({"it": Raw(text)}), create_model("M", it=(list[str], ...)), split="fields"
    )
    assert result.value.it == ["a"]
    assert result.attempts == 1


@pytest.mark.parametrize("text", ["null", '{"items": null}', "```\nnull\n```"])
def test_null_is_no_failure_where_there_may_be_nothing(text):
    result = extracted(
        Reader({"it": Raw(text)}), create_model("M", it=(list[str], ["x"])), split="fields"
    )
    assert (result.value.it, result.attempts, result.missing) == (["x"], 1, ())


def test_null_for_an_optional_model_is_its_absence():
    class Seat(BaseModel):
        city: str | None = None

    result = extracted(
        Reader({"it": None}), create_model("M", it=(Seat | None, None)), split="fields"
    )
    assert (result.value.it, result.attempts) == (None, 1)
    assert result.parts["it"].success


def test_null_for_what_must_be_there_is_a_failure():
    result = extracted(Reader({"it": None}), create_model("M", it=(list[str], ...)), split="fields")
    assert not result.success
    assert result.attempts == 3
