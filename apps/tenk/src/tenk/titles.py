"""The items of a 10-K: their numbers in order, and the titles that filers give them, over the years."""

from __future__ import annotations

import re

# Official titles of today; what filers write instead is in `_OPENINGS`.
TITLES = {
    "1": "Business",
    "1A": "Risk Factors",
    "1B": "Unresolved Staff Comments",
    "1C": "Cybersecurity",
    "2": "Properties",
    "3": "Legal Proceedings",
    "4": "Mine Safety Disclosures",
    "5": "Market for Registrant's Common Equity",
    "6": "Selected Financial Data",
    "7": "Management's Discussion and Analysis",
    "7A": "Quantitative and Qualitative Disclosures About Market Risk",
    "8": "Financial Statements and Supplementary Data",
    "9": "Changes in and Disagreements with Accountants",
    "9A": "Controls and Procedures",
    "9B": "Other Information",
    "9C": "Disclosure Regarding Foreign Jurisdictions that Prevent Inspections",
    "10": "Directors, Executive Officers and Corporate Governance",
    "11": "Executive Compensation",
    "12": "Security Ownership of Certain Beneficial Owners and Management",
    "13": "Certain Relationships and Related Transactions",
    "14": "Principal Accountant Fees and Services",
    "15": "Exhibits and Financial Statement Schedules",
    "16": "Form 10-K Summary",
}
# that filers put behind a number, also of items of their own invention ("Item 4A. Executive
# Officers")
LETTERS = {
    "1": "ABCDE", "2": "ABC", "3": "AB", "4": "AB", "5": "ABC", "6": "AB", "7": "AB", "8": "AB", "9": "ABCD", "10": "A",
}  # fmt: skip

