"""What of a JSON schema Anthropic's strict mode takes."""

from enum import Enum
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from ingather.errors import BadRequest
from ingather.providers.narrow_schema import fits, narrowed, strict_form
from ingather.schema import Schema

REFUSED = {
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
    "maxItems", "uniqueItems",
}  # fmt: skip


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


class Address(BaseModel):
    street: Annotated[str, Field(min_length=1, max_length=80)]
    postcode: Annotated[str, Field(pattern=r"^[0-9]{5}$")]


class Person(BaseModel):
    age: Annotated[int, Field(ge=0, le=120, description="In years")]
    moods: Annotated[list[Mood], Field(min_length=2, max_length=5)]
    home: Address
    others: list[Address] = []
    nick: str | None = None


class Tree(BaseModel):
    children: list["Tree"]


class Open(BaseModel):
    counts: dict[str, int]


class Anything(BaseModel):
    value: object


def wire(model):
    schema = Schema.of(model).response_format(lengths=True)["json_schema"]
    assert isinstance(schema, dict)
    return schema["schema"]


def keywords(node):
    """All keywords in a schema; the names of fields and definitions are none."""
    if isinstance(node, list):
        return frozenset().union(*map(keywords, node))
    if not isinstance(node, dict):
        return frozenset()
    inner = [
        keywords(list(value.values()) if key in ("properties", "$defs") else value)
        for key, value in node.items()
    ]
    return frozenset(node).union(*inner)


def test_nothing_that_is_refused_is_left():
    assert keywords(wire(Person)) & REFUSED
    assert not keywords(narrowed(wire(Person))) & REFUSED


def test_what_is_taken_out_is_said():
    schema: Any = narrowed(wire(Person))
    assert schema["properties"]["age"]["description"] == "In years (minimum: 0, maximum: 120)"
    assert schema["properties"]["moods"]["description"] == "(maxItems: 5, minItems: 2)"


def test_what_is_left_is_as_it_was():
    schema: Any = narrowed(wire(Person))
    assert schema["required"] == ["age", "moods", "home", "others", "nick"]
    assert schema["additionalProperties"] is False
    assert "Mood" in schema["$defs"]


def test_a_single_item_may_be_asked_for():
    assert narrowed({"type": "array", "minItems": 1, "items": {"type": "string"}})["minItems"] == 1


def test_strict_form_is_made_once_for_equal_schemas():
    assert strict_form(wire(Person)) is strict_form({**wire(Person)})
    assert strict_form(wire(Tree)) is None


@pytest.mark.parametrize(
    "inner",
    [{"properties": []}, {"properties": {"a": True}}, {"anyOf": {}}, {"items": True}, {"$defs": 5}],
)
def test_schema_of_another_form_is_not_taken(inner):
    assert strict_form({"type": "object", **inner}) is None


def test_schema_that_is_no_json_is_refused():
    with pytest.raises(BadRequest, match="the schema is not JSON"):
        strict_form({"type": "string", "enum": {1, 2}})


def test_given_schema_is_left_alone():
    schema = {"type": "integer", "minimum": 1}
    narrowed(schema)
    assert schema == {"type": "integer", "minimum": 1}


@pytest.mark.parametrize(
    ("model", "expected"), [(Person, True), (Tree, False), (Open, False), (Anything, False)]
)
def test_what_strict_mode_takes(model, expected):
    assert fits(wire(model)) is expected


def test_a_definition_that_holds_itself_by_way_of_another_is_recursion():
    defs = {"A": {"$ref": "#/$defs/B"}, "B": {"type": "array", "items": {"$ref": "#/$defs/A"}}}
    assert not fits({"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": defs})


def test_too_many_alternatives_are_not_taken():
    def schema(count):
        either = {"anyOf": [{"type": "string"}, {"type": "null"}]}
        return {
            "type": "object",
            "properties": {str(n): either for n in range(count)},
            "additionalProperties": False,
        }

    assert fits(schema(16))
    assert not fits(schema(17))
