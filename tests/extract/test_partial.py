"""What is missing and may be leaves a value; what must be there leaves what there is in the parts."""

import pytest
from pydantic import BaseModel, Field

from ingather.errors import MissingFields, ServerFault
from tests.extract.stand_ins import Raw, Reader, extracted


class Firm(BaseModel):
    products: list[str]
    seat: str = "?"
    founded: int | None = None
    people: list[str] = Field(default_factory=lambda: ["nobody"])


SAID = {"products": ["boats"], "seat": "Oslo", "founded": 1990, "people": ["Kari"]}


def extraction(*failing, **options):
    provider = Reader(SAID | {name: ServerFault("500") for name in failing})
    return extracted(provider, Firm, **{"split": "fields", **options})


@pytest.mark.parametrize("split", ["fields", "single"])
def test_nothing_is_missing_where_all_is_answered(split):
    result = extraction(split=split)
    assert (result.success, result.missing, list(result.parts)) == (True, (), list(SAID))


def test_defaults_stand_for_what_is_missing():
    result = extraction("seat", "founded", "people")
    assert result.value == Firm(products=["boats"])
    assert result.error is None
    assert result.missing == ("seat", "founded", "people")
    assert [type(part.error) for part in result.parts.values()] == [type(None), *[ServerFault] * 3]


def test_what_must_be_there_is_an_error_that_names_it_and_its_cause():
    result = extraction("products", "seat")
    assert (result.success, result.value, result.missing) == (False, None, ("products", "seat"))
    assert isinstance(result.error, MissingFields)
    assert result.error.fields == ("products",)
    assert result.error.__cause__ is result.parts["products"].error
    assert "products" in str(result.error)
    assert "500" in str(result.error)


def test_what_succeeded_is_in_the_parts():
    result = extraction("products")
    assert {name: part.value for name, part in result.parts.items() if part.success} == {
        name: value for name, value in SAID.items() if name != "products"
    }
    with pytest.raises(MissingFields):
        result.unwrap()


@pytest.mark.parametrize("fallback", [(), ("retry",), ("single",), ("retry", "single")])
def test_where_partial_is_no_rung_nothing_may_be_missing(fallback):
    result = extraction("seat", fallback=fallback)
    assert (result.value, result.error.fields, result.missing) == (None, ("seat",), ("seat",))


def test_null_is_an_answer_and_nothing_is_missing():
    provider = Reader({"products": [], "seat": None, "founded": None, "people": None})
    result = extracted(provider, Firm, split="fields")
    assert result.value == Firm(products=[])
    assert result.missing == ()
    assert result.attempts == 4
    assert all(part.success for part in result.parts.values())


def test_null_for_what_may_be_none_is_its_value_and_no_default():
    class Owned(BaseModel):
        owner: str | None = "the state"

    result = extracted(Reader({"owner": None}), Owned, split="fields")
    assert result.value.owner is None
    assert result.value.model_fields_set == {"owner"}


def test_a_default_that_stands_was_not_set():
    result = extraction("seat")
    assert result.value.model_fields_set == {"products", "founded", "people"}


def test_parts_are_in_the_models_order_whatever_came_first():
    provider = Reader(SAID | {"products": Raw("?")})
    assert list(extracted(provider, Firm, split="fields").parts) == list(SAID)


def test_the_result_says_what_became_of_it_in_its_repr():
    result = extraction("products")
    assert "MissingFields" in repr(result)
    assert repr(extraction()).startswith("TaskResult('it', value=Firm(")
