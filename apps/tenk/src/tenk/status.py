"""What an item holds: its own text, a pointer to another place, or the word that it does not apply."""

from __future__ import annotations

import re
from typing import Literal

Status = Literal[
    "present", "incorporated_by_reference", "pointer_within_document", "not_applicable", "absent"
]

_LONGEST_POINTER = 260  # words
_LONGEST_INDEX = 700  # words of a list of statements with their pages, which Item 8 may be
_SHORT = 70  # words of which one pointing sentence is the matter
_LONGEST_NO = 120

_NOTHING = re.compile(
    r"""(?ix)^\W{0,20}(?:(?:this\s+)?item\s+(?:is\s+)?)?(?:
    not?\s+applicable|n/a\b|none\b|inapplicable|not\s+required|(?:intentionally\s+)?omitted|(?:removed\s+and\s+)?reserved|
    removed|deleted|nothing\s+to\s+(?:report|disclose)|does\s+not\s+apply)"""
)
_EXEMPT = re.compile(
    r"""(?ix)\b(?:(?:is|are)\s+not\s+(?:currently\s+)?(?:required|applicable|obligated)|not\s+required\s+(?:to|for|by|under)|
    not\s+(?:required|applicable)\b.{0,60}smaller\s+reporting|need\s+not\s+(?:be\s+)?(?:provide|furnish|include)d?|
    (?:has|have)\s+(?:elected|chosen)\s+not\s+to|(?:is|are|been)\s+omitted|omitted\s+(?:pursuant|in\s+accordance))"""
)
_POINTS = re.compile(
    r"""(?ix)\b(?:incorporated\s+(?:herein\s+|in\s+this\s+\w+\s+|into\s+this\s+\w+\s+)?(?:in\s+|into\s+)?(?:\w+\s+){0,6}?by\s+(?:this\s+)?reference|
    reference\s+is\s+(?:hereby\s+)?made|(?:hereby|herein)\s+incorporated|see\b|refer(?:red)?\s+to|
    (?:set\s+forth|included|contained|presented|located|found|filed|submitted|described|shown|provided|supplied|furnished|listed|reported|
       discussed|appears?|appearing|begins?|beginning|commenc(?:es?|ing)|follows?|following|indexed|attached|annexed)\b)"""
)
_ELSEWHERE = re.compile(
    r"""(?ix)\b(?:annual\s+reports?\s+(?:to|for)\s+(?:our\s+|its\s+|the\s+)?(?:share|stock|security|unit|member|certificate)\s?-?holders?|
    (?:share|stock)holders['’]?\s+(?:annual\s+)?report|summary\s+annual\s+report|proxy\s+(?:statement|material)|
    information\s+statement|exhibits?\s+(?:no\.?\s+)?\(?\d|ex-13|
    annual\s+report(?!s?\s*,?\s*(?:\(|on\s+|for\s+)?\(?(?:this\s+)?form)|schedule\s+14[ac]|definitive\s+(?:proxy|materials)|amendment\s+to\s+this|financial\s+report\s+(?:filed|attached|included)\s+as)"""
)
_HERE = re.compile(
    r"""(?ix)\b(?:pages?\s+[FSA]\s?-|[FS]-\d|pages?\s+\d|this\s+(?:annual\s+)?(?:report|form|document|filing)|herein|elsewhere|
    items?\s+\d|part\s+[IV]{1,3}\b|(?:at\s+the\s+)?end\s+of|following|index\s+to|appendix|
    notes?\s+\d|notes?\s+to|signature|form\s+10-k|financial\s+statements|entitled|caption|heading|appear|see\b|refer)"""
)
_SENTENCE = re.compile(r"(?<=[a-z0-9)”\"’])[.;]\s+(?=[A-Z(“\"])|\n\s*\n")
_STATEMENTS = re.compile(r"(?i)\btotal\s+(?:liabilities|assets)\b|net\s+cash\s+(?:provided|used)")


def status_of(item: str, body: str) -> Status:
    """The status of an item whose heading is followed by `body`.

    >>> status_of("1A", "Not applicable.")
    'not_applicable'
    """
    words = sum(any(map(str.isalnum, word)) for word in body.split())
    if words > (_LONGEST_INDEX if item == "8" else _LONGEST_POINTER):
        return "present"
    if (
        not words
        or (words <= _SHORT and _NOTHING.match(body))
        or (words <= _LONGEST_NO and _EXEMPT.search(body))
    ):
        return "not_applicable"
    if not _is_pointer(item, body, words):
        return "present"
    return "incorporated_by_reference" if _ELSEWHERE.search(body) else "pointer_within_document"


def _is_pointer(item: str, body: str, words: int) -> bool:
    if item == "8" and _STATEMENTS.search(body):
        return False
    sentences = [sentence for sentence in _SENTENCE.split(body) if sentence.strip()]
    pointing = sum(
        len(s.split())
        for s in sentences
        if _POINTS.search(s) and (_HERE.search(s) or _ELSEWHERE.search(s))
    )
    if item == "8" and pointing:
        return True
    return pointing >= 0.5 * words
