"""What a file of answers holds already: whose they are, where each line ends, and what a crash left of the last."""

from __future__ import annotations

import zlib
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ingather import exact_json
from ingather.errors import SetupError
from ingather.jobs.seen import SeenIds, mark_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 16


@dataclass(slots=True)
class Written:
    """The whole lines of an answer file, a few bytes each.

    `marks`: hashes of their ids, `ends`: the offset after each, `failed`: the numbers of those that are failures.
    `torn`: bytes of the file after the last whole line.
    """

    marks: array[int] = field(default_factory=lambda: array("Q"))
    ends: array[int] = field(default_factory=lambda: array("Q"))
    failed: set[int] = field(default_factory=set)
    torn: int = 0

    def __len__(self) -> int:
        return len(self.marks)

    def ids(self, count: int, *, without_failed: bool) -> SeenIds:
        """The ids of the first `count` lines."""
        seen = SeenIds()
        for number in range(count):
            if not (without_failed and number in self.failed):
                seen.add_mark(self.marks[number], number + 1)
        return seen


def read_written(path: str) -> Written:
    """Read an answer file, packed or not. Raises SetupError for one that holds other things than answers."""
    found = Written()
    end = 0
    waiting: tuple[int, bytes] | None = None  # a line is judged when the next one comes: only the last may be torn
    for end, text in _lines(path):
        if waiting is not None:
            _take(found, *waiting, path, last=False)
        waiting = end, text
    if waiting is not None:
        _take(found, *waiting, path, last=True)
    whole = found.ends[-1] if found.ends else 0
    found.torn = Path(path).stat().st_size - whole
    return found


def _take(found: Written, end: int, text: bytes, path: str, *, last: bool) -> None:
    try:
        line = exact_json.loads(text)
        key = line["custom_id"] if "custom_id" in line else line["id"]
        failed = not _succeeded(line)
    except (ValueError, KeyError, TypeError):
        if last:
            return
        number = len(found) + 1
        raise SetupError(f"{path}, line {number}: no answer of ours; give another -o, or --overwrite") from None
    if failed:
        found.failed.add(len(found))
    found.marks.append(mark_of(str(key)))
    found.ends.append(end)


def _succeeded(line: dict[str, object]) -> bool:
    if "custom_id" not in line:
        return line["success"] is True
    response = line["response"]
    return line["error"] is None and isinstance(response, dict) and response.get("status_code") == 200


def _lines(path: str) -> Iterator[tuple[int, bytes]]:
    """Each whole line, with the offset in the file after it."""
    with Path(path).open("rb") as file:
        if path.lower().endswith(".gz"):
            yield from _members(iter(lambda: file.read(_CHUNK), b""))
            return
        end = 0
        for line in file:
            end += len(line)
            if line.endswith(b"\n"):
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
