"""What an answer that does not fit says, and how it is asked again."""

from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel, Field, model_validator

from ingather.errors import InvalidAnswer
from ingather.schema import Schema


class Person(BaseModel):
    name: str = Field(max_length=5)
    age: int
    tags: dict[str, int] = {}


def message(model, text):
    with pytest.raises(InvalidAnswer) as caught:
        Schema.of(model).parse(text)
    return str(caught.value)


def test_each_problem_has_its_place():
    text = message(list[Person], '{"items": [{"name": "Annabel", "age": "x"}]}')
    assert text.startswith(
        "the answer does not fit list_Person: items.0.name: String should have at most 5 "
        "characters; "
    )
    assert "items.0.age: Input should be a valid integer" in text


def test_what_is_no_json_is_said_so():
    assert "Invalid JSON" in message(Person, "I cannot help with that.")
    assert "Invalid JSON" in message(Person, "")


def test_the_nearest_miss_is_told():
    assert "age: Input should be a valid integer" in message(
        Person, 'See [1]: {"name": "Ann", "age": "x"} (or {})'
    )
    assert "0.age: Field required" in message(list[Person], '[{"name": "Ann"}]')
    assert "items: Field required" in message(list[Person], '{"people": []}')


def test_only_the_first_problems_are_told():
    text = message(list[int], f'{{"items": {["x"] * 1000}}}'.replace("'", '"'))
    assert len(text) <= 1000
    assert text.endswith("and 995 more")


def test_a_message_is_short_one_line_and_printable():
    noisy = Annotated[
        int, AfterValidator(lambda _: (_ for _ in ()).throw(ValueError("\x1b[31mno\n" * 5000)))
    ]
    text = message(noisy, '{"value": 1}')
    assert len(text) <= 1000
    assert text.isprintable()
    assert message(
        Person, '{"name": "Ann", "age": 1, "tags": {"\\u001b[2J\\n' + "k" * 5000 + '": "x"}}'
    ).isprintable()


def test_no_message_holds_the_answer_or_a_key():
    def refuse(text: str) -> str:
        raise ValueError(f"no such thing as {text}")

    text = message(Annotated[str, AfterValidator(refuse)], '{"value": "sk-abcdefghijklmnop"}')
    assert "sk-abc" not in text
    assert "secret" not in message(int, '{"value": "my secret"}')


def test_a_validator_that_stumbles_over_the_answer_says_so():
    class Row(BaseModel):
        total: int

        @model_validator(mode="before")
        @classmethod
        def add_up(cls, data: Any) -> Any:
            return {"total": sum(data["parts"])}

    assert "a validator raised KeyError: 'parts'" in message(Row, "{}")
    assert "a validator raised TypeError: " in message(Row, "[1]")
    assert Schema.of(Row).parse('[1] {"parts": [1, 2]}').value == Row.model_construct(total=3)


def test_an_answer_is_asked_for_again_with_its_error():
    schema = Schema.of(Person)
    error = InvalidAnswer("age: Field required")
    shown, asked = schema.reask_messages('{"name": "Ann"}', error)
    assert (shown.role, shown.content) == ("assistant", '{"name": "Ann"}')
    assert asked.role == "user"
    assert "age: Field required" in str(asked.content)
    assert "only the JSON" in str(asked.content)


def test_a_long_answer_is_shown_in_part_and_an_empty_one_named():
    schema = Schema.of(Person)
    assert len(str(schema.reask_messages("x" * 100_000, ValueError("no"))[0].content)) < 8_100
    assert schema.reask_messages(" \n", ValueError("no"))[0].content == "(no answer)"
