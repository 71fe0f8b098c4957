"""The head of an HTTP response, made regular: what nobody needs in it may be malformed, and the answer is kept.

Only what says where a message ends is taken strictly: a response whose length is in doubt is left
as it came, for the parser to refuse.
"""

from __future__ import annotations

import re

MAX_HEAD_BYTES = 2**19

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REGULAR = re.compile(rb"HTTP/1\.[01] [1-9]\d\d [\t -~]*\r\n(?:" + _TOKEN + rb":[\t -~]*\r\n)*\r\n")
_LENGTH = re.compile(rb"\ncontent-length:[\t ]*(\d+)[\t ]*\r")
_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"\s*HTTP/(\d(?:\.\d)?)[\t ]+([1-9]\d\d)(?!\S)", re.IGNORECASE)
_NAME = re.compile(_TOKEN)
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_FRAMING_FIELDS = (b"content-length", b"transfer-encoding")


class HeadTooLarge(ValueError):
    """The head of a response has no end within `MAX_HEAD_BYTES`."""


class ResponseBytes:
    r"""The bytes of one response on their way to the parser: `feed` gives what may go on, with its head made regular.

    `must_close`: the server sent more than it announced, or announced it oddly; the connection is
    not to be used again.

    >>> ResponseBytes().feed(b"HTTP/1.1 200\nno header\ncontent-length: 2\n\n{}")
    b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'
    """

    __slots__ = ("_head", "_left", "_searched", "must_close")

    def __init__(self) -> None:
        self.must_close = False
        self._head: bytes | None = b""  # what has come of it; None once it is passed on
        self._searched = 0
        # bytes of the body that are still to come, where that is known
        self._left: int | None = None

    def feed(self, data: bytes) -> bytes:
        """What can be parsed by now. Raises `HeadTooLarge`."""
        passed = b""
        while self._head is not None and data:
            data = self._head + data if self._head else data
            regular = _REGULAR.match(data)
            end = self._end_of_head(data, regular)
            if not end:
                return passed
            passed += self._passed(data[:end], is_regular=regular is not None)
            data = data[end:]
        return passed + self._body(data)

    def _end_of_head(self, data: bytes, regular: re.Match[bytes] | None) -> int:
        """Where the head ends with which `data` begins; 0 where more has to come."""
        end = regular
        if end is None:
            start = len(data) - len(data.lstrip(b"\r\n"))
            if not b"http/".startswith(data[start : start + 5].lower()):
                return len(data)  # another protocol: the parser says so
            end = _END.search(data, max(self._searched, start))
        size = len(data) if end is None else end.end()
        if size > MAX_HEAD_BYTES:
            raise HeadTooLarge(f"its headers are larger than {MAX_HEAD_BYTES:,} bytes")
        if end is None:
            self._head, self._searched = data, max(size - 3, 0)
            return 0
        return size

    def _passed(self, head: bytes, *, is_regular: bool) -> bytes:
        """A whole head, as it goes on; from here on the body comes, unless it was of an interim response."""
        lower = head.lower()
        lengths, has_coding = _framing(lower)
        says_once = lower.count(b"content-length") == len(lengths) and len(lengths) + has_coding < 2
        if not says_once or not is_regular:
            regular = _regular(head)
            if regular is not None:
                framing = _framing(regular.lower())
                self.must_close = framing != (lengths, has_coding)
                head, (lengths, has_coding) = regular, framing
        self._head, self._searched = None, 0
        status = head[9:12]
        if status[:1] == b"1" and status != b"101":
            self._head = b""
        elif len(lengths) == 1 and not has_coding and status not in (b"101", b"204", b"304"):
            self._left = int(lengths[0])
        return head

    def _body(self, data: bytes) -> bytes:
        if self._left is None:
            return data
        if len(data) > self._left:
            self.must_close = True
            data = data[: self._left]
        self._left -= len(data)
        return data


def _framing(head: bytes) -> tuple[list[bytes], bool]:
    """What a head in lower case says of where the message ends: lengths, and whether it is encoded."""
    return _LENGTH.findall(head), b"\ntransfer-encoding" in head


def _regular(head: bytes) -> bytes | None:
    """`head` without what is malformed in it; None where that leaves the length of the message in doubt."""
    status = _STATUS.match(head)
    if status is None:
        return None
    version = b"1.0" if status[1] == b"1.0" else b"1.1"
    lines = [b"HTTP/%s %s OK" % (version, status[2])]
    framing: dict[bytes, set[bytes]] = {}
    for line in _unfolded(head):
        name, colon, value = line.partition(b":")
        name, value = name.strip(), value.strip(b" \t")
        is_sound = bool(colon and _NAME.fullmatch(name)) and not _CONTROL.search(value)
        if name.lower() in _FRAMING_FIELDS and is_sound:
            framing.setdefault(name.lower(), set()).update(
                part.strip().lower() for part in value.split(b",")
            )
        elif is_sound:
            lines.append(name + b": " + value.decode("utf-8", "replace").encode())
        elif any(word in line.lower() for word in _FRAMING_FIELDS):
            return None
    return _framed(lines, framing)


def _framed(lines: list[bytes], framing: dict[bytes, set[bytes]]) -> bytes | None:
    """`lines` as a head, with one statement of where the message ends; None where there are several."""
    lengths = framing.get(b"content-length", set())
    codings = framing.get(b"transfer-encoding", set()) - {b"identity", b""}
    if len(lengths) + bool(codings) > 1 or not all(length.isdigit() for length in lengths):
        return None
    if codings and b"chunked" not in codings:
        return None
    lines += [b"content-length: " + length for length in lengths]
    if codings:
        lines.append(b"transfer-encoding: chunked")
    return b"\r\n".join([*lines, b"", b""])


def _unfolded(head: bytes) -> list[bytes]:
    """The lines after the status line, a header each: a line that begins with a space continues the one before."""
    lines: list[bytes] = []
    for line in re.split(rb"\r?\n", head)[1:]:
        if line[:1] in (b" ", b"\t") and lines:
            lines[-1] += b" " + line.strip()
        elif line:
            lines.append(line)
    return lines
