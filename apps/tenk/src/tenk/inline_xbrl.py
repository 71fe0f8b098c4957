"""Inline XBRL: the tags in a filing's HTML that say what its numbers mean. What is no fact is left out."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, NamedTuple

from lxml import etree
from lxml.etree import _Element as Element
from lxml.html import HTMLParser

from tenk.facts import Fact, Facts, Period

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST = 100_000  # facts
_LONGEST = 60  # characters of a number
_LARGEST_SCALE = 15  # powers of ten
_LABEL = 120  # characters
# not what wraps it
_DOCUMENT = re.compile(rb"(?:<\?xml\b|<html\b).*</html\s*>", re.DOTALL | re.IGNORECASE)
_NAMESPACE = re.compile(rb"""xmlns:([\w.-]{1,40})\s*=\s*["']([^"']{1,200})["']""")
_TAXONOMY = re.compile(r"/(us-gaap|dei|srt|ifrs-full)(?=/|$)")
_ZEROS = {"fixedzero", "zerodash", "numdash", "nocontent"}
_COMMA_DECIMALS = {"numcommadecimal", "numdotcomma", "numspacecomma", "numcomma"}
_DIGITS = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_DASHES = re.compile(r"[-‐-―−\s]*")


class _Context(NamedTuple):
    period: Period
    dimensions: tuple[str, ...]


def read_inline(content: bytes) -> Facts:
    """The facts of an HTML or XHTML document; empty for one that tags none, however malformed it is.

    >>> read_inline(b"<p>no tags here</p>")
    Facts(0 from xbrl, 'no name')
    """
    if not re.search(rb"nonfraction", content, re.IGNORECASE):
        return Facts()
    root = _parsed(content)
    return Facts() if root is None else _Reader(root, _prefixes(content)).facts()


def _parsed(content: bytes) -> Element | None:
    """As XML, which inline XBRL must be, or else as HTML. Entities and external things are never loaded."""
    whole = _DOCUMENT.search(content)
    document = content if whole is None else whole[0]
    try:
        return etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        pass
    try:
        root: Element | None = etree.fromstring(document, HTMLParser(recover=True, no_network=True))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
    return root


def _prefixes(content: bytes) -> dict[str, str]:
    """A document's own prefixes of the known taxonomies, with the usual ones."""
    found = dict[str, str]()
    for prefix, uri in _NAMESPACE.findall(content):
        if taxonomy := _TAXONOMY.search(uri.decode("latin-1")):
            found.setdefault(prefix.decode("latin-1").lower(), taxonomy[1])
    return found


class _Reader:
    """One document on its way to its facts. Names are compared without prefix and case: HTML keeps neither."""

    def __init__(self, root: Element, prefixes: Mapping[str, str]) -> None:
        self.prefixes = prefixes
        self.by_name = dict[str, list[Element]]()
        for element in root.iter(etree.Element):
            self.by_name.setdefault(_name(element), []).append(element)
        self.contexts = dict(_contexts(self.by_name.get("context", ())))
        self.units = dict(_units(self.by_name.get("unit", ())))
        self.tables = dict[Element, int]()

    def facts(self) -> Facts:
        numbers = self.by_name.get("nonfraction", [])[:_MOST]
        found = [fact for element in numbers if (fact := self._fact(element)) is not None]
        about, document = dict[str, str](), None
        for element in self.by_name.get("nonnumeric", [])[:_MOST]:
            taxonomy, _, name = self._concept(element).partition(":")
            if taxonomy == "dei":
                about.setdefault(name, " ".join(_text(element).split())[:300])
                context = self.contexts.get(_attribute(element, "contextref"))
                if (
                    name in {"DocumentType", "DocumentPeriodEndDate"}
                    and context
                    and not context.dimensions
                ):
                    document = document or context.period
        return Facts(tuple(found), about, document)

    def _fact(self, element: Element) -> Fact | None:
        context = self.contexts.get(_attribute(element, "contextref"))
        concept = self._concept(element)
        scale = _whole(_attribute(element, "scale") or "0")
        if context is None or not concept or scale is None or abs(scale) > _LARGEST_SCALE:
            return None
        if _attribute(element, "nil") == "true":
            return None
        value = _number("".join(_shown(element)), _attribute(element, "format"))
        if value is None:
            return None
        signed = -value if _attribute(element, "sign") == "-" else value
        label, table = self._row(element)
        return Fact(
            concept,
            float(signed.scaleb(scale)),
            self.units.get(_attribute(element, "unitref"), ""),
            context.period,
            scale,
            _whole(_attribute(element, "decimals")),
            context.dimensions,
            label,
            table,
        )

    def _concept(self, element: Element) -> str:
        prefix, _, name = _attribute(element, "name").strip().rpartition(":")
        return f"{self.prefixes.get(prefix.lower(), prefix)}:{name}" if prefix and name else ""

    def _row(self, element: Element) -> tuple[str, int]:
        """The label of the table row in which a number stands, and the table."""
        row = next(
            (parent for parent in element.iterancestors() if _name(parent) in {"tr", "table"}), None
        )
        if row is None:
            return "", -1
        table = next(
            (parent for parent in (row, *row.iterancestors()) if _name(parent) == "table"), row
        )
        cells = (" ".join(_text(cell).split()) for cell in row) if _name(row) == "tr" else iter(())
        label = next((cell for cell in cells if cell), "")
        return label[:_LABEL] if re.search(r"[^\W\d_]", label) else "", self.tables.setdefault(
            table, len(self.tables)
        )


