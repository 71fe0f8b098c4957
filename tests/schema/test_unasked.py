"""Where nothing is required any object would fit: one without a field that was asked for is no answer."""

import dataclasses
from typing import Any

import pytest
from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    model_validator,
)
from typing_extensions import TypedDict

from ingather import EchoProvider, ExtractTask, LLMTask, ParallelLLMExecutor, run_sync
from ingather.errors import InvalidAnswer
from ingather.schema import Schema


class P(BaseModel):
    name: str | None = None
    age: int = 0


class Open(P):
    model_config = ConfigDict(extra="allow")


class Closed(P):
    model_config = ConfigDict(extra="forbid")


class Aliased(BaseModel):
    name: str = Field("", validation_alias=AliasChoices("n", AliasPath("names", 0)))
    age: int = Field(0, alias="years")


class ByName(Aliased):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)


@dataclasses.dataclass
class Job:
    name: str = ""
    age: int = 0


class Options(TypedDict, total=False):
    name: str
    age: int


class Root(RootModel[P]):
    pass


ALL: list[Any] = [P, Open, Closed, Job, Options, Root]
ECHO = '{"type": "object", "properties": {"name": {"type": "string"}}}'
STRANGE = ['{"Name": "Ann"}', '{"NAME": null, "Age": 3}', '{"error": "no"}', '{"error": {"name": "NotFound"}}', ECHO,
           '{"properties": {"name": "Ann"}}', '{"P": {"Name": "Ann"}}', '{"a": {"b": {"name": "Ann"}}}', "{}",
           '{"draft": {"name": "Ann"}}', '{"P": {"name": "Ann"}, "note": ""}']  # fmt: skip


@pytest.mark.parametrize("model", ALL)
@pytest.mark.parametrize("text", STRANGE)
def test_an_object_without_any_field_that_was_asked_for_is_no_answer(model, text):
    with pytest.raises(InvalidAnswer):
        Schema.of(model).parse(text)
    with pytest.raises(InvalidAnswer):
        Schema.of(model).parse(f"It is\n```json\n{text}\n```")


@pytest.mark.parametrize("model", ALL)
@pytest.mark.parametrize("key", ["P", "person", "data"])
def test_one_level_around_it_is_taken_off(model, key):
    expected = Schema.of(model).parse('{"name": "Ann"}').value
    assert Schema.of(model).parse(f'{{"{key}": {{"name": "Ann"}}}}') == (expected, True)
    assert Schema.of(model).document(f'{{"{key}": {{"name": "Ann"}}}}') == {"name": "Ann"}


@pytest.mark.parametrize("model", ALL)
@pytest.mark.parametrize("text", ['{"name": null, "age": null}', '{"age": 0}', '{"age": null}'])
def test_one_of_the_fields_is_enough_and_null_says_that_there_is_nothing(model, text):
    Schema.of(model).parse(text)


@pytest.mark.parametrize("text", ['{"n": "a"}', '{"names": ["a"]}', '{"years": 3}'])
def test_a_field_is_found_under_each_of_its_aliases(text):
    Schema.of(Aliased).parse(text)
    Schema.of(ByName).parse(text)


def test_and_under_its_own_name_only_where_the_model_takes_that():
    assert Schema.of(ByName).parse('{"age": 3}').value == ByName.model_validate({"years": 3})
    with pytest.raises(InvalidAnswer, match="n, names, years"):
        Schema.of(Aliased).parse('{"age": 3}')


def test_what_is_inside_counts_too():
    class Firm(BaseModel):
        people: list[P]
        boss: P | Job | None = None

    assert Schema.of(Firm).parse('{"people": [{}, {"age": 3}], "boss": {}}').value
    for text in ('{"people": [{"Name": "Ann"}]}', '{"people": [], "boss": {"Name": "Ann"}}'):
        with pytest.raises(InvalidAnswer, match="name, age"):
            Schema.of(Firm).parse(text)
    with pytest.raises(InvalidAnswer):
        Schema.of(list[P]).parse('{"items": [{"Name": "Ann"}]}')


def test_a_validator_of_the_model_s_own_may_take_any_form():
    class Free(P):
        @model_validator(mode="before")
        @classmethod
        def lower(cls, data: Any) -> Any:
            return {key.lower(): value for key, value in data.items()}

    assert Schema.of(Free).parse('{"Name": "Ann"}').value == Free(name="Ann")


def test_any_key_is_right_where_the_keys_are_data():
    assert Schema.of(dict[str, int]).parse('{"Name": 1}').value == {"Name": 1}
    assert Schema.of(dict[str, P]).parse('{"Ann": {"age": 1}}').value == {"Ann": P(age=1)}
    assert Schema.of(dict[str, int]).parse("{}").value == {}


def test_it_is_asked_again_with_the_names():
    asked = []

    def answer(messages):
        asked.append(messages)
        return '{"Name": "Ann"}' if len(asked) == 1 else '{"name": "Ann"}'

    executor = ParallelLLMExecutor(EchoProvider(response_fn=answer))
    (result,) = run_sync(executor.gather([LLMTask("?", response_model=P)]))
    assert (result.value, result.attempts) == (P(name="Ann"), 2)
    assert "name, age (there is Name)" in asked[1][-1].content


@pytest.mark.parametrize("split", ["single", "fields"])
@pytest.mark.parametrize("text", ['{"Name": "Ann"}', '{"error": {"code": 1}}', ECHO])
def test_an_extraction_does_not_take_it_either(split, text):
    class Firm(BaseModel):
        boss: P = P()
        more: P | None = None

    executor = ParallelLLMExecutor(EchoProvider(response_fn=lambda _: text))
    result: Any
    (result,) = run_sync(executor.gather([ExtractTask("…", Firm, split=split)]))
    assert result.missing == ("boss", "more")
    assert all(isinstance(part.error, InvalidAnswer) for part in result.parts.values())
