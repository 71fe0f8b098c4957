"""Where a pointer leads, if that is in the file: to pages it names, to statements, to a section of Exhibit 13."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tenk.pages import page_range, span_of
from tenk.passages import find, first_mark, holds_figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenk.furniture import Furniture

# the others point to a proxy statement, or to a note
_FOLLOWED = frozenset({"1", "1A", "2", "5", "6", "7", "7A", "8"})
_SHORTEST = 600  # characters of a target: less is another pointer


@dataclass(frozen=True, slots=True)
class Target:
    """Where a pointer leads: ``filing.text[start:end]``. `place` says it to a reader: ``"after Item 15"``."""

    text: str
    start: int
    end: int
    place: str


class Span(NamedTuple):
    """An item's own words: its number, where they start and end."""

    item: str
    start: int
    end: int


class Targets:
    """The places of one filing to which its pointers may lead.

    `main_end`: where the main document ends, and Exhibit 13 begins if there is one. `spans`: those
    of the items.
    """

    def __init__(
        self, text: str, main_end: int, spans: Sequence[Span], furniture: Furniture
    ) -> None:
        self._text = text
        self._main_end = main_end
        self._spans = spans
        self._furniture = furniture

    def of(self, item: str, start: int, end: int, *, elsewhere: bool) -> Target | None:
        """The target of `item`, whose words stand from `start` to `end`; `elsewhere`: they name another document."""
        if item not in _FOLLOWED:
            return None
        named = page_range(self._text[start:end])
        exhibit, here = (self._main_end, len(self._text)), (end, self._main_end)
        for low, high in (exhibit, here) if elsewhere else (here, exhibit):
            by_title = find(item, self._text, low, high, [span.start for span in self._spans])
            of_this = named if elsewhere == (low == self._main_end) else None
            span = self._pages(item, of_this, by_title, low, high) or by_title
            if span is not None:
                last = self._furniture.trimmed(*span)
                return Target(self._text[span[0] : last], span[0], last, self._place(span[0]))
        return None

    def _pages(
        self,
        item: str,
        named: tuple[str, int, int] | None,
        by_title: tuple[int, int] | None,
        low: int,
        high: int,
    ) -> tuple[int, int] | None:
        """The pages that the pointer names, from the first heading of its matter on them."""
        span = named and span_of(*named, self._text, low, high)
        if not span or span[1] - span[0] < _SHORTEST:
            return None
        if item == "8":
            first = first_mark(item, self._text, *span)
            return (
                ((span[0] if first is None else first), span[1])
                if holds_figures(self._text, *span)
                else None
            )
        if by_title is None:
            return span
        # pages begin and end amid other matter
        common = max(span[0], by_title[0]), min(span[1], by_title[1])
        return common if 2 * (common[1] - common[0]) > span[1] - span[0] else span

    def _place(self, start: int) -> str:
        if start >= self._main_end:
            return "Exhibit 13"
        before = [span for span in self._spans if span.start <= start]
        return f"{'in' if start < before[-1].end else 'after'} Item {before[-1].item}"
