"""JSON schemas as types: what fits passes, what does not is found, what cannot be checked is refused."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from ingather.errors import SetupError
from ingather.jobs.json_schema import model_of

PET = {"type": "object", "properties": {"kind": {"enum": ["cat", "dog"]}}, "required": ["kind"]}


def adapter_of(schema: dict) -> TypeAdapter[Any]:
    model: Any = model_of(schema)
    return TypeAdapter(model)


def fits(schema: dict, value: object) -> bool:
    try:
        adapter_of(schema).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "string"}, "a", 1),
        ({"type": "string", "minLength": 2}, "ab", "a"),
        ({"type": "string", "pattern": "^a+$"}, "aa", "b"),
        ({"type": "integer", "minimum": 1, "maximum": 3}, 3, 4),
        ({"type": "number", "exclusiveMinimum": 0}, 0.1, 0),
        ({"type": "number", "multipleOf": 5}, 10, 11),
        ({"type": "boolean"}, True, "maybe"),
        ({"type": "null"}, None, 0),
        ({"enum": ["a", 1, None]}, None, "b"),
        ({"const": "x"}, "x", "y"),
        ({"type": ["string", "null"], "maxLength": 2}, None, "abc"),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 1}, [1], []),
        ({"type": "array"}, ["anything", 1], {}),
        ({"type": "object"}, {"any": 1}, []),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1}, {"a": "x"}),
        ({**PET, "additionalProperties": False}, {"kind": "cat"}, {"kind": "cat", "more": 1}),
        (PET, {"kind": "cat", "more": 1}, {}),
        ({"anyOf": [{"type": "integer"}, PET]}, {"kind": "dog"}, {"kind": "cow"}),
        ({"allOf": [PET]}, {"kind": "dog"}, {"kind": "cow"}),
        ({"properties": {"a": {"type": "integer"}}}, {}, {"a": "x"}),
        ({"$ref": "#/definitions/Pet", "definitions": {"Pet": PET}}, {"kind": "dog"}, {}),
        ({}, "anything", ...),
    ],
)
def test_what_fits_passes_and_what_does_not_is_found(schema, good, bad):
    assert fits(schema, good)
    assert bad is ... or not fits(schema, bad)


def test_a_schema_may_refer_to_itself():
    schema = {
        "$ref": "#/$defs/Node",
        "$defs": {
            "Node": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
                },
                "required": ["name"],
            }
        },
    }
    assert fits(schema, {"name": "a", "children": [{"name": "b", "children": []}]})
    assert not fits(schema, {"name": "a", "children": [{"children": []}]})


def test_the_root_may_refer_to_the_root():
    schema = {
        "type": "object",
        "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
        "required": ["next"],
    }
    assert fits(schema, {"next": {"next": None}})
    assert not fits(schema, {"next": {"next": 5}})


def test_any_name_of_a_property_will_do():
    names = ["class", "json", "_private", "model_x", "two words", "ünï", "copy"]
    schema = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in names},
        "required": names,
    }
    adapter = adapter_of(schema)
    value = dict.fromkeys(names, "x")
    assert adapter.dump_python(adapter.validate_python(value), by_alias=True) == value
    assert list(adapter.json_schema()["properties"]) == names


def test_descriptions_and_formats_reach_the_model():
    schema = {
        "type": "object",
        "properties": {"when": {"type": "string", "format": "date", "description": "the day"}},
    }
    told = adapter_of(schema).json_schema()["properties"]["when"]
    assert (told["description"], told["format"]) == ("the day", "date")


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "object", "patternProperties": {}}, "'patternProperties'"),
        ({"type": "array", "items": {"type": "string", "not": {}}}, "'not'"),
        ({"allOf": [PET, PET]}, "'allOf' of several"),
        ({"type": "strng"}, "'strng' is no type"),
        ({"$ref": "#/$defs/Nobody"}, "'#/$defs/Nobody' refers to nothing"),
        ({"$ref": "https://example.com/schema.json"}, "refers to nothing in this file"),
        ({"properties": {"a": 5}}, "5 stands where"),
        ({**PET, "required": ["name"]}, "'required' names 'name'"),
        ({"enum": [1.5]}, "'enum' value that is not text"),
        (
            {"properties": {"a": {}}, "additionalProperties": {"type": "string"}},
            "'additionalProperties' with a schema beside",
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=x)"}}},
            "cannot be checked",
        ),
    ],
)
def test_what_cannot_be_checked_is_refused_by_name(schema, said):
    with pytest.raises(SetupError) as caught:
        model_of(schema)
    assert said in str(caught.value)
