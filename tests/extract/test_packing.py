"""Above the provider's ceiling fields share as few calls as it allows; none is sent that is above it."""

import math
from typing import Any

import pytest
from pydantic import BaseModel, Field, create_model

from ingather.errors import SetupError
from ingather.extract.outline import Outline
from ingather.extract.packing import asks_for
from ingather.schema.ceiling import CEILINGS, Ceiling
from tests.extract.stand_ins import Reader, extracted


def wide(count: int, kind: Any = str | None, default: Any = None) -> Any:
    return create_model("Wide", **{f"f{number}": (kind, default) for number in range(count)})  # type: ignore[call-overload]


def asked(model, ceiling, said=None, **options):
    provider = Reader(said or dict.fromkeys(model.model_fields, "x"), schema_ceiling=ceiling)
    return provider, extracted(provider, model, **options)


@pytest.mark.parametrize(
    ("count", "ceiling"),
    [(40, Ceiling(optional=24)), (40, Ceiling(properties=7)), (25, Ceiling(unions=24)), (48, Ceiling(optional=24)),
     (41, CEILINGS["anthropic"]), (101, CEILINGS["azure"]), (30, Ceiling(bytes=900))],
)  # fmt: skip
def test_as_few_calls_as_the_ceiling_allows_about_even_and_in_order(count, ceiling):
    model = wide(count)
    provider, result = asked(model, ceiling)
    assert result.value == model(**dict.fromkeys(model.model_fields, "x"))
    assert [name for call in provider.calls for name in call.fields] == list(model.model_fields)
    assert all(ceiling.admits(call.form) for call in provider.calls)
    sizes = [len(call.fields) for call in provider.calls]
    assert max(sizes) - min(sizes) <= 1
    most = min(each for each in (*ceiling[1:], math.inf) if each is not None)
    assert ceiling.bytes is not None or len(sizes) == math.ceil(count / most)


def test_forty_optional_fields_at_a_ceiling_of_24_are_two_calls():
    provider, result = asked(wide(40), Ceiling(optional=24))
    assert [len(call.fields) for call in provider.calls] == [20, 20]
    assert {part.origin for part in result.parts.values()} == {"part"}


def test_by_fields_there_is_still_a_call_for_each():
    provider, _ = asked(wide(5), Ceiling(optional=3), split="fields")
    assert len(provider.calls) == 5


def test_fields_of_unlike_size_are_packed_too():
    fields: Any = {
        f"f{number}": (str, Field(description="x" * (600 if number == 3 else 10)))
        for number in range(8)
    }
    model = create_model("Uneven", **fields)
    ceiling = Ceiling(bytes=900)
    provider, result = asked(model, ceiling)
    assert result.success
    assert all(ceiling.admits(call.form) for call in provider.calls)
    assert len(provider.calls) == 2


class Leaf(BaseModel):
    a: str | None = None
    b: str | None = None
    c: str | None = None


class Big(BaseModel):
    leaf: Leaf
    name: str


def test_a_model_that_is_above_it_alone_is_filled_by_its_own_fields():
    said = {"a": "1", "b": "2", "c": "3", "name": "x"}
    for model in (Big, create_model("Maybe", leaf=(Leaf | None, None), name=(str, ...))):
        provider, result = asked(model, Ceiling(optional=2), said)
        assert result.value.leaf == Leaf(a="1", b="2", c="3")
        assert all(Ceiling(optional=2).admits(call.form) for call in provider.calls)
        assert set(result.parts["leaf"].parts) == {"a", "b", "c"}
        assert result.attempts == len(provider.calls) == 3
        assert result.usage.input_tokens == 300


