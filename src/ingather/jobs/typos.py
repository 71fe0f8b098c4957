"""Parameters that are likely slips: told once a name, and sent all the same, or refused."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingather.errors import SetupError
from ingather.task_params import likely_typo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_log = logging.getLogger("ingather")


@dataclass(slots=True)
class Typos:
    """`strict`: a likely slip is an error. `tell`: what is called with a warning, the log's unless given.

    >>> Typos(tell=print).check(["temperature", "temprature"], "line 3")
    line 3: the parameter 'temprature' is sent as it is: did you mean 'temperature'?
    """

    strict: bool = False
    tell: Callable[[str], object] = _log.warning
    _told: set[str] = field(default_factory=set)

    def check(self, names: Iterable[str], where: str) -> None:
        """Look at the names of parameters; raises SetupError where that is asked for. `where` begins the message."""
        for name in names:
            if name in self._told or (meant := likely_typo(name)) is None:
                continue
            if self.strict:
                raise SetupError(f"the parameter {name!r} is not known: did you mean {meant!r}?")
            self._told.add(name)
            self.tell(f"{where}: the parameter {name!r} is sent as it is: did you mean {meant!r}?")
