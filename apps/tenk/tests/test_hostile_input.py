"""Input made to break a splitter: it ends, with items or a typed error. Regexes that backtrack would not end."""

from contextlib import suppress

import pytest

from tenk.errors import TenkError
from tenk.filing import read_filing

COVER = b"FORM 10-K\n"
WORDS = b"words of a sentence. " * 300
ITEMS = COVER + b"Item 1. Business\n" + WORDS + b"\nItem 7. Management's Discussion\n" + WORDS

HOSTILE = {
    "unclosed divs": b"<html>" + COVER + b"<div>" * 200_000,
    "nested tables": b"<html>" + COVER + b"<table><tr><td>" * 30_000,
    "misnested inlines": b"<html>" + COVER + b"<b><i>x</b></i>" * 100_000,
    "open angles": b"<html>" + COVER + b"<" * 500_000,
    "ampersands": b"<html>" + COVER + b"&" * 1_000_000,
    "attributes": b"<html>" + COVER + b"<p " + b"a=b " * 300_000 + b">x",
    "styles": b"<html>" + COVER + (b'<p style="' + b"display " * 500 + b'">x') * 1000,
    "cells": b"<html>" + COVER + b"<table>" + b"<td>1</td>" * 300_000,
    "documents": b"<DOCUMENT><TYPE>10-K<TEXT>" * 100_000,
    "blanks": COVER + b" " * 5_000_000 + b"Item 1. Business",
    "line breaks": COVER + b"\n" * 3_000_000,
    "lines of items": COVER + b"Item 1\n" * 300_000,
    "items in one line": COVER + b"Item 1 " * 500_000,
    "combined items": COVER + (b"Items 1" + b" and 2" * 50 + b"\n") * 20_000,
    "parts": COVER + b"PART I\n" * 500_000,
    "leaders": COVER + b"Item 1. Business" + b" ." * 1_000_000,
    "quotes": COVER + b'"' * 2_000_000,
    "openings": ITEMS
    + b"\nItem 8. Financial Statements\nSee page F-1.\n"
    + b"Consolidated Balance Sheets\n" * 100_000,
    "page numbers": ITEMS
    + b"\nItem 8. Financial Statements\nSee pages 2 to 90.\nItem 9. Changes\n"
    + b"1\n" * 300_000,
    "capitals": ITEMS + b"\nItem 8. Financial Statements\n" + b"INCORPORATED IN IN " * 100_000,
    "NULs": ITEMS + b"\0\0" * 1000 + b"\nItem 8. Fin\0ancial Statements\nSee page F-1.\n",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_input_ends_in_items_or_a_typed_error(kind):
    with suppress(TenkError):
        filing = read_filing(HOSTILE[kind])
        assert all(filing.text[item.start : item.end] == item.text for item in filing.items)


@pytest.mark.slow
def test_fifty_megabytes_are_split(filings):
    content = (filings / "nvda-2024.htm").read_bytes()
    filing = read_filing(b"<div>" + content * (50_000_000 // len(content)))
    assert filing.item("1A").status == "present"
