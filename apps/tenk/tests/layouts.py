"""Filings in the layouts that filers use, with what a splitter must find in them. The words mean nothing."""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

_PROSE = """market customer product revenue growth segment operation quarter contract supplier plant energy network
license capital interest policy margin account asset service region employee material demand price competition facility
regulation patent technology distribution agreement research"""
_WORDS = _PROSE.split()

ERAS: dict[int, dict[str, str]] = {}
_BASE = {
    "1": "Business",
    "2": "Properties",
    "3": "Legal Proceedings",
    "4": "Submission of Matters to a Vote of Security Holders",
    "5": "Market for Registrant's Common Equity and Related Stockholder Matters",
    "6": "Selected Financial Data",
    "7": "Management's Discussion and Analysis of Financial Condition and Results of Operations",
    "8": "Financial Statements and Supplementary Data",
    "9": "Changes in and Disagreements with Accountants on Accounting and Financial Disclosure",
    "10": "Directors and Executive Officers of the Registrant",
    "11": "Executive Compensation",
    "12": "Security Ownership of Certain Beneficial Owners and Management",
    "13": "Certain Relationships and Related Transactions",
    "14": "Exhibits, Financial Statement Schedules and Reports on Form 8-K",
}
_MARKET_RISK = {"7A": "Quantitative and Qualitative Disclosures About Market Risk"}
_SARBANES = {
    "9A": "Controls and Procedures",
    "14": "Principal Accountant Fees and Services",
    "15": "Exhibits and Financial Statement Schedules",
}
_RISKS = {"1A": "Risk Factors", "1B": "Unresolved Staff Comments", "9B": "Other Information"}
_TODAY = {
    "1C": "Cybersecurity",
    "4": "Mine Safety Disclosures",
    "6": "[Reserved]",
    "9C": "Disclosure Regarding Foreign Jurisdictions that Prevent Inspections",
    "10": "Directors, Executive Officers and Corporate Governance",
    "13": "Certain Relationships and Related Transactions, and Director Independence",
    "16": "Form 10-K Summary",
}
ERAS[1995] = _BASE
ERAS[1999] = _BASE | _MARKET_RISK
ERAS[2004] = ERAS[1999] | _SARBANES
ERAS[2008] = ERAS[2004] | _RISKS
ERAS[2024] = ERAS[2008] | _TODAY

VARIANTS = {
    "1": ["Description of Business", "Our Business", "The Business", "General Business"],
    "2": ["Description of Property", "Description of Properties"],
    "5": [
        "Market for Common Equity and Related Stockholder Matters",
        "Market for the Company's Common Stock",
    ],
    "6": ["Selected Consolidated Financial Data", "Selected Financial Information"],
    "7": [
        "Management’s Discussion and Analysis",
        "Management's Discussion and Analysis or Plan of Operation",
        "Managements Discussion and Analysis of Financial Condition and Results of Operations",
        "Management\u2019s  Discussion and Analysis of Financial Position and Results of Operations",
    ],
    "8": ["Consolidated Financial Statements and Supplementary Data", "Financial Statements"],
}
_PARTS = {"1": "I", "5": "II", "10": "III", "14": "IV", "15": "IV"}


def order(item: str) -> tuple[int, str]:
    return int(item.rstrip("ABC")), item


def letters(text: str) -> str:
    return re.sub("[^a-z]", "", text.casefold())


@dataclass
class Made:
    """What was written: each item's heading and paragraphs, and how to draw them."""

    year: int
    heads: dict[str, str] = field(default_factory=dict)
    bodies: dict[str, list[str]] = field(default_factory=dict)

    def parts(self) -> list[tuple[str, str]]:
        """Before which item the line of which part stands."""
        fourth = "15" if "15" in self.heads else "14"
        return [
            (item, part)
            for item, part in _PARTS.items()
            if item in self.heads and (part != "IV" or item == fourth)
        ]

    def wanted(self, item: str) -> str:
        return letters(self.heads[item] + " ".join(self.bodies[item]))


def sentence(rng: random.Random) -> str:
    words = [rng.choice(_WORDS) for _ in range(rng.randint(8, 20))]
    return " ".join(words).capitalize() + "."


