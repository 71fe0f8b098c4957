"""A server that we did not write takes the schemas, and what it is held to parses."""

import dataclasses
import decimal
import enum
import uuid
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

import openai
import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from ingather.schema import Schema
from tests.servers.llama import serving

T = TypeVar("T")


class Kind(enum.Enum):
    ORG = "org"
    HUMAN = "human"


class Address(BaseModel):
    street: str = Field(description="street and number", max_length=30)
    zip: str = Field(pattern=r"^\d{5}$")


class Person(BaseModel):
    name: str = Field(max_length=20)
    age: int = Field(ge=0, le=120)
    kind: Kind
    main: Address = Field(description="the main one")
    other: Address | None = None
    tags: list[Annotated[str, Field(max_length=9)]] = Field(default_factory=list, max_length=3)


class Tree(BaseModel):
    value: int
    children: list["Tree"] = Field(default_factory=list, max_length=1)


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str = Field(max_length=9)


class Box(BaseModel, Generic[T]):
    item: T


@dataclasses.dataclass
class Job:
    name: Annotated[str, Field(max_length=9)]
    needs: list[int] = dataclasses.field(default_factory=list)


class Options(TypedDict, total=False):
    depth: int


class Point(NamedTuple):
    x: int
    y: float = 1.5


Short = Annotated[str, Field(max_length=40)]
Code = Annotated[str, Field(pattern=r"^(a|b)\.c+$")]
# Dates are not among them: the server knows their form, but no calendar.
MODELS = [
    Person, Annotated[list[Person], Field(min_length=1, max_length=2)], Tree, Box[list[Cat]], Job, Options, Point,
    Annotated[Cat | Dog, Field(discriminator="kind")], Annotated[list[Cat | Dog], Field(min_length=1)], dict[str, int],
    dict[str, Any], set[int], tuple[int, int], tuple[int, Kind], Literal["a", "b"], list[Literal[1, 2, "x"] | None],
    Kind, int, float, bool, Short, tuple[Code, Code], int | None, uuid.UUID, decimal.Decimal,
]  # fmt: skip


@pytest.fixture(scope="module")
def llama():
    with serving() as url, openai.OpenAI(base_url=url, api_key="none") as client:
        yield client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: Schema.of(model).name)
def test_it_answers_in_the_form_asked_for(llama, model):
    schema = Schema.of(model)
    form: Any = schema.response_format(lengths=True)
    answer = llama.chat.completions.create(
        model="tiny",
        messages=[{"role": "user", "content": "Annual revenue growth of the operating segment"}],
        temperature=0,
        max_tokens=400,
        response_format=form,
    )
    assert answer.choices[0].finish_reason == "stop"
    assert not schema.parse(answer.choices[0].message.content).lenient
