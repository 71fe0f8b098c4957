"""JSON schemas for Anthropic's strict mode, which takes a part of what OpenAI's takes: fewer keywords, no recursion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from ingather import exact_json
from ingather.errors import BadRequest
from ingather.schema.ceiling import CEILINGS

_BOUNDS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
    "maxItems", "uniqueItems", "minProperties", "maxProperties",
)  # fmt: skip
_UNIONS = CEILINGS["anthropic"].unions or 0  # places with alternatives
Node = Mapping[str, Any]


def strict_form(schema: Node) -> Mapping[str, object] | None:
    """`schema` as strict mode takes it, None where it does not: shared between calls, not to be changed.

    Raises `BadRequest` for what is no JSON.
    """
    try:
        return _strict_form(exact_json.dumps(schema))
    except TypeError as error:
        raise BadRequest(f"the schema is not JSON: {error}") from None


@lru_cache(maxsize=256)
def _strict_form(written: bytes) -> Mapping[str, object] | None:
    """By its bytes: that costs little beside walking through it for each call."""
    schema = exact_json.loads(written)
    return narrowed(schema) if fits(schema) else None


def narrowed(schema: Node) -> dict[str, object]:
    """`schema` without the bounds that are refused; each is said in its description, where the model reads it.

    >>> narrowed({"type": "integer", "minimum": 0, "description": "Age"})
    {'type': 'integer', 'description': 'Age (minimum: 0)'}
    """
    wire: dict[str, Any] = {
        key: _inner(key, value) for key, value in schema.items() if key not in _BOUNDS
    }
    said = {key: schema[key] for key in _BOUNDS if key in schema}
    if wire.get("minItems", 0) not in (0, 1):
        said["minItems"] = wire.pop("minItems")
    if wire.get("type") == "object":
        wire["additionalProperties"] = False
    if said:
        notes = ", ".join(f"{key}: {value}" for key, value in said.items())
        wire["description"] = f"{wire.get('description', '')} ({notes})".strip()
    return wire


def fits(schema: Node) -> bool:
    """Whether strict mode takes `schema`, once `narrowed`: closed objects, no recursion, not too many alternatives."""
    nodes = list(_nodes(schema))
    return (
        all(isinstance(node, Mapping) for node in nodes)
        and all(node.get("additionalProperties", False) is False for node in nodes)
        and all(node.keys() & {"type", "anyOf", "enum", "const", "$ref"} for node in nodes)
        and not any("prefixItems" in node or "oneOf" in node for node in nodes)
        and sum("anyOf" in node or isinstance(node.get("type"), list) for node in nodes) <= _UNIONS
        and not _recursive(schema)
    )


def _inner(key: str, value: Any) -> Any:
    if key in ("properties", "$defs"):
        return {name: narrowed(node) for name, node in value.items()}
    if key in ("anyOf", "allOf"):
        return [narrowed(node) for node in value]
    return narrowed(value) if key == "items" else value


def _children(node: Node) -> list[Any]:
    """The schemas in a schema; whatever else stands where one should is among them too."""
    named = [node[key] for key in ("properties", "$defs") if key in node]
    listed = [node[key] for key in ("anyOf", "allOf") if key in node]
    return [
        *(
            child
            for each in named
            for child in (each.values() if isinstance(each, Mapping) else [each])
        ),
        *(child for each in listed for child in (each if isinstance(each, list) else [None])),
        *([node["items"]] if "items" in node else []),
    ]


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    if isinstance(node, Mapping):
        for child in _children(node):
            yield from _nodes(child)


def _recursive(schema: Node) -> bool:
    """Whether a definition holds itself, directly or by way of others."""
    defs = schema.get("$defs", {})
    refs = {
        name: {_name(node) for node in _nodes(inner) if "$ref" in node}
        for name, inner in defs.items()
    }
    for start, direct in refs.items():
        reached, waiting = set[str](), list(direct)
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += refs.get(name, ())
        if start in reached:
            return True
    return any(node.get("$ref") == "#" for node in _nodes(schema))


def _name(node: Node) -> str:
    return str(node["$ref"]).rpartition("/")[2]