def paragraphs(rng: random.Random, count: int) -> list[str]:
    return [" ".join(sentence(rng) for _ in range(rng.randint(2, 6))) for _ in range(count)]


SHORT = {
    "1B": ["None.", "None", "Not applicable."],
    "4": [
        "Not applicable.",
        "No matters were submitted to a vote of security holders during the fourth quarter.",
    ],
    "9": ["None.", "Not applicable."],
    "9B": ["None."],
    "9C": ["Not applicable."],
    "16": ["None."],
    "6": ["Not required."],
}
PROXY = "The information required by this item is incorporated by reference to the definitive Proxy Statement."


def made(
    rng: random.Random,
    year: int,
    *,
    separator: str = ". ",
    caps: bool = False,
    variants: bool = False,
    word: str = "Item",
) -> Made:
    """A filing's headings and bodies: short ones where filers are short, long ones elsewhere."""
    filing = Made(year)
    for item, title in sorted(ERAS[year].items(), key=lambda pair: order(pair[0])):
        written = rng.choice(VARIANTS[item]) if variants and item in VARIANTS else title
        head = f"{word} {item}{separator}{written}"
        filing.heads[item] = head.upper() if caps else head
        if title == "[Reserved]":
            filing.bodies[item] = []
        elif item in SHORT and rng.random() < 0.7:
            filing.bodies[item] = [rng.choice(SHORT[item])]
        elif item in {"10", "11", "12", "13"} and rng.random() < 0.7:
            filing.bodies[item] = [PROXY]
        else:
            filing.bodies[item] = paragraphs(
                rng, rng.randint(3, 12) if item in {"1", "1A", "7", "8"} else rng.randint(1, 4)
            )
    return filing


COVER = [
    "UNITED STATES SECURITIES AND EXCHANGE COMMISSION",
    "FORM 10-K",
    "ANNUAL REPORT PURSUANT TO SECTION 13 OR 15(d) OF THE SECURITIES EXCHANGE ACT OF 1934",
    "Indicate by check mark if disclosure pursuant to Item 405 of Regulation S-K is not contained herein.",
]


def _p(text: str) -> str:
    return f"<p>{escape(text, quote=False)}</p>"


Draw = Callable[[str], str]


def parted(head: str) -> tuple[str, str]:
    """The number and the title of a heading."""
    found = re.match(r"(\S+\s+\S+?\.?)[\s:.–—-]+(\D.*)", head)
    assert found is not None
    return found[1], found[2]


def cells(head: str) -> str:
    number, title = parted(head)
    return (
        f"<table><tr><td>{escape(number)}</td><td></td><td><b>{escape(title)}</b></td></tr></table>"
    )


def two_lines(head: str) -> str:
    number, title = parted(head)
    return f"<div align=center><b>{escape(number)}<br>\n{escape(title)}</b></div>"


def two_blocks(head: str) -> str:
    number, title = parted(head)
    return f"<p><b>{escape(number)}</b></p><p><b>{escape(title)}</b></p>"


def small_caps(head: str) -> str:
    drawn = re.sub(
        r"\b([A-Za-z])([A-Za-z’']+)",
        lambda m: f'{m[1].upper()}<font size="1">{escape(m[2].upper(), quote=False)}</font>',
        head,
    )
    return f"<p><b>{drawn}</b></p>"


def spaced(head: str) -> str:
    return f"<p><b>{escape(' '.join(head.upper()).replace('   ', '&nbsp; '), quote=False)}</b></p>".replace(
        "&amp;nbsp;", "&nbsp;"
    )


def blanks(head: str) -> str:
    return f"<div><b>{escape(head, quote=False).replace(' ', '&nbsp;')}</b></div>"


def wrapped_source(head: str) -> str:
    return "<P ALIGN=center><B>" + escape(head, quote=False).replace(" ", "\r\n") + "</B>"


HEADS: dict[str, Draw] = {
    "paragraph": _p,
    "cells": cells,
    "two lines": two_lines,
    "two blocks": two_blocks,
    "small caps": small_caps,
    "spaced": spaced,
    "blanks": blanks,
    "wrapped source": wrapped_source,
}


