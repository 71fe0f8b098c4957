"""A key that shows itself to nobody."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Never

from ingather.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Secret:
    """Holds a key; ``reveal()`` is the only way to it. Its repr is ``***`` and it refuses to be pickled.

    Raises `SetupError` for what cannot be sent in a header, such as a key with a line break at its
    end.

    >>> Secret("sk-abc")
    ***
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not (value.isascii() and value.isprintable() and value == value.strip() and value):
            raise SetupError(
                "the api_key is empty, or has spaces, line breaks or other signs that no key has: "
                "strip it"
            )
        self._value = value

    def reveal(self) -> str:
        return self._value

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits that tell keys apart without telling the key."""
        return hashlib.sha256(self._value.encode()).hexdigest()[:8]

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> Never:
        raise TypeError("a Secret cannot be pickled: read the key where it is used")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: Mapping[int, object]) -> Secret:
        return self