def _text(element: Element) -> str:
    return "".join(map(str, element.itertext()))


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].rpartition(":")[2].lower()


def _attribute(element: Element, name: str) -> str:
    """An attribute by its name in lower case, without prefix; empty where there is none."""
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2].rpartition(":")[2].lower() == name:
            return str(value)
    return ""


def _contexts(elements: list[Element] | tuple[()]) -> Iterator[tuple[str, _Context]]:
    for element in elements:
        parts = [(_name(part), part) for part in element.iter(etree.Element)]
        days = {
            name: _day(part.text)
            for name, part in parts
            if name in {"startdate", "enddate", "instant"}
        }
        end = days.get("enddate") or days.get("instant")
        members = [
            f"{_attribute(part, 'dimension')}={_text(part).strip()}"[:300]
            for name, part in parts
            if name in {"explicitmember", "typedmember"}
        ]
        if end is not None and ("enddate" not in days or days.get("startdate") is not None):
            yield (
                _attribute(element, "id"),
                _Context(Period(days.get("startdate"), end), tuple(sorted(members))),
            )


def _units(elements: list[Element] | tuple[()]) -> Iterator[tuple[str, str]]:
    for element in elements:
        measures = [
            (part.text or "").strip().rpartition(":")[2]
            for part in element.iter(etree.Element)
            if _name(part) == "measure"
        ]
        yield _attribute(element, "id"), "/".join(measures[:2])


def _shown(element: Element) -> Iterator[str]:
    """The text of a number, without what it says to leave out."""
    yield element.text or ""
    for part in element:
        if isinstance(part.tag, str) and _name(part) != "exclude":
            yield from _shown(part)
        yield part.tail or ""


def _number(text: str, form: str) -> Decimal | None:
    """The value of a printed number, unsigned: the sign is an attribute. None for what is not one."""
    kind = form.rpartition(":")[2].replace("-", "").lower()
    text = text.strip()
    if kind in _ZEROS or (text and _DASHES.fullmatch(text)):
        return Decimal(0)
    digits = re.sub(r"[\s$€£¥]", "", text)[: _LONGEST + 1]
    digits = (
        digits.replace(".", "").replace(",", ".")
        if kind in _COMMA_DECIMALS
        else digits.replace(",", "")
    )
    if len(digits) > _LONGEST or not _DIGITS.fullmatch(digits):
        return None
    try:
        return Decimal(digits)
    except InvalidOperation:
        return None


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\s*[-+]?\d{1,4}\s*", text) else None


def _day(text: str | None) -> date | None:
    """A date; midnight at the beginning of a day ends the day before."""
    written = (text or "").strip()
    try:
        day = date.fromisoformat(written[:10])
    except ValueError:
        return None
    return day - timedelta(days=1) if written[10:].startswith("T00:00") and day > date.min else day
