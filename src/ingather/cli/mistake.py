"""One mistake of the command that every task fails by: it is told once, and stops the run."""

from __future__ import annotations

import re

from ingather.errors import BadRequest
from ingather.jobs import BadLine

ENOUGH = 20
"""So many first tasks that all fail in the same way say that the others will."""

_PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|line \d+|\d+|[0-9a-f-]{16,}")
_TELLING = 200  # characters of a message that say what is wrong


class Mistake:
    """Looks at the first failures of a run that no answer came before. `watched`: whether there is reason to.

    A schema or parameter that the provider refuses, or a field that no row of a stream has, is
    wrong for all tasks.
    """

    def __init__(self, *, watched: bool) -> None:
        self.watched = watched
        self._kind: tuple[type, str] | None = None
        self._count = 0

    def __repr__(self) -> str:
        return f"Mistake({self._count} alike, {'watched' if self.watched else 'not watched'})"

    @property
    def may_be_made(self) -> bool:
        """Whether all failures so far are alike."""
        return self.watched and self._count > 0

    def is_made(self, error: Exception | None) -> bool:
        """Take in the next failure; whether it is one too many of a kind."""
        if not self.watched:
            return False
        kind = _kind_of(error)
        if kind is None or self._kind not in {None, kind}:
            self.watched = False
            return False
        self._kind = kind
        self._count += 1
        return self._count >= ENOUGH


def _kind_of(error: Exception | None) -> tuple[type, str] | None:
    """What is wrong, without what is particular to one task; None for what is no mistake of the command."""
    if isinstance(error, BadLine):
        said = error.problem
    elif type(error) is BadRequest:  # TooLong and the like are of one task
        said = str(error)
    else:
        return None
    return type(error), _PARTICULAR.sub("…", said)[:_TELLING]
