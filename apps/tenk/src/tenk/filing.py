"""A 10-K filing as one plain text and its items: each with its status, its place in the text, and where it points."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tenk.chain import chain
from tenk.document import Document, documents, read_bytes
from tenk.errors import NoItems, NotAFiling
from tenk.furniture import Furniture
from tenk.headings import Heading, headings
from tenk.pointers import Target, target_of
from tenk.status import Status, status_of
from tenk.titles import TITLES

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Filing", "Item", "Status", "Target", "read_filing"]


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a filing. `text` is ``filing.text[start:end]``: its heading and what follows, or a pointer's own words.

    `item`: its number (``"1A"``). `target`: where a pointer leads, if that is in the file.
    """

    item: str
    title: str
    status: Status
    text: str
    start: int
    end: int
    target: Target | None = None

    @property
    def body(self) -> str:
        """What an analysis reads: the target's text where there is one, its own where it is present, else nothing."""
        if self.target is not None:
            return self.target.text
        return self.text if self.status == "present" else ""


@dataclass(frozen=True, slots=True)
class Filing:
    """A 10-K. Offsets of items and targets are characters of `text`: the main document, then Exhibit 13 if it is there.

    `markup`: the main document's HTML, which holds the XBRL facts; None for a text filing. `form`: ``"10-K405"``.
    `items`: all that the form knows, in its order, absent ones too.
    """

    text: str
    markup: bytes | None
    form: str
    items: tuple[Item, ...]

    def item(self, number: str) -> Item:
        """The item of that number; raises `KeyError` if a 10-K has no such item."""
        for item in self.items:
            if item.item == number.upper():
                return item
        raise KeyError(f"a {self.form} has no Item {number}; it has {', '.join(item.item for item in self.items)}")


def read_filing(source: str | Path | bytes, *, name: str = "") -> Filing:
    """Read a filing from a path, or from the bytes of its file: text, HTML, a full submission, any of them in gzip.

    `name` is what errors call it. Raises `Unreadable`, `TooLarge`, `NotAFiling`, `NoItems`.
    """
    name = name or (str(source) if not isinstance(source, bytes) else "the file")
    parts = documents(read_bytes(source))
    main = _main(parts, name)
    text = main.text()
    form = main.type or form_of(text)
    found = headings(text)
    chosen = chain(text, found)
    if not form and len(chosen) < 5:
        raise NotAFiling(f"{name} is no 10-K: {_first_words(text)}")
    if not chosen:
        raise NoItems(f"{name} is a {form}, but has no item headings")
    exhibit = next((part.text() for part in parts if part.type.startswith("EX-13")), "")
    whole = f"{text}\n\n{exhibit}" if exhibit else text
    return Filing(whole, main.markup, form or "10-K", tuple(_items(whole, len(text), chosen)))


def _main(parts: list[Document], name: str) -> Document:
    if len(parts) == 1 and not parts[0].type:
        return parts[0]
    for part in parts:
        if part.type.startswith("10-K"):
            return part
    raise NotAFiling(f"{name} is no 10-K: its documents are {', '.join(part.type or '?' for part in parts[:8])}")


def form_of(text: str) -> str:
    match = re.search(r"(?i)form\s+10-?\s?-?k(?:sb|405|t)?", text[:8000])
    return re.sub(r"(?i)form\s+|\s", "", match[0]).upper() if match else ""


def _first_words(text: str) -> str:
    return f"it begins {' '.join(text[:300].split()[:12])!r}"


def _items(text: str, main_end: int, chosen: list[Heading]) -> list[Item]:
    furniture = Furniture(text[:main_end])
    found: dict[str, Item] = {}
    spans: dict[str, tuple[Heading, int]] = {}
    starts = [heading.start for heading in chosen]
    for heading, limit in zip(chosen, [*starts[1:], main_end], strict=True):
        end = furniture.trimmed(heading.start, limit, last=limit == main_end)
        for item in heading.items:
            spans[item] = (heading, end)
    for item, title in TITLES.items():
        if item not in spans:
            found[item] = Item(item, title, "absent", "", 0, 0)
            continue
        heading, end = spans[item]
        words = text[heading.start : end]
        status = status_of(item, text[heading.title_end : end])
        target = None
        if status in {"incorporated_by_reference", "pointer_within_document"}:
            target = target_of(item, text, main_end, heading.start, end, starts)
        found[item] = Item(item, title, status, words, heading.start, end, target)
    return list(found.values())