def html(
    filing: Made,
    *,
    head: Draw = _p,
    contents: str = "table",
    header: str = "",
    pages: bool = False,
    index: bool = False,
    tail: str = "",
    rng: random.Random,
) -> str:
    """As HTML, with a contents page of a kind, and a running header of lines parted by ``|`` that may name {item}."""
    out = ["<html><head><title>10-K</title></head><body>", *map(_p, COVER)]
    out += _contents(filing, contents)
    out.append(_p("Statements that look forward involve risks. " + sentence(rng)))
    page, part = 1, ""
    opening = dict(filing.parts())
    for item, text in filing.heads.items():
        if item in opening:
            part = opening[item]
            out.append(f"<p align=center><b>PART {part}</b></p>")
        out.append(head(text))
        for count, paragraph in enumerate(filing.bodies[item]):
            out.append(_p(paragraph))
            if pages and count % 3 == 2:
                page += 1
                out.append(f"<p align=center>{page}</p><hr>")
                out += [_p(line.format(item=item, part=part)) for line in header.split("|") if line]
    out += [
        _p("SIGNATURES"),
        _p("Pursuant to the requirements of the Act, the registrant has signed this report."),
    ]
    if index:
        out += [_p("CROSS-REFERENCE INDEX"), *map(_p, filing.heads.values())]
    return "\n".join([*out, tail, "</body></html>"])


def _contents(filing: Made, kind: str) -> list[str]:
    if kind == "none":
        return []
    rows = [(*parted(text), 3 * place) for place, text in enumerate(filing.heads.values())]
    if kind == "table":
        body = "".join(f"<tr><td>{n}</td><td>{escape(t)}</td><td>{p}</td></tr>" for n, t, p in rows)
        return [f"<p>TABLE OF CONTENTS</p><table>{body}</table>"]
    if kind == "links":
        return [f'<div><a href="#i{p}">{n} {escape(t)}</a></div>' for n, t, p in rows]
    if kind == "lines":
        return [f"<p>{n}</p><p>{escape(t)}</p><p>{p}</p>" for n, t, p in rows]
    if kind == "dots":
        return [_p(f"{n} {t} ........ {p}") for n, t, p in rows]
    raise ValueError(kind)


def plain(
    filing: Made,
    *,
    contents: bool = True,
    pages: bool = True,
    width: int = 78,
    tail: str = "",
    rng: random.Random,
) -> str:
    """As a text filing of the nineties: wrapped lines, page numbers, SGML tags."""
    out = [line.center(width) for line in COVER[:3]]
    if contents:
        out += ["", "TABLE OF CONTENTS".center(width), ""]
        for count, text in enumerate(filing.heads.values()):
            lines = textwrap.wrap(text, width - 20, subsequent_indent="         ")
            lines[-1] = lines[-1].ljust(width - 8, ".") + f"{count * 3 + 1:>4}"
            out += lines
    out += ["", "<PAGE>", ""]
    opening = dict(filing.parts())
    page, used = 2, 0
    for item, text in filing.heads.items():
        if item in opening:
            out += ["", f"PART {opening[item]}".center(width), ""]
        out += ["", *textwrap.wrap(text, width, subsequent_indent="         "), ""]
        for paragraph in filing.bodies[item]:
            out += [*textwrap.wrap(paragraph, width, initial_indent="     "), ""]
            used += len(paragraph)
            if pages and used > 2500:
                out += [
                    "",
                    rng.choice([f"{page}", f"-{page}-", f"({page})", f"- {page} -"]).center(width),
                    "<PAGE>",
                    "",
                ]
                page, used = page + 1, 0
    out += [
        "",
        "SIGNATURES".center(width),
        "",
        "Pursuant to the requirements of the Act it was signed.",
        tail,
    ]
    return "\n".join(out)


def submission(*documents: tuple[str, str]) -> str:
    """A full submission of documents, each a type and its content."""
    body = "".join(
        f"<DOCUMENT>\n<TYPE>{kind}\n<SEQUENCE>{place}\n<TEXT>\n{content}\n</TEXT>\n</DOCUMENT>\n"
        for place, (kind, content) in enumerate(documents, 1)
    )
    header = "<SEC-HEADER>\nCONFORMED SUBMISSION TYPE:\t10-K\n</SEC-HEADER>\n"
    return f"<SEC-DOCUMENT>0000000000-00-000000.txt\n{header}{body}</SEC-DOCUMENT>\n"
