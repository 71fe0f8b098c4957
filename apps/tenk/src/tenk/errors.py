"""Every way in which a file is not a 10-K that can be read, as one tree.

::

    TenkError (ValueError)
    ├── Unreadable       no such file, no right to read it, a broken gzip
    ├── TooLarge         larger than the cap, unpacked
    ├── NotAFiling       a picture, JSON, a 10-Q: the message says what it looks like
    │   └── NoItems      a 10-K, but without headings such as "Item 7. Management's Discussion"
    └── NothingToAnalyze too short a text: a pointer to somewhere else, or nothing
"""

from __future__ import annotations


class TenkError(ValueError):
    """The root of the tree; the message says what was seen and what to do, and is fit to be shown."""


class Unreadable(TenkError):
    """The file cannot be opened, or its gzip is broken."""


class TooLarge(TenkError):
    """The file, or what it unpacks to, is larger than any filing."""


class NotAFiling(TenkError):
    """This is no 10-K; the message says what it looks like."""


class NoItems(NotAFiling):
    """A 10-K without item headings, as those have it that give a cross-reference index in their place."""


class NothingToAnalyze(TenkError):
    """A text too short to say anything: a pointer to another document, or nothing at all."""
