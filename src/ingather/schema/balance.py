"""Where a JSON object or array may begin in a text, and where it ends: by its brackets, without a look at the rest."""

from __future__ import annotations

import re
from itertools import islice

_MAX_TOKENS = 200_000  # strings and brackets of one value: about a tenth of a second

# What is written as Python or with curly quotes is no JSON; what stands inside it is a part of it
# all the same.
START = re.compile(r'\{\s*+["\'“}]|\[\s*+(?:[\[\]{"\-0-9]|true|false|null)')
# A string that never ends takes the rest of the text, so that no bracket in it counts and nothing
# is read twice.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[{}\[\]]', re.DOTALL)


def closing(text: str, start: int) -> int | None:
    """Behind the bracket that closes the one at `start`; None where it stays open, so that the rest is a part of it.

    >>> closing('{"a": "}"}, and', 0)
    10
    """
    depth = 0
    for token in islice(_TOKEN.finditer(text, start), _MAX_TOKENS):
        mark = text[token.start()]
        depth += (mark in "{[") - (mark in "}]")
        if depth == 0:
            return token.end()
    return None
