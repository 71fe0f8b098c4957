"""A JSON schema checker that shares nothing with the code it judges; only the keywords that these tests use."""

import re


def faults(value, schema, root, path="$"):
    """Where `value` breaks `schema`, as texts."""
    if isinstance(schema, bool):
        return [] if schema else [f"{path}: false"]
    found = []
    if "$ref" in schema:
        target = root
        for step in schema["$ref"].removeprefix("#").strip("/").split("/"):
            target = target[step] if step else target
        found += faults(value, target, root, path)
    for part in schema.get("allOf", []):
        found += faults(value, part, root, path)
    for key in ("anyOf", "oneOf"):
        if key in schema and not any(
            faults(value, branch, root, path) == [] for branch in schema[key]
        ):
            found.append(f"{path}: no branch of {key}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{path}: const")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path}: enum")
    kinds = schema.get("type", [])
    if kinds and not any(
        is_a(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)
    ):
        return [*found, f"{path}: {value!r} is no {kinds}"]
    return found + PARTS.get(type(value), lambda *_: [])(value, schema, root, path)


def is_a(value, kind):
    if value is None:
        return kind == "null"
    if isinstance(value, bool):
        return kind == "boolean"
    types = {"object": dict, "array": list, "string": str, "number": int | float, "integer": int}
    return isinstance(value, types.get(kind, ())) or (
        kind == "integer" and isinstance(value, float) and value.is_integer()
    )


def of_number(value, schema, root, path):
    return [
        f"{path}: {value} breaks {key} {schema[key]}"
        for key, holds in {
            "minimum": lambda bound: value >= bound,
            "maximum": lambda bound: value <= bound,
            "exclusiveMinimum": lambda bound: value > bound,
            "exclusiveMaximum": lambda bound: value < bound,
            "multipleOf": lambda step: abs(value / step - round(value / step)) < 1e-6,
        }.items()
        if key in schema and not holds(schema[key])
    ]


def of_string(value, schema, root, path):
    within = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    return ([] if within else [f"{path}: length"]) + (
        [f"{path}: pattern"]
        if "pattern" in schema and not re.search(schema["pattern"], value)
        else []
    )


def of_array(value, schema, root, path):
    found = (
        []
        if schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        else [f"{path}: items"]
    )
    if schema.get("uniqueItems") and any(
        value.index(member) != index for index, member in enumerate(value)
    ):
        found.append(f"{path}: not unique")
    heads = schema.get("prefixItems", [])
    for index, member in enumerate(value):
        part = heads[index] if index < len(heads) else schema.get("items", True)
        found += faults(member, part, root, f"{path}[{index}]")
    return found


def of_object(value, schema, root, path):
    found = [f"{path}: no {name}" for name in schema.get("required", []) if name not in value]
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
        found.append(f"{path}: properties")
    for name, member in value.items():
        part = schema.get("properties", {}).get(name, schema.get("additionalProperties", True))
        found += faults(member, part, root, f"{path}.{name}")
    return found


PARTS = {int: of_number, float: of_number, str: of_string, list: of_array, dict: of_object}
