"""Inline-XBRL facts are read from HTML as filers write it, and from what is broken as far as it goes."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenk.facts import Period
from tenk.inline_xbrl import read_inline

YEAR = Period(date(2023, 1, 1), date(2023, 12, 31))
PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:{ix}="http://www.xbrl.org/2013/inlineXBRL"
 xmlns:xbrli="http://www.xbrl.org/2003/instance" xmlns:xbrldi="http://xbrl.org/2006/xbrldi"
 xmlns:{gaap}="http://fasb.org/us-gaap/2023" xmlns:dei="http://xbrl.sec.gov/dei/2023"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<head><title>10-K</title></head><body><div style="display:none"><{ix}:header>
<{ix}:hidden><{ix}:nonNumeric name="dei:EntityRegistrantName" contextRef="y">Boat &amp; Oar,
 Inc.</{ix}:nonNumeric>
<{ix}:nonNumeric name="dei:DocumentPeriodEndDate" contextRef="y">December 31, 2023</{ix}:nonNumeric>
<{ix}:nonFraction name="{gaap}:Goodwill" contextRef="d" unitRef="usd" scale="3" decimals="-3">12</{ix}:nonFraction>
</{ix}:hidden><{ix}:resources>
<xbrli:context id="y"><xbrli:entity><xbrli:identifier>1</xbrli:identifier></xbrli:entity><xbrli:period>
<xbrli:startDate>2023-01-01</xbrli:startDate><xbrli:endDate>2023-12-31</xbrli:endDate></xbrli:period></xbrli:context>
<xbrli:context id="d"><xbrli:entity><xbrli:identifier>1</xbrli:identifier></xbrli:entity><xbrli:period>
<xbrli:instant>2024-01-01T00:00:00</xbrli:instant></xbrli:period></xbrli:context>
<xbrli:context id="part"><xbrli:entity><xbrli:segment>
<xbrldi:explicitMember dimension="srt:ProductOrServiceAxis">boat:OarsMember
</xbrldi:explicitMember></xbrli:segment></xbrli:entity><xbrli:period>
<xbrli:startDate>2023-01-01</xbrli:startDate><xbrli:endDate>2023-12-31</xbrli:endDate></xbrli:period></xbrli:context>
<xbrli:context id="broken"><xbrli:period><xbrli:instant>31 December</xbrli:instant></xbrli:period></xbrli:context>
<xbrli:unit id="usd"><xbrli:measure>iso4217:USD</xbrli:measure></xbrli:unit>
<xbrli:unit id="eps"><xbrli:divide><xbrli:unitNumerator><xbrli:measure>iso4217:USD</xbrli:measure></xbrli:unitNumerator>
<xbrli:unitDenominator><xbrli:measure>xbrli:shares</xbrli:measure></xbrli:unitDenominator></xbrli:divide></xbrli:unit>
</{ix}:resources></{ix}:header></div><table><tr><td></td><td>Net  sales (a)</td><td>$</td><td>{body}</td></tr></table>
</body></html>
"""


def page(body, ix="ix", gaap="us-gaap"):
    return PAGE.format(body=body, ix=ix, gaap=gaap).encode()


def tag(text, more="", name="Revenues", context="y", unit="usd"):
    return (
        f'<ix:nonFraction name="us-gaap:{name}" contextRef="{context}" unitRef="{unit}" '
        f"{more}>{text}</ix:nonFraction>"
    )


def read(body):
    return [fact for fact in read_inline(page(body)).facts if fact.concept != "us-gaap:Goodwill"]


@pytest.mark.parametrize(
    ("text", "more", "value"),
    [
        ("1,234", 'scale="6" format="ixt:num-dot-decimal"', 1_234_000_000),
        ("1,234.5", 'scale="3" format="ixt:numdotdecimal"', 1_234_500),
        ("1.234,5", 'scale="3" format="ixt:num-comma-decimal"', 1_234_500),
        ("1 234,5", 'scale="0" format="ixt:numspacecomma"', 1_234.5),
        ("187", 'scale="6" sign="-" format="ixt:num-dot-decimal"', -187_000_000),
        ("—", 'scale="6" format="ixt:fixed-zero"', 0),
        ("no", 'format="ixt:fixed-zero"', 0),
        ("-", 'scale="6" format="ixt:zerodash"', 0),
        ("—", 'scale="6"', 0),
        ("12.5", 'scale="-2"', 0.125),
        ("11.93", "", 11.93),
        ("$ 1,000", "", 1000),
        (".5", "", 0.5),
        ("<span>1,</span><b>234</b>", "", 1234),
        ("1,2<ix:exclude>(see note 7)</ix:exclude>34", "", 1234),
        ("\u00a01,234\u00a0", "", 1234),
    ],
)
def test_a_printed_number_has_its_value(text, more, value):
    assert [fact.value for fact in read(tag(text, more))] == [value]


