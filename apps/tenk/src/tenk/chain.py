"""Which of the headings are the items' own: the heaviest chain in the order of the form."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenk.headings import Heading

_FAR = 4000
_MOST = 120


def chain(text: str, found: Sequence[Heading]) -> list[Heading]:
    candidates = _thinned(found)
    follows = _text_after(text, candidates)
    best: list[tuple[float, int]] = []  # of chains that end with each candidate: weight, candidate before
    for index, heading in enumerate(candidates):
        value = heading.weight + min(follows[index], _FAR) / _FAR + follows[index] * 1e-9
        before, weight = -1, 0.0
        for earlier in range(index):
            if candidates[earlier].last_rank < heading.rank and best[earlier][0] > weight:
                before, weight = earlier, best[earlier][0]
        best.append((weight + value, before))
    at = max(range(len(best)), key=lambda index: best[index][0], default=-1)
    chosen = []
    while at >= 0:
        chosen.append(candidates[at])
        at = best[at][1]
    return chosen[::-1]


def _text_after(text: str, candidates: Sequence[Heading]) -> list[int]:
    """How many characters stand between each heading and the next one of another item."""
    lengths = [0] * len(candidates)
    following = len(text)
    for index in range(len(candidates) - 1, -1, -1):
        if index + 1 < len(candidates) and candidates[index + 1].items != candidates[index].items:
            following = candidates[index + 1].start
        lengths[index] = following - candidates[index].title_end
    return lengths


def _thinned(found: Sequence[Heading]) -> list[Heading]:
    return list(found)
