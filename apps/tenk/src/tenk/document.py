"""From a file to its documents: gzip unpacked, a submission taken apart, bytes decoded."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from tenk.errors import NotAFiling, TooLarge, Unreadable
from tenk.markup import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator

# bytes of a submission, unpacked: the largest hold the pictures and data of many exhibits
LARGEST = 256 * 2**20
LARGEST_DOCUMENT = 64 * 2**20  # bytes of one document of it

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"
_OTHERS = {  # how a file begins that can be no filing
    b"%PDF": "a PDF",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"PK\x03\x04": "a zip archive, or a Word or Excel file",
    b"PK\x05\x06": "an empty zip archive",
    b"\xd0\xcf\x11\xe0": "an old Word or Excel file",
    b"{\\rtf": "an RTF document",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x7fELF": "a program",
}
_JSON = re.compile(rb"\s{0,100}[\[{]\s{0,100}[\"{\[\]}\d]")
_DOCUMENT = re.compile(rb"<DOCUMENT>", re.IGNORECASE)
_DOCUMENT_END = re.compile(rb"</DOCUMENT>", re.IGNORECASE)
_TYPE = re.compile(rb"<TYPE>[ \t]{0,20}([^\s<]{1,30})", re.IGNORECASE)
_TEXT = re.compile(rb"<TEXT>", re.IGNORECASE)
_MARKUP = re.compile(rb"<(?:!doctype\s+html|html|body|div|font|br|td|tr|span|p)\b", re.IGNORECASE)
_BEGINNING = 400_000  # bytes in which a tag of HTML stands, if the document is HTML
_BINARY = 0.1  # share of control characters of what is no text
_SGML = re.compile(
    r"</?(?:PAGE|TABLE|CAPTION|S|C|FN|F\d{1,2}|TEXT|DOCUMENT|PRE|B|I|U|R|XBRL)>|<(?:TYPE|SEQUENCE|FILENAME|DESCRIPTION)>[^\n]*",
    re.IGNORECASE,
)
_GAP = re.compile(r"\n{4,}")
_CONTROLS = dict.fromkeys([*range(9), *range(0x0E, 0x20), 0x7F, 0xFEFF]) | {
    0x0B: "\n",
    0x0C: "\n",
    0xA0: " ",
}


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a submission: its type as the submission says it (``"EX-13"``), or nothing, and its bytes."""

    type: str
    content: bytes

    @property
    def markup(self) -> bytes | None:
        """The HTML, or None for plain text."""
        return self.content if _MARKUP.search(self.content, 0, _BEGINNING) else None

    def text(self, name: str) -> str:
        """The plain text; raises `TooLarge` above `LARGEST_DOCUMENT`."""
        if len(self.content) > LARGEST_DOCUMENT:
            raise TooLarge(
                f"a document of {name} has {len(self.content):,} bytes; at most "
                f"{LARGEST_DOCUMENT:,} are read"
            )
        decoded = _decoded(self.content)
        return plain_text(decoded) if self.markup is not None else _tidied(decoded)


def read_bytes(source: str | Path | bytes, name: str) -> bytes:
    """The bytes of a file, unpacked if they are gzip. Raises `Unreadable`, `TooLarge`."""
    content = source if isinstance(source, bytes) else _file(Path(source), name)
    if len(content) > LARGEST:
        raise TooLarge(f"{name} has {len(content):,} bytes; at most {LARGEST:,} are read")
    return _unpacked(content, name) if content.startswith(_GZIP) else content


def _file(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise Unreadable(f"cannot read {name}: {reason}") from error


def _unpacked(packed: bytes, name: str) -> bytes:
    content, rest = b"", packed
    while rest.startswith(_GZIP):  # a file may be several, one after another
        unpacker = zlib.decompressobj(wbits=31)
        try:
            content += unpacker.decompress(rest, LARGEST + 1 - len(content))
        except zlib.error as error:
            raise Unreadable(f"cannot unpack {name}: {error}") from error
        if len(content) > LARGEST:
            raise TooLarge(
                f"{name} unpacks from {len(packed):,} to more than {LARGEST:,} bytes, "
                f"which no filing has"
            )
        if not unpacker.eof:
            raise Unreadable(f"cannot unpack {name}: it ends too early, as a broken download does")
        rest = unpacker.unused_data
    return content


def submission(content: bytes, name: str) -> list[Document]:
    """The documents of a submission in order; a file that is none is one document without a type.

    Raises `NotAFiling` for what cannot be text.
    """
    if content.startswith(_UTF_16):
        content = content.decode("utf-16", "replace").encode("utf-8", "replace")
    for beginning, kind in _OTHERS.items():
        if content.startswith(beginning):
            raise NotAFiling(f"{name} is {kind}, not the text or HTML of a 10-K")
    if _JSON.match(content):
        raise NotAFiling(f"{name} is JSON, not the text or HTML of a 10-K")
    head = content[:4096]
    controls = sum(code < 32 and code not in b"\t\n\v\f\r" for code in head)
    if controls > _BINARY * len(head):
        raise NotAFiling(f"{name} is binary data, not the text or HTML of a 10-K")
    if not content.strip():
        raise NotAFiling(f"{name} is empty")
    return list(_documents(content)) or [Document("", content)]


def main_document(parts: list[Document], name: str) -> Document:
    """The first 10-K among the documents of a submission. Raises `NotAFiling` if it has none."""
    if not any(part.type for part in parts):
        return parts[0]
    for part in parts:
        if part.type.startswith("10-K"):
            return part
    types = ", ".join(part.type or "one without a type" for part in parts[:8])
    raise NotAFiling(
        f"{name} is no 10-K: its documents are {types}{' and more' if len(parts) > 8 else ''}"
    )


def _documents(content: bytes) -> Iterator[Document]:
    starts = [match.end() for match in _DOCUMENT.finditer(content)]
    for start, limit in pairwise([*starts, len(content)]):
        end = _DOCUMENT_END.search(content, start, limit)
        stop = end.start() if end else limit
        kind = _TYPE.search(content, start, min(stop, start + 2000))
        text = _TEXT.search(content, start, min(stop, start + 4000))
        yield Document(
            kind[1].decode("ascii", "replace").upper() if kind else "",
            content[text.end() if text else start : stop],
        )


def _decoded(content: bytes) -> str:
    """Text of bytes by what they are; what a page says of its own encoding is too often wrong."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _tidied(text: str) -> str:
    """A text filing without the tags between its pages and tables; its columns stay."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)
    plain = _SGML.sub("", plain)
    if "&" in plain:
        plain = unescape(plain).replace("\xa0", " ")
    return _GAP.sub("\n\n\n", "\n".join(map(str.rstrip, plain.split("\n")))).strip("\n")
