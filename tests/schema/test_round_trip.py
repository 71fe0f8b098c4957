"""For any model: what pydantic writes, the schema admits and `parse` reads; what the schema admits, `parse` reads."""

import datetime as dt
import decimal
import enum
import json
import uuid
from dataclasses import make_dataclass
from itertools import repeat
from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, create_model
from typing_extensions import TypedDict

from ingather.errors import InvalidAnswer
from ingather.schema import Parsed, Schema


class Colour(enum.Enum):
    RED = "red"
    BLUE = 2


class Tree(BaseModel):
    label: str
    children: list["Tree"] = []
    best: "Tree | None" = None


class Typed(NamedTuple):
    """A type, and a strategy for its values."""

    type: Any
    values: Any


TEXT = st.text(st.characters(codec="utf-8"))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TREES = st.recursive(
    st.builds(Tree, label=TEXT),
    lambda inner: st.builds(
        Tree, label=TEXT, children=st.lists(inner, max_size=2), best=st.none() | inner
    ),
    max_leaves=5,
)
LEAVES = st.sampled_from(
    [
        Typed(int, st.integers()),
        Typed(float, NUMBERS),
        Typed(bool, st.booleans()),
        Typed(str, TEXT),
        Typed(dt.date, st.dates()),
        Typed(dt.datetime, st.datetimes(timezones=st.just(dt.UTC))),
        Typed(uuid.UUID, st.uuids()),
        Typed(decimal.Decimal, st.decimals(-(10**9), 10**9, places=3)),
        Typed(Literal["a", 7] | None, st.sampled_from(["a", 7, None])),
        Typed(Colour, st.sampled_from(Colour)),
        Typed(Tree, TREES),
    ]
)


@st.composite
def models(draw, fields):
    parts = draw(st.lists(fields, min_size=1, max_size=4))
    names = [f"f{at}" for at in range(len(parts))]
    defaults = [
        draw(st.one_of(st.none(), part.values.map(lambda value: (value,)))) for part in parts
    ]
    kind = draw(st.sampled_from(["pydantic", "dataclass", "typed dict"]))
    values = st.fixed_dictionaries(dict(zip(names, [part.values for part in parts], strict=True)))
    if kind == "typed dict":
        typed: Any = TypedDict
        return Typed(
            typed("Row", {name: part.type for name, part in zip(names, parts, strict=True)}), values
        )
    if kind == "dataclass":
        row: Any = make_dataclass(
            "Row", [(name, part.type) for name, part in zip(names, parts, strict=True)]
        )
    else:
        asked = [
            (part.type, default[0] if default else ...)
            for part, default in zip(parts, defaults, strict=True)
        ]
        made: dict[str, Any] = dict(zip(names, asked, strict=True))
        row = create_model("Row", **made)
    return Typed(row, values.map(lambda held: row(**held)))


LIST: Any = list  # to a type checker list[part.type] is no type
DICT: Any = dict
TUPLE: Any = tuple


def containers(inner):
    return st.one_of(
        inner.map(lambda part: Typed(LIST[part.type], st.lists(part.values, max_size=3))),
        inner.map(lambda part: Typed(part.type | None, st.none() | part.values)),
        inner.map(
            lambda part: Typed(DICT[str, part.type], st.dictionaries(TEXT, part.values, max_size=3))
        ),
        st.tuples(inner, inner).map(
            lambda pair: Typed(
                TUPLE[pair[0].type, pair[1].type], st.tuples(pair[0].values, pair[1].values)
            )
        ),
        models(inner),
    )


TYPES = st.recursive(LEAVES, containers, max_leaves=6)
PROSE = st.text(st.characters(codec="utf-8", exclude_characters="[{`<"), max_size=30)


def dumped(schema, typed, value):
    """`value` as the model is asked to write it, with the adapter's own JSON."""
    text = TypeAdapter(typed.type).dump_json(value).decode()
    return text if schema.key is None else f'{{"{schema.key}": {text}}}'


@given(TYPES, st.data())
def test_what_pydantic_writes_comes_back_equal(typed, data):
    schema, value = Schema(typed.type), data.draw(typed.values)
    assert schema.parse(dumped(schema, typed, value)) == Parsed(value, lenient=False)


