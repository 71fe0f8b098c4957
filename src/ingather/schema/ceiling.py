"""How large a schema each dialect takes: one table. What is above is asked for by parts (`ExtractTask`, ``"auto"``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ingather import exact_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Ceiling(NamedTuple):
    """The most that a schema may have; None: no such limit is known.

    `bytes`: of the schema as JSON. `unions`: places with alternatives, ``X | None`` among them.
    `optional`: properties that may be absent or null. `properties`: of all objects together.

    >>> Ceiling(unions=1).admits({"anyOf": [{"type": "string"}, {"type": "null"}]})
    True
    """

    bytes: int | None = None
    unions: int | None = None
    optional: int | None = None
    properties: int | None = None

    def admits(self, schema: Mapping[str, object]) -> bool:
        """Whether `schema`, in the form that travels, is within all of them."""
        nodes = list(_nodes(schema))
        found = (
            len(exact_json.dumps(schema)),
            sum(_is_union(node) for node in nodes),
            sum(_optional(node) for node in nodes),
            sum(len(node.get("properties", ())) for node in nodes),
        )
        return all(most is None or count <= most for most, count in zip(self, found, strict=True))


CEILINGS: dict[str, Ceiling] = {
    # platform.openai.com, Structured outputs, "Supported schemas": 5,000 properties, and 120,000
    # characters of names and enum values. A schema's bytes are more than those, so that this errs
    # on the side of splitting.
    "openai": Ceiling(bytes=120_000, properties=5000),
    # learn.microsoft.com, Azure OpenAI, Structured outputs: 100 properties.
    "azure": Ceiling(properties=100),
    # docs.claude.com, Structured outputs, "Schema complexity limits": 16 parameters with unions, 24
    # optional ones, which the API's refusals name too. The compiled grammar has a limit of its own
    # that is documented nowhere ("The compiled grammar is too large", anthropic-sdk-python issue
    # 1185): refused from about 5.6 KB on.
    "anthropic": Ceiling(bytes=5600, unions=16, optional=24),
    # ai.google.dev names no number, only that large and deeply nested schemas may be refused ("too
    # many states for serving"). What it counts is neither bytes nor unions: a guess would split
    # what it takes.
    "gemini": Ceiling(),
    # Not in it: servers of one's own (llama.cpp, vLLM, Ollama), whose grammars grow with the
    # schema.
}


def ceiling_of(stated: object) -> Ceiling:
    """What a provider's ``schema_ceiling`` says: a `Ceiling`, a number of bytes, or None for no limit."""
    if isinstance(stated, Ceiling):
        return stated
    return Ceiling(bytes=stated) if isinstance(stated, int) else Ceiling()


def _is_union(node: Mapping[str, Any]) -> bool:
    return "anyOf" in node or "oneOf" in node or isinstance(node.get("type"), list)


def _optional(node: Mapping[str, Any]) -> int:
    """How many properties of an object may be absent, or null."""
    required = node.get("required", ())
    return sum(
        name not in required or _is_nullable(child)
        for name, child in node.get("properties", {}).items()
    )


def _is_nullable(node: Mapping[str, Any]) -> bool:
    kinds = node.get("type")
    return (isinstance(kinds, list) and "null" in kinds) or any(
        branch.get("type") == "null" for key in ("anyOf", "oneOf") for branch in node.get(key, ())
    )


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    children = [
        *node.get("properties", {}).values(),
        *node.get("$defs", {}).values(),
        *(
            child
            for key in ("anyOf", "oneOf", "allOf", "prefixItems")
            for child in node.get(key, ())
        ),
        *(
            child
            for key in ("items", "additionalProperties")
            if isinstance(child := node.get(key), dict)
        ),
    ]
    for child in children:
        yield from _nodes(child)
