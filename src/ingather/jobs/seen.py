"""Which ids have been used, a million of them in some 25 MB: hashes, not the ids."""

from __future__ import annotations

from array import array

_MASK = (1 << 64) - 1


def mark_of(key: str) -> int:
    """A hash of `key`, the same within this process; never 0, which stands for an empty place."""
    return hash(key) & _MASK or 1


class SeenIds:
    """A set of hashes (8 bytes each) with the line each came from (4 bytes), in an open-addressed table.

    >>> seen = SeenIds()
    >>> seen.add("a", 1), seen.add("b", 2), seen.add("a", 3)
    (None, None, 1)
    """

    def __init__(self) -> None:
        self._used = 0
        self._resize(1024)

    def __repr__(self) -> str:
        return f"SeenIds({self._used} ids in {len(self._hashes)} places)"

    def __len__(self) -> int:
        return self._used

    def add(self, key: str, line: int) -> int | None:
        """Remember `key`; the line that had it before, or None where it is new."""
        return self.add_mark(mark_of(key), line)

    def add_mark(self, mark: int, line: int) -> int | None:
        """The same for a key of which only the hash is left."""
        place = self._place(mark)
        if self._hashes[place]:
            return self._lines[place]
        self._hashes[place], self._lines[place] = mark, line
        self._used += 1
        if self._used * 3 > len(self._hashes) * 2:
            self._grow()
        return None

    def __contains__(self, key: str) -> bool:
        return bool(self._hashes[self._place(mark_of(key))])

    def line_of(self, mark: int) -> int:
        """The line that a hash came from, 0 where it is not there."""
        place = self._place(mark)
        return self._lines[place] if self._hashes[place] else 0

    def _place(self, mark: int) -> int:
        hashes, last = self._hashes, len(self._hashes) - 1
        place = mark & last
        while hashes[place] and hashes[place] != mark:
            place = (place + 1) & last
        return place

    def _resize(self, places: int) -> None:
        self._hashes = array("Q", [0]) * places
        self._lines = array("I", [0]) * places

    def _grow(self) -> None:
        hashes, lines = self._hashes, self._lines
        self._resize(len(hashes) * 2)
        for mark, line in zip(hashes, lines, strict=True):
            if mark:
                place = self._place(mark)
                self._hashes[place], self._lines[place] = mark, line
