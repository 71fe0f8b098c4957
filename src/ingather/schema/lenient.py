"""The JSON in an answer that is not only JSON: in a code fence, or with prose around it.

Linear in the length of the text whatever it holds, and bounded in what it offers.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_CANDIDATES = 64  # of each kind
_MAX_TOKENS = 200_000  # strings and brackets of one candidate: about a tenth of a second

# Some servers drop the opening tag. No string of a JSON text has a line end behind the closing one.
_THOUGHTS = re.compile(r"\A\s*+<think>.*?(?:</think>|\Z)|\A.*</think>[ \t]*+\r?\n", re.DOTALL)
_START = re.compile(r'\{\s*+["}]|\[\s*+(?:[\[\]{"\-0-9]|true|false|null)')
# A string that never ends takes the rest of the text, so that no bracket in it counts and nothing is read twice.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[{}\[\]]', re.DOTALL)


def candidates(text: str) -> Iterator[str]:
    """What may be the answer in `text`, likeliest first: all of it, each code fence, each balanced object or array.

    The model's thinking (``<think>…</think>``) does not count. An object inside another is never offered: a part of a
    broken answer must not pass for the whole.

    >>> list(candidates('Sure: {"n": 1}.'))[-1]
    '{"n": 1}'
    """
    text = _THOUGHTS.sub("", text, count=1).strip("\ufeff \t\r\n")
    yield text
    yield from islice(_fenced(text), _MAX_CANDIDATES)
    yield from islice(_balanced(text), _MAX_CANDIDATES)


def _fenced(text: str) -> Iterator[str]:
    for body in text.split("```")[1::2]:
        language, newline, rest = body.partition("\n")
        yield rest if newline and " " not in language.strip() else body.removeprefix("json")


def _balanced(text: str) -> Iterator[str]:
    end: int | None = 0
    while end is not None and (start := _START.search(text, end)):
        end = _closing(text, start.start())
        if end is not None:
            yield text[start.start() : end]


def _closing(text: str, start: int) -> int | None:
    """Behind the bracket that closes the one at `start`; None where it stays open, so that the rest is a part of it."""
    depth = 0
    for token in islice(_TOKEN.finditer(text, start), _MAX_TOKENS):
        mark = text[token.start()]
        depth += (mark in "{[") - (mark in "}]")
        if depth == 0:
            return token.end()
    return None
