"""For any model: asked for by parts, at once, or in any mixture, the value is what one answer would have given."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from ingather.extract.outline import NOTHING, Outline
from ingather.schema import Schema
from tests.extract.stand_ins import Raw, Reader, extracted, says
from tests.schema.test_round_trip import TYPES, answers


@st.composite
def models(draw):
    """A model with fields of any type, and values for them; half of them have defaults, and aliases."""
    typed = draw(st.lists(TYPES, min_size=1, max_size=4))
    fields: dict[str, Any] = {}
    for at, each in enumerate(typed):
        default = draw(st.just(...) | each.values)
        alias = f"Alias {at}" if draw(st.booleans()) else None
        fields[f"part{at}"] = (each.type, Field(default, alias=alias))
    model = create_model("Anything", __config__={"populate_by_name": True}, **fields)
    values = st.fixed_dictionaries({f"part{at}": each.values for at, each in enumerate(typed)})
    return model, draw(values.map(lambda held: model(**held)))


def said_of(value):
    """What a model says of each field, as JSON."""
    said = json.loads(value.model_dump_json(by_alias=True))
    keys = keys_of(type(value))
    return {name: said[key] for name, key in keys.items()}


def keys_of(model):
    return {name: field.alias or name for name, field in model.model_fields.items()}


@given(models(), st.sampled_from(["fields", "single", "auto"]))
def test_what_pydantic_writes_of_each_field_makes_the_whole(made, split):
    model, value = made
    result = extracted(Reader(said_of(value), keys=keys_of(model)), model, split=split)
    assert result.error is None
    assert result.value == value
    assert result.missing == ()
    assert result.attempts == (
        len(model.model_fields) if result.parts["part0"].origin == "part" else 1
    )
    assert {name: part.value for name, part in result.parts.items()} == {
        name: getattr(value, name) for name in model.model_fields
    }


@given(models(), st.data())
def test_however_it_came_it_is_the_same(made, data):
    """Each part may fail before it is right: on the first rung, on both, or not."""
    model, value = made
    right = said_of(value)
    failures = {name: data.draw(st.integers(0, 2), label=name) for name in right}
    script = {name: says(*[Raw("no JSON")] * failures[name], held) for name, held in right.items()}
    result = extracted(Reader(script, keys=keys_of(model)), model, split="fields")
    assert result.error is None
    assert result.value == value


@given(models(), st.data())
def test_what_the_schema_of_each_part_admits_makes_what_the_model_makes_of_all(made, data):
    model, _ = made
    said = {
        name: data.draw(what_is_admitted(model, name), label=name) for name in model.model_fields
    }
    keys = keys_of(model)
    result = extracted(Reader(said, keys=keys), model, split="fields")
    whole = (
        Schema.of(model).parse(json.dumps({keys[name]: held for name, held in said.items()})).value
    )
    assert result.error is None
    assert result.value == whole


def what_is_admitted(model, name):
    schema = Schema.of(Outline.of(model).part(name).answer)
    drawn = answers(schema.wire, schema.wire, {})
    return drawn if schema.key is None else drawn.map(lambda answer: answer[schema.key])


@given(models())
def test_parts_that_say_nothing_leave_the_defaults(made):
    model, value = made
    outline = Outline.of(model)
    optional = [name for name in model.model_fields if not outline.requires(name)]
    result = extracted(
        Reader(said_of(value) | dict.fromkeys(optional), keys=keys_of(model)), model, split="fields"
    )
    assert result.error is None
    for name in optional:
        assert getattr(result.value, name) in (None, model.model_fields[name].default)
    assert result.missing == ()


def test_nothing_is_nothing_whatever_its_value():
    class Firm(BaseModel):
        size: int = 3
        motto: str | None = "none"

    outline = Outline.of(Firm)
    assert outline.salvaged(outline.part("size"), '{"value": null}') == {"size": NOTHING}
    (found,) = outline.salvaged(outline.part("motto"), "null").values()
    assert found is not NOTHING
    assert found.value is None
