import json
import random
import re
import statistics
import time
from contextlib import suppress
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.tenk.tests import layouts
from apps.tenk.tests.layouts import (
    ERAS,
    HEADS,
    PROXY,
    html,
    letters,
    made,
    paragraphs,
    plain,
    submission,
)
from tenk.errors import NoItems, TenkError
from tenk.filing import Filing, read_filing
from tenk.titles import TITLES

SEPARATORS = [". ", " ", ": ", " - ", " — ", ". — ", ".\t", ".", "  ", "--", " – ", ".   "]
SOME = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])

seeds = st.integers(0, 10**6)
years = st.sampled_from(list(ERAS))


def read(text: str) -> Filing:
    return read_filing(text.encode())


def assert_all_right(filing: Filing, wanted: layouts.Made) -> None:
    """Every item begins and ends where it was written, and no other is returned."""
    assert {item.item for item in filing.items if item.text} == set(wanted.heads)
    assert {item.item: letters(item.text) for item in filing.items if item.text} == {
        item: wanted.wanted(item) for item in wanted.heads
    }


def assert_ends_right(filing: Filing, wanted: layouts.Made) -> None:
    """As above where running headers stand in the middle of items."""
    found = {item.item: letters(item.text) for item in filing.items if item.text}
    ends = {item: (text[:40], text[-40:]) for item, text in found.items()}
    assert ends == {
        item: (wanted.wanted(item)[:40], wanted.wanted(item)[-40:]) for item in wanted.heads
    }


@SOME
@given(
    seeds, years, st.sampled_from(SEPARATORS), st.booleans(), st.booleans(), st.integers(40, 130)
)
def test_text_filings_of_any_width_are_split(seed, year, separator, caps, variants, width):
    rng = random.Random(seed)
    filing = made(rng, year, separator=separator, caps=caps, variants=variants)
    assert_all_right(read(plain(filing, contents=seed % 2 == 0, width=width, rng=rng)), filing)


@pytest.mark.parametrize("contents", ["none", "table", "links", "lines", "dots"])
@pytest.mark.parametrize("head", HEADS)
@SOME
@given(
    seeds,
    years,
    st.sampled_from([". ", ": ", " - ", " — ", " – ", ".\t"]),
    st.booleans(),
    st.booleans(),
)
def test_html_filings_are_split_however_their_headings_are_drawn(
    head, contents, seed, year, separator, caps, variants
):
    rng = random.Random(seed)
    filing = made(rng, year, separator=separator, caps=caps, variants=variants)
    assert_all_right(
        read(html(filing, head=HEADS[head], contents=contents, index=seed % 2 == 0, rng=rng)),
        filing,
    )


@pytest.mark.parametrize(
    "header",
    [
        "PART {part}|Item {item}",
        "ACME CORPORATION",
        "Table of Contents",
        "Item {item}. (continued)",
        "Item {item}",
        "PART I, II|Item 1, 2",
    ],
)
@SOME
@given(seeds, years, st.sampled_from(list(HEADS)), st.sampled_from(["none", "table", "links"]))
def test_running_headers_are_no_headings_and_end_no_item(header, seed, year, head, contents):
    rng = random.Random(seed)
    filing = made(rng, year)
    assert_ends_right(
        read(html(filing, head=HEADS[head], contents=contents, header=header, pages=True, rng=rng)),
        filing,
    )


@SOME
@given(seeds, years)
def test_text_in_pre_is_split(seed, year):
    rng = random.Random(seed)
    filing = made(rng, year)
    text = plain(filing, rng=rng).replace("<PAGE>", "").replace("&", "&amp;")
    assert_all_right(read(f"<html><body><pre>{text}</pre></body></html>"), filing)


