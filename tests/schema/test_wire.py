"""The schema that travels: what OpenAI's strict mode and llama.cpp's grammars take."""

import copy
import dataclasses
import enum
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

import pytest
from openai.lib._pydantic import _ensure_strict_json_schema
from pydantic import BaseModel, ConfigDict, Field, JsonValue, create_model
from typing_extensions import TypedDict

from ingather.schema import Schema

T = TypeVar("T")
STRICT_KEYWORDS = {
    "type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "$ref", "$defs", "description",
    "format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems",
    "maxItems",
}  # fmt: skip


class Kind(enum.Enum):
    ORG = "org"
    HUMAN = "human"


class Address(BaseModel):
    """Where it is."""

    street: str = Field(description="street and number", max_length=30)
    zip: str = Field(pattern=r"^\d{5}$")


class Person(BaseModel):
    title: str
    name: str = Field(min_length=1, max_length=20)
    age: int = Field(5, ge=0, le=120)
    kind: Kind = Kind.HUMAN
    home: Address = Field(description="where it lives")
    work: Address | None = None
    tags: list[str] = Field(default_factory=list, max_length=3)


class Node(BaseModel):
    """A tree."""

    value: int
    children: list["Node"] = []


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str


class Box(BaseModel, Generic[T]):
    item: T


class Point(NamedTuple):
    x: int
    label: str = ""


class Options(TypedDict, total=False):
    depth: int


@dataclasses.dataclass
class Task:
    name: str
    needs: set[int] = dataclasses.field(default_factory=set)


STRICT = [
    Person, list[Person], Node, Annotated[Cat | Dog, Field(discriminator="kind")], Box[list[Cat]], Point, Options, Task,
    tuple[int, int], tuple[int, ...], set[Kind], Literal["a", 1, True] | None, int | None, create_model("Empty"), float,
    bytes,
]  # fmt: skip
OPEN = [
    dict[str, int],
    tuple[int, str],
    Any,
    JsonValue,
    dict,
    list,
    Box[dict[str, Person]],
    Literal["a"] | dict[Kind, int],
]


def wire(model, **options):
    form: Any = Schema.of(model).response_format(**options)
    return form["json_schema"]["schema"]


def model_of(names):
    fields: dict[str, Any] = dict.fromkeys(names, (int, ...))
    return create_model("Many", **fields)


def nodes(node):
    yield node
    for key in ("properties", "$defs"):
        for child in node.get(key, {}).values():
            yield from nodes(child)
    for child in (*node.get("anyOf", ()), *node.get("prefixItems", ())):
        yield from nodes(child)
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from nodes(node[key])


@pytest.mark.parametrize("model", STRICT, ids=repr)
def test_a_strict_schema_keeps_to_the_part_of_json_schema_that_strict_mode_takes(model):
    assert Schema.of(model).strict
    assert wire(model)["type"] == "object"
    for node in nodes(wire(model)):
        assert node.keys() <= STRICT_KEYWORDS
        assert node.keys() & {"type", "anyOf", "$ref"}
        assert "$ref" not in node or node.keys() == {"$ref"}
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
        if node.get("type") == "array":
            assert "items" in node


@pytest.mark.parametrize("model", STRICT, ids=repr)
def test_the_openai_package_has_nothing_to_add_to_a_strict_schema(model):
    theirs = copy.deepcopy(wire(model))
    assert _ensure_strict_json_schema(theirs, path=(), root=theirs) == wire(model)


@pytest.mark.parametrize("model", OPEN, ids=repr)
def test_what_strict_mode_cannot_say_is_sent_without_it(model):
    form: Any = Schema.of(model).response_format()
    assert form["json_schema"]["strict"] is False


def test_a_field_named_title_is_no_title():
    assert list(wire(Person)["properties"])[:2] == ["title", "name"]


def test_descriptions_and_docstrings_travel():
    assert wire(Node)["description"] == "A tree."
    assert wire(Person)["$defs"]["Address"]["description"] == "Where it is."
    assert wire(Person)["$defs"]["Address"]["properties"]["street"]["description"].startswith(
        "street and number"
    )


def test_a_described_reference_keeps_its_description():
    home = wire(Person)["properties"]["home"]
    assert home == {"anyOf": [{"$ref": "#/$defs/Address"}], "description": "where it lives"}


def test_a_field_with_a_default_is_required_and_may_be_null():
    age = wire(Person)["properties"]["age"]
    assert age["anyOf"] == [{"type": "integer", "minimum": 0, "maximum": 120}, {"type": "null"}]
    assert age["description"] == "(default: 5)"


def test_a_field_that_is_nullable_anyway_stays_as_it_is():
    assert wire(Person)["properties"]["work"]["anyOf"] == [
        {"$ref": "#/$defs/Address"},
        {"type": "null"},
    ]


