"""Rows, and the lines of JSON that they are read from; a line that is no row is a `BadLine` in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingather import exact_json
from ingather.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ingather.jobs.batch import Endpoint

BOM = b"\xef\xbb\xbf"
_LIST_HINT = " (`jq -c '.[]' FILE` writes a list so, `jq -c . FILE` an object)"
WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"


class BadLine(SetupError):
    """One line of the input cannot become a task; the message says where, why, and what to do.

    `id`: what its result is filed under. `endpoint`: as in `Line`, where it stands among OpenAI
    batch lines.
    """

    def __init__(self, name: str, line: int, problem: str, key: str | int | None = None) -> None:
        super().__init__(f"{name}, line {line}: {problem}")
        self.line = line
        self.problem = problem
        self.id = f"line-{line}" if key is None else key
        self.endpoint: Endpoint | None = None


@dataclass(slots=True)
class Row:
    """One row of the input: its fields, and the line of the file it starts at (the first is 1)."""

    line: int
    fields: dict[str, object]


def read_jsonl(lines: Iterable[bytes], name: str) -> Iterator[Row | BadLine]:
    """Rows of JSON lines: one object a line."""
    for number, raw in enumerate(lines, 1):
        text = (raw.removeprefix(BOM) if number == 1 else raw).strip()
        if not text:
            continue
        try:
            fields = exact_json.loads(text)
        except exact_json.JSONDecodeError as error:
            yield BadLine(name, number, _json_problem(text, error))
            continue
        if isinstance(fields, dict):
            yield Row(number, fields)
        else:
            yield BadLine(
                name,
                number,
                f"a line is one JSON object {{…}}, not "
                f"{_short(text)}{_LIST_HINT * isinstance(fields, list)}",
            )


def encoding_problem(error: UnicodeDecodeError) -> str:
    """What to say of bytes that are no UTF-8; `error.object` is the line."""
    line = error.object
    if line.startswith(WIDE_BOMS):
        return "the file is UTF-16; save it as UTF-8"
    if line.startswith(_GZIP):
        return "the file is gzipped: name it with .gz at its end, or pipe it through zcat"
    return f"not UTF-8: byte 0x{line[error.start]:02x} at position {error.start}; save the file as UTF-8"


def _json_problem(text: bytes, error: exact_json.JSONDecodeError) -> str:
    if text in (b"[", b"{", b"[{"):
        return "JSON over several lines; one object a line is read" + _LIST_HINT
    try:
        text.decode("utf-8", "strict")
    except UnicodeDecodeError as encoding:
        return encoding_problem(encoding)
    if "surrogate" in str(error):
        return f"half of a surrogate pair (such as \\ud800) is no character; remove it (column {error.colno})"
    return f"not JSON ({error.msg}, column {error.colno}): {_short(text)}"


def _short(text: bytes) -> str:
    shown = text.decode("utf-8", "replace")
    return shown if len(shown) <= 60 else shown[:57] + "…"
