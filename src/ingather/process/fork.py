"""What a forked child must not share with its parent, made anew in the child."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_renewals: list[Callable[[], object]] = []


def renew_in_child(renew: Callable[[], object]) -> Callable[[], object]:
    """Have `renew` called in every forked child, in the order of registration; a decorator."""
    _renewals.append(renew)
    return renew


def _renew_all() -> None:
    for renew in _renewals:
        renew()


os.register_at_fork(after_in_child=_renew_all)
