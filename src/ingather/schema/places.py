"""What a JSON document holds at each place of its schema: for what pydantic alone would take the wrong way.

- ``null`` for a field that has a default and is not nullable: the model says that it has nothing to say.
- An object that has none of the fields that are asked for, where none of them is required.
- ``NaN`` and infinities, which JSON does not have, in one of their guises.
"""

from __future__ import annotations

import math
import re
from itertools import islice
from typing import TYPE_CHECKING

import orjson
from pydantic_core import from_json, to_json

from ingather.schema.wire_form import Node, names_of, resolved

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# a string that pydantic takes for a float, in lower case
_NO_NUMBER = re.compile(r'"\s*+[+-]?+(?:nan|inf)')
_MOST_NAMES = 8  # in a message
_KINDS: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "null": type(None), "boolean": bool, "integer": int,
    "number": (int, float),
}  # fmt: skip


def without_absent(text: str, schema: Node) -> bytes | None:
    """The JSON `text` without each ``null`` that stands for a default; None where it has none, or is no JSON."""
    try:
        document = from_json(text)
    except (ValueError, TypeError):  # the latter for a lone surrogate
        return None
    found = False
    for value, node in _places(document, schema):
        if isinstance(value, dict):
            for name in [
                name
                for name, held in value.items()
                if held is None and _has_default(name, node, schema)
            ]:
                del value[name]
                found = True
    return to_json(document) if found else None


def unasked(text: str, schema: Node) -> str | None:
    """What is wrong where an object in the JSON `text` has none of the fields that are asked for there; else None.

    Within the whole an empty object is right where all is optional: it says that there is nothing.
    The whole itself is not: it was asked for its fields by name, and null says that there is
    nothing.
    """
    document = from_json(text)
    for value, node in _places(document, schema):
        if not isinstance(value, dict) or "names" not in node or "free" in node:
            continue
        asked = node["names"]
        if asked and (value or value is document) and not value.keys() & set(asked):
            return f"none of the fields that are asked for is there: {_listed(asked)} (there is {_listed(value)})"
    return None


def _listed(names: Iterable[str]) -> str:
    shown = [f"{name:.40}" for name in islice(names, _MOST_NAMES)]
    return ", ".join(shown) or "nothing"


def is_finite(text: str, schema: Node) -> bool:
    """Whether every number in the JSON `text` is a finite one."""
    try:
        orjson.loads(text)  # fast, and refuses NaN, infinities and what is too large for a float
    except orjson.JSONDecodeError:
        pass
    else:
        lowered = text.lower()
        if not ("nan" in lowered or "inf" in lowered) or not _NO_NUMBER.search(lowered):
            return True
    try:
        document = from_json(text, allow_inf_nan=False)
    except ValueError:
        return False
    return all(
        _finite(value)
        for value, node in _places(document, schema)
        if isinstance(value, float) or node.get("type") == "number"
    )


def _finite(value: object) -> bool:
    try:
        return math.isfinite(float(value))  # type: ignore[arg-type]
    except OverflowError:
        return False
    except (ValueError, TypeError):  # no number at all: not ours to judge
        return True


def _has_default(name: str, node: Node, root: Node) -> bool:
    field = node.get("properties", {}).get(name)
    return (
        field is not None and name not in node.get("required", ()) and not _fits(None, field, root)
    )


def _places(document: object, root: Node) -> Iterator[tuple[object, Node]]:
    """Each value in `document` with its schema, outer before inner: what is deleted meanwhile is not visited."""
    waiting: list[tuple[object, Node]] = [(document, root)]
    while waiting:
        value, node = waiting.pop()
        node = resolved(node, root)
        if branches := node.get("anyOf") or node.get("oneOf"):
            waiting.append((value, _branch(value, branches, root)))
            continue
        yield value, node
        if isinstance(value, dict):
            known, others = node.get("properties", {}), node.get("additionalProperties", True)
            rest = others if isinstance(others, dict) else {}
            waiting += [(held, known.get(name, rest)) for name, held in value.items()]
        elif isinstance(value, list):
            prefix, items = node.get("prefixItems", ()), node.get("items", {})
            waiting += [
                (item, prefix[at] if at < len(prefix) else items) for at, item in enumerate(value)
            ]


def _branch(value: object, branches: list[Node], root: Node) -> Node:
    alike = (
        branch
        for meets in (_fits, _shares, _resembles)
        for branch in branches
        if meets(value, branch, root)
    )
    return next(alike, branches[0])


def _shares(value: object, node: Node, root: Node) -> bool:
    """Whether an object has at least one of the fields of `node`."""
    return isinstance(value, dict) and not value.keys().isdisjoint(names_of(node, root))


def _resembles(value: object, node: Node, root: Node) -> bool:
    """Whether pydantic might take `value` for `node`, whatever it holds; a string may become a number."""
    kind = resolved(node, root).get("type", "")
    return isinstance(value, _KINDS.get(kind, ())) or (kind == "number" and isinstance(value, str))


def _fits(value: object, node: Node, root: Node) -> bool:
    """Whether `value` looks like `node`: by its type, its choices, and for an object by its keys and fixed values."""
    node = resolved(node, root)
    if branches := node.get("anyOf") or node.get("oneOf"):
        return any(_fits(value, branch, root) for branch in branches)
    choices = node["enum"] if "enum" in node else [node["const"]] if "const" in node else None
    if choices is not None:
        return value in choices
    kind = node.get("type")
    if not isinstance(kind, str) or not isinstance(value, _KINDS[kind]):
        return not isinstance(kind, str)
    if not isinstance(value, dict) or "properties" not in node:
        return True
    fields = node["properties"]
    fixed = [name for name in value if name in fields and fields[name].keys() & {"const", "enum"}]
    return (
        value.keys() >= set(node.get("required", ()))
        and value.keys() <= fields.keys()
        and all(_fits(value[name], fields[name], root) for name in fixed)
    )
