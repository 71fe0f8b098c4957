"""How long an answer may be, where nobody says so: so that one that repeats itself ends. Arithmetic only.

Far above what a schema's answer takes, with room for thinking before it; one that is cut all the
same is asked for again under a limit that is `RAISED` times as high.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

LEAST, MOST, RAISED = 4096, 16_384, 4
_TEXT, _VALUE, _NAME, _ITEMS, _DEEPEST = 150, 20, 8, 20, 6


def output_cap(schema: Mapping[str, object]) -> int:
    """The most tokens of an answer to `schema`, in the form that travels.

    >>> output_cap({"type": "object", "properties": {"n": {"type": "integer"}}})
    4096
    """
    return min(max(2 * _size(schema, schema, 0), LEAST), MOST)


def _size(node: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> int:
    if depth > _DEEPEST:
        return _TEXT
    if "$ref" in node:
        node = root.get("$defs", {}).get(str(node["$ref"]).rpartition("/")[2], {})
    if branches := node.get("anyOf") or node.get("oneOf"):
        return max(_size(branch, root, depth + 1) for branch in branches)
    kind = node.get("type")
    if kind == "object":
        inner = sum(
            _NAME + _size(each, root, depth + 1) for each in node.get("properties", {}).values()
        )
        others = node.get("additionalProperties")
        return inner + (_ITEMS * _size(others, root, depth + 1) if isinstance(others, dict) else 0)
    if kind == "array":
        items = node.get("items")
        prefix = sum(_size(each, root, depth + 1) for each in node.get("prefixItems", ()))
        many = max(_ITEMS, int(node.get("minItems", 0)))
        return prefix + (many * _size(items, root, depth + 1) if isinstance(items, dict) else 0)
    if kind == "string" and "enum" not in node:
        return max(_TEXT, int(node.get("maxLength", 0)) // 3)
    return _VALUE if kind in ("integer", "number", "boolean", "null") or "enum" in node else _TEXT