def test_lengths_are_told_in_words_and_sent_as_keywords_only_when_asked():
    assert wire(Person)["properties"]["name"] == {
        "type": "string",
        "description": "(minLength: 1, maxLength: 20)",
    }
    assert wire(Person, lengths=True)["properties"]["name"] == {
        "type": "string",
        "minLength": 1,
        "maxLength": 20,
    }


def test_a_recursive_model_is_its_own_root():
    schema = wire(Node)
    assert schema["type"] == "object"
    assert schema["$defs"]["Node"]["properties"] == schema["properties"]
    assert schema["properties"]["children"]["anyOf"][0]["items"] == {"$ref": "#/$defs/Node"}


def test_a_tagged_union_is_a_plain_one():
    union = wire(Annotated[Cat | Dog, Field(discriminator="kind")])["properties"]["value"]
    assert union == {"anyOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}]}
    assert wire(Cat)["properties"]["kind"] == {"type": "string", "enum": ["cat"]}


def test_choices_of_several_types_are_told_apart():
    assert wire(Literal["a", 1, True] | None)["properties"]["value"] == {
        "anyOf": [
            {"type": "string", "enum": ["a"]},
            {"type": "integer", "enum": [1]},
            {"type": "boolean", "enum": [True]},
            {"type": "null"},
        ]
    }


def test_a_named_tuple_is_asked_for_by_name():
    assert list(wire(Point)["properties"]) == ["x", "label"]


def test_a_tuple_of_one_type_is_a_list_of_fixed_length():
    pair = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}
    assert wire(tuple[int, int])["properties"]["items"] == pair


def test_the_keys_of_an_enumerated_dict_are_told():
    assert wire(dict[Kind, int])["description"] == '(keys: ["org", "human"])'


@pytest.mark.parametrize(
    ("pattern", "sent"),
    [
        (r"^\d{4}-\d{2}$", "^[0-9]{4}-[0-9]{2}$"),
        (r"^[A-Z]{1,5}(\.[A-Z])?$", r"^[A-Z]{1,5}(\.[A-Z])?$"),
        (r"^(yes|no)$", "^(yes|no)$"),
        (r"abc", None),  # not anchored: refused by llama.cpp
        (r"^.*$", None),  # a dot takes the closing quote too
        (r"^[^a]$", None),  # so does a negated class
        (r"^\w+$", None),
        (r"^\\d$", None),  # a backslash and a d, not a digit
        (r"^a{5000}$", None),
    ],
)
def test_only_plain_patterns_are_sent_and_others_told(pattern, sent):
    field = wire(Annotated[str, Field(pattern=pattern)])["properties"]["value"]
    assert field.get("pattern") == sent
    assert ("pattern: " in field.get("description", "")) == (sent is None)


def test_a_format_that_nobody_knows_is_told():
    assert wire(bytes)["properties"]["value"] == {
        "type": "string",
        "description": '(format: "binary")',
    }


def test_counts_that_no_grammar_repeats_are_told():
    field = wire(Annotated[list[int], Field(min_length=3000)])["properties"]["items"]
    assert field == {
        "type": "array",
        "items": {"type": "integer"},
        "description": "(minItems: 3000)",
    }


def test_a_model_that_takes_more_keys_is_not_strict():
    more = create_model("More", __config__=ConfigDict(extra="allow"), x=(int, ...))
    assert not Schema.of(more).strict
    assert wire(more)["additionalProperties"] is True


@pytest.mark.parametrize(
    "model",
    [
        model_of(f"f{at}" for at in range(5001)),
        Literal[tuple(f"choice {at}" for at in range(1001))],
        model_of(f"f{at}" + "x" * 1300 for at in range(100)),
        list[list[list[list[list[list[list[list[list[list[int]]]]]]]]]],
    ],
    ids=["properties", "choices", "names", "nesting"],
)
def test_a_schema_beyond_the_documented_limits_is_not_strict(model):
    assert not Schema.of(model).strict


def test_the_name_has_only_what_openai_takes():
    assert Schema.of(list[Person]).name == "list_Person"
    assert Schema.of(Box[int]).name == "Box_int"
    assert Schema.of(Annotated[int, Field(ge=1)]).name == "int"
    assert Schema.of(list[Annotated[int, Field(ge=1)]]).name == "list_int"
    assert len(Schema.of(Literal["x" * 100]).name) == 64


def test_a_set_as_default_is_told_in_one_order():
    class Tagged(BaseModel):
        tags: set[str] = {"d", "a", "c", "b"}

    assert '["a", "b", "c", "d"]' in wire(Tagged)["properties"]["tags"]["description"]


def test_the_form_is_built_once():
    schema = Schema.of(Person)
    assert schema.response_format() is schema.response_format()
    assert schema.response_format(lengths=True) is schema.response_format(lengths=True)
    assert schema.instruction() is schema.instruction()


def test_the_instruction_holds_the_schema_with_its_lengths():
    assert '"maxLength": 20' in Schema.of(Person).instruction()
    assert "JSON only" in Schema.of(Person).instruction()
