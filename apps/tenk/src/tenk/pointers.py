"""Where a pointer leads, if that is in the file: the statements after the last item, a section of Exhibit 13."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Target:
    """Where a pointer leads: ``filing.text[start:end]``. `place` says it to a reader: ``"after Item 15"``."""

    text: str
    start: int
    end: int
    place: str


def target_of(item: str, text: str, main_end: int, start: int, end: int, starts: Sequence[int]) -> Target | None:
    return None
