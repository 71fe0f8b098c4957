"""Filings that come with the package, so that the first analysis needs no file, no key and no network.

They are fictional; README.md beside them says more.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from tenk.errors import Unreadable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sample:
    """A bundled filing: its `name`, a `title` to show, and its `file` within this folder."""

    name: str
    title: str
    file: str

    def read(self) -> bytes:
        """The filing's bytes.

        >>> SAMPLES[0].read()[:5]
        b'<?xml'
        """
        return files(__name__).joinpath(self.file).read_bytes()

    def on_disk(self) -> AbstractContextManager[Path]:
        """Its path while the block runs: that of a copy, where the package lies in an archive.

        >>> with SAMPLES[0].on_disk() as path:
        ...     path.name
        'quellmark-2025.htm'
        """
        return as_file(files(__name__).joinpath(self.file))


SAMPLES = (
    Sample(
        "quellmark-2025",
        "Quellmark Flow Systems, Inc.: annual report for 2025 (fictional)",
        "quellmark-2025.htm",
    ),
)


def sample(name: str) -> Sample:
    """The sample of that name.

    >>> sample("quellmark-2025").title
    'Quellmark Flow Systems, Inc.: annual report for 2025 (fictional)'

    Raises:
        Unreadable: there is none of that name; the message lists those there are.
    """
    for each in SAMPLES:
        if each.name == name:
            return each
    raise Unreadable(
        f"no sample is called {name!r}; there are: {', '.join(each.name for each in SAMPLES)}"
    )