@pytest.mark.parametrize("contents", ["none", "table"])
@SOME
@given(seeds, years)
def test_items_that_a_sentence_names_at_the_start_of_a_line_are_no_headings(contents, seed, year):
    filing = made(random.Random(seed), year)
    mentions = {
        "1": "For more see\nItem 7. Management's Discussion and Analysis of Financial Condition in this report.",
        "3": "Refer to\nItem 1A, “Risk Factors,” and Part II,\nItem 7A. Quantitative and Qualitative Disclosures.",
        "7": "as told in\nItem 1. Business and\nItem 8. Financial Statements and Supplementary Data of this report.",
        "8": "Refer to\nItem 5. Other Events of the Form 8-K.",
    }
    for item, mention in mentions.items():
        filing.bodies[item].insert(1, mention)
    text = html(filing, contents=contents, rng=random.Random(seed)).replace("\nItem", "<br>Item")
    assert_all_right(read(text), filing)


@pytest.mark.parametrize("sign", ["I", "l"])
@SOME
@given(seeds, years)
def test_a_letter_that_looks_like_a_one_is_a_one(sign, seed, year):
    filing = made(random.Random(seed), year)
    filing.heads = {
        item: head.replace("Item 1", f"Item {sign}") for item, head in filing.heads.items()
    }
    assert_all_right(read(html(filing, rng=random.Random(seed))), filing)


def test_roman_numbers_are_numbers():
    filing = made(random.Random(1), 1995)
    roman = dict(
        enumerate(
            [
                "I",
                "II",
                "III",
                "IV",
                "V",
                "VI",
                "VII",
                "VIII",
                "IX",
                "X",
                "XI",
                "XII",
                "XIII",
                "XIV",
            ],
            1,
        )
    )
    filing.heads = {
        item: head.replace(f"Item {item}", f"ITEM {roman[int(item)]}")
        for item, head in filing.heads.items()
    }
    assert_all_right(read(html(filing, contents="none", rng=random.Random(1))), filing)


@SOME
@given(seeds, years)
def test_headings_without_a_title_are_headings(seed, year):
    filing = made(random.Random(seed), year)
    filing.heads = {item: f"Item {item}." for item in filing.heads}
    filing.bodies = {item: body or ["Reserved."] for item, body in filing.bodies.items()}
    assert_all_right(read(html(filing, contents="none", rng=random.Random(seed))), filing)


@SOME
@given(seeds, st.sampled_from([1999, 2004, 2008, 2024]))
def test_a_title_corrects_a_wrong_number(seed, year):
    filing = made(random.Random(seed), year)
    filing.heads["7A"] = filing.heads["7A"].replace("7A", "7")
    assert_all_right(read(html(filing, rng=random.Random(seed))), filing)


@SOME
@given(seeds, st.sampled_from([1999, 2004, 2008, 2024]))
def test_an_item_that_stands_out_of_order_is_found(seed, year):
    filing = made(random.Random(seed), year)
    filing.bodies["7A"] += paragraphs(random.Random(seed), 6)
    heads = list(filing.heads.items())
    at = list(filing.heads).index("7")
    heads[at], heads[at + 1] = heads[at + 1], heads[at]
    filing.heads = dict(heads)
    assert_all_right(read(html(filing, rng=random.Random(seed))), filing)


@pytest.mark.parametrize(
    "head",
    [
        "Items 1 and 2. Business and Properties",
        "Items 1. and 2. Business and Properties",
        "ITEM 1 AND ITEM 2. BUSINESS AND PROPERTIES",
        "Items 1 & 2 - Business and Properties",
        "Item 1/2. Business and Properties",
    ],
)
def test_a_heading_for_two_items_is_the_heading_of_both(head):
    filing = made(random.Random(5), 2024)
    filing.heads["1"] = head
    del filing.heads["2"]
    found = read(html(filing, contents="none", rng=random.Random(5)))
    assert letters(found.item("1").text) == filing.wanted("1")
    assert found.item("2").text == found.item("1").text
    assert letters(found.item("1A").text) == filing.wanted("1A")
    assert letters(found.item("1B").text) == filing.wanted("1B")


