"""JSON of a model's that is damaged within a string, which costs that sign and not the answer. Pure."""

from __future__ import annotations

import json
import re

_STRING = re.compile(
    r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL
)  # one that never ends takes the rest: nothing is read twice
_CONTROL = re.compile(r"[\x00-\x1f]")
# whole pairs and escaped backslashes are matched so that their second half is not
_ESCAPES = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def mended(text: str) -> str:
    r"""`text` with control characters in its strings escaped, and halves of surrogate pairs as U+FFFD.

    >>> mended('{"a": "x\\ud83d", "b": "\\ud83d\\ude00"}')
    '{"a": "x\\ufffd", "b": "\\ud83d\\ude00"}'
    """
    text = _ESCAPES.sub(lambda match: r"\ufffd" if match["half"] else match[0], text)
    return _STRING.sub(
        lambda match: _CONTROL.sub(lambda sign: json.dumps(sign[0])[1:-1], match[0]), text
    )
