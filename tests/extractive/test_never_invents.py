"""What the text does not say is null, empty, left out or refused; it is never a default."""

import datetime as dt
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from ingather.extractive import NothingFits, fill

BAKERY = """Hanna's Bakery bakes rye bread and rolls. It opened on March 3, 2011 in Bergen. Each morning the first
loaves leave the oven at five. The shop is closed on Sundays."""


def schema(**fields):
    """A schema with these properties, all required, in the form in which pydantic's travels."""
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


NUMBER, STRING = {"type": "number"}, {"type": "string"}
ABSENT = {
    "revenue": NUMBER,
    "employees": {"type": "integer"},
    "profit_margin_pct": NUMBER,
    "ceo_name": STRING,
    "auditor": STRING,
    "email": STRING,
    "website": {"type": "string", "format": "uri"},
    "birth_date": {"type": "string", "format": "date"},
    "patents": STRING,
    "supply_chain": STRING,
    "request_id": {"type": "string", "format": "uuid"},
    "code": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"},
    "risk_level": {"type": "string", "enum": ["high", "medium", "low"]},
    "currency": {"type": "string", "enum": ["USD", "EUR"]},
    "is_listed": {"type": "boolean"},
    "quote": {"type": "string", "minLength": 2000},
}


@pytest.mark.parametrize("name", ABSENT)
def test_a_required_property_that_the_text_does_not_have_is_refused_by_name(name):
    with pytest.raises(NothingFits, match=f"the text says nothing that fits '{name}'") as caught:
        fill(schema(**{name: ABSENT[name]}), BAKERY)
    assert caught.value.field == name


@pytest.mark.parametrize("name", ABSENT)
def test_where_it_may_be_null_it_is(name):
    nullable = schema(**{name: {"anyOf": [ABSENT[name], {"type": "null"}]}})
    assert fill(nullable, BAKERY) == {name: None}


@pytest.mark.parametrize("name", ABSENT)
def test_where_it_may_be_left_out_it_is(name):
    assert fill({"type": "object", "properties": {name: ABSENT[name]}}, BAKERY) == {}


@pytest.mark.parametrize("name", ABSENT)
def test_a_stand_in_guesses_all_the_same(name):
    guessed = fill(schema(**{name: ABSENT[name]}), BAKERY, forced=True)
    assert isinstance(guessed, dict)
    assert guessed[name] is not None


def test_what_is_there_is_found_beside_what_is_not():
    class Shop(BaseModel):
        opened: dt.date
        city: str
        revenue: float | None
        owners: list[str]

    found = Shop.model_validate(fill(Shop.model_json_schema(), BAKERY))
    assert found == Shop(opened=dt.date(2011, 3, 3), city="Bergen", revenue=None, owners=[])


def test_the_path_of_what_is_lacking_is_told():
    inner = schema(amount=NUMBER)
    with pytest.raises(NothingFits) as caught:
        fill(schema(revenue=inner), BAKERY)
    assert caught.value.field == "revenue.amount"


def test_an_enum_may_say_that_nothing_is_said():
    for neutral in ("other", "not_stated", "unknown", "neutral", "none"):
        values = schema(risk_level={"enum": ["high", "low", neutral]})
        assert fill(values, BAKERY) == {"risk_level": neutral}


SILENT = "Hanna's Bakery bakes rye bread."


@pytest.mark.parametrize(
    ("text", "description", "value"),
    [
        ("The company is listed in Oslo.", "", True),
        ("The company is not listed.", "", False),
        (SILENT, "True if the text says that it is listed", False),
        (SILENT, "Whether a listing is stated", False),
        (SILENT, "False unless its shares are listed", False),
        ("There is a risk that it may be listed one day.", "Whether a listing is stated", False),
    ],
)
def test_a_boolean_is_false_where_that_is_denied_or_what_silence_means(text, description, value):
    wanted = schema(is_listed={"type": "boolean", "description": description})
    assert fill(wanted, text) == {"is_listed": value}


@pytest.mark.parametrize(
    "description", ["", "Whether its shares are listed", "Is it on a stock exchange?"]
)
def test_silence_is_no_denial(description):
    with pytest.raises(NothingFits, match="is_listed"):
        fill(schema(is_listed={"type": "boolean", "description": description}), SILENT)


class Evidence(BaseModel):
    quote: str = Field(min_length=20, max_length=300, description="Verbatim, copied from the text")


class Price(BaseModel):
    product: str
    price: float
    evidence: Evidence


class Prices(BaseModel):
    items: list[Price]


def test_a_member_that_cannot_be_filled_is_dropped_and_not_the_list():
    text = "The price of Rye Bread is $7 a loaf. Rolls are popular with children. The price of Walnut Cake is $30."
    found = Prices.model_validate(
        fill(Prices.model_json_schema(), text, "What does each product cost? Give its price.")
    )
    assert [item.price for item in found.items] == [7, 30]


def test_an_optional_object_that_cannot_be_filled_is_null():
    class Shop(BaseModel):
        city: str
        best: Price | None

    assert fill(Shop.model_json_schema(), BAKERY) == {"city": "Bergen", "best": None}


def test_a_list_that_must_have_members_is_refused_where_there_are_none():
    wanted = schema(auditors={"type": "array", "items": STRING, "minItems": 1})
    with pytest.raises(NothingFits, match="auditors"):
        fill(wanted, BAKERY)


def test_numbers_outside_of_the_bounds_are_not_moved_into_them():
    wanted = schema(employees={"type": "integer", "maximum": 10})
    assert fill(wanted, "We have 7 employees.") == {"employees": 7}
    with pytest.raises(NothingFits):
        fill(wanted, "We have 70 employees.")


def test_a_name_that_the_text_does_not_know_is_looked_for_by_its_description():
    wanted = schema(
        hc={"type": "integer", "description": "Number of employees"},
        nr={**NUMBER, "description": "Revenue"},
    )
    assert fill(wanted, "Revenue was $5 million. There are 31 employees.") == {"hc": 31, "nr": 5e6}
    with pytest.raises(NothingFits, match="hc"):
        fill(wanted, "Revenue was $5 million. There are 31 boats.")


class Kinds(BaseModel):
    level: Literal["Level 1", "Level 2"]


def test_an_enum_whose_words_the_text_has_needs_no_cue():
    assert fill(Kinds.model_json_schema(), "These are Level 2 assets.") == {"level": "Level 2"}