@pytest.mark.parametrize(
    "head", ["Items 10, 11, 12 and 13.", "ITEMS 10 THROUGH 13.", "Items 10 - 13:"]
)
def test_a_heading_for_many_items_is_the_heading_of_all(head):
    filing = made(random.Random(5), 1995)
    filing.heads = {
        item: text for item, text in filing.heads.items() if item not in {"11", "12", "13"}
    }
    filing.heads["10"] = (
        f"{head} Directors; Executive Compensation; Security Ownership; Relationships"
    )
    found = read(html(filing, contents="none", rng=random.Random(5)))
    assert len({found.item(item).text for item in ("10", "11", "12", "13")}) == 1
    assert letters(found.item("12").text) == filing.wanted("10")
    assert letters(found.item("9").text) == filing.wanted("9")


@pytest.mark.parametrize("contents", ["none", "table"])
def test_one_pointer_below_the_headings_of_several_items_is_that_of_all(contents):
    filing = made(random.Random(5), 2024)
    filing.bodies |= {"10": [], "11": [], "12": [], "13": [PROXY]}
    found = read(html(filing, contents=contents, rng=random.Random(5)))
    assert_all_right(found, filing)
    assert {found.item(item).status for item in ("10", "11", "12", "13")} == {
        "incorporated_by_reference"
    }


def test_items_of_a_filers_own_invention_end_the_one_before_them():
    filing = made(random.Random(5), 2008)
    text = html(filing, rng=random.Random(5)).replace(
        "<p align=center><b>PART II</b></p>",
        "<p>Item 4A. Executive Officers of the Registrant</p><p>A. Person, chief "
        "executive.</p><p><b>PART II</b></p>",
    )
    assert_all_right(read(text), filing)


def test_a_preface_to_a_part_belongs_to_no_item():
    filing = made(random.Random(5), 2024)
    part = "<p align=center><b>PART III</b></p>"
    text = html(filing, rng=random.Random(5)).replace(
        part, f"{part}<p>Certain information is omitted from this part.</p>"
    )
    assert_all_right(read(text), filing)


def test_headings_without_numbers_are_found_where_the_contents_page_lists_the_item():
    filing = made(random.Random(7), 2024)
    text = html(filing, rng=random.Random(7))
    for item in ("1", "1A", "7"):
        bare = filing.heads[item].split(". ", 1)[1]
        text = text.replace(f"<p>{filing.heads[item]}</p>", f"<p>{bare}</p>")
        filing.heads[item] = bare
    assert_all_right(read(text), filing)


def test_risk_factors_in_another_item_are_not_item_1a():
    filing = made(random.Random(3), 1999)
    for item in ("1", "7"):
        filing.bodies[item] += ["RISK FACTORS", *paragraphs(random.Random(3), 9)]
    found = read(html(filing, rng=random.Random(3)))
    assert_all_right(found, filing)
    assert found.item("1A").status == "absent"
    assert found.item("1A").body == ""


def test_the_form_and_all_its_items_are_told():
    filing = read(
        submission(("10-K405", plain(made(random.Random(1), 1995), rng=random.Random(1))))
    )
    assert filing.form == "10-K405"
    assert [item.item for item in filing.items] == list(TITLES)
    assert filing.item("1a").title == "Risk Factors"
    with pytest.raises(KeyError, match="no Item 17"):
        filing.item("17")


def test_a_title_is_that_of_the_filing():
    filing = read(html(made(random.Random(1), 1995), rng=random.Random(1)))
    assert filing.item("4").title == "Submission of Matters to a Vote of Security Holders"


def test_what_has_only_a_contents_page_or_an_index_has_no_items():
    filing = made(random.Random(2), 2024)
    filing.bodies = {item: [] for item in filing.heads}
    with pytest.raises(NoItems, match="cross-reference index"):
        read(html(filing, index=True, tail="<p>Text.</p>" * 9, rng=random.Random(2)))


def test_an_amendment_may_hold_a_single_item():
    item = "Item 11. Executive Compensation\n\nThe table shows what was paid to officers.\n"
    amendment = f"FORM 10-K/A\nAmendment No. 1\n\n{item}"
    filing = read(amendment)
    assert filing.form == "10-K/A"
    assert [item.item for item in filing.items if item.text] == ["11"]
    with pytest.raises(NoItems):
        read(amendment.replace("/A\nAmendment No. 1", ""))


