"""What a response_model may be, and that its schema is made once."""

import enum
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, ForwardRef, Literal

import pytest
from pydantic import BaseModel, Field

from ingather.errors import SetupError
from ingather.schema import Schema


class Plain:
    pass


class NoMembers(enum.Enum):
    pass


class HoldsAFunction(BaseModel):
    call: Callable[[], int]


class HoldsPlain(BaseModel):
    model_config = {"arbitrary_types_allowed": True}
    plain: Plain


class Unfinished(BaseModel):
    other: "Unknown"  # type: ignore[name-defined]  # noqa: F821


PLAIN: Any = Plain()
UNKNOWN: Any = ForwardRef("Unknown")


def function(x: int) -> int:
    return x


NO_SCHEMA: dict[str, Any] = {
    "a function": function,
    "a lambda": lambda: 1,
    "a builtin": print,
    "a partial": functools.partial(function, 1),
    "a name": "Person",
    "a JSON schema": {"type": "object"},
    "a number": 5,
    "a list": [int],
    "an instance": PLAIN,
    "a class that pydantic does not know": Plain,
    "a list of those": list[Plain],
    "a literal of one": Literal[Plain],
    "a field that is a function": HoldsAFunction,
    "a field that is such a class": HoldsPlain,
    "a model with an unknown name": Unfinished,
    "a list of an unknown name": list[UNKNOWN],
    "an iterator": Iterator[int],
    "an iterable": Iterable[int],
    "an enum without members": NoMembers,
}


@pytest.mark.parametrize("model", NO_SCHEMA.values(), ids=NO_SCHEMA)
def test_what_no_schema_can_be_made_of_is_a_setup_error(model):
    with pytest.raises(SetupError, match="response_model"):
        Schema.of(model)


def test_the_error_says_what_is_wrong():
    with pytest.raises(SetupError, match="HoldsAFunction: Cannot generate a JsonSchema"):
        Schema.of(HoldsAFunction)
    with pytest.raises(SetupError, match="a pydantic model, dataclass"):
        Schema.of("Person")


def test_a_schema_is_made_once_for_each_model():
    class Person(BaseModel):
        name: str

    assert Schema.of(Person) is Schema.of(Person)
    assert Schema.of(list[Person]) is Schema.of(list[Person])
    assert Schema.of(list[int]) is not Schema.of(list[str])


def test_what_cannot_be_hashed_works_too():
    model = Annotated[int, Field(ge=1), {"unhashable": []}]
    with pytest.raises(TypeError):
        hash(model)
    assert Schema.of(model).parse('{"value": 3}').value == 3


def test_it_says_what_it_is():
    assert repr(Schema.of(list[int])) == "Schema('list_int', strict=True)"


def test_defaults_that_are_no_json_are_no_trouble():
    class Job(BaseModel):
        size: int = Field(default=PLAIN)

    job: Any = Schema.of(Job).parse('{"size": null}').value
    assert job.size is PLAIN
