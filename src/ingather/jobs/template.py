"""Prompt templates: ``{field}`` is replaced by the row's field of that name, and nothing else happens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ingather import exact_json
from ingather.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PIECES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")


class Template:
    """A prompt with places for fields.

    What stands between braces is a field's name as a whole: no attributes, no formats, so a
    template can reach nothing but the row. ``{{`` and ``}}`` are braces.

    Raises SetupError for a brace that is not closed or a template that names no field.

    >>> Template("Who wrote {title}?").render({"title": "Emma"})
    'Who wrote Emma?'
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._pieces: list[tuple[str, bool]] = [
            _piece(match, text) for match in _PIECES.finditer(text)
        ]
        self.fields = tuple(dict.fromkeys(piece for piece, is_field in self._pieces if is_field))
        if not self.fields:
            raise SetupError(
                "the prompt template names no field, so every row would ask the same: write {field}"
            )

    def __repr__(self) -> str:
        return f"Template({self.text!r:.60}, fields={self.fields})"

    def render(self, fields: Mapping[str, object]) -> str:
        """The prompt for one row. Text goes in as it is, other values as JSON.

        Raises SetupError for a field that the row does not have, or that is null.
        """
        return "".join(
            _shown(fields, piece) if is_field else piece for piece, is_field in self._pieces
        )


def _piece(match: re.Match[str], text: str) -> tuple[str, bool]:
    found = match.group()
    if found in ("{{", "}}"):
        return found[0], False
    if match.group(1) is not None:
        return match.group(1), True
    if found in ("{", "}"):
        excerpt = text[max(0, match.start() - 10) : match.start() + 20]
        raise SetupError(
            f"a single {found!r} in the prompt template, at {excerpt!r}: write "
            f"{found * 2} for a brace"
        )
    return found, False


def _shown(fields: Mapping[str, object], name: str) -> str:
    if name not in fields:
        there = ", ".join(map(repr, fields)) or "none"
        raise SetupError(
            f"the template names the field {name!r}; there are: {there:.300}. A brace is written "
            f"{{{{ or }}}}"
        )
    value = fields[name]
    if value is None:
        raise SetupError(f"the field {name!r}, which the template names, is null")
    try:
        return value if isinstance(value, str) else exact_json.dumps(value).decode()
    except TypeError as error:
        raise SetupError(
            f"the field {name!r}, which the template names, cannot be written as JSON: {error}"
        ) from None
