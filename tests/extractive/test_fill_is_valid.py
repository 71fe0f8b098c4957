"""Whatever the schema and whatever the text: what comes out satisfies the schema."""

import datetime as dt
import enum
import json
import uuid
from decimal import Decimal
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal, Optional, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AnyUrl, BaseModel, Field, TypeAdapter, create_model

from ingather.extractive import fill, json_answer
from tests.extractive.conformance import faults

TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "John Smith is a 30-year-old software engineer",
            "Revenue was $3.2 billion, up 12% from 2,900 in 2023. We sell boats, cars and planes. Filed March 5, 2024.",
            "name: Al, age: 5\nred: yes\nIt is not blue. It is a green boat in Oslo; see https://x.org or a@b.org.",
        ]
    ),
    st.text(max_size=300),
)
NAMES = st.sampled_from(
    [
        "name",
        "age",
        "occupation",
        "date",
        "price",
        "tags",
        "items",
        "is_active",
        "color",
        "company",
        "value",
        "x",
    ]
)


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: Annotated[int, Field(ge=1, le=9)]


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str


@st.composite
def ranged(draw, number):
    low = draw(st.integers(-1000, 1000))
    bounds = {draw(st.sampled_from(["ge", "gt"])): low} if draw(st.booleans()) else {}
    if draw(st.booleans()):
        bounds[draw(st.sampled_from(["le", "lt"]))] = low + draw(st.integers(20, 2000))
    if draw(st.booleans()):
        bounds["multiple_of"] = draw(st.integers(1, 9))
    return Annotated[number, Field(**bounds)]


@st.composite
def sized(draw, inner=None):
    least = draw(st.integers(0, 5))
    most = draw(st.one_of(st.none(), st.integers(least, least + 6)))
    kind: Any = str if inner is None else list.__class_getitem__(draw(inner))
    return Annotated[kind, Field(min_length=least, max_length=most)]


PLAIN: list[Any] = [
    str, int, float, bool, Any, dt.date, dt.datetime, dt.time, dt.timedelta, uuid.UUID, Decimal, AnyUrl, IPv4Address,
    Color, Literal["a", 2, True], None, set[int], frozenset[str], tuple[int, str], dict[str, int],
    Annotated[Cat | Dog, Field(discriminator="kind")], Annotated[str, Field(pattern=r"^[A-Z]{3}-\d+$")],
]  # fmt: skip
LEAVES = st.one_of(st.sampled_from(PLAIN), ranged(int), ranged(float), sized())


def models(inner):
    field = st.tuples(inner, st.sampled_from(["Name of the person", "", "How many there are"]))
    return st.dictionaries(NAMES, field, max_size=5).map(model_of)


def model_of(fields: dict[str, Any]) -> type[BaseModel]:
    described = {name: (kind, Field(description=said)) for name, (kind, said) in fields.items()}
    model: type[BaseModel] = create_model("Model", **described)  # type: ignore[call-overload]
    return model


TYPES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        models(inner),
        sized(inner),
        inner.map(lambda kind: Optional[kind]),  # noqa: UP045 - `|` has no meaning for Any
        st.tuples(inner, inner).map(lambda pair: Union[pair]),  # noqa: UP007 - as above
        st.tuples(inner, inner).map(tuple.__class_getitem__),
        inner.map(lambda kind: dict.__class_getitem__((str, kind))),
    ),
    max_leaves=6,
)


@given(models(TYPES), TEXTS)
def test_a_pydantic_model_takes_it(model, text):
    content = json_answer([("user", text)], model.model_json_schema(), forced=True)
    model.model_validate_json(content)


@given(models(TYPES), TEXTS)
def test_an_independent_checker_takes_it(model, text):
    schema = model.model_json_schema()
    assert (
        faults(json.loads(json_answer([("user", text)], schema, forced=True)), schema, schema) == []
    )


@given(st.integers(1, 12))
def test_members_that_must_differ_do(count):
    schema = {
        "type": "array",
        "items": {"type": "integer", "minimum": 1, "maximum": count},
        "minItems": count,
        "uniqueItems": True,
    }
    found = fill(schema, "there are 3 boats", forced=True)
    assert isinstance(found, list)
    assert {str(member) for member in found} == {str(member) for member in range(1, count + 1)}
    assert len(found) == count


BY_HAND: list[Any] = [
    {},
    True,
    {"type": ["string", "null"]},
    {"const": 5},
    {"enum": ["x", 1, None]},
    {"format": "email"},
    {"type": "integer"},
    {"type": "number", "minimum": 0.5, "exclusiveMaximum": 0.75},
    {"type": "number", "exclusiveMinimum": 0, "maximum": 1e-9},
    {"type": "integer", "multipleOf": 2.5, "minimum": 1},
    {"type": "number", "multipleOf": 0.01, "maximum": -3},
    {"minLength": 3, "maxLength": 3},
    {"$ref": "#/$defs/leaf"},
    {"$ref": "#/$defs/tree"},
    {"required": ["a", "b"]},
    {"type": "object", "minProperties": 2, "additionalProperties": {"type": "boolean"}},
    {"allOf": [{"type": "integer", "minimum": 3}, {"type": "integer", "maximum": 4, "minimum": 1}]},
    {
        "properties": {"a": {"type": "string"}},
        "allOf": [{"required": ["a"]}, {"properties": {"a": {"maxLength": 2}}}],
        "type": "object",
    },
    {"anyOf": [{"minLength": 2}, {"type": "integer"}], "type": "string", "maxLength": 4},
    {"prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False, "minItems": 2},
]


def closed_object(parts):
    return {
        "type": "object",
        "properties": parts,
        "required": list(parts),
        "additionalProperties": False,
    }


SCHEMAS = st.recursive(
    st.sampled_from(BY_HAND),
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, max_size=3).map(closed_object),
        inner.map(lambda part: {"type": "array", "items": part, "minItems": 2, "maxItems": 3}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"anyOf": parts}),
        inner.map(lambda part: {"allOf": [part], "description": "the name of a person"}),
    ),
    max_leaves=5,
)
DEFS = {
    "leaf": {"type": "string", "minLength": 1},
    "tree": {
        "type": "object",
        "properties": {
            "value": {"$ref": "#/$defs/leaf"},
            "kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
        },
        "required": ["value", "kids"],
    },
}


@given(SCHEMAS, TEXTS)
def test_a_schema_by_hand_is_satisfied(schema, text):
    root = {"$defs": DEFS, **({} if schema is True else schema)}
    assert faults(fill(root, text, forced=True), root, root) == []


@pytest.mark.parametrize(
    "kind", [list[int], int, Literal["a", "b"], Cat | Dog, dict[str, list[Cat]], float | None]
)
def test_a_root_of_any_type(kind):
    form = TypeAdapter(kind)
    form.validate_python(
        fill(form.json_schema(), "There are 7 cats, and a dog called Rex.", forced=True)
    )
