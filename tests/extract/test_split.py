"""How many calls there are: one a field, one for all, or what the model and the provider's ceiling suggest."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import pytest
from pydantic import BaseModel, Field, RootModel, create_model
from typing_extensions import TypedDict

from ingather import ExtractTask, ParallelLLMExecutor
from ingather.schema.ceiling import Ceiling
from tests.extract.stand_ins import Reader, extracted


class Product(BaseModel):
    name: str


class Products(BaseModel):
    items: list[Product]


class Tags(RootModel[list[str]]):
    pass


@dataclass
class Seat:
    city: str


class Place(TypedDict):
    city: str


class Pair(NamedTuple):
    low: int
    high: int


class Size(enum.Enum):
    SMALL = "small"


class Flat(BaseModel):
    name: str
    founded: int
    size: Size | None = None


SAID = {
    "name": "Nord",
    "founded": 1990,
    "size": "small",
    "products": [{"name": "boats"}],
    "hq": {"name": "Oslo"},
    "held": {"items": [{"name": "x"}]},
}
FLAT = {"name": "Nord", "founded": 1990, "size": "small"}


class Deep(BaseModel):
    name: str
    products: list[Product]
    hq: Product


def calls(model, said, split="auto", **options):
    provider = Reader(said)
    for name, value in options.items():
        setattr(provider, name, value)
    result = extracted(provider, model, split=split)
    assert result.error is None
    return [call.fields for call in provider.calls]


def test_by_fields_there_is_a_call_for_each():
    assert sorted(calls(Flat, FLAT, "fields")) == [("founded",), ("name",), ("size",)]


def test_single_is_one_call_for_all():
    assert calls(Deep, SAID, "single") == [("name", "products", "hq")]


def test_auto_splits_two_models_or_lists():
    assert sorted(calls(Deep, SAID)) == [("hq",), ("name",), ("products",)]


def test_auto_asks_at_once_for_plain_fields():
    assert calls(Flat, FLAT) == [("name", "founded", "size")]


def test_auto_asks_at_once_where_only_one_field_is_a_list():
    model = create_model("M", name=(str, ...), products=(list[Product], ...))
    assert calls(model, SAID) == [("name", "products")]


COMPOSED = [
    (list[str], ["a"]),
    (set[int], [1]),
    (tuple[int, int], [1, 2]),
    (dict[str, int], {"a": 1}),
    (Sequence[str], ["a"]),
    (Product, {"name": "a"}),
    (Product | None, {"name": "a"}),
    (Annotated[list[str] | None, Field(description="some")], ["a"]),
    (Tags, ["a"]),
    (Seat, {"city": "Oslo"}),
    (Place, {"city": "Oslo"}),
    (Pair, {"low": 1, "high": 2}),
    (str | list[str], ["a"]),
]


@pytest.mark.parametrize(("kind", "said"), COMPOSED, ids=[str(kind) for kind, _ in COMPOSED])
def test_whatever_holds_others_is_composed(kind, said):
    model = create_model("M", one=(kind, ...), two=(kind, ...))
    assert sorted(calls(model, {"one": said, "two": said})) == [("one",), ("two",)]


@pytest.mark.parametrize("kind", [str, int, float | None, Size, bool, str | int])
def test_whatever_is_a_value_by_itself_is_not(kind):
    said = "small" if kind is Size else 1
    model = create_model("M", one=(kind, ...), two=(kind, ...))
    assert calls(
        model,
        {"one": str(said) if kind is str else said, "two": str(said) if kind is str else said},
    ) == [("one", "two")]


def test_a_model_of_one_field_is_one_call_either_way():
    model = create_model("M", products=(list[Product], ...))
    assert calls(model, SAID) == [("products",)]
    assert calls(model, SAID, "fields") == [("products",)]


def test_above_the_providers_ceiling_auto_splits():
    assert calls(Flat, FLAT, schema_ceiling=Ceiling(properties=2)) != [("name", "founded", "size")]
    assert len(calls(Flat, FLAT, schema_ceiling=Ceiling(properties=3))) == 1


def test_a_number_is_a_ceiling_in_bytes():
    assert calls(Flat, FLAT, schema_ceiling=200) == [("name", "founded"), ("size",)]
    assert len(calls(Flat, FLAT, schema_ceiling=10_000)) == 1


def test_single_is_single_above_any_ceiling():
    assert len(calls(Deep, SAID, "single", schema_ceiling=1)) == 1


def test_what_functions_fill_does_not_count_for_the_split():
    provider = Reader(SAID)
    result = extracted(provider, Deep, functions={"hq": lambda text: {"name": "Bergen"}})
    assert result.value.hq.name == "Bergen"
    assert [call.fields for call in provider.calls] == [("name", "products")]


def test_nor_does_it_for_the_ceiling():
    provider = Reader(FLAT)
    provider.schema_ceiling = Ceiling(properties=2)
    extracted(provider, Flat, functions={"size": lambda text: "small"})
    assert [call.fields for call in provider.calls] == [("name", "founded")]


@pytest.mark.looptime
async def test_sixty_fields_are_sixty_calls_at_once_as_far_as_the_bound_goes():
    fields = {f"field{number}": (int, ...) for number in range(60)}
    model = create_model("Wide", **fields)  # type: ignore[call-overload]
    provider = Reader({name: number for number, name in enumerate(fields)}, latency=1.0)
    task = ExtractTask("Many numbers.", model, split="fields")
    result = (await ParallelLLMExecutor(provider, max_concurrency=10).execute({"it": task}))["it"]
    assert result.attempts == len(provider.calls) == 60
    assert result.value == model(**{f"field{number}": number for number in range(60)})
    assert provider.peak == 10
    assert result.duration_ms == pytest.approx(6000)
