"""What stands at the end of an item's text without belonging to it: page numbers, running headers, lines of parts."""

from __future__ import annotations

import re
from collections import Counter

# no full stop behind it: that may be a sentence whose last line is "F-20."
_PAGE_NUMBER = re.compile(
    r"(?i)[\W_]{0,12}(?:page\s{0,3})?(?:[A-Z]{1,3}\s?-\s?)?(?:\d{1,4}|[ivxl]{1,6})(?:\s?-\s?\d{1,3})?"
    r"(?:\s+of\s+\d{1,4})?[^\w.,;]{0,12}"
)
_PART = re.compile(
    r"(?i)\W{0,6}part\s{1,4}(?:[IV]{1,3}|[1-4])(?:\s?(?:,|and|&)\s?(?:part\s)?[IV]{1,3}){0,3}\W{0,6}(?:\(?continued\)?)?\W{0,6}"
)
_RUNNING_ITEM = re.compile(
    r"(?i)\W{0,6}items?\s{1,3}\d{1,2}[A-C]?(?:\s?(?:,|and|&|-)\s?\d{1,2}[A-C]?){0,12}\W{0,6}(?:\(?continued\)?)?\W{0,6}"
)
_NOTICE = re.compile(
    r"(?i)\W{0,6}(?:(?:back\s+to\s+)?(?:table\s+of\s+)?contents|\W?(?:this\s+)?page\s+intentionally\s+left\s+blank\W{0,3}|"
    r"index\s+to\s+(?:consolidated\s+)?financial\s+statements|\(?continued\)?)\W{0,6}"
)
_SAYS = re.compile(  # a sentence, an answer, a row of figures
    r"(?i).{0,400}[.;,:]$|\W*(?:none|n/a|not\s+applicable|reserved|omitted)\W*$|[^a-z]*$|.{0,200}(?:\t|\$|\d,\d|%)"
)
_SIGNATURES = re.compile(
    r"(?im)^[^\S\n]*S\s?I\s?G\s?N\s?A\s?T\s?U\s?R\s?E\s?S?[^\S\n]*\.?[^\S\n]*$"
)
_DIGITS = re.compile(r"\d+")
_OFTEN = 4
_LONGEST = 120


class Furniture:
    """Of one text; short lines that come again and again, their digits apart, are running headers.

    Not if they end like a sentence: "Not applicable." and the last line of a formula come again,
    too.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        counts = Counter(_shape(line) for line in text.split("\n") if len(line) <= _LONGEST)
        self._running = {shape for shape, count in counts.items() if count >= _OFTEN and shape}

    def trimmed(self, start: int, limit: int, *, last: bool = False) -> int:
        """Where the text from `start` ends, that may go on to `limit`; the last item ends at the signatures."""
        if last and (signatures := _SIGNATURES.search(self._text, start, limit)):
            limit = signatures.start()
        first = self._text.find("\n", start, limit)
        while first >= 0:
            begin = self._text.rfind("\n", start, limit)
            if begin < first or not self._is_furniture(self._text[begin + 1 : limit]):
                break
            limit = begin
        return start + len(self._text[start:limit].rstrip())

    def _is_furniture(self, line: str) -> bool:
        plain = line.strip()
        return (
            not plain
            or any(kind.fullmatch(plain) for kind in (_PAGE_NUMBER, _PART, _RUNNING_ITEM, _NOTICE))
            or (len(line) <= _LONGEST and _shape(line) in self._running and not _SAYS.match(plain))
        )


def _shape(line: str) -> str:
    return _DIGITS.sub("0", " ".join(line.split())).casefold()
