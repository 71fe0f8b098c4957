"""From pydantic's JSON schema to the one that travels.

OpenAI's strict mode takes a part of JSON schema: every property required, no others allowed, few
keywords. What a model says beyond that is put into the descriptions, where the model that answers
reads it, and pydantic checks it afterwards. A field with a default travels as required but
nullable; ``null`` then stands for the default (`places.py`).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingather.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Node = dict[str, Any]  # a JSON schema

_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_LENGTHS = ("minLength", "maxLength")
_COUNTS = ("minItems", "maxItems")
_SIZES = ("uniqueItems", "minProperties", "maxProperties")
_NOTED = ("default", "format", "pattern", *_BOUNDS, *_LENGTHS, *_COUNTS, *_SIZES, "examples")
_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
_TYPES = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    type(None): "null",
    list: "array",
}
_MAX_REPEAT = 2000  # llama.cpp refuses a grammar that repeats more often
_MAX_NOTE = 100
# Anchored, no escapes but of punctuation, no dot, no negated class: what every server turns into a
# grammar and none into one that lets a quote slip into the string.
_PLAIN = re.compile(
    r"\^(?:[\w :/,@#%=-]|\\[.+*?()|{}\[\]^$]|\[[\w "
    r".:/,@#%+=-]+\]|[()|?*+]|\{\d{1,3}(?:,\d{1,3})?\})*\$",
    re.ASCII,
)
# What OpenAI documents for a strict schema as a whole.
_MAX_PROPERTIES, _MAX_ENUM, _MAX_NAMES, _MAX_NESTING = 5000, 1000, 120_000, 10


def resolved(source: Node, root: Node) -> Node:
    """`source`, or what its ``$ref`` stands for in `root`, with what is said beside the ``$ref``."""
    while "$ref" in source:
        beside = {key: value for key, value in source.items() if key not in ("$ref", "$defs")}
        source = {**root["$defs"][source["$ref"].rpartition("/")[2]], **beside}
    return source


def names_of(node: Node, root: Node) -> Sequence[str]:
    """Under which names the fields of an object are found; none where it is no object with fields."""
    names: Sequence[str] = resolved(node, root).get("names", ())
    return names


def wire_form(source: Node, *, lengths: bool) -> tuple[Node, bool]:
    """The schema that travels, and whether it keeps to strict mode.

    `source`: pydantic's schema, whose root is an object. `lengths`: keep ``minLength`` and
    ``maxLength``, which OpenAI's strict mode refuses and servers of one's own enforce.
    """
    translation = _Translation(source, lengths)
    defs = {name: translation.node(node) for name, node in source.get("$defs", {}).items()}
    wire = translation.node(
        {key: value for key, value in resolved(source, source).items() if key != "$defs"}
    )
    if defs:
        wire["$defs"] = defs
    return wire, translation.strict and _within_limits(wire)


@dataclass
class _Translation:
    root: Node
    lengths: bool
    strict: bool = True

    def node(self, source: Node) -> Node:
        branches = source.get("anyOf") or source.get("oneOf")
        if "$ref" in source:
            wire: Node = {"$ref": source["$ref"]}
        elif branches:
            nodes = [self.node(branch) for branch in branches]
            wire = {
                "anyOf": [
                    each
                    for node in nodes
                    for each in (node["anyOf"] if node.keys() == {"anyOf"} else [node])
                ]
            }
        elif "enum" in source or "const" in source:
            wire = self._choice(source["enum"] if "enum" in source else [source["const"]])
        elif source.get("type") == "object":
            wire = self._object(source)
        elif source.get("type") == "array":
            wire = self._array(source)
        else:
            wire = self._scalar(source)
        return _described(wire, source.get("description", ""), self._notes(source, wire))

    def _choice(self, values: list[Any]) -> Node:
        if not values:
            raise SetupError(
                "the response_model has an enum without members: no answer could fit it"
            )
        kinds: dict[str, list[Any]] = {}
        for value in values:
            kinds.setdefault(_TYPES.get(type(value), "object"), []).append(value)
        self.strict &= not kinds.keys() & {"array", "object"}
        nodes = [
            {"type": kind} if kind == "null" else {"type": kind, "enum": group}
            for kind, group in kinds.items()
        ]
        return nodes[0] if len(nodes) == 1 else {"anyOf": nodes}

    def _object(self, source: Node) -> Node:
        properties = source.get("properties", {})
        required = source.get("required", [])
        others = next(
            iter(source.get("patternProperties", {}).values()),
            source.get("additionalProperties", False),
        )
        wire: Node = {"type": "object"}
        if properties or others is False:
            fields = {name: self.node(node) for name, node in properties.items()}
            wire["properties"] = {
                name: node if name in required else _nullable(node) for name, node in fields.items()
            }
            wire["required"] = list(properties)
        wire["additionalProperties"] = self.node(others) if isinstance(others, dict) else others
        self.strict &= others is False
        return wire

    def _array(self, source: Node) -> Node:
        wire: Node = {"type": "array"}
        prefix = [self.node(node) for node in source.get("prefixItems", ())]
        if prefix and "items" not in source and all(node == prefix[0] for node in prefix):
            wire["items"] = prefix[0]
        elif prefix:
            self.strict = False
            wire["prefixItems"] = prefix
            if "items" in source:
                wire["items"] = self.node(source["items"])
        else:
            wire["items"] = self.node(source.get("items", {}))
        wire.update(
            {key: source[key] for key in _COUNTS if key in source and source[key] <= _MAX_REPEAT}
        )
        return wire

    def _scalar(self, source: Node) -> Node:
        kind = source.get("type")
        if kind is None:
            self.strict = False
            return {"description": "Any JSON value."}  # llama.cpp takes {} for an object
        if isinstance(kind, list):
            return {"anyOf": [self._scalar({**source, "type": each}) for each in kind]}
        wire: Node = {"type": kind}
        if kind in ("integer", "number"):
            wire.update({key: source[key] for key in _BOUNDS if key in source})
        elif kind == "string":
            if source.get("format") in _FORMATS:
                wire["format"] = source["format"]
            if (pattern := _plain_pattern(source.get("pattern", ""))) is not None:
                wire["pattern"] = pattern
            if self.lengths:
                wire.update(
                    {
                        key: source[key]
                        for key in _LENGTHS
                        if key in source and source[key] <= _MAX_REPEAT
                    }
                )
        return wire

    def _notes(self, source: Node, wire: Node) -> str:
        """The constraints that could not travel as keywords, for the model to read."""
        said = {
            key: source[key]
            for key in _NOTED
            if key in source and key not in wire and source[key] is not None
        }
        # a set's order differs between processes
        if source.get("uniqueItems") and "default" in said:
            said["default"] = sorted(said["default"], key=json.dumps)
        if "propertyNames" in source:
            names = resolved(source["propertyNames"], self.root)
            said["keys"] = names.get("enum", names.get("pattern"))
        texts = {key: json.dumps(value, ensure_ascii=False) for key, value in said.items()}
        return ", ".join(f"{key}: {text}" for key, text in texts.items() if len(text) <= _MAX_NOTE)


def _described(wire: Node, description: str, notes: str) -> Node:
    text = f"{description} ({notes})".strip() if notes else description
    if not text:
        return wire
    if "$ref" in wire:  # strict mode takes no keyword beside a $ref
        wire = {"anyOf": [wire]}
    return {**wire, "description": text}


def _nullable(wire: Node) -> Node:
    bare = {key: value for key, value in wire.items() if key != "description"}
    branches = bare.get("anyOf", [bare])
    if not bare or {"type": "null"} in branches:  # anything goes, or null already does
        return wire
    return _described({"anyOf": [*branches, {"type": "null"}]}, wire.get("description", ""), "")


def _plain_pattern(pattern: str) -> str | None:
    pattern = re.sub(r"\\(.)", lambda escape: "[0-9]" if escape[1] == "d" else escape[0], pattern)
    return pattern if _PLAIN.fullmatch(pattern) else None


def _within_limits(wire: Node) -> bool:
    nodes = list(_nodes(wire))
    names = [
        name for node in nodes for name in (*node.get("properties", ()), *node.get("$defs", ()))
    ]
    enum = [str(value) for node in nodes for value in node.get("enum", ())]
    return (
        sum(len(node.get("properties", ())) for node in nodes) <= _MAX_PROPERTIES
        and len(enum) <= _MAX_ENUM
        and sum(map(len, names)) + sum(map(len, enum)) <= _MAX_NAMES
        and _nesting(wire, wire, {}) <= _MAX_NESTING
    )


def holds_floats(schema: Node) -> bool:
    """Whether what fits `schema`, pydantic's or the wire's, may hold a float."""
    constrained = {"type", "anyOf", "oneOf", "enum", "const", "$ref"}
    return any(
        node.get("type") == "number"
        or node.get("additionalProperties") is True
        or not node.keys() & constrained
        for node in _nodes(schema)
    )


def is_loose(schema: Node) -> bool:
    """Whether in some place of pydantic's `schema` any object fits, whatever it holds."""
    return any(
        node.get("names") and not node.get("required") and "free" not in node
        for node in _nodes(schema)
    )  # fmt: skip


def _children(node: Node) -> list[Node]:
    inner = [
        node[key] for key in ("items", "additionalProperties") if isinstance(node.get(key), dict)
    ]
    several = [child for key in ("anyOf", "oneOf", "prefixItems") for child in node.get(key, ())]
    return [*node.get("properties", {}).values(), *several, *inner]


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in (*_children(node), *node.get("$defs", {}).values()):
        yield from _nodes(child)


def _nesting(node: Node, root: Node, known: dict[str, int]) -> int:
    """Levels of objects and arrays in `node`; a definition inside itself adds none."""
    if (ref := node.get("$ref")) is not None:
        if ref not in known:
            known[ref] = 0
            known[ref] = _nesting(root["$defs"][ref.rpartition("/")[2]], root, known)
        return known[ref]
    deepest = max((_nesting(child, root, known) for child in _children(node)), default=0)
    return deepest + (node.get("type") in ("object", "array"))