# How each title begins and goes on, in letters only (no blanks, digits, signs), small. The end of
# each is optional.
_OPENINGS = {
    "1": r"(?:descriptionof)?(?:the|our)?(?:general)?(?:companys|corporations|registrants|bank)?business(?:es)?"
    r"(?:andproperties)?|thecompany|generaldevelopmentofbusiness|descriptionofthecompany",
    "1A": r"(?:summaryof|certain|principal|our|additional)*riskfactors?(?:summary)?|risks(?:anduncertainties)?|"
    r"factorsthatm(?:ay|ight)affect|cautionary",
    "1B": r"unresolvedstaffcomments?|unresolved(?:sec|commission)staffcomments?|staffcomments?",
    "1C": r"cybersecurity",
    "2": r"(?:descriptionof|the|our|company|real)*propert(?:y|ies)(?:andfacilities)?|facilities|realestate",
    "3": r"legal(?:proceedings?|matters|actions)|litigation|legalandregulatory",
    "4": r"submissionof(?:certain)?matters(?:toa?voteof)?(?:securityholders|shareholders|stockholders)?|"
    r"matterssubmitted|minesafety(?:disclosures?)?|(?:removedand)?reserved|removed|executiveofficers",
    "5": r"(?:descriptionof)?market(?:s|price)?(?:for|of)(?:the)?(?:registrants?|companys?|our|corporations?)?"
    r"(?:common)?(?:equity|stock|shares|securities|units)?(?:and|securities)*(?:related)?"
    r"(?:stock|share|unit|security|member)*(?:holders?)?(?:matters)?(?:andissuerpurchasesofequitysecurities)?|"
    r"marketinformation|market(?=common)|commonstock|commonequity|stockholdermatters|dividends",
    "6": r"(?:consolidated)?selected(?:consolidated|historical|financial|statistical|and|other|operating)*"
    r"(?:data|information|highlights)?(?:reserved)?|(?:removedand)?reserved|removed|summaryfinancial|fiveyear|"
    r"financialhighlights",
    "7": r"management?s?s?discussions?(?:(?:and)?analysis(?:(?:orplan)?ofoperations?|of(?:the)?(?:consolidated)?"
    r"financial(?:conditions?|position)(?:and)?(?:the)?(?:consolidated)?(?:results?ofoperations?)?)?)?|"
    r"discussionandanalysis|mda|planofoperations?|managementsplan|managementsfinancialdiscussion|"
    r"managementsanalysis|financialreview",
    "7A": r"quantitativeand?(?:nd)?qualitative(?:disclosures?|information)?(?:about|of|on|regarding|concerning)?"
    r"(?:the)?(?:marketrisks?)?|qualitativeandquantitative(?:disclosures?)?(?:about)?(?:marketrisks?)?|"
    r"quantitative|(?:disclosures?about)?marketrisks?",
    "8": r"(?:index(?:to)?)?(?:the)?(?:consolidated|audited|combined)*financialstatements?(?:and)?(?:other)?"
    r"(?:supplement(?:ary|al)(?:financial)?(?:data|information|schedules?)?)?|"
    r"consolidatedstatements?of|statementsandsupplement|supplementaryfinancial",
    "9": r"changes?in(?:and)?(?:or)?(?:registrants)?(?:(?:and)?(?:or)?disagreements?)?(?:with)?(?:the)?"
    r"(?:certifying|independent|public)*(?:account(?:ants?|ing))?(?:on|and)*(?:accounting)?(?:and)?"
    r"(?:financialdisclosures?)?(?:matters)?|disagreements?(?:with|on|between)|changesofaccountants",
    "9A": r"(?:disclosure)?controls?(?:and)?(?:other)?procedures?|evaluationof(?:disclosure)?controls|"
    r"managementsreportoninternalcontrol|internalcontrols?",
    "9B": r"other(?:information|events|matters)",
    "9C": r"disclosures?regardingforeignjurisdictions?(?:thatpreventinspections?)?",
    "10": r"(?:the|management|identificationof|boardof)*(?:directors?|executiveofficers?|nominees)(?:and)?"
    r"(?:executiveofficers?)?(?:promotersandcontrolpersons)?(?:ofthe(?:registrant|company))?"
    r"(?:andcorporategovernance)?|managementof|corporategovernance|management",
    "11": r"(?:executive|management|director|officer|and)*(?:compensation|remuneration)",
    "12": r"(?:security|securities|stock|share|beneficial|unit)*ownership(?:ofcertain)?(?:beneficialowners?)?"
    r"(?:and)?(?:management)?(?:andrelated(?:stock|share|unit|security)*holdersmatters)?|principalshareholders",
    "13": r"certain(?:relationships?|transactions?|related)(?:and)?(?:related)?(?:party)?(?:transactions?)?"
    r"(?:anddirectorindependence)?|transactionswith|relationships?and|relatedparty|interestofmanagement",
    "14": r"princip(?:al|le)account(?:ants?|ing)(?:firm)?(?:fees)?(?:andservices)?|account(?:ants?|ing)fees|"
    r"audit(?:or|ors)?fees|independent(?:public)?account|feesand|exhibits?|controlsandprocedures|"
    r"financialstatementschedules",
    "15": r"exhibits?(?:and)?(?:financialstatements?)?(?:schedules?)?(?:andreportsonformk)?|"
    r"financialstatements?(?:and)?(?:schedules?|exhibits)|princip(?:al|le)accountant|financialschedules",
    "16": r"form\s?k?(?:annual)?(?:report)?summary|summary(?:offormk)?",
}
_TITLE = {item: re.compile(opening) for item, opening in _OPENINGS.items()}
_FORM_8K = re.compile(r"financialstatements?(?:proformafinancialinformation)?andexhibits")


def title_of(letters: str, item: str) -> int | None:
    """How many of `letters` (a to z only) are the title of `item`; None where they begin with another.

    >>> title_of("riskfactorsyoushouldread", "1A")
    11
    """
    pattern = _TITLE.get(item)
    match = pattern.match(letters) if pattern else None
    if match is None or _FORM_8K.match(letters):  # an item of another form, in a list of exhibits
        return None
    return match.end()


def neighbours(item: str) -> list[str]:
    """The items that a filer may have meant who wrote `item`: the others of its number, of the one before, of the next.

    >>> neighbours("7")
    ['7A', '6', '8']
    """
    number = _number(item)
    near = [other for other in TITLES if abs(_number(other) - number) <= 1 and other != item]
    return sorted(near, key=lambda other: abs(_number(other) - number))


def _number(item: str) -> int:
    return int(item.rstrip("ABCDE"))