@pytest.mark.parametrize(
    "body",
    [
        tag("about ten"),
        tag("ten", 'format="ixt-sec:numwordsen"'),
        tag(""),
        tag("", 'xsi:nil="true"'),
        tag("1", context="nowhere"),
        tag("1", context="broken"),
        tag("1", 'scale="99999"'),
        tag("9" * 500),
        tag("1.2.3"),
        "1,234",
        '<ix:nonFraction contextRef="y">1</ix:nonFraction>',
        '<ix:nonFraction name="Revenues" contextRef="y">1</ix:nonFraction>',
    ],
)
def test_what_is_no_number_of_a_period_is_no_fact(body):
    assert read(body) == []


def test_a_fact_says_what_it_is_about():
    (fact,) = read(tag("1,234", 'scale="6" decimals="-6"'))
    assert (fact.concept, fact.unit, fact.period) == ("us-gaap:Revenues", "USD", YEAR)
    assert (fact.scale, fact.decimals, fact.dimensions) == (6, -6, ())
    assert (fact.label, fact.table) == ("Net sales (a)", 0)


def test_one_tag_in_another_is_two_facts():
    facts = read(tag(tag("7", name="SalesRevenueNet")))
    assert [(fact.concept, fact.value) for fact in facts] == [
        ("us-gaap:Revenues", 7),
        ("us-gaap:SalesRevenueNet", 7),
    ]


def test_a_fact_about_a_part_of_the_company_says_of_which():
    (fact,) = read(tag("7", context="part"))
    assert fact.dimensions == ("srt:ProductOrServiceAxis=boat:OarsMember",)
    assert read_inline(page(tag("7", context="part"))).find(["us-gaap:Revenues"], YEAR) is None


def test_a_ratio_of_two_units_is_written_as_one():
    assert read(tag("2.61", unit="eps"))[0].unit == "USD/shares"


def test_hidden_facts_and_what_the_filing_says_of_itself_are_read_too():
    facts = read_inline(page(""))
    assert facts.about["EntityRegistrantName"] == "Boat & Oar, Inc."
    assert facts.document == YEAR
    assert [(fact.period, fact.value) for fact in facts.facts] == [
        (Period(None, date(2023, 12, 31)), 12_000)
    ]


def test_prefixes_are_the_filers_own_business():
    body = tag("5").replace("ix:", "inline:").replace("us-gaap:", "gaap:")
    facts = read_inline(page(body, ix="inline", gaap="gaap"))
    assert [fact.value for fact in facts.all("us-gaap:Revenues", YEAR)] == [5]


@pytest.mark.parametrize(
    "broken",
    [
        lambda content: content.replace(b"</td>", b"").replace(b"</tr>", b""),
        lambda content: content.replace(b"<body>", b"<body><br><p>&nbsp;&bogus;<hr>"),
        lambda content: content.replace(b"Net  sales", b"Net \xe9\xff sales"),
        lambda content: (
            b"<DOCUMENT>\n<TYPE>10-K\n<TEXT>\n<XBRL>\n" + content + b"\n</XBRL></TEXT></DOCUMENT>"
        ),
        lambda content: content[: content.index(b"</ix:nonFraction></td>") + 30],
        lambda content: content.upper().replace(b"US-GAAP:REVENUES", b"us-gaap:Revenues"),
    ],
    ids=["unclosed", "entities", "bytes", "wrapped", "cut", "upper case"],
)
def test_html_that_is_no_xml_is_read_as_far_as_it_goes(broken):
    facts = read_inline(broken(page(tag("1,234", 'scale="6"'))))
    assert [fact.value for fact in facts.facts if fact.concept == "us-gaap:Revenues"] == [
        1_234_000_000
    ]


def test_an_empty_element_that_says_nil_swallows_nothing():
    nil = '<ix:nonFraction name="us-gaap:Cash" contextRef="y" unitRef="usd" xsi:nil="true"/>'
    both = page(nil + tag("5") + tag("6", name="Assets"))
    for content in (both, both.replace(b"<td>", b"<td><br>")):
        assert {fact.value for fact in read_inline(content).facts} == {5, 6, 12_000}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonfraction",
        b"<nonfraction",
        b"\x00" * 99 + b"nonFraction",
        b"<html>ix:nonFraction</html>",
    ],
)
def test_without_facts_there_are_none(content):
    facts = read_inline(content)
    assert not facts
    assert facts.fiscal_years == {}


def test_entities_that_grow_without_end_are_not_followed():
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 20}">' for n in range(1, 12))
    head = f'<?xml version="1.0"?><!DOCTYPE html [<!ENTITY e0 "9">{levels}]>'
    bomb = f"{head}<html><nonFraction>&e11;</nonFraction></html>"
    assert not read_inline(bomb.encode())


@given(st.binary(max_size=200), st.integers(0, len(page(tag("1")))))
def test_whatever_is_put_into_a_page_it_is_read_without_a_failure(junk, where):
    content = page(tag("1"))
    read_inline(content[:where] + junk + content[where:])
