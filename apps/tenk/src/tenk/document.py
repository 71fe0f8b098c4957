"""From a file to the documents that matter: gzip unpacked, a submission taken apart, bytes decoded."""

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

LARGEST = 256 * 2**20  # bytes of a submission, unpacked: the largest hold pictures and data of many exhibits
LARGEST_DOCUMENT = 64 * 2**20  # bytes of one document of it

_KINDS = {  # how a file begins that can be no filing
    b"%PDF": "a PDF",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"PK\x03\x04": "a zip archive (or a Word or Excel file, which is one)",
    b"PK\x05\x06": "an empty zip archive",
    b"\xd0\xcf\x11\xe0": "an old Word or Excel file",
    b"{\\rtf": "an RTF document",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"SQLite": "a database",
    b"\x7fELF": "a program",
}
_DOCUMENT = re.compile(rb"<DOCUMENT>", re.IGNORECASE)
_DOCUMENT_END = re.compile(rb"</DOCUMENT>", re.IGNORECASE)
_TYPE = re.compile(rb"<TYPE>[ \t]{0,20}([^\s<]{1,30})", re.IGNORECASE)
_BODY = re.compile(rb"<TEXT>|</TEXT>", re.IGNORECASE)
_MARKUP = re.compile(rb"<(?:!doctype\s+html|html|body|div|font|br|td|tr|span|p)\b", re.IGNORECASE)
_SGML = re.compile(r"</?(?:PAGE|TABLE|CAPTION|S|C|FN|F\d{1,2}|TEXT|PRE|B|I|U|R|XBRL|TYPE|SEQUENCE)>", re.IGNORECASE)
_GAP = re.compile(r"\n{4,}")
_CONTROLS = dict.fromkeys([*range(9), *range(0x0E, 0x20), 0x7F, 0xFEFF]) | {0x0B: "\n", 0x0C: "\n", 0xA0: " "}


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a submission: its type as the submission says it (``"EX-13"``, or empty), and its bytes."""

    type: str
    content: bytes

    @property
    def markup(self) -> bytes | None:
        """The HTML, or None for plain text."""
        return self.content if _MARKUP.search(self.content, 0, 400_000) else None

    def text(self) -> str:
        """The plain text; raises `TooLarge` above `LARGEST_DOCUMENT`."""
        if len(self.content) > LARGEST_DOCUMENT:
            raise TooLarge(f"the document has {len(self.content):,} bytes; {LARGEST_DOCUMENT:,} is the most")
        decoded = _decoded(self.content)
        return plain_text(decoded) if self.markup is not None else _tidied(decoded)


def read_bytes(source: str | Path | bytes) -> bytes:
    """The bytes of a file, unpacked if they are gzip. Raises `Unreadable`, `TooLarge`."""
    if isinstance(source, bytes):
        content = source
    else:
        path = Path(source)
        try:
            if path.is_dir():
                raise Unreadable(f"{path} is a folder; name the filing in it")
            size = path.stat().st_size
            if size > LARGEST:
                raise TooLarge(f"{path} has {size:,} bytes; {LARGEST:,} is the most")
            content = path.read_bytes()
        except (OSError, ValueError) as error:
            if isinstance(error, (Unreadable, TooLarge)):
                raise
            reason = getattr(error, "strerror", None) or error
            raise Unreadable(f"cannot read {str(path)!r}: {reason}") from error
    if len(content) > LARGEST:
        raise TooLarge(f"{len(content):,} bytes; {LARGEST:,} is the most")
    return _unpacked(content) if content[:2] == b"\x1f\x8b" else content


def _unpacked(packed: bytes) -> bytes:
    try:
        unpacker = zlib.decompressobj(wbits=31)
        content = unpacker.decompress(packed, LARGEST + 1)
    except zlib.error as error:
        raise Unreadable(f"its gzip is broken ({error})") from error
    if len(content) > LARGEST:
        raise TooLarge(f"its gzip unpacks to more than {LARGEST:,} bytes, from {len(packed):,}")
    if not unpacker.eof:
        raise Unreadable("its gzip ends before its end: the file is cut")
    return content


def documents(content: bytes) -> list[Document]:
    """The documents of a submission in order; a file that is none is one document without a type.

    Raises `NotAFiling` for what cannot be text.
    """
    if not content.strip(b"\x00 \t\r\n"):
        raise NotAFiling("the file is empty")
    for magic, kind in _KINDS.items():
        if content.startswith(magic):
            raise NotAFiling(f"this is {kind}, not the text or HTML of a 10-K")
    return list(_parts(content)) or [Document("", content)]


def _parts(content: bytes) -> Iterator[Document]:
    starts = [match.end() for match in _DOCUMENT.finditer(content)]
    for start, limit in pairwise([*starts, len(content)]):
        end = _DOCUMENT_END.search(content, start, limit)
        body = content[start : end.start() if end else limit]
        kind = _TYPE.search(body, 0, 2000)
        text = _BODY.search(body, 0, 4000)
        inner = body[text.end() :] if text else body
        yield Document(kind[1].decode("ascii", "replace").upper() if kind else "", inner)


def _decoded(content: bytes) -> str:
    """Text of bytes by what they are; what a page says of its own encoding is too often wrong."""
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _tidied(text: str) -> str:
    """A text filing without the tags between its pages and tables; its columns stay."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)
    plain = _SGML.sub("", lines)
    if "&" in plain:
        plain = unescape(plain).replace("\xa0", " ")
    return _GAP.sub("\n\n\n", "\n".join(line.rstrip() for line in plain.split("\n"))).strip("\n")
