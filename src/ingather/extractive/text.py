"""Sentences of a text, and which of them speak about a subject. Arithmetic only: the same text, the same order."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from math import log
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WORD = re.compile(r"[^\W_]+")
_JOINED = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")  # where camelCase joins words
_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_END = re.compile(r"[.!?][.!?\"'”’)\]]*\s+(?=[\"'“‘(\[]?[^\W_a-z])")
_ABBREVIATION = re.compile(r"\b(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|No|Nos|Inc|Corp|Co|Ltd|vs|etc|approx|al|e\.g|i\.e)\.$")
_LONGEST_ABBREVIATION = 6  # characters
_WRAPPED = 60  # characters: longer lines on average are a wrapped paragraph, shorter ones are items of their own
_SMALL = 4000  # characters: paragraphs up to this size are remembered


def word_set(words: str) -> frozenset[str]:
    """The words of a list that is written as one string."""
    return frozenset(words.split())


COMMON = word_set(
    """a an and any are as at be been but by can could did do does for from had has have he her his how i if in into is
    it its may me more most my no nor not of on or other our she should so some such than that the their them then
    there these they this those to was we were what when where which who whom whose why will with would you your
    """
)


class Sentence(NamedTuple):
    """One sentence, its white space made single, and the stems of its words."""

    text: str
    stems: tuple[str, ...]


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A word without its English ending, roughly: enough to find *segments* by *segment*."""
    word = word.lower()
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    for ending in ("ings", "ing", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4 - (ending == "s"):
            return word[: -len(ending)]
    return word


def stems(text: str) -> list[str]:
    """The stems of the words that carry meaning, in order.

    >>> stems("What are the reportable segments?")
    ['reportable', 'segment']
    """
    return [stem(word) for word in _WORD.findall(text.lower()) if word not in COMMON]


def name_words(name: str) -> list[str]:
    """The words of a property's name: ``"companyName"`` and ``"company_name"`` are ``["company", "name"]``."""
    return [word.lower() for word in _WORD.findall(_JOINED.sub(" ", name))]


class Passage:
    """A text as sentences with an index of their words.

    >>> passage("We sell boats. Our office is in Oslo.").find({"office": 1.0})
    [1]
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.sentences = tuple(sentence for part in _PARAGRAPH.split(text) for sentence in _remembered(part))

    @cached_property
    def _postings(self) -> dict[str, list[int]]:
        """In which sentences each stem stands; built when first asked, for many a text is only split."""
        postings = dict[str, list[int]]()
        for index, sentence in enumerate(self.sentences):
            for word in set(sentence.stems):
                postings.setdefault(word, []).append(index)
        return postings

    @cached_property
    def _mean(self) -> float:
        """Stems in a sentence, on average."""
        return sum(len(sentence.stems) for sentence in self.sentences) / max(1, len(self.sentences)) or 1.0

    def find(self, query: Mapping[str, float]) -> list[int]:
        """Indices of the sentences that hold words of `query` (stem to weight), best first, by a rule like BM25."""
        total, scores = len(self.sentences), dict[int, float]()
        for word, weight in query.items():
            postings = self._postings.get(word, ())
            rarity = weight * log(1.0 + (total - len(postings) + 0.5) / (len(postings) + 0.5))
            for index in postings:
                scores[index] = scores.get(index, 0.0) + rarity
        for index in scores:
            scores[index] /= 0.6 + 0.4 * len(self.sentences[index].stems) / self._mean
        return sorted(scores, key=lambda index: (-scores[index], index))

    def count(self, word: str) -> int:
        """In how many sentences the stem `word` stands."""
        return len(self._postings.get(word, ()))

    def __repr__(self) -> str:
        return f"Passage({self.text!r:.60}, {len(self.sentences)} sentences)"


@lru_cache(maxsize=64)
def passage(text: str) -> Passage:
    """The passage of a text; recent ones are remembered."""
    return Passage(text)


def split(paragraph: str) -> Iterator[str]:
    """The sentences of a paragraph as they stand; lines that are no wrapped prose are sentences of their own."""
    lines = [line.strip() for line in paragraph.split("\n") if line.strip()]
    wrapped = len(lines) > 1 and sum(map(len, lines[:-1])) / (len(lines) - 1) > _WRAPPED
    for line in [" ".join(lines)] if wrapped else lines:
        start = 0
        for end in _END.finditer(line):
            if not _ABBREVIATION.search(line, max(start, end.start() - _LONGEST_ABBREVIATION), end.start() + 1):
                yield line[start : end.end()].rstrip()
                start = end.end()
        if start < len(line):
            yield line[start:]


def _sentences(paragraph: str) -> Iterator[Sentence]:
    return (Sentence(" ".join(text.split()), tuple(stems(text))) for text in split(paragraph))


@lru_cache(maxsize=2048)
def _small(paragraph: str) -> tuple[Sentence, ...]:
    return tuple(_sentences(paragraph))


def _remembered(paragraph: str) -> tuple[Sentence, ...]:
    return _small(paragraph) if len(paragraph) <= _SMALL else tuple(_sentences(paragraph))