@given(TYPES, st.data(), PROSE, PROSE)
def test_in_a_fence_or_in_prose_it_comes_back_too(typed, data, before, after):
    schema, value = Schema(typed.type), data.draw(typed.values)
    text = dumped(schema, typed, value)
    assert schema.parse(f"{before}\n```json\n{text}\n```\n{after}").value == value
    assert schema.parse(f"{before} {text} {after}").value == value


@given(TYPES, st.data())
def test_the_schema_admits_what_pydantic_writes(typed, data):
    schema, value = Schema(typed.type), data.draw(typed.values)
    wire = wire_of(schema)
    assert admits(wire, json.loads(dumped(schema, typed, value)), wire)


@given(TYPES, st.data())
def test_what_the_schema_admits_is_an_answer(typed, data):
    schema = Schema(typed.type)
    wire = wire_of(schema)
    answer = data.draw(answers(wire, wire, {}))
    assert not schema.parse(json.dumps(answer, ensure_ascii=data.draw(st.booleans()))).lenient


@given(
    TYPES,
    st.text()
    | st.text('{}[]":,0n`\\ \n')
    | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")),
)
def test_any_text_is_an_answer_or_an_invalid_one(typed, text):
    try:
        Schema(typed.type).parse(text)
    except InvalidAnswer as error:
        assert len(str(error)) <= 1000  # noqa: PT017 - most texts raise, some do not


@given(TYPES, st.data())
def test_a_cut_answer_is_never_a_shorter_one(typed, data):
    schema, value = Schema(typed.type), data.draw(typed.values)
    text = dumped(schema, typed, value)
    with pytest.raises(InvalidAnswer):
        schema.parse(text[: data.draw(st.integers(0, len(text) - 1))])


def wire_of(schema):
    form: Any = schema.response_format()
    return form["json_schema"]["schema"]


def target(node, root):
    return root["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node


KINDS: Any = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def admits(node, value, root):
    node = target(node, root)
    if "anyOf" in node:
        return any(admits(branch, value, root) for branch in node["anyOf"])
    if node["type"] == "object":
        known, others = node.get("properties", {}), node["additionalProperties"]
        return (
            isinstance(value, dict)
            and set(node.get("required", ())) <= value.keys()
            and all(
                admits(known.get(name, others), held, root)
                for name, held in value.items()
                if name in known or others
            )
            and (bool(others) or value.keys() <= known.keys())
        )
    if node["type"] == "array":
        return isinstance(value, list) and all(
            admits(item, held, root)
            for item, held in zip(
                node.get("prefixItems") or repeat(node["items"]), value, strict=False
            )
        )
    return (
        isinstance(value, KINDS[node["type"]])
        and isinstance(value, bool) == (node["type"] == "boolean")
        and value in node.get("enum", [value])
    )


def answers(node, root, known):
    if (ref := node.get("$ref")) is not None:
        if ref not in known:  # it may hold itself
            known[ref] = st.deferred(lambda: answers(target(node, root), root, known))
        return known[ref]
    if "anyOf" in node:
        return st.one_of([answers(branch, root, known) for branch in node["anyOf"]])
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if node["type"] == "object":
        if node["additionalProperties"]:
            return st.dictionaries(
                TEXT, answers(node["additionalProperties"], root, known), max_size=3
            )
        return st.fixed_dictionaries(
            {name: answers(held, root, known) for name, held in node["properties"].items()}
        )
    if node["type"] == "array":
        if "prefixItems" in node:
            return st.tuples(*(answers(item, root, known) for item in node["prefixItems"])).map(
                list
            )
        size = {"min_size": node.get("minItems", 0), "max_size": node.get("maxItems", 3)}
        return st.lists(answers(node["items"], root, known), **size)
    if "pattern" in node:
        return st.from_regex(node["pattern"], fullmatch=True).map(
            lambda text: text.rstrip("\n")[:30].rstrip(".")
        )
    return {
        "date": st.dates().map(dt.date.isoformat),
        "date-time": st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
        "uuid": st.uuids().map(str),
        "string": TEXT,
        "integer": st.integers(),
        "number": NUMBERS,
        "boolean": st.booleans(),
        "null": st.none(),
    }[node.get("format", node["type"])]
