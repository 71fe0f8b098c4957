"""JSON schemas for Anthropic's strict mode, which takes a part of what OpenAI's takes: fewer keywords, no recursion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_BOUNDS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
    "maxItems", "uniqueItems", "minProperties", "maxProperties",
)  # fmt: skip
_UNIONS = 16  # strict mode takes no more than so many places with alternatives
Node = Mapping[str, Any]


def narrowed(schema: Node) -> dict[str, object]:
    """`schema` without the bounds that are refused; each is said in its description, where the model reads it.

    >>> narrowed({"type": "integer", "minimum": 0, "description": "Age"})
    {'type': 'integer', 'description': 'Age (minimum: 0)'}
    """
    wire: dict[str, Any] = {key: _inner(key, value) for key, value in schema.items() if key not in _BOUNDS}
    said = {key: schema[key] for key in _BOUNDS if key in schema}
    if wire.get("minItems", 0) > 1:
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
        all(node.get("additionalProperties", False) is False for node in nodes)
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
    return narrowed(value) if key == "items" and isinstance(value, Mapping) else value


def _children(node: Node) -> list[Node]:
    inner = [node["items"]] if isinstance(node.get("items"), Mapping) else []
    return [*node.get("properties", {}).values(), *node.get("anyOf", ()), *node.get("allOf", ()), *inner]


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in (*_children(node), *node.get("$defs", {}).values()):
        yield from _nodes(child)


def _recursive(schema: Node) -> bool:
    """Whether a definition holds itself, directly or by way of others."""
    defs = schema.get("$defs", {})
    refs = {name: {_name(node) for node in _nodes(inner) if "$ref" in node} for name, inner in defs.items()}
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
