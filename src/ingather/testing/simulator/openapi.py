"""Google's schema form, a part of OpenAPI's, as JSON schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_COUNTS = frozenset(
    {"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"}
)
_RENAMED = {
    "any_of": "anyOf", "max_items": "maxItems", "min_items": "minItems", "max_length": "maxLength",
    "min_length": "minLength", "max_properties": "maxProperties", "min_properties": "minProperties",
    "additional_properties": "additionalProperties", "defs": "$defs", "ref": "$ref",
}  # fmt: skip


def json_schema(schema: Mapping[str, object]) -> dict[str, object]:
    """The same schema: types in lower case, ``nullable`` as an alternative, counts as numbers.

    >>> json_schema({"type": "ARRAY", "minItems": "2", "items": {"type": "STRING", "nullable": True}})
    {'type': 'array', 'minItems': 2, 'items': {'anyOf': [{'type': 'string'}, {'type': 'null'}]}}
    """
    found = dict[str, object]()
    for given, value in schema.items():
        name = _RENAMED.get(given, given)
        if name == "type" and isinstance(value, str):
            found[name] = value.lower()
        elif name in _COUNTS and isinstance(value, str) and value.isdecimal():
            found[name] = int(value)  # 64-bit integers travel as strings
        elif name in {"properties", "$defs"} and isinstance(value, dict):
            found[name] = {key: _within(within) for key, within in value.items()}
        elif name == "anyOf" and isinstance(value, list):
            found[name] = [_within(within) for within in value]
        elif name in {"items", "additionalProperties"}:
            found[name] = _within(value)
        elif name not in {"nullable", "propertyOrdering", "property_ordering"}:
            found[name] = value
    return {"anyOf": [found, {"type": "null"}]} if schema.get("nullable") is True else found


def _within(schema: object) -> object:
    return json_schema(schema) if isinstance(schema, dict) else schema
