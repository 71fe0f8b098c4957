"""A text as sentences, with headings and table rows told apart, and which of them speak about a subject.

Arithmetic only: the same text, the same order.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from functools import cached_property, lru_cache
from math import log
from typing import TYPE_CHECKING, NamedTuple

from ingather.extractive.blocks import Block, blocks
from ingather.extractive.words import stems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_END = re.compile(r"[.!?][.!?\"'”’)\]]*\s+(?=[\"'“‘(\[]?[^\W_a-z])")
_ABBREVIATION = re.compile(
    r"\b(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|No|Nos|Inc|Corp|Co|Ltd|vs|etc|approx|al|Sept|U\.S|e\.g|i\.e)\.$"
)
_LONGEST_ABBREVIATION = 6  # characters
_SCALE = re.compile(
    r"(?i)\b(?:in|of)\s+(?:u\.?s\.?\s+)?(?:dollars\s+in\s+)?(thousand|million|billion)s\b"
)
_REACH = 12_000  # characters after which *(in millions)* no longer holds
_UNDER_HEADING = 10  # sentences that a heading on the subject lifts
_LIFT = 0.5  # of the heading's own score, for the first sentence under it


_ASIDE = re.compile(  # what only points elsewhere, or stands on every page
    r"(?i)^(?:\(?(?:please\s+)?(?:refer\s+to|see)\b|table\s+of\s+contents$|<page>$)"
    r"|\bincorporated\s+(?:herein\s+|hereby\s+)?by\s+reference\b"
)


_PAGE = re.compile(r"\d{1,4}")  # the number of a page, where it stands alone in a text of several
_PAGES = 3000  # characters of a text of several pages


class Sentence(NamedTuple):
    """One sentence, heading or table row.

    `text`: its white space made single. `start`, `end`: where it stands in the whole text. `block`:
    the number of its paragraph. `kind`: that of its block, or ``"aside"`` where it only points
    elsewhere.
    """

    text: str
    stems: tuple[str, ...]
    start: int = 0
    end: int = 0
    block: int = 0
    kind: str = "prose"


class Passage:
    """A text as sentences with an index of their words.

    >>> passage("We sell boats. Our office is in Oslo.").find({"offic": 1.0})
    [1]
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.sentences = tuple(_sentences(text))
        self._lock = threading.Lock()

    @cached_property
    def _postings(self) -> dict[str, list[int]]:
        """In which sentences each stem stands; built when first asked, for many a text is only split."""
        with self._lock:  # cached_property has none: many calls may ask at once for the same text
            if (built := self.__dict__.get("_postings")) is not None:
                return dict[str, list[int]](built)
            postings = dict[str, list[int]]()
            for index, sentence in enumerate(self.sentences):
                for word in dict.fromkeys(sentence.stems):
                    postings.setdefault(word, []).append(index)
            self.__dict__["_postings"] = postings
            return postings

    @cached_property
    def _mean(self) -> float:
        """Stems in a sentence, on average."""
        return (
            sum(len(sentence.stems) for sentence in self.sentences) / max(1, len(self.sentences))
            or 1.0
        )

    @cached_property
    def headings(self) -> tuple[int, ...]:
        """Indices of the headings and leads."""
        return tuple(
            index
            for index, sentence in enumerate(self.sentences)
            if sentence.kind in {"heading", "lead"}
        )

    @cached_property
    def _scales(self) -> tuple[tuple[int, str], ...]:
        return tuple((found.start(), found[1].lower()) for found in _SCALE.finditer(self.text))

    def rarity(self, word: str) -> float:
        """How much it says that a sentence has the stem `word`."""
        total, having = len(self.sentences), self.count(word)
        return log(1.0 + (total - having + 0.5) / (having + 0.5))

    def scores(self, query: Mapping[str, float]) -> dict[int, float]:
        """For each sentence that holds words of `query` (stem to weight) how well it fits, by a rule like BM25.

        A sentence under a heading that fits is lifted with it.
        """
        scores = dict[int, float]()
        for word, weight in query.items():
            rarity = weight * self.rarity(word)
            for index in self._postings.get(word, ()):
                scores[index] = scores.get(index, 0.0) + rarity
        for index in scores:
            scores[index] /= 0.6 + 0.4 * len(self.sentences[index].stems) / self._mean
        for index in [index for index in scores if self.sentences[index].kind == "heading"]:
            lift = _LIFT * scores[index]
            for nth, under in enumerate(self.section(index, _UNDER_HEADING)):
                scores[under] = scores.get(under, 0.0) + lift * (1 - nth / _UNDER_HEADING)
        return scores

    def find(
        self, query: Mapping[str, float], kinds: Iterable[str] = ("prose", "lead", "row")
    ) -> list[int]:
        """Indices of the sentences that speak about `query`, best first."""
        wanted, scores = frozenset(kinds), self.scores(query)
        return sorted(
            (index for index in scores if self.sentences[index].kind in wanted),
            key=lambda at: (-scores[at], at),
        )

    def section(self, heading: int, most: int) -> range:
        """The sentences under a heading, `most` at most, up to the next one."""
        at = bisect_right(self.headings, heading)
        end = self.headings[at] if at < len(self.headings) else len(self.sentences)
        return range(heading + 1, min(end, heading + 1 + most))

    def heading_of(self, index: int) -> int | None:
        """The heading under which a sentence stands, itself if it is one; None where there is none."""
        at = bisect_right(self.headings, index)
        return self.headings[at - 1] if at else None

    def count(self, word: str) -> int:
        """In how many sentences the stem `word` stands."""
        return len(self._postings.get(word, ()))

    def scale_at(self, place: int) -> str:
        """What the numbers of a table at this place count in, *(in millions)* above it; empty where nothing is said."""
        at = bisect_right(self._scales, (place, "~"))
        if at and place - self._scales[at - 1][0] <= _REACH:
            return self._scales[at - 1][1]
        said = {scale for _, scale in self._scales}
        return next(iter(said)) if len(said) == 1 else ""  # said once, for all tables

    def __repr__(self) -> str:
        return f"Passage({self.text!r:.60}, {len(self.sentences)} sentences)"


