"""What all four analyses are made of: texts and lists with caps, money, and the quote that proves a claim.

A cap stands in the JSON schema, so that a constrained decoder ends; an answer that is longer all
the same is cut, not refused, for a long summary is no reason to pay for the answer again. What code
fills in is `SkipJsonSchema`: it stands in the dumped JSON, not in the schema that a language model
sees, and whatever a model sends there is overwritten.
"""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

T = TypeVar("T")

MAX_TEXT = 400  # characters
MAX_NAME = 120  # characters
MAX_QUOTE = 300  # characters
MIN_QUOTE = 20  # characters
MAX_ITEMS = 12


def _cut(most: int) -> BeforeValidator:
    """Shorten a longer text at a word; other values pass for pydantic to judge."""

    def cut(value: object) -> object:
        if not isinstance(value, str) or len(value.strip()) <= most:
            return value
        kept = value.strip()[:most]
        at_word = kept.rpartition(" ")[0]
        return at_word if len(at_word) > most // 2 else kept

    return BeforeValidator(cut)


def first(most: int) -> BeforeValidator:
    """Keep the first `most` members of a longer list; other values pass for pydantic to judge."""
    return BeforeValidator(lambda value: value[:most] if isinstance(value, list) else value)


Text = Annotated[str, Field(max_length=MAX_TEXT), _cut(MAX_TEXT)]
Name = Annotated[str, Field(max_length=MAX_NAME), _cut(MAX_NAME)]
Items = Annotated[list[T], Field(max_length=MAX_ITEMS), first(MAX_ITEMS)]
Percent = Annotated[float, Field(ge=-100_000, le=100_000)]
Share = Annotated[float, Field(ge=0, le=100)]

Scale = Literal["units", "thousands", "millions", "billions"]
ItemName = Literal["1", "1A", "7", "8"]
Direction = Literal["up", "down", "flat", "mixed", "not_stated"]

FACTORS: dict[Scale, int] = {
    "units": 1,
    "thousands": 1_000,
    "millions": 1_000_000,
    "billions": 1_000_000_000,
}


class Part(BaseModel):
    """The base of all models here: closed, white space stripped, no NaN. A field's docstring is its description."""

    model_config = ConfigDict(
        extra="forbid",
        str_strip_whitespace=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class Section(Part):
    """The analysis of one Item: a field for each component, None where there is none."""

    @property
    def missing(self) -> list[str]:
        """The names of the components that are not there."""
        return [name for name in type(self).model_fields if getattr(self, name) is None]


class Evidence(Part):
    """The proof of a claim: one sentence or table row, copied word for word from the text, nothing changed or added."""

    quote: Annotated[
        str,
        Field(max_length=MAX_QUOTE, json_schema_extra={"minLength": MIN_QUOTE}),
        _cut(MAX_QUOTE),
    ]
    """Verbatim, 20 to 300 characters, copied from the text."""
    item: SkipJsonSchema[ItemName | None] = None
    """The Item in which the quote stands, None where it stands in none."""
    start: SkipJsonSchema[int | None] = None
    """Where the quote begins in the text that it was checked against, in characters."""
    end: SkipJsonSchema[int | None] = None
    """Where it ends."""
    verified: SkipJsonSchema[bool] = False
    """Whether the text has these words."""


class StringList(Part):
    """A list of short texts; empty where the text names none."""

    items: Items[Text]


class Money(Part):
    """An amount as the text states it: *$1.5 billion* is 1.5 in billions, *$(3) million* is -3 in millions."""

    amount: float
    scale: Scale
    currency: Annotated[str, Field(max_length=20)] = "USD"
    """ISO 4217 code."""

    @property
    def in_units(self) -> float:
        """The amount multiplied out, in the currency's units."""
        return self.amount * FACTORS[self.scale]


class Quantity(Part):
    """A number with its unit, as the text states it: *24.2 percent*, *60,922 USD millions*, *4,000 stores*."""

    value: float
    unit: Name
