"""pydantic's JSON schema of a response_model, with what reading an answer needs to know besides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import core_schema

    from ingather.schema.wire_form import Node

_DECIMAL = r"^-?[0-9]+(\.[0-9]+)?$"


class Source(GenerateJsonSchema):
    """pydantic's own JSON schema, but for two types.

    Named tuples are objects, for their names tell what is wanted; decimals are strings, for a
    number loses digits. Objects have one keyword more, ``names``: under which names their fields
    are found, aliases of all kinds included; and ``free`` where a validator of the model's own
    reads the object before its fields are looked for.
    """

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - pydantic's own attribute

    def named_tuple_schema(self, schema: core_schema.NamedTupleSchema) -> Node:
        array = super().named_tuple_schema(schema)
        aliases = [(field.get("validation_alias"), field["name"]) for field in schema["fields"]]
        names = [alias if isinstance(alias, str) else name for alias, name in aliases]
        return {
            "type": "object",
            "properties": dict(zip(names, array.get("prefixItems", ()), strict=True)),
            "required": names[: array.get("minItems", 0)],
            "additionalProperties": False,
        }

    def model_fields_schema(self, schema: core_schema.ModelFieldsSchema) -> Node:
        return {**super().model_fields_schema(schema), "names": _names(schema["fields"].items())}

    def model_schema(self, schema: core_schema.ModelSchema) -> Node:
        return _by_name(
            super().model_schema(schema), schema.get("config"), schema["cls"].model_fields
        )

    def dataclass_args_schema(self, schema: core_schema.DataclassArgsSchema) -> Node:
        fields = [(field["name"], field) for field in schema["fields"]]
        return {**super().dataclass_args_schema(schema), "names": _names(fields)}

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> Node:
        return _by_name(super().dataclass_schema(schema), schema.get("config"), schema["fields"])

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> Node:
        node = {**super().typed_dict_schema(schema), "names": _names(schema["fields"].items())}
        return _by_name(node, schema.get("config"), schema["fields"])

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> Node:
        return {**super().function_before_schema(schema), "free": True}

    def function_wrap_schema(self, schema: core_schema.WrapValidatorFunctionSchema) -> Node:
        return {**super().function_wrap_schema(schema), "free": True}

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> Node:
        number: Node = super().decimal_schema(schema)["anyOf"][0]
        return number | {"type": "string", "pattern": _DECIMAL}


def _names(fields: Iterable[tuple[str, Any]]) -> list[str]:
    found: dict[str, None] = {}
    for name, field in fields:
        alias = field.get("validation_alias", name)
        paths = alias if isinstance(alias, list) else [alias]
        for path in paths if all(isinstance(path, list) for path in paths) else [paths]:
            first = path[0] if isinstance(path, list) else path
            found[str(first)] = None
    return list(found)


def _by_name(node: Node, config: Any, fields: Iterable[str]) -> Node:
    """With the fields' own names, where they are found by those too."""
    takes_names = config and (config.get("populate_by_name") or config.get("validate_by_name"))
    if not takes_names or "names" not in node:
        return node
    return {**node, "names": list(dict.fromkeys((*node["names"], *fields)))}
