"""The bundled filing has the form of a real one, and leads nowhere."""

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from lxml import etree

from apps.tenk.tests.samples.reading import (
    IX,
    XBRLI,
    X,
    contexts,
    facts,
    item,
    root,
    text,
    words_of,
)
from tenk.errors import Unreadable
from tenk.samples import SAMPLES, sample

STATEMENTS = (
    "STATEMENTS OF INCOME",
    "BALANCE SHEETS",
    "STATEMENTS OF CASH FLOWS",
    "STOCKHOLDERS' EQUITY",
)


def test_each_sample_has_a_title_and_opens():
    for each in SAMPLES:
        assert "fictional" in each.title
        with each.on_disk() as path:
            assert path.read_bytes() == each.read()


def test_a_sample_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(Unreadable, match="quellmark-2025"):
        sample("nobody-1901")


def test_it_is_well_formed_and_of_modest_size():
    assert root().tag == f"{X}html"
    assert len(sample("quellmark-2025").read()) < 400_000


@pytest.mark.parametrize(
    ("number", "following", "words"),
    [("1", "1A", 2000), ("1A", "1B", 1800), ("7", "7A", 1500), ("8", "9", 2000)],
)
def test_the_items_that_are_analysed_are_as_long_as_real_ones(number, following, words):
    assert len(item(number, following).split()) >= words


def test_it_has_more_words_than_asked_for_and_says_that_it_is_fictional():
    assert len(text().split()) > 6500
    assert "figures in this document are fictional" in text()[:200]


def test_it_runs_nothing_and_leads_nowhere():
    tags = {etree.QName(element).localname for element in root().iter(etree.Element)}
    assert not tags & {"script", "iframe", "object", "embed", "img", "form", "base"}
    ids = [element.attrib["id"] for element in root().iter(etree.Element) if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    links = [
        element.attrib["href"] for element in root().iter(etree.Element) if "href" in element.attrib
    ]
    assert len(links) > 40
    assert {link for link in links if link[0] != "#" or link[1:] not in ids} == set()
    assert [
        name
        for element in root().iter(etree.Element)
        for name in element.attrib
        if str(name).startswith("on")
    ] == []
    assert set(re.findall(r"www\.[\w.]+\w", text())) == {"www.quellmark.example"}


def test_nobody_signs_by_name():
    signed = set(re.findall(r"/s/ (.+)", text()))
    assert {
        line.strip() for line in signed if not re.search(r"Officer|Chair|Director|LLP", line)
    } == set()
    assert signed


def test_every_context_and_unit_that_is_used_is_there():
    units = {unit.attrib["id"] for unit in root().iter(f"{XBRLI}unit")}
    for element in root().iter(f"{IX}nonFraction", f"{IX}nonNumeric"):
        assert element.attrib["contextRef"] in contexts()
        assert element.get("unitRef", "usd") in units


def test_a_fact_that_is_given_twice_is_the_same():
    values: dict[tuple, Decimal] = {}
    for each in facts():
        if each.unit == "usd":
            rounded = values.setdefault(each[:4], each.value)
            assert abs(rounded - each.value) < 50_000, each  # notes say millions with one decimal
    assert len(facts()) > 400


def statement_tables() -> Iterator[etree._Element]:
    announced = False
    for element in root().iter(f"{X}span", f"{X}table"):
        if element.tag == f"{X}table" and announced:
            yield element
            announced = False
        elif (element.text or "").startswith("CONSOLIDATED") and (element.text or "").endswith(
            STATEMENTS
        ):
            announced = True


def test_every_number_of_the_statements_is_tagged():
    numbers = 0
    assert len(list(statement_tables())) == 4
    for table in statement_tables():
        for row in table.findall(f"{X}tr")[2:]:
            for cell in row.findall(f"{X}td")[1:]:
                if re.search(r"\d", words_of(cell)):
                    assert cell.find(f".//{IX}nonFraction") is not None
                    numbers += 1
    assert numbers > 250