def test_markup_is_kept_of_html_only():
    filing = made(random.Random(1), 2024)
    page = html(filing, rng=random.Random(1))
    assert read(page).markup == page.encode()
    assert read(plain(filing, rng=random.Random(1))).markup is None
    assert (
        read(submission(("10-K", page), ("EX-31", "<html>x</html>"))).markup
        == f"\n{page}\n</TEXT>\n".encode()
    )


def statements(rng: random.Random) -> list[str]:
    return [
        "REPORT OF INDEPENDENT AUDITORS", *paragraphs(rng, 2),
        "CONSOLIDATED BALANCE SHEETS", "Cash 10 20\nTotal assets 300 400", *paragraphs(rng, 1),
        "CONSOLIDATED STATEMENTS OF INCOME", *paragraphs(rng, 1),
        "CONSOLIDATED STATEMENTS OF CASH FLOWS", "Net cash provided by operating activities 5 6", *paragraphs(rng, 1),
        "NOTES TO CONSOLIDATED FINANCIAL STATEMENTS", *paragraphs(rng, 8),
    ]  # fmt: skip


INDEX = """INDEX TO FINANCIAL STATEMENTS

Report of Independent Auditors ....... F-2

Consolidated Balance Sheets ........ F-3

Consolidated Statements of Income

Notes to Consolidated Financial Statements"""


@SOME
@given(seeds, years, st.sampled_from(["html", "text"]))
def test_statements_on_pages_behind_the_signatures_are_the_target(seed, year, kind):
    rng = random.Random(seed)
    filing = made(rng, year)
    filing.bodies["8"] = [
        "The statements required by this item are set forth on pages F-1 through F-20."
    ]
    theirs = statements(rng)
    behind = [
        *INDEX.split("\n\n"),
        *theirs,
        "SCHEDULE II",
        "Valuation and qualifying accounts",
        *paragraphs(rng, 1),
    ]
    if kind == "html":
        found = read(html(filing, rng=rng, tail="".join(f"<p>{part}</p>" for part in behind)))
    else:
        found = read(plain(filing, rng=rng, tail="\n\n".join(behind)))
    item = found.item("8")
    assert item.status == "pointer_within_document"
    assert item.target is not None
    assert letters(item.target.text) == letters("".join(theirs))
    assert item.target.place == f"after Item {list(filing.heads)[-1]}"
    assert item.body == item.target.text
    assert letters(item.text) == filing.wanted("8")


def annual_report(rng: random.Random, discussion: list[str], theirs: list[str]) -> str:
    title = "MANAGEMENT'S DISCUSSION AND ANALYSIS OF\nFINANCIAL CONDITION AND RESULTS OF OPERATIONS"
    return "\n\n".join(
        [
            "FINANCIAL HIGHLIGHTS",
            *paragraphs(rng, 2),
            title,
            *discussion,
            *theirs,
            "SHAREHOLDER INFORMATION",
            "x",
        ]
    )


@SOME
@given(seeds, years)
def test_sections_of_exhibit_13_are_targets(seed, year):
    rng = random.Random(seed)
    filing = made(rng, year)
    filing.bodies["7"] = [
        "Incorporated by reference to the Annual Report to Shareholders, filed as Exhibit 13."
    ]
    filing.bodies["8"] = [
        "The statements in the Company's Annual Report are incorporated herein by reference."
    ]
    discussion, theirs = paragraphs(rng, 8), statements(rng)
    exhibit = annual_report(rng, discussion, theirs)
    found = read(submission(("10-K", plain(filing, rng=rng)), ("EX-13.1", exhibit), ("EX-27", "x")))
    assert_all_right(found, filing)
    seventh, eighth = found.item("7"), found.item("8")
    assert (seventh.status, eighth.status) == (
        "incorporated_by_reference",
        "incorporated_by_reference",
    )
    assert seventh.target is not None
    assert eighth.target is not None
    assert (seventh.target.place, eighth.target.place) == ("Exhibit 13", "Exhibit 13")
    assert letters(seventh.target.text).endswith(letters("".join(discussion)))
    assert letters(seventh.target.text).startswith("managementsdiscussion")
    assert letters(eighth.target.text) == letters("".join(theirs))