_remembered = lru_cache(maxsize=64)(Passage)
_building = threading.Lock()


def passage(text: str) -> Passage:
    """The passage of a text. Recent ones are remembered; one that many calls want at once is built once."""
    with _building:
        return _remembered(text)


def split(paragraph: str) -> Iterator[str]:
    """The sentences of a paragraph as they stand; lines that are no wrapped prose are sentences of their own."""
    for block in blocks(paragraph):
        yield from (paragraph[start:end] for start, end in _bounds(paragraph, block))


def _bounds(text: str, block: Block) -> Iterator[tuple[int, int]]:
    """Where each sentence of a block begins and ends."""
    start = block.start
    if block.kind == "prose":
        for end in _END.finditer(text, block.start, block.end):
            if not _ABBREVIATION.search(
                text, max(start, end.start() - _LONGEST_ABBREVIATION), end.start() + 1
            ):
                closed = end.end() - (len(end[0]) - len(end[0].rstrip()))
                yield start, closed
                start = end.end()
    if start < block.end:
        yield start, block.end


def _sentences(text: str) -> Iterator[Sentence]:
    for number, block in enumerate(blocks(text)):
        for start, end in _bounds(text, block):
            said = " ".join(text[start:end].split())
            words = stems(said)
            is_aside = _ASIDE.search(said) or (len(text) > _PAGES and _PAGE.fullmatch(said))
            kind = "aside" if is_aside and block.kind != "row" else block.kind
            if block.kind == "row":  # its label says what it is about
                words = tuple(word for word in words if not word[0].isdigit())
            yield Sentence(said, words, start, end, number, kind)
