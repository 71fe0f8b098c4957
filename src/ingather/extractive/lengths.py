"""Texts cut to the lengths that a schema allows: at a clause or a word, and still verbatim."""

from __future__ import annotations

import re

_CLAUSE = re.compile(
    r"[;:]\s|[.!?]['\"”’)]*\s|,\s(?=(?:and|but|or|which|who|while|although|because|as|including)\b)|\s[—–]\s"
)


def fitted(text: str, least: int, most: int | None) -> str:
    """`text` cut at a word, or repeated, so that its length in characters is within the bounds."""
    if len(text) < least:
        text = (text + " ") * (least // (len(text) + 1) + 1) if text else "." * least
        text = text[:least].rstrip().ljust(least, ".")
    return cut(text, least, most)


def cut(text: str, least: int, most: int | None) -> str:
    """The beginning of `text`, `most` characters at most: up to a clause's end, else a word's.

    >>> cut("We sell boats, and we repair them; some we rent.", 0, 40)
    'We sell boats, and we repair them'
    """
    if most is None or len(text) <= most:
        return text
    head = text[: most + 1]
    ends = [found.start() + (text[found.start()] in ".!?") for found in _CLAUSE.finditer(head)]
    enough = max(least, most // 2)
    if ends and enough <= ends[-1] <= most:
        return text[: ends[-1]].rstrip()
    at_word = text[:most] if text[most].isspace() else re.sub(r"\S*$", "", text[:most])
    at_word = at_word.rstrip(" ,;:\n\t")
    return at_word if len(at_word) >= enough else text[:most]
