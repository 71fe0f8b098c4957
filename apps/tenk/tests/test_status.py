import pytest

from tenk.status import status_of

NOT_APPLICABLE = [
    ("1A", "Not applicable."),
    ("1B", "\n\nNone"),
    ("4", "(Removed and Reserved)"),
    ("6", "]"),
    (
        "7A",
        "Smaller reporting companies are not required to provide the information required by this item.",
    ),
    (
        "1A",
        "We are a smaller reporting company, see Rule 12b-2, and are not required to provide this.",
    ),
    ("1A", "Not required for smaller reporting companies."),
    ("7", "Omitted pursuant to General Instruction J of Form 10-K."),
]
_IN_TWO_PARTS = """(A) FINANCIAL STATEMENTS

The balance sheet and the statements of income, and the report of the accountants, are incorporated by reference to
pages 38 through 49 of the Company's 1995 Annual Report to stockholders.

(B) SUPPLEMENTARY DATA

Quarterly data are incorporated by reference to page 37 of the same report."""
INCORPORATED = [
    (
        "8",
        "The consolidated statements in the Annual Report to Shareholders for 1997 are incorporated by reference.",
    ),
    (
        "7",
        "What “Management’s Discussion” says in the 1998 Annual Report is incorporated herein by reference.",
    ),
    (
        "7",
        "Reported on pages 32-43 (and graphs on pages 25,\n40 and 42) of the Annual Report to Share Owners.",
    ),
    (
        "7",
        "Refer to pages 6 through 70 of the 2024 Annual Report to Stockholders, which are incorporated herein.",
    ),
    ("7", "See “Management’s Discussion and Analysis” beginning on page 20 of Exhibit 13."),
    ("10", "The information will be contained in the Proxy Statement for the 2024 meeting."),
    (
        "11",
        "The information required will be supplied by a Schedule 14A filing or an amendment to this Report.",
    ),
    ("8", _IN_TWO_PARTS),
]
POINTERS = [
    ("8", "The financial statements required by this item are set forth beginning on page F-1."),
    ("8", "See Item 15."),
    ("8", "See index under item 14."),
    (
        "8",
        "Our statements and the report thereon appear at the end of this report, following the signature page.",
    ),
    (
        "8",
        "The information is set forth in our Statements and Notes included in this Annual Report on Form 10-K.",
    ),
    (
        "8",
        "The following statements are on pages 64 through 112:\n\nPage\nBalance Sheets\t64\nStatements of Income\t66",
    ),
    (
        "7",
        "Management’s discussion, entitled “Management’s discussion and analysis,” appears on pages 48–167.",
    ),
    (
        "7A",
        "The information required by this item is included in Item 7 under the heading “Market Risk”.",
    ),
    ("3", "See Note 13 of the Notes to Consolidated Financial Statements."),
]
PRESENT = [
    (
        "1",
        "The Company makes boats of wood and of steel, and sells them in Norway. See Item 7 for more.",
    ),
    ("5", "There is no established public trading market for our common stock."),
    ("7A", "We do not hold any derivative instruments and do not engage in any hedging."),
    (
        "8",
        "Balance Sheet\nCash 5\nTotal assets 9\nSee the accompanying notes, which are included in this report.",
    ),
    (
        "2",
        "Our offices are in Oslo; we own two plants and lease a third. See Note 5 for the leases.",
    ),
    (
        "1A",
        "As a smaller reporting company we are not required to provide risk factors. "
        + "But here they are. " * 60,
    ),
]


@pytest.mark.parametrize(("item", "body"), NOT_APPLICABLE)
def test_an_item_that_says_so_is_not_applicable(item, body):
    assert status_of(item, body) == "not_applicable"


@pytest.mark.parametrize(("item", "body"), INCORPORATED)
def test_an_item_that_names_another_document_is_incorporated(item, body):
    assert status_of(item, body) == "incorporated_by_reference"


@pytest.mark.parametrize(("item", "body"), POINTERS)
def test_an_item_that_names_another_place_is_a_pointer(item, body):
    assert status_of(item, body) == "pointer_within_document"


@pytest.mark.parametrize(("item", "body"), PRESENT)
def test_an_item_with_matter_of_its_own_is_present(item, body):
    assert status_of(item, body) == "present"
