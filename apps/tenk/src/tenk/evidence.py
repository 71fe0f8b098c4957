"""Whether a quote stands in a text, and where: what a language model claims is checked, never believed.

The comparison leaves out what copying changes and no reader minds (`squash.py`), and a full stop
that the writer put at the end. All words and numbers must be there, in order; a quote that cuts a
number (*revenue of 1* out of *revenue of 1,250*) or joins two (*1250* of the cells *1* and *250*)
does not pass. A quote may run over a page's end: between its two parts there may then be a few
short lines, one of them the mark of a page, and nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel

from tenk.models.shared import Evidence, ItemName
from tenk.squash import Squashed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# before a quote; behind it, its dots are among _END
_ELLIPSIS = re.compile(r"\A[\s.…]*(?:\.\.|…)\s*")
_END = ".,;:… \"'”’"
_LEAST = 10  # letters and digits: fewer prove nothing
_LONGEST = 2000  # characters: a longer quote is no quote
_PLACES = 50  # at which a quote is tried
_GAP = 250  # characters without white space that a page's end may take
# running feet and heads at a page's end: lines, characters of one
_BREAK_LINES, _BREAK_LINE = 5, 100
_PAGE_MARK = re.compile(  # 24, - 24 -, Page 24, F-3
    r"(?i)(?:-+\s*)?(?:page\s+)?(?:[a-z]{1,2}-)?\d{1,4}(?:\s*-+)?|<page>|(?:back to )?table of "
    r"contents"
)


class Span(NamedTuple):
    """A stretch of a text, in characters."""

    start: int
    end: int


class Place(NamedTuple):
    """Where an Item, or a part of one, stands in a text, in characters."""

    item: ItemName
    start: int
    end: int


class Counts(NamedTuple):
    """How many quotes an analysis shows, and how many of them the text has."""

    shown: int
    verified: int


class QuoteIndex:
    r"""A text made searchable for quotes. `places`: where its Items stand, so that a quote can say in which it is.

    >>> index = QuoteIndex("Item 1. We sell “long-term”\n  contracts — to boat owners.", [Place("1", 0, 60)])
    >>> index.locate('We sell "long-term" contracts -- to boat owners')
    Span(start=8, end=56)
    >>> index.locate("We sell long-term contracts to ship owners") is None
    True
    """

    def __init__(self, text: str, places: Iterable[Place] = ()) -> None:
        self.text = text
        self.places = tuple(places)
        self._squashed = Squashed(text)

    def locate(self, quote: str, item: ItemName | None = None) -> Span | None:
        """Where `quote` stands: its first place within `item` if it has one there, else in the text; None if nowhere.

        None as well for a quote of fewer than ten letters and digits, which proves nothing.
        """
        words = _ELLIPSIS.sub("", " ".join(quote[:_LONGEST].split())).rstrip(_END).split()
        needle = _form(words)
        if len(quote) > _LONGEST or sum(map(str.isalnum, needle)) < _LEAST:
            return None
        squashed = self._squashed
        own = [
            (squashed.index(start), squashed.index(end))
            for named, start, end in self.places
            if named == item
        ]
        for low, high in [*own, (0, len(squashed.form))]:
            for at in self._found(needle, low, high):
                return self._span(at, at + len(needle))
        return self._over_a_page(words)

    def verify(self, model: BaseModel, item: ItemName | None = None) -> Counts:
        """Look up each quote in `model`, however deep, and write what was found into its evidence.

        `item`: the Item that the model is about: a quote that stands at several places is looked
        for there first.
        """
        proofs = list(evidence(model))
        for proof in proofs:
            span = self.locate(proof.quote, item)
            proof.verified = span is not None
            proof.start, proof.end = span or (None, None)
            proof.item = None if span is None else self._item(span)
        return Counts(len(proofs), sum(proof.verified for proof in proofs))

    def _span(self, begin: int, end: int) -> Span:
        return Span(self._squashed.origin(begin), self._squashed.origin(end - 1) + 1)

    def _item(self, span: Span) -> ItemName | None:
        return next(
            (place.item for place in self.places if place.start <= span.start < place.end), None
        )

    def _found(self, needle: str, low: int = 0, high: int | None = None) -> Iterator[int]:
        """The places of `needle` in the squashed text that cut no number."""
        form, at = self._squashed.form, low - 1
        for _ in range(_PLACES):
            at = form.find(needle, at + 1, high)
            if at < 0:
                return
            end = at + len(needle)
            if not (
                _cuts(form[max(0, at - 2) : at], needle[:2])
                or _cuts(needle[-2:], form[end : end + 2])
            ):
                yield at

    def _over_a_page(self, words: list[str]) -> Span | None:
        """Where the words stand if a page ends among them."""
        form, count = self._squashed.form, len(words)
        last = _largest(count - 1, lambda size: _form(words[:size]) in form)
        first = count - _largest(count - 1, lambda size: _form(words[count - size :]) in form)
        for split in range(first, last + 1):
            for begin, gap, resumes, end in self._pairs(_form(words[:split]), _form(words[split:])):
                if _is_page_break(
                    self.text[self._squashed.origin(gap - 1) + 1 : self._squashed.origin(resumes)]
                ):
                    return self._span(begin, end)
        return None

    def _pairs(self, head: str, tail: str) -> Iterator[tuple[int, int, int, int]]:
        """Where `head` and, soon after it, `tail` begin and end. The longer is looked for first: it is rarer."""
        if not head or not tail:
            return
        if len(head) >= len(tail):
            for begin in self._found(head):
                gap = begin + len(head)
                for resumes in self._found(tail, gap, gap + _GAP + len(tail)):
                    yield begin, gap, resumes, resumes + len(tail)
        else:
            for resumes in self._found(tail):
                for begin in self._found(head, max(0, resumes - _GAP - len(head)), resumes):
                    yield begin, begin + len(head), resumes, resumes + len(tail)

    def __repr__(self) -> str:
        return f"QuoteIndex({len(self.text)} characters, {len(self.places)} places)"


def evidence(value: object) -> Iterator[Evidence]:
    """Each piece of evidence in a model, in the order of its fields; lists and models inside are walked too."""
    if isinstance(value, Evidence):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from evidence(getattr(value, name))
    elif isinstance(value, dict):
        for member in value.values():
            yield from evidence(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from evidence(member)


def _form(words: list[str]) -> str:
    return Squashed(" ".join(words)).form


def _cuts(before: str, after: str) -> bool:
    """Whether one number runs over the border of two texts: *1* and *250*, *1,* and *250*, *1* and *.5*."""
    left = before[-1:].isdigit() or (before[-1:] in (".", ",") and before[-2:-1].isdigit())
    right = after[:1].isdigit() or (after[:1] in (".", ",") and after[1:2].isdigit())
    return left and right and (before[-1:].isdigit() or after[:1].isdigit())


def _is_page_break(between: str) -> bool:
    """Whether there is nothing in a text but the end of a page: whole short lines, one of them the mark of a page."""
    before, *lines, after = between.split("\n") if "\n" in between else ("text", "text")
    inner = [line.strip() for line in lines if line.strip()]
    return (
        not (before.strip() or after.strip())
        and len(inner) <= _BREAK_LINES
        and all(len(line) <= _BREAK_LINE for line in inner)
        and ("\f" in between or any(_PAGE_MARK.fullmatch(line) for line in inner))
    )


def _largest(most: int, test: Callable[[int], bool]) -> int:
    """The largest of 0 to `most` that passes a `test` which, once it fails, fails for all that are larger."""
    low = 0
    while low < most:
        middle = (low + most + 1) // 2
        low, most = (middle, most) if test(middle) else (low, middle - 1)
    return low
