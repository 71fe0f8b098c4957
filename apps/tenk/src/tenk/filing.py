"""A 10-K filing as one plain text and its items: each with its status, its place in the text, and where it points."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tenk.chain import chain
from tenk.cover import checked_form
from tenk.document import main_document, read_bytes, submission
from tenk.errors import NoItems
from tenk.furniture import Furniture
from tenk.headings import LISTED, headings, title_lines
from tenk.pointers import Span, Target, Targets
from tenk.status import Status, status_of
from tenk.titles import TITLES

if TYPE_CHECKING:
    from pathlib import Path

    from tenk.headings import Heading

__all__ = ["Filing", "Item", "Status", "Target", "read_filing"]

_FEWEST = 3  # items of their own heading that a whole 10-K has
_LONGEST_TITLE = 160  # characters
_POINTERS = frozenset({"incorporated_by_reference", "pointer_within_document"})
_NEXT_PART = {"4": "II", "9A": "III", "9B": "III", "9C": "III", "9": "III", "13": "IV", "14": "IV"}
_LONGEST_PREFACE = 3000  # characters that may stand between the line of a part and its first item


@dataclass(frozen=True, slots=True)
class Item:
    """One item. `text` is ``filing.text[start:end]``: its heading and what follows, or a pointer's own words.

    `item`: its number (``"1A"``). `title`: as the filing has it. `target`: where a pointer leads,
    if that is in the file. An absent item has no text; its offsets are 0.
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
    """A 10-K. Offsets are characters of `text`: the main document, then Exhibit 13 if the submission has one.

    `markup`: the main document's HTML, which holds the XBRL facts; None for a text filing. `form`:
    ``"10-K405"``. `items`: all that the form knows, in its order, absent ones too.
    """

    text: str
    markup: bytes | None
    form: str
    items: tuple[Item, ...]

    def item(self, number: str) -> Item:
        """The item of that number; raises `KeyError` where a 10-K has none."""
        for item in self.items:
            if item.item == number.upper():
                return item
        raise KeyError(f"a 10-K has no Item {number}; its items are {', '.join(TITLES)}")


def read_filing(source: str | Path | bytes, *, name: str = "") -> Filing:
    """Read a filing from a path, or from the bytes of its file: text, HTML, a full submission, any of them in gzip.

    `name` is what errors call it. Raises `Unreadable`, `TooLarge`, `NotAFiling`, `NoItems`.
    """
    name = name or ("the file" if isinstance(source, bytes) else str(source))
    parts = submission(read_bytes(source, name), name)
    main = main_document(parts, name)
    text = main.text(name)
    own = _own_headings(text)
    form = checked_form(main.type, text, len(own), name)
    if not own or (len(own) < _FEWEST and not form.endswith("/A")):
        raise NoItems(
            f"{name} is a {form} without headings such as 'Item 7. Management's Discussion'; it "
            f"may be one of those "
            "that give a cross-reference index in their place, and cannot be split"
        )
    exhibits = [part.text(name) for part in parts if part.type.startswith("EX-13")]
    whole = "\n\n".join([text, *exhibits])
    return Filing(whole, main.markup, form, tuple(_items(whole, len(text), own)))


def _own_headings(text: str) -> list[Heading]:
    found = headings(text)
    own = chain(text, found)
    listed = {item for heading in found if heading.weight == LISTED for item in heading.items}
    missing = listed.difference(item for heading in own for item in heading.items)
    if own and missing and (unnumbered := title_lines(text, missing)):
        own = chain(text, sorted([*found, *unnumbered], key=lambda heading: heading.start))
    return own


def _items(text: str, main_end: int, own: list[Heading]) -> list[Item]:
    """All items of the form, given where each has its heading."""
    furniture = Furniture(text)
    limits = [heading.start for heading in own[1:]] + [main_end]
    limits[:-1] = [
        _before_next_part(text, heading, limit)
        for heading, limit in zip(own, limits[:-1], strict=False)
    ]
    spans = [
        Span(
            heading.items[-1],
            heading.start,
            furniture.trimmed(heading.start, limit, last=limit == main_end),
        )
        for heading, limit in zip(own, limits, strict=True)
    ]
    targets = Targets(text, main_end, spans, furniture)
    found = dict[str, Item]()
    following: Item | None = None
    for heading, span in zip(reversed(own), reversed(spans), strict=True):
        item = _item(text, heading, span.end, targets, following)
        for number in heading.items:  # one that has a heading of its own, too, keeps that
            found.setdefault(
                number, replace(item, item=number, title=_title(text, heading, number))
            )
        following = item
    return [
        found.get(number) or Item(number, title, "absent", "", 0, 0)
        for number, title in TITLES.items()
    ]


def _item(text: str, heading: Heading, end: int, targets: Targets, following: Item | None) -> Item:
    number = heading.items[0]
    body = text[heading.title_end : end]
    status, target = status_of(number, body), None
    if following is not None and following.status in _POINTERS and not any(map(str.isalnum, body)):
        # one pointer below the headings of several items
        status, target = following.status, following.target
    elif status in _POINTERS:
        target = targets.of(
            number, heading.start, end, elsewhere=status == "incorporated_by_reference"
        )
    return Item(number, "", status, text[heading.start : end], heading.start, end, target)


def _title(text: str, heading: Heading, number: str) -> str:
    """The title as it stands, if the line holds little more; the form's own else."""
    line = text[heading.number_end : max(heading.title_end, text.find("\n", heading.title_end))]
    words = " ".join(line.strip().split("\n\n")[0].split()).strip(" .:-–—|*#[]()")
    return words if 3 <= len(words) <= _LONGEST_TITLE else TITLES.get(number, "")


def _before_next_part(text: str, heading: Heading, limit: int) -> int:
    """Where the item ends if the line of the next part, and a preface to that part, stand before the next item."""
    part = _NEXT_PART.get(heading.items[-1])
    if part is None:
        return limit
    low = max(heading.title_end, limit - _LONGEST_PREFACE)
    line = re.compile(rf"^[^\S\n]*part\s{{1,3}}{part}[^\S\n.]*$", re.IGNORECASE | re.MULTILINE)
    return max((match.start() for match in line.finditer(text, low, limit)), default=limit)
