"""Words and their stems: what makes *competitors* and *compete* one word. Arithmetic only, English only."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_JOINED = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")  # where camelCase joins words
_IRREGULAR = {
    "found": "find",
    "bought": "buy",
    "paid": "pay",
    "rose": "rise",
    "grew": "grow",
    "accounted": "accounted",
}
_INFLECTIONS = ("ings", "ing", "ied", "ies", "ed", "es", "s")
_DERIVATIONS = (
    "izations", "ization", "ations", "itions", "ation", "ition", "ators", "itors", "ator", "itor", "itive",
    "ative", "ments", "ment", "ances", "ance", "ences", "ence", "ancy", "ency", "ities", "ity", "ives", "ive", "ions",
    "ion", "ors", "ers", "ees", "or", "er", "ee", "al", "ly", "ory", "ant", "ent", "ate", "ize", "ure", "at", "ic",
)  # fmt: skip
_LEAST = 4  # letters, from which on a last vowel is dropped too
_ROOT = 5  # letters that a derivation leaves: *segment* keeps its end, *regulation* does not


def word_set(words: str) -> frozenset[str]:
    """The words of a list that is written as one string."""
    return frozenset(words.split())


COMMON = word_set(
    """a an and any are as at be been but by can could did do does for from had has have he her his how i if in into is
    it its may me more most my no nor not of on or other our she should so some such than that the their them then
    there these they this those to us was we were what when where which who whom whose why will with would you your
    """
)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A word without its English ending, roughly: the same for *regulate*, *regulations* and *regulatory*.

    >>> [stem(word) for word in ("competes", "competitors", "competition", "segments", "employees", "companies")]
    ['compet', 'compet', 'compet', 'segment', 'emplo', 'compan']
    """
    word = word.lower()
    if not word.isascii() or not word.isalpha():
        return word
    word = _IRREGULAR.get(word) or _uninflected(word)
    for _ in range(2):
        for ending in _DERIVATIONS:
            if word.endswith(ending) and len(word) - len(ending) >= _ROOT:
                word = word[: -len(ending)]
                break
    while len(word) > _LEAST and word[-1] in "eiy":
        word = word[:-1]
    return word


def _uninflected(word: str) -> str:
    for ending in _INFLECTIONS:
        if not word.endswith(ending):
            continue
        root = word[: -len(ending)]
        if ending in {"ies", "ied"} and len(root) >= 2:
            return root + "y"
        if ending == "s" and len(root) >= 3 and root[-1] not in "su":
            return root
        if ending == "es" and root.endswith(("ss", "x", "ch", "sh")):
            return root
        if ending in {"ings", "ing", "ed"} and len(root) >= 3:
            return (
                root[:-1]
                if len(root) > 3 and root[-1] == root[-2] and root[-1] not in "lsz"
                else root
            )
    return word


@lru_cache(maxsize=16384)
def stems(text: str) -> tuple[str, ...]:
    """The stems of the words that carry meaning, in order.

    >>> stems("What are the reportable segments?")
    ('reportabl', 'segment')
    """
    return tuple(stem(word) for word in _WORD.findall(text.lower()) if word not in COMMON)


def name_words(name: str) -> list[str]:
    """The words of a property's name: ``"companyName"`` and ``"company_name"`` are ``["company", "name"]``."""
    return [word.lower() for word in _WORD.findall(_JOINED.sub(" ", name))]
