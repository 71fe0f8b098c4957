"""Numbers with what they count, and the periods that they are of."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from ingather.extractive import fill
from ingather.extractive.figures import numbers, periods


@pytest.mark.parametrize(
    ("text", "row", "values"),
    [
        ("$ 4.2 billion", False, [4.2e9]),
        ("12 % and 7 percent", False, [12, 7]),
        ("a loss of $(3.5) million", False, [-3.5e6]),
        ("-1,234 or (1,234)", False, [-1234, -1234]),
        ("see (1) and (2023)", False, [1, 2023]),
        ("Other, net 237 (48) (7)", True, [237, -48, -7]),
        ("€20 million", False, [2e7]),
    ],
)
def test_signs_and_scales(text, row, values):
    assert [number.value for number in numbers(text, row=row)] == values


@pytest.mark.parametrize(
    ("text", "row", "now", "before"),
    [
        (
            "Net sales were $9,189 million in 1994 compared with $7,977 million in 1993.",
            False,
            9189,
            7977,
        ),
        ("Gross margin increased to 72.7% in fiscal year 2024 from 56.9%.", False, 72.7, 56.9),
        ("Revenue rose 5% to $10 million from $9 million.", False, 10, 9),
        ("Cash increased $12 million to $400 million.", False, 400, None),
        ("Operating income $ 32,972 $ 4,224 Up 681%", True, 32972, 4224),
        ("Net sales $ 9,189 15% $ 7,977 13% $ 7,087", True, 9189, 7977),
    ],
)
def test_this_period_and_the_one_before(text, row, now, before):
    found, earlier = periods(text, row=row)
    assert found[0].printed == now
    assert [number.printed for number in earlier[:1]] == ([] if before is None else [before])


@given(
    st.integers(0, 10**12),
    st.sampled_from(["", "$", "€"]),
    st.sampled_from(["", " thousand", " million"]),
)
def test_a_number_is_read_as_it_is_printed(value, sign, scale):
    (found,) = numbers(f"It was {sign}{value:,}{scale}.")
    factor = {"": 1, " thousand": 1e3, " million": 1e6}[scale]
    assert found.printed == value
    assert found.value == value * factor


class Money(BaseModel):
    amount: float
    scale: Literal["units", "thousands", "millions", "billions"]
    currency: str


class Quantity(BaseModel):
    value: float
    unit: str = Field(max_length=40)


class Liquidity(BaseModel):
    cash: Money | None
    operating_cash_flow: Money | None
    debt: Money | None


TABLE = (
    "Selected data (in thousands)\n\nCash and cash equivalents\t$\t1,250\t$\t1,100\nCash paid for taxes\t77\t66\n"
    "Net cash provided by operating activities\t430\t(87)\n"
)


def test_an_amount_has_the_scale_over_its_table_and_is_of_its_own_row():
    found = Liquidity.model_validate(fill(Liquidity.model_json_schema(), TABLE))
    assert found.cash == Money(amount=1250, scale="thousands", currency="USD")
    assert found.operating_cash_flow == Money(amount=430, scale="thousands", currency="USD")
    assert found.debt is None


def test_a_table_that_does_not_say_what_it_counts_in_gives_no_amount():
    text = TABLE.replace(" (in thousands)", "")
    found = Liquidity.model_validate(fill(Liquidity.model_json_schema(), text))
    assert found == Liquidity(cash=None, operating_cash_flow=None, debt=None)


@pytest.mark.parametrize(
    ("text", "amount", "scale"),
    [("Cash was $4.2 billion.", 4.2, "billions"), ("Cash was $3,638,000.", 3638000, "units")],
)
def test_an_amount_is_as_the_sentence_prints_it(text, amount, scale):
    found = Liquidity.model_validate(fill(Liquidity.model_json_schema(), text))
    assert found.cash == Money(amount=amount, scale=scale, currency="USD")


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("We have 4,000 stores.", 4000, "stores"),
        ("Our share of stores is 24.2 percent.", 24.2, "percent"),
        ("The stores cost $60 million.", 60, "USD millions"),
    ],
)
def test_a_quantity_has_its_unit_in_words(text, value, unit):
    class Facts(BaseModel):
        stores: Quantity

    assert fill(Facts.model_json_schema(), text) == {"stores": {"value": value, "unit": unit}}


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (
            "employees",
            "As of June we employed approximately 99,000 people, 58,000 of them in the U.S.",
            99000,
        ),
        (
            "employees",
            "See Note 7. Employees take 2 days off. We had 29,600 employees in 38 countries.",
            29600,
        ),
        (
            "founded",
            "Forms of 1995 are incorporated by reference. It was incorporated in Ohio on May 3, 1977.",
            1977,
        ),
        ("employees", "In 2001, we had 144 employees.", 144),
    ],
)
def test_a_count_or_a_year_is_the_one_that_is_meant(field, text, value):
    assert fill({"properties": {field: {"type": "integer"}}, "required": [field]}, text) == {
        field: value
    }
