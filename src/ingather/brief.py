"""Values in one short line, for people who look at a list of them in a notebook, a debugger or a log."""

from __future__ import annotations

from dataclasses import MISSING, fields
from reprlib import Repr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

MOST = 200
"""Characters of one of our own objects."""

_short = Repr()
_short.maxstring, _short.maxother = 60, MOST
_short.maxlevel = 3


def brief(value: object, most: int = 60) -> str:
    """``repr(value)`` in one line of at most `most` characters; of long texts and collections only the beginning.

    >>> brief("word " * 10_000, most=12)
    "'word word …"
    """
    if isinstance(value, str | bytes | bytearray):
        return cut(
            repr(value[:most]) if len(value) <= most else repr(value[:most])[:-1] + "…", most
        )
    return cut(" ".join(_short.repr(value).split()), most)


def cut(text: str, most: int = MOST) -> str:
    """`text`, its end left out where it is longer than `most` characters.

    >>> cut("LLMTask('Name a prime')", 12)
    "LLMTask('Na…"
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def described(thing: DataclassInstance, *first: str, leave_out: tuple[str, ...] = ()) -> str:
    """The name of a dataclass's instance, `first`, and those of its fields that are not as they are by default."""
    shown = list(first)
    for item in fields(thing):
        default = item.default_factory() if item.default_factory is not MISSING else item.default
        value = getattr(thing, item.name)
        is_default = value is default or (type(value) is type(default) and value == default)
        if item.repr and item.name not in leave_out and not is_default:
            shown.append(
                f"{item.name}={value.__qualname__ if isinstance(value, type) else brief(value, 40)}"
            )
    return cut(f"{type(thing).__name__}({', '.join(shown)})")
