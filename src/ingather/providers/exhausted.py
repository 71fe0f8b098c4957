"""Tells a quota that is used up for hours or months from one that comes back within minutes, by its words. Pure."""

from __future__ import annotations

import re

_LONGEST = 65_536  # characters of a body that are searched
_URL = re.compile(r"https?://[^\s\"'<>)]+")
_PERIOD = r"(?:day|week|month|year|billing[\s_-]?(?:cycle|period))s?\b"
_LONG = re.compile(
    rf"(?:\bper|/|\ba|\beach|\bevery|\bthis|\bcurrent|\bnext|\bfor "
    rf"the|by)[\s_-]*(?:\d+\s*)?{_PERIOD}"
    r"|per(?:day|week|month)|\b(?:daily|weekly|monthly|yearly|annual)"
    r"|\b[rt]pd\b|\b24[\s-]?h(?:ours?|rs?)?\b|\b86,?400\s?s|\btoday\b|\btomorrow\b|\bmidnight\b"
)
_SHORT = re.compile(
    r"(?:\bper|/|\ba|\beach|\bevery|by)[\s_-]*(?!24\s?h)(?:\d{1,4}\s*)?(?:minute|min|second|sec|s|hour|hr|h)s?\b"
    r"|per_?(?:minute|second|hour)|by(?:minute|second|hour)|\b[rt]p[msh]\b|\bqp[ms]\b"
    r"|concurren|simultaneous|parallel"
)
_SPENT = re.compile(
    r"current quota|plan and billing|insufficient[\s_](?:quota|credits?|balance|funds)|balance is "
    r"too low"
    r"|(?:out of|any|no|all available)\s(?:more\s|remaining\s)?credits\b"
    r"|credits?\s(?:are\s|is\s)?(?:used "
    r"up|exhausted|depleted)|\bused\s(?:up\s)?all\s(?:\w+\s){0,4}credits"
    r"|balance\s(?:is\s)?(?:negative|empty|exhausted)|subscription (?:has )?expired|usage "
    r"cap\b|billing hard limit"
    r"|(?:exceeded|exhausted|used "
    r"up|depleted)\s(?:\w+\s){0,4}(?:credits|balance|free\s(?:tier|allocat\w+|quota))"
    r"|free\s(?:tier|allocat\w+|quota)\s(?:\w+\s){0,3}(?:exceeded|exhausted|used up)"
    r"|spend\w*[\s_]limit|usage[\s_]limit|\bkey limit exceeded"
    r"|budget has been exceeded|out of (?:call volume|bandwidth) quota|please recharge"
)
_OF_ONE = re.compile(r"max_tokens|can only afford|fewer tokens|prompt tokens limit")


def is_spent(message: str) -> bool:
    """Whether it says that there is no credit left; not where fewer tokens would do.

    >>> is_spent("Insufficient Balance"), is_spent("This request requires more credits, or fewer max_tokens")
    (True, False)
    """
    said = _plain(message)
    return _SPENT.search(said) is not None and _OF_ONE.search(said) is None


def is_used_up(body: str) -> bool:
    """Whether a 429 that tells no time is of a quota that does not come back within minutes.

    A limit a minute, where one is named, is none: Gemini's and others' words for it sound like an
    empty account.

    >>> is_used_up("Rate limit exceeded: free-models-per-day"), is_used_up("limited to 20 API calls / minute")
    (True, False)
    """
    said = _plain(body)
    return _SHORT.search(said) is None and (_LONG.search(said) is not None or is_spent(said))


def _plain(text: str) -> str:
    return _URL.sub(" ", text[:_LONGEST].lower()).replace("\\n", " ")
