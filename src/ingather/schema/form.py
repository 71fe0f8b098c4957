"""One form that an answer may have, and how it is read: what fits, what does not and why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError
from pydantic_core import PydanticCustomError, from_json, to_json

from ingather.schema.damage import mended
from ingather.schema.places import is_finite, unasked, without_absent
from ingather.schema.wire_form import names_of

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from ingather.schema.wire_form import Node

_MAX_ERRORS = 5
_MAX_ERROR = 180
_ELSE = re.compile(  # keys under which no answer stands
    r"error|detail|exception|schema|propert|definition|\$|example|draft|think|thought|reason|input",
    re.IGNORECASE,
)


class Found(NamedTuple):
    """A value, the JSON it was read from, and where it was in that (None: it is the whole)."""

    value: object
    json: str | bytes
    key: str | None
    lenient: bool = False

    @property
    def document(self) -> object:
        """The JSON of the value, bare, and as it was before any validator saw it."""
        whole = from_json(self.json)
        return whole[self.key] if self.key is not None else whole


class Miss(NamedTuple):
    """Why a text is no answer. `nearness`: 0 for no JSON, 1 for JSON of another kind, 2 for a wrong inside."""

    nearness: int
    problems: str


class Form(NamedTuple):
    """One form that an answer may have.

    `source`: pydantic's JSON schema of it. `key`: where the value is in it, None where the whole is
    the value. `floats`: whether it may hold any. `loose`: whether in some place any object fits,
    since nothing is required there.
    """

    adapter: TypeAdapter[object]
    source: Node
    key: str | None
    floats: bool
    loose: bool

    def read(self, text: str) -> Found | Miss:
        """The value in the JSON `text`, or why there is none."""
        found = self._read(text)
        if isinstance(found, Miss) and found.nearness == 0 and (whole := mended(text)) != text:
            text, found = whole, self._read(whole)
            if isinstance(found, Found):
                return found._replace(lenient=True)
        if isinstance(found, Found) or not self.loose:
            return found
        inner = self._unwrapped(text)
        unwrapped = found if inner is None else self._read(inner)
        return unwrapped._replace(lenient=True) if isinstance(unwrapped, Found) else found

    def names(self, text: str) -> bool:
        """Whether `text` names a field that was asked for."""
        return any(f'"{name}"' in text for name in names_of(self.source, self.source))

    def _read(self, text: str) -> Found | Miss:
        try:
            return self._found(text)
        except ValidationError as error:
            return self._miss(error)

    def _found(self, text: str) -> Found:
        read: str | bytes = text
        try:
            value = self._validated(read)
        except ValidationError:
            rest = without_absent(text, self.source) if "null" in text else None
            if rest is None:
                raise
            read, value = rest, self._validated(rest)
        if self.floats and not is_finite(text, self.source):
            raise _invalid("NaN and Infinity are not JSON")
        if self.loose and (problem := unasked(text, self.source)) is not None:
            raise _invalid(problem)
        return Found(value if self.key is None else getattr(value, self.key), read, self.key)

    def _validated(self, text: str | bytes) -> object:
        try:
            return self.adapter.validator.validate_json(text)
        except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
            # From a validator of the model's own, which takes the answer for something that it is
            # not.
            raise _invalid(f"a validator raised {type(error).__name__}: {error}") from error

    def _unwrapped(self, text: str) -> str | None:
        """The one object within an object that holds nothing else, as ``{"Person": {…}}`` does."""
        try:
            document = from_json(text)
        except (ValueError, TypeError):
            return None
        if not isinstance(document, dict) or len(document) != 1:
            return None
        ((key, inner),) = document.items()
        known = names_of(self.source, self.source)
        if (
            not isinstance(inner, dict)
            or key in known
            or not inner.keys() & known
            or _ELSE.search(key)
        ):
            return None
        return to_json(inner).decode()

    def _miss(self, error: ValidationError) -> Miss:
        every = error.errors(include_url=False, include_context=False, include_input=False)
        texts = [
            ": ".join(filter(None, (".".join(map(str, each["loc"])), each["msg"])))
            for each in every[:_MAX_ERRORS]
        ]
        if len(every) > _MAX_ERRORS:
            texts.append(f"and {len(every) - _MAX_ERRORS} more")
        kind, place = every[0]["type"], every[0]["loc"]
        other_kind = place == () or (place == (self.key,) and kind == "missing")
        return Miss(
            0 if kind == "json_invalid" else 1 if other_kind else 2,
            "; ".join(map(_one_line, texts)),
        )


def _invalid(problem: str) -> ValidationError:
    error = PydanticCustomError("refused", "{problem}", {"problem": problem})
    return ValidationError.from_exception_data("", [{"type": error, "loc": (), "input": None}])


def _one_line(text: str) -> str:
    clean = " ".join(
        "".join(char if char.isprintable() else " " for char in text[: 2 * _MAX_ERROR]).split()
    )
    return clean if len(clean) <= _MAX_ERROR else clean[: _MAX_ERROR - 1] + "…"
