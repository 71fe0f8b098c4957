"""Answers that come compressed, though we ask for none: decoded in steps, so that a bomb costs no more than a cap."""

from __future__ import annotations

import zlib

from ingather.errors import AnswerTooLarge, BadBody

_MEMBERS = 64  # a gzip answer is one member; many are a way around caps


class Inflater:
    """Decodes a ``gzip`` or ``deflate`` body piece by piece; never more than `cap` bytes come out.

    Raises `BadBody` for another encoding or damaged data, `AnswerTooLarge` above the cap.

    >>> Inflater("gzip", cap=100).feed(b"")
    b''
    """

    def __init__(self, encoding: str, cap: int) -> None:
        if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
            raise BadBody(f"the answer came encoded as {encoding!r:.40}, which was not asked for and is not understood")
        self._left = cap
        self._cap = cap
        self._members = 1
        self._stream = self._fresh()

    def feed(self, data: bytes) -> bytes:
        """What `data` decodes to."""
        pieces: list[bytes] = []
        while data:
            if self._stream.eof:
                self._members += 1
                if self._members > _MEMBERS:
                    raise BadBody(f"the answer is compressed in more than {_MEMBERS} parts")
                self._stream = self._fresh()
            try:
                piece = self._stream.decompress(data, self._left + 1)
            except zlib.error as error:
                raise BadBody(f"the answer is damaged: {error}") from None
            self._left -= len(piece)
            if self._left < 0:
                raise AnswerTooLarge(f"the answer is larger than {self._cap:,} bytes once decompressed")
            pieces.append(piece)
            data = self._stream.unused_data or self._stream.unconsumed_tail
        return b"".join(pieces)

    def close(self) -> None:
        """Raises `BadBody` where the data ended too early."""
        if not self._stream.eof:
            raise BadBody("the answer is compressed, and cut")

    @staticmethod
    def _fresh() -> zlib._Decompress:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # tells gzip and zlib apart by itself
