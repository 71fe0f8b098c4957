"""What is filled in is what the text says."""

import json
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from ingather.extractive import SchemaError, fill, json_answer


class Person(BaseModel):
    name: str
    age: int
    occupation: str


def filled(model, text, question=""):
    return model.model_validate(fill(model.model_json_schema(), text, question))


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("John Smith is a 30-year-old software engineer", ("John Smith", 30, "software engineer")),
        ("Lisa Wilson is a 28-year-old UX designer", ("Lisa Wilson", 28, "UX designer")),
        ("Tom Brown is a 32-year-old DevOps engineer", ("Tom Brown", 32, "DevOps engineer")),
        ("Dr. Anna Lee, 41, works as a nurse in Boston.", ("Dr. Anna Lee", 41, "nurse")),
        (
            "Unit 7: Zoe Kim of 12 Elm Street, with 2 children, is a 30-year-old vet",
            ("Zoe Kim", 30, "vet"),
        ),
        ("Name: Bo Diddley\nAge: 77\nOccupation: musician", ("Bo Diddley", 77, "musician")),
        ("occupation=cook, age=5, name=Al", ("Al", 5, "cook")),
        (
            "In 2019 our Maria Garcia was the head of sales at IBM, aged 52.",
            ("Maria Garcia", 52, "head of sales"),
        ),
    ],
)
def test_a_person(text, person):
    found = filled(Person, text)
    assert (found.name, found.age, found.occupation) == person


def test_several_people_one_from_each_sentence_that_has_one():
    class People(BaseModel):
        items: list[Person]

    text = (
        "Ann Lee is a 30-year-old nurse. The weather is fine.\nBo Diddley is a 77-year-old musician"
    )
    assert [person.name for person in filled(People, text).items] == ["Ann Lee", "Bo Diddley"]


REPORT = """Acme Boats Inc. is a maker of boats, founded in 1962 in Oslo. It employs 2,900 people. Write to ir@acme.com.
We have three reportable segments: Sailing; Motor; and Repair. Sailing had revenue of $1.2 billion.
Our products include dinghies, yachts, and ferries. It was an excellent year; we are profitable, with a margin of 12%.
Our brand gives us an advantage that competitors lack. The report was filed on March 5, 2024; see https://acme.com/ir."""


class Report(BaseModel):
    company: str
    city: str
    founded: int
    employees: int
    segments: list[str]
    revenue: float
    margin: float = Field(description="Profit margin in percent")
    products: list[str]
    sentiment: Literal["negative", "positive", "neutral"]
    is_profitable: bool
    filed: str = Field(json_schema_extra={"format": "date"})
    email: str
    website: str
    competitive_advantages: str = Field(description="What competitors lack")


def test_a_report():
    assert filled(Report, REPORT).model_dump() == {
        "company": "Acme Boats Inc",
        "city": "Oslo",
        "founded": 1962,
        "employees": 2900,
        "segments": ["Sailing", "Motor", "Repair"],
        "revenue": 1.2e9,
        "margin": 12,
        "products": ["dinghies", "yachts", "ferries"],
        "sentiment": "positive",
        "is_profitable": True,
        "filed": "2024-03-05",
        "email": "ir@acme.com",
        "website": "https://acme.com/ir",
        "competitive_advantages": "Our brand gives us an advantage that competitors lack.",
    }


def test_what_the_text_does_not_say_is_null_where_it_may_be():
    class Facts(BaseModel):
        age: int | None
        city: str | None
        tags: list[str] | None

    assert filled(Facts, "nothing of use").model_dump() == {"age": None, "city": None, "tags": None}


def test_a_denial_is_false():
    schema = {"properties": {"is_profitable": {"type": "boolean"}}}
    assert fill(schema, "We are not profitable.") == {"is_profitable": False}
    assert fill(schema, "We are profitable.") == {"is_profitable": True}


def test_an_enum_takes_the_member_that_is_spoken_of_or_a_neutral_one():
    schema = {"enum": ["billing", "technical_support", "other"]}
    assert fill(schema, "I need technical support with my boat") == "technical_support"
    assert fill(schema, "hello") == "other"
    assert fill({"enum": [3, 1, 2]}, "there are 2 of them") == 2


def test_an_array_of_an_enum_holds_all_that_are_spoken_of():
    schema = {"type": "array", "items": {"enum": ["red", "green", "blue"]}}
    assert fill(schema, "The blue boat is red.") == ["red", "blue"]


def test_the_question_says_what_to_look_for_where_names_do_not():
    schema = {"type": "object", "properties": {"value": {"type": "string"}}, "required": ["value"]}
    assert fill(schema, "We sell boats. Our office is in Oslo.", "Where is the office?") == {
        "value": "Our office is in Oslo."
    }


def test_free_names_come_from_labels():
    schema = {"type": "object", "additionalProperties": {"type": "integer"}}
    assert fill(schema, "boats: 3\ncars: 4") == {"boats": 3, "cars": 4}


def test_every_string_is_verbatim():
    class Notes(BaseModel):
        advantages: str
        weaknesses: str | None
        products: list[str]

    for text in (
        string
        for value in filled(Notes, REPORT).model_dump().values()
        for string in ([value] if isinstance(value, str) else value or [])
    ):
        assert text in " ".join(REPORT.split())


def test_the_same_text_gives_the_same_answer():
    turns = [("user", REPORT)]
    assert len({json_answer(turns, Report.model_json_schema()) for _ in range(3)}) == 1


def test_a_recursive_schema_ends():
    class Node(BaseModel):
        name: str
        children: list["Node"]
        parent: "Node | None"

    tree = filled(Node, REPORT)
    assert len(json.dumps(tree.model_dump())) < 50_000


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}},
        {
            "$ref": "#/$defs/A",
            "$defs": {"A": {"properties": {"a": {"$ref": "#/$defs/A"}}, "required": ["a"]}},
        },
        {"$ref": "#/$defs/B"},
        {"$ref": "http://example.com/schema"},
        {"enum": []},
        {"type": "integer", "minimum": 2, "maximum": 1},
        {"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 1},
        {"type": "array", "items": False, "minItems": 1},
        {"type": "frog"},
        {"properties": {"a": 5}, "required": ["a"]},
        {"properties": {"a": False}, "required": ["a"]},
    ],
)
def test_a_schema_that_nothing_satisfies_is_an_error(schema):
    with pytest.raises(SchemaError):
        fill(schema, "some text")


def test_a_schema_nested_without_end_is_an_error():
    schema: dict = {"type": "string"}
    for _ in range(300):
        schema = {"type": "array", "items": schema, "minItems": 1}
    with pytest.raises(SchemaError, match="nested"):
        fill(schema, "text")