def test_pages_that_a_pointer_names_are_its_target_where_nothing_has_a_title():
    rng = random.Random(4)
    filing = made(rng, 1999)
    filing.bodies["7"] = [
        "The information on pages 12 to 14 of the Annual Report, filed as Exhibit 13, is incorporated."
    ]
    pages = {number: " ".join(paragraphs(rng, 2)) for number in range(10, 20)}
    exhibit = "\n\n".join(f"{text}\n\n      -{number}-\n<PAGE>" for number, text in pages.items())
    target = read(submission(("10-K", plain(filing, rng=rng)), ("EX-13", exhibit))).item("7").target
    assert target is not None
    assert letters(target.text) == letters(pages[12] + pages[13] + pages[14])


def test_a_pointer_out_of_the_file_has_no_target_and_no_body():
    filing = made(random.Random(4), 1999)
    filing.bodies["7"] = [
        "The information on pages 12 to 14 of the Annual Report is incorporated by reference."
    ]
    item = read(plain(filing, rng=random.Random(4))).item("7")
    assert (item.status, item.target, item.body) == ("incorporated_by_reference", None, "")


@SOME
@given(seeds, years, st.sampled_from(list(HEADS)))
def test_offsets_count_in_the_text(seed, year, head):
    rng = random.Random(seed)
    filing = made(rng, year)
    filing.bodies["7"] = [
        "Incorporated by reference to the Annual Report to Shareholders, filed as Exhibit 13."
    ]
    exhibit = annual_report(rng, paragraphs(rng, 5), statements(rng))
    found = read(submission(("10-K", html(filing, head=HEADS[head], rng=rng)), ("EX-13", exhibit)))
    for item in found.items:
        assert found.text[item.start : item.end] == item.text
        if item.target is not None:
            assert found.text[item.target.start : item.target.end] == item.target.text


@settings(max_examples=100)
@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode), st.integers(0, 3))
def test_any_bytes_are_a_filing_or_a_typed_error(noise, where):
    page = html(made(random.Random(1), 2024), rng=random.Random(1)).encode()
    spot = len(page) * where // 3
    with suppress(TenkError):
        found = read_filing(page[:spot] + noise + page[spot:])
        assert all(found.text[item.start : item.end] == item.text for item in found.items)


@pytest.fixture(scope="module")
def score(filings) -> ModuleType:
    spec = spec_from_file_location("score", filings / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_slots_of_the_real_filings_are_right_and_fast(filings, score):
    wrong, seconds = {}, []
    for gold in json.loads((filings / "index.json").read_text())["filings"]:
        began = time.perf_counter()
        found = read_filing(filings / gold["file"])
        seconds.append(time.perf_counter() - began)
        for number in score.ITEMS:
            item = found.item(number)
            verdict = score.verdict(
                gold["items"][number], {"text": item.text, "status": item.status}
            )
            if verdict != "ok":
                wrong[gold["file"], number] = verdict
    assert wrong == {}
    print(f"median {statistics.median(seconds):.2f} s a filing")


def test_statements_of_the_real_filings_are_found_where_they_stand(filings, score):
    checked = 0
    for gold in json.loads((filings / "index.json").read_text())["filings"]:
        place = gold["items"]["8"].get("statements_located_elsewhere_in_this_document")
        if place:
            target = read_filing(filings / gold["file"]).item("8").target
            assert target is not None
            text = score.letters(target.text)
            assert text.startswith(score.letters(place["first_60"]))
            assert text.endswith(score.letters(place["last_60"]))
            checked += 1
    assert checked == 3


def test_offsets_of_the_real_filings_count_in_the_text(filings):
    for path in sorted(filings.glob("*-*.[th][xt]*")):
        found = read_filing(path)
        assert re.match("10-K", found.form)
        for item in found.items:
            for part in (item, item.target or item):
                assert found.text[part.start : part.end] == part.text
