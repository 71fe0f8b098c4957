"""Which headings are the items' own: of all chains in the order of the form, the one that weighs most."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from tenk.headings import LISTED, MENTION, MISNUMBERED, Heading

if TYPE_CHECKING:
    from collections.abc import Sequence

_FAR = 4000  # characters of text behind it that make a heading count twice
_MOST = 100  # headings of one item that are weighed: a running header may stand on every page
_SHORTEST_LATE = 200  # characters behind a heading that stands out of order

_SAYS = re.compile(
    r"(?i)[a-z]{2}[)\"”’]?\.(?:\s|$)|\b(?:none|not\s+applicable|omitted|not\s+required|incorporated)\b"
)
# of a contents page between two items, with the sub-headings that it may hold
_LISTED_LETTERS = 1500


def chain(text: str, found: Sequence[Heading]) -> list[Heading]:
    """The items' own headings, in order of the text; empty where a contents page or an index is all there is."""
    candidates = _thinned(found)
    following = _following(text, candidates)
    heard = [_heard(text, heading, end) for heading, end in zip(candidates, following, strict=True)]
    values = [
        weight * (1 + min(end - heading.title_end, _FAR) / _FAR) + (end - heading.title_end) * 1e-10
        for heading, weight, end in zip(candidates, heard, following, strict=True)
    ]
    chosen = _heaviest(candidates, values)
    chosen = _without_ends(chosen, heard)
    known = {item for index in chosen for item in candidates[index].items}
    late = [
        index
        for index, heading in enumerate(candidates)
        if chosen
        and index > chosen[0]  # not on the contents page
        and heard[index] >= MISNUMBERED
        and following[index] - heading.title_end >= _SHORTEST_LATE
        and known.isdisjoint(heading.items)
    ]
    for index in sorted(late, key=lambda index: -values[index]):
        if known.isdisjoint(candidates[index].items):
            known.update(candidates[index].items)
            chosen.append(index)
    sure = {
        item
        for index, heading in enumerate(candidates)
        if heard[index] != MENTION
        for item in heading.items
    }
    return [
        candidates[index]
        for index in sorted(chosen)
        if heard[index] != MENTION or sure.issuperset(candidates[index].items)
    ]


def _thinned(found: Sequence[Heading]) -> list[Heading]:
    """At most the first and the last few of each item."""
    by_item = defaultdict[tuple[str, ...], list[Heading]](list)
    for heading in found:
        by_item[heading.items].append(heading)
    kept = [
        heading
        for same in by_item.values()
        for heading in (same if len(same) <= _MOST else [*same[: _MOST // 2], *same[-_MOST // 2 :]])
    ]
    return sorted(kept, key=lambda heading: heading.start)


def _following(text: str, candidates: Sequence[Heading]) -> list[int]:
    """Where the next heading of another item stands, for each."""
    ends, end = list[int](), len(text)
    for heading, after in reversed(list(pairwise([*candidates, None]))):
        if heading is None:
            continue
        if after is not None and after.items != heading.items:
            end = after.start
        ends.append(max(end, heading.title_end))
    return ends[::-1]


def _heard(text: str, heading: Heading, end: int) -> float:
    """The weight, knowing what follows: a heading with nothing to say is a line of a contents page."""
    if heading.weight <= MENTION or end - heading.title_end > 4 * _LISTED_LETTERS:
        return heading.weight
    between = text[heading.title_end : end]
    if _SAYS.search(between) or sum(map(str.isalpha, between)) > _LISTED_LETTERS:
        return heading.weight
    return LISTED


def _heaviest(candidates: Sequence[Heading], values: Sequence[float]) -> list[int]:
    """The indices of the heaviest chain whose items rise."""
    # of the chains that end with each candidate: weight, and which is before
    best: list[tuple[float, int]] = []
    top = dict[int, tuple[float, int]]()  # by the last item's rank
    for index, heading in enumerate(candidates):
        before = max((top[last] for last in top if last < heading.rank), default=(0.0, -1))
        best.append((before[0] + values[index], before[1]))
        top[heading.rank] = max(top.get(heading.rank, (0.0, -1)), (best[index][0], index))
    at = max(top.values(), default=(0.0, -1))[1]
    chosen = list[int]()
    while at >= 0:
        chosen.append(at)
        at = best[at][1]
    return chosen[::-1]


def _without_ends(chosen: list[int], heard: Sequence[float]) -> list[int]:
    """Without what a contents page or an index gave at either end, where the items themselves had no heading."""
    own = [place for place, index in enumerate(chosen) if heard[index] not in {LISTED, MENTION}]
    return chosen[own[0] : own[-1] + 1] if own else []
