"""A string that a regular expression accepts, built from the expression itself by its first choices."""

from __future__ import annotations

import importlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 10_000  # characters: what a repeat count in a schema may make of us
_CATEGORIES = {
    "DIGIT": "0",
    "NOT_DIGIT": "a",
    "WORD": "a",
    "NOT_WORD": " ",
    "SPACE": " ",
    "NOT_SPACE": "a",
}
# one of these is in most classes that are written as what they are not
_LIKELY = "a0A -_.,:/@ébZ9+"


@lru_cache(maxsize=256)
def example(pattern: str, least: int = 0) -> str | None:
    r"""A string of at least `least` characters in which `pattern` is found; None where none could be built.

    >>> example(r"^[A-Z]{2}-\d{3}$")
    'AA-000'
    """
    try:
        parts = importlib.import_module("re._parser").parse(pattern)
        for more in (0, 1, least):  # how often an open repeat is taken beyond its minimum
            built = _Builder(more).sequence(parts)
            if len(built) >= least and re.search(pattern, built):
                return str(built)
    except (re.error, LookupError, TypeError, ValueError, OverflowError, RecursionError):
        return None  # a look-around or a class that it does not know
    return None


class _Builder:
    """Walks the parse tree of Python's own `re`, whose nodes are untyped pairs of (operation, argument)."""

    def __init__(self, more: int) -> None:
        self.more = more
        self.groups = dict[int | None, str]()

    def sequence(self, parts: Any) -> str:
        built = "".join(self.part(str(operation), argument) for operation, argument in parts)
        if len(built) > _LONGEST:
            raise ValueError("too long")
        return str(built)

    def part(self, operation: str, argument: Any) -> str:
        match operation:
            case "LITERAL":
                return chr(argument)
            case "NOT_LITERAL":
                return _first(char for char in _LIKELY if ord(char) != argument)
            case "ANY":
                return "a"
            case "IN":
                return _member(argument)
            case "BRANCH":
                return self.sequence(argument[1][0])
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, parts = argument
                times: int = min(least + self.more, int(most))
                if times > _LONGEST:
                    raise ValueError("too long")
                return self.sequence(parts) * times
            case "SUBPATTERN":
                number, _, _, inner = argument
                self.groups[number] = self.sequence(inner)
                return self.groups[number]
            case "ATOMIC_GROUP":
                return self.sequence(argument)
            case "GROUPREF":
                return str(self.groups[argument])
            case "AT" | "ASSERT" | "ASSERT_NOT":
                return ""  # whether it holds shows in the end
        raise LookupError(operation)

    def __repr__(self) -> str:
        return f"_Builder(more={self.more})"


def _member(members: Any) -> str:
    (operation, argument), *rest = [(str(operation), argument) for operation, argument in members]
    if operation == "NEGATE":
        return _first(
            char for char in _LIKELY if not any(_holds(*refused, char) for refused in rest)
        )
    if operation == "CATEGORY":
        return _CATEGORIES[str(argument).removeprefix("CATEGORY_")]
    return chr(argument[0] if operation == "RANGE" else argument)


def _first(chars: Iterator[str]) -> str:
    for char in chars:
        return char
    raise LookupError("none of the likely characters")


def _holds(operation: str, argument: Any, char: str) -> bool:
    if operation == "RANGE":
        return bool(argument[0] <= ord(char) <= argument[1])
    if operation == "LITERAL":
        return bool(argument == ord(char))
    name = str(argument).removeprefix("CATEGORY_")
    kinds = {
        "DIGIT": char.isdigit(),
        "WORD": char.isalnum() or char == "_",
        "SPACE": char.isspace(),
    }
    return kinds[name.removeprefix("NOT_")] != name.startswith("NOT_")
