"""What a file of answers holds already: whose they are, what was asked, where each line ends, and what is torn."""

from __future__ import annotations

import zlib
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ingather import exact_json
from ingather.errors import SetupError
from ingather.jobs.fingerprint import read_batch_id, read_print
from ingather.jobs.place import PART
from ingather.jobs.seen import SeenIds, mark_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 16


@dataclass(slots=True)
class Written:
    """The whole lines of an answer file, a few bytes each.

    `marks`: hashes of their ids, `ends`: the offset after each, `failed`: the numbers of those that
    are failures. `prints`: what each says of what was asked, 0 where it says nothing. `torn`: bytes
    of the file after the last whole line.
    """

    marks: array[int] = field(default_factory=lambda: array("Q"))
    ends: array[int] = field(default_factory=lambda: array("Q"))
    prints: array[int] = field(default_factory=lambda: array("Q"))
    failed: set[int] = field(default_factory=set)
    torn: int = 0

    def __len__(self) -> int:
        return len(self.marks)

    @property
    def size(self) -> int:
        """Bytes of the whole lines."""
        return self.ends[-1] if self.ends else 0

    def ids(self, *, without_failed: bool) -> SeenIds:
        """The ids of the lines, each with the number of its line, which counts from 1: of answers before failures."""
        seen = SeenIds()
        for is_failed in (False,) if without_failed else (False, True):
            for number, mark in enumerate(self.marks):
                if (number in self.failed) is is_failed:
                    seen.add_mark(mark, number + 1)
        return seen

    def arranged(self, order: array[int] | None = None) -> list[tuple[int, int]] | None:
        """From where to where the lines lie that are to stay; None where the file is as it is to be.

        A failure goes where there is another line of its id: its answer, or the newer failure.
        `order`: marks, in which the lines are to be sorted; those without a place in it come last.
        """
        last = SeenIds()
        for number in range(len(self) - 1, -1, -1):
            if number not in self.failed:
                last.add_mark(self.marks[number], number + 1)
        for number in sorted(self.failed, reverse=True):
            last.add_mark(self.marks[number], number + 1)
        stay = [
            n
            for n in range(len(self))
            if n not in self.failed or last.line_of(self.marks[n]) == n + 1
        ]
        if order is not None:
            places = SeenIds()
            for place, mark in enumerate(order, 1):
                places.add_mark(mark, place)
            stay.sort(key=lambda number: places.line_of(self.marks[number]) or len(order) + 1)
        if stay == list(range(len(self))):
            return None
        return [(self.ends[number - 1] if number else 0, self.ends[number]) for number in stay]


def read_written(path: str | Path) -> Written:
    """Read an answer file, packed or not. Raises SetupError for one that holds other things than answers."""
    found = Written()
    end = 0
    # a line is judged when the next one comes: only the last may be torn
    waiting: tuple[int, bytes] | None = None
    for end, text in _lines(path):
        if waiting is not None:
            _take(found, *waiting, str(path), last=False)
        waiting = end, text
    if waiting is not None:
        _take(found, *waiting, str(path), last=True)
    found.torn = Path(path).stat().st_size - found.size
    return found


def whole_bytes(path: str | Path) -> int:
    """Bytes of the whole lines that a file begins with, whatever they say."""
    end = 0
    for end, text in _lines(path):
        if not text.endswith(b"\n"):
            return end - len(text)
    return end


def _take(found: Written, end: int, text: bytes, path: str, *, last: bool) -> None:
    try:
        line = exact_json.loads(text)
        key = line["custom_id"] if "custom_id" in line else line["id"]
        failed, asked = not _succeeded(line), _asked(line)
    except (ValueError, KeyError, TypeError):
        if last:
            return
        number = len(found) + 1
        raise SetupError(
            f"{path}, line {number}: not an answer line; give another -o, or --overwrite"
        ) from None
    if failed:
        found.failed.add(len(found))
    found.marks.append(mark_of(str(key)))
    found.prints.append(asked)
    found.ends.append(end)


def _succeeded(line: dict[str, object]) -> bool:
    if "custom_id" not in line:
        return line["success"] is True
    response = line["response"]
    return (
        line["error"] is None and isinstance(response, dict) and response.get("status_code") == 200
    )


def _asked(line: dict[str, object]) -> int:
    return read_batch_id(line.get("id")) if "custom_id" in line else read_print(line.get("asked"))


def _lines(path: str | Path) -> Iterator[tuple[int, bytes]]:
    """Each line, with the offset in the file after it. The last one may lack its end."""
    with Path(path).open("rb") as file:
        if str(path).lower().removesuffix(PART).endswith(".gz"):
            yield from _members(iter(lambda: file.read(_CHUNK), b""))
            return
        end = 0
        for line in file:
            end += len(line)
            yield end, line


def _members(chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each gzip member is one line."""
    end, rest = 0, b""
    while True:
        unpack, text = zlib.decompressobj(wbits=31), b""
        while not unpack.eof:
            chunk, rest = rest or next(chunks, b""), b""
            if not chunk:
                return
            end += len(chunk)
            try:
                text += unpack.decompress(chunk)
            except zlib.error:  # what is torn is at the end; anything after it is not ours to read
                return
        rest = unpack.unused_data
        end -= len(rest)
        yield end, text
