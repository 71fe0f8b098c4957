"""A JSON schema made walkable: references followed, ``allOf`` merged, alternatives spread, recursion measured."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]
Node = dict[str, object]

_DEEPEST = 100  # levels of a schema as it is written
_ANNOTATIONS = ("title", "description", "default", "examples", "deprecated")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_TYPE_BY_KEYWORD = {
    "object": ("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
    "string": ("pattern", "format", "minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}


class SchemaError(ValueError):
    """The schema is no JSON schema, refers to nothing, or can never be satisfied; the message says which."""


class Schema:
    """A JSON schema with its definitions. Raises SchemaError for one that cannot be read.

    >>> Schema({"$defs": {"A": {"type": "string"}}, "$ref": "#/$defs/A"}).resolve({"$ref": "#/$defs/A"})
    ({'type': 'string'}, ('#/$defs/A',))
    """

    def __init__(self, root: Mapping[str, object]) -> None:
        self.root = dict(root)
        self._heights = dict[str, float]()
        refs = {ref for node in _nodes(self.root) if isinstance(ref := node.get("$ref"), str)}
        for ref in refs:
            self._target(ref)
        self._heights = dict.fromkeys(refs, inf)
        for _ in refs:  # each round settles at least one more reference
            heights = {ref: self.height(self._target(ref)) for ref in refs}
            if heights == self._heights:
                break
            self._heights = heights

    def resolve(self, node: object, seen: tuple[str, ...] = ()) -> tuple[Node, tuple[str, ...]]:
        """A node as keywords without ``$ref`` and ``allOf``, and the references that were followed."""
        if node is False:
            raise SchemaError(
                "the schema says false where a value must stand: nothing satisfies it"
            )
        if not isinstance(node, dict | bool):
            raise SchemaError(f"a schema is an object or a boolean, not {node!r:.80}")
        whole = node if isinstance(node, dict) else {}
        merged, refs = (
            {key: value for key, value in whole.items() if key not in {"$ref", "allOf"}},
            tuple[str, ...](),
        )
        parts = listed_in(whole.get("allOf"))
        if isinstance(ref := whole.get("$ref"), str):
            if ref in seen:
                raise SchemaError(f"{ref} refers to itself and nothing else")
            parts, refs = [self._target(ref), *parts], (ref,)
        for part in parts:
            resolved, followed = self.resolve(part, seen + refs)
            merged, refs = _merged(resolved, merged), refs + followed
        return merged, refs

    def height(self, node: object) -> float:
        """How many references a smallest value of `node` nests; infinite for one that never ends."""
        if not isinstance(node, dict):
            return inf if node is False else 0
        heights = [0.0]
        if isinstance(ref := node.get("$ref"), str):
            heights.append(1 + self._heights.get(ref, inf))
        properties, required = node.get("properties"), listed_in(node.get("required"))
        if isinstance(properties, dict):
            heights += [
                self.height(value) for name, value in properties.items() if name in required
            ]
        if isinstance(least := node.get("minItems"), int) and least > len(
            listed_in(node.get("prefixItems"))
        ):
            heights.append(self.height(node.get("items", {})))
        heights += [
            self.height(part)
            for key in ("allOf", "prefixItems")
            for part in listed_in(node.get(key))
        ]
        heights += [
            min(map(self.height, listed_in(node[key])))
            for key in ("anyOf", "oneOf")
            if listed_in(node.get(key))
        ]
        return max(heights)

    def _target(self, ref: str) -> object:
        if not ref.startswith("#"):
            raise SchemaError(f"$ref {ref!r} points outside the schema; only #/… can be followed")
        found: object = self.root
        for step in ref[1:].strip("/").split("/") if ref[1:].strip("/") else ():
            key = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and key in found:
                found = found[key]
            elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            else:
                raise SchemaError(f"$ref {ref!r} points at nothing")
        return found

    def __repr__(self) -> str:
        return f"Schema({self.root!r:.80}, {len(self._heights)} references)"


def alternatives(node: Node) -> list[Node]:
    """The nodes of which a value must satisfy one: ``anyOf``, ``oneOf``, a list of types; itself where it has none."""
    for key in ("anyOf", "oneOf"):
        if branches := listed_in(node.get(key)):
            rest = {
                name: value for name, value in node.items() if name not in {key, "discriminator"}
            }
            branches = [branch for branch in branches if not _conflict(rest, branch)] or branches
            return [
                {"allOf": [rest, branch]} if rest else {"allOf": [branch]} for branch in branches
            ]
    if isinstance(node.get("type"), list):
        return [{**node, "type": kind} for kind in listed_in(node["type"])]
    return [node]


def kind_of(node: Node) -> str:
    """The type that a resolved node asks for: as it says, or as its keywords imply; "any" where nothing is said."""
    kind = node.get("type")
    if kind is None:
        return next(
            (kind for kind, keys in _TYPE_BY_KEYWORD.items() if any(key in node for key in keys)),
            "any",
        )
    if isinstance(kind, list):
        return "any"  # see `alternatives`
    if not isinstance(kind, str) or kind not in {
        "object",
        "array",
        "string",
        "number",
        "integer",
        "boolean",
        "null",
    }:
        raise SchemaError(f"{kind!r:.40} is not a JSON schema type")
    return kind


def is_bare_string(node: Node) -> bool:
    """Whether a resolved node asks for a string and nothing more."""
    return node.get("type") == "string" and node.keys() <= {"type", "$defs", *_ANNOTATIONS}


def _conflict(rest: Node, branch: object) -> bool:
    """Whether a branch asks for another type than what stands beside it, so that nothing satisfies both."""
    own = branch.get("type") if isinstance(branch, dict) else None
    beside = rest.get("type")
    return (
        isinstance(own, str)
        and isinstance(beside, str)
        and own != beside
        and {own, beside} != {"integer", "number"}
    )


def listed_in(value: object) -> list[object]:
    """A list of a schema, empty where there is none."""
    return value if isinstance(value, list) else []


def in_order(node: Node) -> dict[str, object]:
    """The properties of an object in the order of its ``required``: their own is lost where keys are sorted."""
    properties = node.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    first = [name for name in listed_in(node.get("required")) if name in properties]
    return {str(name): properties[name] for name in dict.fromkeys([*first, *properties])}


def count(value: object, default: int) -> int:
    """A size that a schema says, else `default`."""
    return value if isinstance(value, int) and value >= 0 else default


def _merged(first: Node, second: Node) -> Node:
    """Both at once: the tighter bound, all properties, the values that both allow; else what `second` says."""
    merged = {**first, **second}
    for key in first.keys() & second.keys():
        a, b = first[key], second[key]
        if key in _LOWER + _UPPER and isinstance(a, int | float) and isinstance(b, int | float):
            merged[key] = max(a, b) if key in _LOWER else min(a, b)
        elif key in {"properties", "$defs"} and isinstance(a, dict) and isinstance(b, dict):
            merged[key] = {
                **a,
                **{name: {"allOf": [a[name], b[name]]} if name in a else b[name] for name in b},
            }
        elif key == "required":
            merged[key] = list(dict.fromkeys([*listed_in(a), *listed_in(b)]))
        elif key == "enum":
            merged[key] = [value for value in listed_in(a) if value in listed_in(b)]
        elif key in {"anyOf", "oneOf"}:
            merged["allOf"] = [*listed_in(merged.get("allOf")), {key: a}]
    return merged


def _nodes(root: Node) -> Iterator[Node]:
    level: list[object] = [root]
    for _ in range(_DEEPEST):
        for node in level:
            if isinstance(node, dict):
                yield node
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise SchemaError(f"the schema is nested deeper than {_DEEPEST} levels")


def _children(node: object) -> list[object]:
    return list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