@pytest.mark.parametrize("split", ["auto", "fields"])
@pytest.mark.parametrize("kind", [list[Leaf], dict[str, Leaf], Leaf | Big, list[Leaf] | None])
def test_what_cannot_be_taken_apart_is_refused_by_name_before_anything_is_sent(split, kind):
    model = create_model("M", name=(str, ...), leaves=(kind, ...))
    provider, result = asked(model, Ceiling(properties=2), {"name": "x"}, split=split)
    assert isinstance(result.error, SetupError)
    assert "'leaves'" in str(result.error)
    assert provider.calls == []


def test_the_prompt_for_what_is_missing_keeps_to_it_as_well():
    model = wide(6, int, ...)
    provider, result = asked(
        model, Ceiling(properties=3), dict.fromkeys(model.model_fields, "no number")
    )
    assert not result.success
    assert all(Ceiling(properties=3).admits(call.form) for call in provider.calls)
    assert max(len(call.fields) for call in provider.calls) == 3


def test_without_a_ceiling_all_of_it_is_one_call():
    outline = Outline.of(wide(200))
    assert [ask.fields for ask in asks_for(outline, outline.asked, "auto", Ceiling())] == [
        outline.asked
    ]


def test_above_it_plain_fields_share_calls_beside_lists_and_models():
    plain: dict[str, Any] = {f"f{number}": (str | None, None) for number in range(40)}
    model = create_model("Report", a=(list[str], ...), **plain, b=(Leaf, ...))
    said = {**dict.fromkeys(model.model_fields, "x"), "a": ["y"], "b": {"a": "z"}}
    provider, result = asked(model, Ceiling(), said)  # within it, all go by fields
    assert result.value == model(**said)
    assert [len(call.fields) for call in provider.calls] == [1] * 42
    provider, result = asked(model, Ceiling(optional=24), said)
    assert result.value == model(**said)
    assert [len(call.fields) for call in provider.calls] == [1, 20, 20, 1]
    assert all(Ceiling(optional=24).admits(call.form) for call in provider.calls)


def test_one_plain_field_beside_them_is_a_part_as_by_fields():
    outline = Outline.of(create_model("M", a=(list[str], ...), n=(int, ...), b=(list[str], ...)))
    assert asks_for(outline, outline.asked, "auto", Ceiling()) == asks_for(
        outline, outline.asked, "fields", Ceiling()
    )


@pytest.mark.parametrize("split", ["auto", "fields"])
def test_a_model_of_one_field_above_it_is_taken_apart_as_deep_as_need_be(split):
    model = create_model("Box", box=(create_model("Case", leaf=(Leaf, ...)), ...))
    said = {"a": "1", "b": "2", "c": "3"}
    provider, result = asked(model, Ceiling(optional=2), said, split=split)
    assert result.value == model(box={"leaf": said})
    assert all(Ceiling(optional=2).admits(call.form) for call in provider.calls)
    assert sorted(name for call in provider.calls for name in call.fields) == ["a", "b", "c"]


@pytest.mark.parametrize("split", ["auto", "fields"])
def test_what_is_too_large_inside_a_model_is_refused_by_its_path_before_anything_is_sent(split):
    inner = create_model("Inner", name=(str, ...), leaves=(list[Leaf], ...))
    model = create_model("Outer", title=(str, ...), inner=(inner, ...))
    provider, result = asked(model, Ceiling(properties=2), {"title": "x", "name": "y"}, split=split)
    assert isinstance(result.error, SetupError)
    assert "'inner.leaves'" in str(result.error)
    assert provider.calls == []


class Node(BaseModel):
    value: str
    note: str | None = None
    child: "Node | None" = None


@pytest.mark.parametrize("split", ["auto", "fields"])
@pytest.mark.parametrize("model", [Node, create_model("Tree", name=(str, ...), root=(Node, ...))])
def test_a_model_that_holds_itself_is_not_taken_apart_without_end(model, split):
    provider, result = asked(model, Ceiling(properties=2), {"value": "x", "name": "y"}, split=split)
    assert isinstance(result.error, SetupError)
    assert "child'" in str(result.error)
    assert provider.calls == []
