"""The JSON in an answer that is not only JSON: in a code fence, or with prose around it, or several times over.

Linear in the length of the text whatever it holds, and bounded in what it offers.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from pydantic_core import from_json

from ingather.schema.balance import START, closing
from ingather.schema.damage import mended
from ingather.schema.thinking import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_CANDIDATES = 64  # of each kind, the last ones
_NEAR = 200  # characters before a value that may introduce it

# What may stand on the line of an answer without being a sentence around it. A ">" is not in it:
# that is a quotation.
_FURNITURE = re.compile(
    r"""(?: [\s*_`\#:=.,!—–-] | </?[\w|.:-]+> | <\|\w+\|>
          | \b(?:json|final(?:_answer)?|answer|result|output|response|corrected|correct|updated|revised|complete|actual
                |here|is|the|my|so|thus|therefore|hence|and|this|it|your)\b )*+""",
    re.IGNORECASE | re.VERBOSE,
)
_FENCE_ABOVE = re.compile(r"```+[ \t]*\w*\s*\Z")
_FENCE_BELOW = re.compile(r"\A```\w*\s+")
_NOT_FINAL = re.compile(  # in a line that introduces a value
    r"\b(?:drafts?|attempt|initial(?:ly)?|examples?|e\.g|schema|template|previous(?:ly)?|earlier|old|quot\w*|claims?"
    r"|alternativ\w*|otherwise|if|hypothetical\w*|says?|said|tells?|told|reads?|contains?|states?|asks?|instructs?)\b",
    re.IGNORECASE,
)
_STRING_OR_SIGN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{},]', re.DOTALL)

ABSENT = object()  # in place of a JSON value


class Candidate(NamedTuple):
    """What may be the answer. `stands`: alone on its lines, as an answer does, and not introduced as something else."""

    text: str
    start: int
    stands: bool


def candidates(text: str) -> list[Candidate]:
    """What may be the answer in `text`, in its order: each balanced object or array, and what is in a code fence.

    `text` is without thinking (`thinking.visible`). An object inside another is never offered: a
    part of a broken answer must not pass for the whole. One that stays open is offered, up to the
    end.

    >>> [candidate.text for candidate in candidates('Not {"n": 1} but {"n": 2}.')]
    ['{"n": 1}', '{"n": 2}']
    """
    values = deque[tuple[int, int]](maxlen=_MAX_CANDIDATES)
    end: int | None = 0
    while end is not None and (start := START.search(text, end)):
        end = closing(text, start.start())
        values.append((start.start(), len(text) if end is None else end))
    open_at = None if end is not None or not values else values[-1][0]
    found = [Candidate(text[start:end], start, _stands(text, start, end)) for start, end in values]
    # else the fences are within the one value that is there
    if open_at is None or text[:open_at].strip():
        closed = [value for value in values if value[0] != open_at]
        found += deque(_fenced(text, closed), _MAX_CANDIDATES)
    return sorted(found, key=lambda candidate: candidate.start)


def _fenced(text: str, values: list[tuple[int, int]]) -> Iterator[Candidate]:
    """The bodies of code fences that hold none of `values`, and stand in none."""
    pieces, at, number = text.split("```"), 0, 0
    for index, piece in enumerate(pieces):
        end = at + len(piece)
        while number < len(values) and values[number][1] <= at:
            number += 1
        if index % 2 and not (number < len(values) and values[number][0] < end):
            language, newline, rest = piece.partition("\n")
            body = rest if newline and " " not in language.strip() else piece.removeprefix("json")
            yield Candidate(body, at, _stands(text, at, min(end + 3, len(text))))
        at = end + 3


def _stands(text: str, start: int, end: int) -> bool:
    line_end = text.find("\n", end)
    behind = text[end : min(end + _NEAR, len(text) if line_end < 0 else line_end)]
    above, line_break, before = _FENCE_ABOVE.sub(
        "", text[max(0, start - _NEAR) : start]
    ).rpartition("\n")
    if not _FURNITURE.fullmatch(behind) or not _FURNITURE.fullmatch(before):
        return False
    if not line_break and start > _NEAR:
        return False
    introduction = before if before.strip() else above.rstrip(" \t\r\n*_").rpartition("\n")[2]
    return not (introduction.rstrip(" *_").endswith(":") and _NOT_FINAL.search(introduction))


def sole_json(text: str) -> object:
    """The one JSON value in an answer; ABSENT where there are several, since one may be a draft or a quotation.

    >>> sole_json('It is {"n": 1}.')
    {'n': 1}
    """
    shown = visible(text).strip("\ufeff \t\r\n")
    whole = _read(shown)
    found = (
        [whole]
        if whole is not ABSENT
        else [_read(candidate.text) for candidate in candidates(shown)]
    )
    found = [value for value in found if value is not ABSENT]
    return found[0] if found and all(value == found[0] for value in found) else ABSENT


def cut_json(text: str) -> object:
    """What is complete of an object that is all of an answer, but for its end; ABSENT where it is none.

    >>> cut_json('{"a": 1, "b": "two", "c": "thr')
    {'a': 1, 'b': 'two'}
    """
    shown = _FENCE_BELOW.sub("", visible(text).strip("\ufeff \t\r\n"))
    whole = _read(shown)
    if whole is ABSENT and not shown[-1:].isdigit():  # of a number there may be more
        whole = _read(shown + "}")
    if whole is ABSENT:
        whole = _read(shown[: _last_comma(shown)] + "}")
    return whole if isinstance(whole, dict) else ABSENT


def _last_comma(text: str) -> int:
    """Where the last comma between members of the outermost object is; 0 where there is none."""
    depth = at = 0
    for token in _STRING_OR_SIGN.finditer(text):
        sign = token[0]
        depth += (sign in "{[") - (sign in "]}")
        if sign == "," and depth == 1:
            at = token.start()
    return at


def _read(text: str) -> object:
    for each in (text, mended(text)):
        try:
            return from_json(each, allow_inf_nan=False)
        except (ValueError, TypeError):  # the latter for a lone surrogate
            continue
    return ABSENT
