"""What each dialect's schemas may hold, and that ``split="auto"`` splits above it and not below."""

from typing import Any, Literal

import orjson
import pytest
from pydantic import BaseModel, Field, create_model

from ingather import EchoProvider, ExtractTask, connect
from ingather.extract.outline import Outline
from ingather.extract.packing import asks_for
from ingather.providers.narrow_schema import fits
from ingather.schema import Schema
from ingather.schema.ceiling import CEILINGS, Ceiling, ceiling_of
from tests.extract.stand_ins import Reader, extracted


def wide(fields: int, kind: Any = str, default: Any = ..., *, described: int = 0) -> Any:
    """A model of plain fields, whose descriptions have so many letters."""
    made: dict[str, Any] = {f"f{number}": (kind, default) for number in range(fields)}
    if described:
        made["f0"] = (kind, Field(default, description="x" * described))
    return create_model("Wide", **made)


def is_split(model, provider, **options):
    """Whether `model` would be asked for by parts."""
    outline = Outline.of(model)
    names = [name for name in outline.asked if name not in options.get("functions", ())]
    return len(asks_for(outline, names, "auto", ceiling_of(provider.schema_ceiling))) > 1


OPENAI = connect("openai/m", api_key="k")
CHAT = connect("openai/m", api_key="k", api="chat")
AZURE = connect("azure/m", api_key="k", base_url="https://here.openai.azure.com")
ANTHROPIC = connect("anthropic/m", api_key="k", max_tokens=100)
GEMINI = connect("gemini/m", api_key="k")
OWN = connect("openai/m", base_url="http://localhost:8000/v1")
OLLAMA = connect("ollama/m")


def bytes_of(model):
    return len(orjson.dumps(Schema.of(model).wire))


def letters(limit: int, **options: Any) -> Any:
    """A model whose schema has exactly so many bytes."""
    lacking = limit - bytes_of(wide(2, described=1, **options)) + 1
    model = wide(2, described=lacking, **options)
    assert bytes_of(model) == limit
    return model


EDGES = [
    ("openai bytes", OPENAI, letters(120_000), letters(120_001)),
    ("openai chat bytes", CHAT, letters(120_000), letters(120_001)),
    ("azure properties", AZURE, wide(100), wide(101)),
    ("anthropic bytes", ANTHROPIC, letters(5600), letters(5601)),
    ("anthropic unions", ANTHROPIC, wide(16, str | int), wide(17, str | int)),
    ("anthropic optional", ANTHROPIC, wide(16, str, ""), wide(17, str, "")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "below", "above"), [edge[1:] for edge in EDGES], ids=[edge[0] for edge in EDGES]
)
def test_just_below_it_is_one_call_and_just_above_one_a_field(provider, below, above):
    assert not is_split(below, provider)
    assert is_split(above, provider)


def test_openai_takes_five_thousand_properties():
    wire = {"type": "object", "properties": {f"f{number}": {} for number in range(5000)}}
    assert CEILINGS["openai"].admits(wire)
    assert not CEILINGS["openai"].admits(wire | {"properties": {**wire["properties"], "more": {}}})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "provider",
    [GEMINI, OWN, OLLAMA, EchoProvider()],
    ids=["gemini", "a server of one's own", "ollama", "echo"],
)
@pytest.mark.parametrize(
    "model", [wide(300), wide(60, str | None, None), letters(200_000)], ids=range(3)
)
def test_where_no_limit_is_known_nothing_is_split_for_it(provider, model):
    assert not is_split(model, Reader({}, schema_ceiling=getattr(provider, "schema_ceiling", None)))


def test_a_server_of_ones_own_has_no_limit_of_openais():
    assert CHAT.schema_ceiling == CEILINGS["openai"]  # type: ignore[attr-defined]
    assert OWN.schema_ceiling is None  # type: ignore[attr-defined]


# -- how it is counted


class InnerUsage(BaseModel):
    a: str
    b: str | None = None


class Outer(BaseModel):
    inner: InnerUsage
    many: list[InnerUsage]
    kind: Literal["x", 1] | None = None
    either: InnerUsage | str = ""


def test_places_are_counted_wherever_they_are():
    wire = Schema.of(Outer).wire
    assert Ceiling(properties=6).admits(wire)
    assert not Ceiling(properties=5).admits(wire)
    assert Ceiling(unions=3).admits(wire)  # Inner.b, kind, either: a definition counts once
    assert not Ceiling(unions=2).admits(wire)
    assert Ceiling(optional=3).admits(wire)
    assert not Ceiling(optional=2).admits(wire)
    assert Ceiling(bytes=len(orjson.dumps(wire))).admits(wire)
    assert not Ceiling(bytes=len(orjson.dumps(wire)) - 1).admits(wire)


def test_a_property_that_is_not_required_is_optional_too():
    wire = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": ["string", "null"]}},
        "required": [],
    }
    assert not Ceiling(optional=1).admits(wire)
    assert not Ceiling(unions=0).admits(wire)
    assert Ceiling(optional=2, unions=1).admits(wire)


@pytest.mark.parametrize(
    ("stated", "ceiling"),
    [(None, Ceiling()), (700, Ceiling(bytes=700)), (Ceiling(unions=3), Ceiling(unions=3))],
)
def test_a_provider_states_it_as_a_number_of_bytes_or_in_full(stated, ceiling):
    assert ceiling_of(stated) == ceiling


@pytest.mark.parametrize("name", [edge[0] for edge in EDGES if edge[0].startswith("anthropic u")])
def test_anthropics_strict_mode_agrees_on_unions(name):
    (_, _, below, above) = next(edge for edge in EDGES if edge[0] == name)
    assert fits(Schema.of(below).wire)
    assert not fits(Schema.of(above).wire)


def test_each_part_is_within_what_the_whole_is_above():
    model = wide(17, str | int)
    outline = Outline.of(model)
    assert all(
        CEILINGS["anthropic"].admits(Schema.of(outline.part(name).answer).wire)
        for name in outline.asked
    )


def test_it_is_the_providers_word_that_counts_in_an_extraction():
    said = {f"f{number}": "x" for number in range(3)}
    for ceiling, calls in (
        (Ceiling(properties=3), 1),
        (Ceiling(properties=2), 2),
        (Ceiling(properties=1), 3),
    ):
        assert extracted(Reader(said, schema_ceiling=ceiling), wide(3)).attempts == calls
    assert ExtractTask("text", wide(3)).split == "auto"
