"""A JSON schema as a type, so that answers to it are validated, and asked again, like those to any other model.

Keywords that would be ignored are refused: an answer that is said to fit does fit. (``oneOf`` is
read as ``anyOf``.)
"""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Annotated, Any, ForwardRef, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic_core import SchemaError

from ingather.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONSTRAINTS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "pattern": "pattern",
}
_NOTES = {
    "title",
    "description",
    "default",
    "examples",
    "format",
    "deprecated",
    "readOnly",
    "writeOnly",
    "strict",
}
_SHAPE = {
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "anyOf",
    "oneOf",
    "allOf",
}
_KNOWN = {
    *_CONSTRAINTS,
    *_NOTES,
    *_SHAPE,
    "$ref",
    "$defs",
    "definitions",
    "$schema",
    "$id",
    "$comment",
}
_PLAIN: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "null": None,
}


def model_of(schema: Mapping[str, object]) -> object:
    """The type whose values are those of `schema` (a JSON schema; references within it only).

    Raises SetupError that names a keyword or form which cannot be checked.

    >>> model_of({"type": "array", "items": {"enum": ["red", "blue"]}})
    list[typing.Literal['red', 'blue']]
    """
    building = _Building(schema)
    try:
        found = building.type_of(schema, str(schema.get("title") or "Answer"))
        building.link()
    except (SchemaError, RecursionError) as error:
        raise SetupError(
            f"--schema: this JSON schema cannot be checked: {str(error).splitlines()[0]}"
        ) from error
    return found


class _Building:
    """The models that are being made, by reference: a schema may refer to itself."""

    def __init__(self, root: Mapping[str, object]) -> None:
        self.root = root
        self.types: dict[str, Any] = {}
        self.models: dict[str, type[BaseModel]] = {}

    def link(self) -> None:
        """Put the types in the place of the names that stood for them."""
        names = {_name_of(reference): found for reference, found in self.types.items()}
        for model in self.models.values():
            model.model_rebuild(_types_namespace=names)

    def type_of(self, schema: object, name: str) -> Any:
        if schema is True:
            return Any
        if not isinstance(schema, dict):
            raise SetupError(f"--schema: {schema!r:.60} stands where a JSON schema should ({name})")
        if unknown := [key for key in schema if key not in _KNOWN]:
            raise SetupError(
                f"--schema: the JSON schema keyword {unknown[0]!r} ({name}) cannot be checked "
                f"here; "
                "write the form as a pydantic model and give FILE.py:Model"
            )
        found = self._shape(schema, name)
        limits = {ours: schema[theirs] for theirs, ours in _CONSTRAINTS.items() if theirs in schema}
        extra = {"format": schema["format"]} if "format" in schema else None
        notes = {"description": schema["description"]} if schema.get("description") else {}
        if not limits and not notes and extra is None:
            return found
        return Annotated[found, Field(**limits, **notes, json_schema_extra=extra)]

    def _shape(self, schema: dict[str, Any], name: str) -> Any:
        if "$ref" in schema:
            return self._reference(schema["$ref"])
        if "enum" in schema or "const" in schema:
            values = schema.get("enum", [schema.get("const")])
            return Literal[tuple(_literal(value, name) for value in values)]
        if len(schema.get("allOf", ())) > 1:
            raise SetupError(
                f"--schema: 'allOf' of several schemas ({name}) cannot be checked here; give "
                f"FILE.py:Model"
            )
        options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if options:
            members = tuple(self.type_of(each, f"{name}_{i}") for i, each in enumerate(options))
            return Union[members]  # noqa: UP007
        kinds = schema.get("type")
        if isinstance(kinds, list):
            return Union[tuple(self._kind(kind, schema, name) for kind in kinds)]  # noqa: UP007
        return self._kind(kinds or ("object" if "properties" in schema else None), schema, name)

    def _kind(self, kind: object, schema: dict[str, Any], name: str) -> Any:
        if kind == "object":
            return self._object(schema, name)
        if kind == "array":
            return list[self.type_of(schema.get("items", True), f"{name}_item")]  # type: ignore[misc]
        if kind is None:
            return Any
        if kind not in _PLAIN:
            raise SetupError(f"--schema: {kind!r} is no type of JSON schema ({name})")
        return _PLAIN[str(kind)]

    def _object(self, schema: dict[str, Any], name: str) -> Any:
        properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        if not properties:
            value = Any if others is True else self.type_of(others, f"{name}_value")
            return dict[str, value]  # type: ignore[valid-type]
        if isinstance(others, dict):
            raise SetupError(
                f"--schema: 'additionalProperties' with a schema beside 'properties' ({name}): "
                f"give FILE.py:Model"
            )
        required = schema.get("required", [])
        fields: dict[str, Any] = {}
        if missing := [key for key in required if key not in properties]:
            raise SetupError(
                f"--schema: 'required' names {missing[0]!r}, which is not among "
                f"'properties' ({name})"
            )
        for number, (key, inner) in enumerate(properties.items()):
            absent: dict[str, Any] = {} if key in required else {"default_factory": lambda: None}
            fields[_attribute(key, number)] = (
                self.type_of(inner, f"{name}_{key}"),
                Field(alias=key, **absent),
            )
        config = ConfigDict(
            extra="forbid" if others is False else "allow", protected_namespaces=(), title=name
        )
        made: type[BaseModel] = create_model(name, __config__=config, **fields)
        self.models[f"{name}#{len(self.models)}"] = made
        return made

    def _reference(self, reference: str) -> Any:
        if reference not in self.types:
            self.types[reference] = ForwardRef(_name_of(reference))
            self.types[reference] = self.type_of(self._target(reference), _name_of(reference))
        return self.types[reference]

    def _target(self, reference: str) -> object:
        target: object = self.root
        for step in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
            target = target.get(step) if isinstance(target, dict) else None
        if target is None or not reference.startswith("#"):
            raise SetupError(f"--schema: {reference!r} refers to nothing in this file")
        return target


def _name_of(reference: str) -> str:
    name = "".join(char if char.isalnum() else "_" for char in reference.rsplit("/", 1)[-1])
    return name if name.strip("_") else "Answer"


def _literal(value: object, name: str) -> object:
    if value is None or isinstance(value, str | int | bool):
        return value
    raise SetupError(
        f"--schema: an 'enum' value that is not text, whole number, true, false or null ({name}): "
        f"{value!r:.60}"
    )


def _attribute(key: str, number: int) -> str:
    usable = (
        key.isidentifier()
        and not keyword.iskeyword(key)
        and not key.startswith("_")
        and not hasattr(BaseModel, key)
    )
    return key if usable else f"property_{number}"
