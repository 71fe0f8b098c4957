"""The models as a language model sees them, and as code and people read them afterwards."""

import json
import typing

import pytest
from pydantic import BaseModel, ValidationError

from ingather.schema import Schema
from tenk.models import (
    BusinessAnalysisSection,
    Evidence,
    FinancialsAnalysisSection,
    KeyProductList,
    MDAAnalysisSection,
    Money,
    RiskFactorAnalysisSection,
    StringList,
)
from tenk.models.statement import YearValueList

SECTIONS = {
    BusinessAnalysisSection: 8,
    RiskFactorAnalysisSection: 6,
    MDAAnalysisSection: 8,
    FinancialsAnalysisSection: 7,
}
BY_CODE = {
    "start",
    "end",
    "item",
    "verified",
    "change_pct",
    "size_pct",
    "share_of_text_pct",
    "ratios",
    "source",
    "unit",
}
PRODUCT = {
    "name": "Dinghy",
    "category": "product",
    "description": "A small boat.",
    "evidence": {"quote": "Our dinghies are sold to sailing schools."},
}


def models_in(annotation):
    """Every model that a type holds, itself included."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_in(field.annotation)
    for argument in typing.get_args(annotation):
        yield from models_in(argument)


EVERY_MODEL = sorted(
    {model for section in SECTIONS for model in models_in(section)},
    key=lambda model: model.__name__,
)


def properties(schema):
    for node in [schema, *schema.get("$defs", {}).values()]:
        yield from node.get("properties", {}).items()


@pytest.mark.parametrize(("section", "components"), SECTIONS.items())
def test_a_section_has_its_components_each_with_a_question_and_none_of_them_required(
    section, components
):
    fields = section.model_fields
    assert len(fields) == components
    assert all(len(field.description) > 60 for field in fields.values())
    assert section().missing == list(fields)


@pytest.mark.parametrize("section", SECTIONS)
def test_what_code_adds_is_not_asked_of_a_language_model(section):
    asked = {name for name, _ in properties(section.model_json_schema())}
    assert asked & (BY_CODE - {"unit"}) == set()


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_keeps_to_strict_mode(section):
    assert Schema.of(section).strict


@pytest.mark.parametrize("section", SECTIONS)
def test_every_string_and_list_that_is_asked_for_has_a_cap(section):
    def open_ended(node):
        branches = node.get("anyOf", [node])
        return any(
            (part.get("type") == "string" and "enum" not in part and "maxLength" not in part)
            or (part.get("type") == "array" and "maxItems" not in part)
            for part in branches
        )

    assert [
        name for name, node in properties(section.model_json_schema()) if open_ended(node)
    ] == []


@pytest.mark.parametrize("model", EVERY_MODEL)
def test_lists_sit_in_objects_whose_only_field_is_items(model):
    lists = [
        name
        for name, field in model.model_fields.items()
        if typing.get_origin(field.annotation) is list
    ]
    assert lists in ([], ["items"])
    assert not lists or list(model.model_fields) == ["items"]


@pytest.mark.parametrize("model", EVERY_MODEL)
def test_a_model_is_closed_and_holds_no_dictionary(model):
    assert model.model_config["extra"] == "forbid"
    assert not any(
        typing.get_origin(field.annotation) is dict for field in model.model_fields.values()
    )


@pytest.mark.parametrize(
    "model", [model for model in EVERY_MODEL if model.__name__.endswith("List")]
)
def test_a_list_can_honestly_be_empty(model):
    assert model(items=[]).model_dump() == {"items": []}


def test_what_code_adds_is_in_the_dumped_json_and_comes_back_from_it():
    proof = Evidence(quote="We sell boats to sailing schools.")
    proof.item, proof.start, proof.end, proof.verified = "1", 10, 43, True
    dumped = json.loads(proof.model_dump_json())
    assert dumped == {
        "quote": "We sell boats to sailing schools.",
        "item": "1",
        "start": 10,
        "end": 43,
        "verified": True,
    }
    assert Evidence.model_validate(dumped) == proof


def test_a_longer_answer_is_cut_and_not_refused():
    products = KeyProductList.model_validate(
        {"items": [PRODUCT | {"description": "very good " * 99}] * 20}
    )
    assert len(products.items) == 12
    assert products.items[0].description.endswith("very good")
    assert 390 <= len(products.items[0].description) <= 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"category": "gadget"},
        {"invented": 1},
        {"name": None},
        {"evidence": None},
        {"revenue_share_pct": 140},
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(wrong):
    with pytest.raises(ValidationError):
        KeyProductList.model_validate({"items": [PRODUCT | wrong]})


def test_nan_is_no_number():
    with pytest.raises(ValidationError):
        Money(amount=float("nan"), scale="units")


def test_money_multiplies_out():
    assert Money(amount=-3, scale="millions").in_units == -3_000_000


def test_the_number_of_a_year_is_found_or_not():
    values = YearValueList.model_validate({"items": [{"fiscal_year": 2024, "value": 5}]})
    assert (values.of(2024), values.of(2023)) == (5, None)


def test_a_list_of_words_is_an_object_too():
    assert StringList(items=["boats"]).model_dump() == {"items": ["boats"]}
