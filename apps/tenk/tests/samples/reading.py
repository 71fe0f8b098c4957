"""The bundled filing as its tests read it: its tree, its facts, its text."""

from decimal import Decimal
from functools import cache
from typing import NamedTuple

from lxml import etree

from tenk.samples import sample

X = "{http://www.w3.org/1999/xhtml}"
IX = "{http://www.xbrl.org/2013/inlineXBRL}"
XBRLI = "{http://www.xbrl.org/2003/instance}"
XBRLDI = "{http://xbrl.org/2006/xbrldi}"
YEARS = ("2025", "2024", "2023")
CASH = "CashCashEquivalentsRestrictedCashAndRestrictedCashEquivalents"
SEGMENTS, PLACES, KINDS = (
    "StatementBusinessSegmentsAxis",
    "StatementGeographicalAxis",
    "ProductOrServiceAxis",
)


class Fact(NamedTuple):
    concept: str
    ended: str
    dimensions: tuple[tuple[str, str], ...]
    unit: str
    value: Decimal


def local(name: str | None) -> str:
    return (name or "").rpartition(":")[2]


def attribute(element: etree._Element, name: str) -> str:
    return str(element.attrib[name])


def words_of(element: etree._Element) -> str:
    return "".join(map(str, element.itertext()))


@cache
def root() -> etree._Element:
    return etree.fromstring(
        sample("quellmark-2025").read(), etree.XMLParser(resolve_entities=False)
    )


@cache
def contexts() -> dict[str, tuple[str, tuple[tuple[str, str], ...]]]:
    found = {}
    for context in root().iter(f"{XBRLI}context"):
        ended = (
            context.findtext(f".//{XBRLI}endDate") or context.findtext(f".//{XBRLI}instant") or ""
        )
        members = context.iter(f"{XBRLDI}explicitMember")
        found[attribute(context, "id")] = (
            ended,
            tuple(sorted((local(m.get("dimension")), local(m.text)) for m in members)),
        )
    return found


@cache
def facts() -> list[Fact]:
    found = []
    for element in root().iter(f"{IX}nonFraction"):
        text = words_of(element).replace(",", "")
        shown = Decimal(0) if text == "—" else Decimal(text)
        value = shown.scaleb(int(element.get("scale", "0"))) * (
            -1 if element.get("sign") == "-" else 1
        )
        ended, dimensions = contexts()[attribute(element, "contextRef")]
        found.append(
            Fact(
                local(element.get("name")), ended, dimensions, attribute(element, "unitRef"), value
            )
        )
    return found


def fact(concept: str, year: str, *dimensions: tuple[str, str]) -> Decimal:
    at = f"{year}-12-31"
    (value,) = {
        f.value for f in facts() if (f.concept, f.ended, f.dimensions) == (concept, at, dimensions)
    }
    return value


def along(concept: str, year: str, axis: str) -> dict[str, Decimal]:
    """The values of a concept by the member of one axis."""
    every = [
        f for f in facts() if f.concept == concept and f.ended == f"{year}-12-31" and f.dimensions
    ]
    return {dict(f.dimensions)[axis]: f.value for f in every if axis in dict(f.dimensions)}


def total(year: str, *concepts: str) -> Decimal:
    """The sum of facts; a concept after a minus is taken away."""
    return sum(
        (-fact(name[1:], year) if name[0] == "-" else fact(name, year) for name in concepts),
        Decimal(0),
    )


@cache
def text() -> str:
    """What a reader sees, a line for each block."""
    lines: list[str] = []

    def walk(element: etree._Element) -> None:
        if element.tag == f"{IX}header":
            lines.append(element.tail or "")
            return
        block = element.tag in {f"{X}div", f"{X}tr", f"{X}br"}
        lines.append(("\n" if block else "") + (element.text or ""))
        for child in element.iterchildren(tag=etree.Element):
            walk(child)
        lines.append(
            ("\n" if block else " " if element.tag == f"{X}td" else "") + (element.tail or "")
        )

    body = root().find(f"{X}body")
    assert body is not None
    walk(body)
    return "".join(lines).replace("\N{NO-BREAK SPACE}", " ")


def item(number: str, following: str) -> str:
    begin = text().rindex(f"\nItem {number}. ")
    return text()[begin : text().index(f"\nItem {following}. ", begin)]
