"""Filings and models for tests of the analysis: small, and made here."""

from ingather import LLMResponse, Usage
from ingather.extractive import json_answer

_BUSINESS = """Northwind Ferries operates passenger and car ferries between the islands of the northern coast. We earn
money by selling tickets, freight space and meals on board. We were incorporated in 1987 and employ 1,240 people.
Our main products are Island Pass, a season ticket for residents, and Cargo Direct, a freight service for farms.
We report two segments, Passengers and Freight. Our competitors include Coastal Lines and Baltic Shuttle. We compete on
price, punctuality and safety. We plan to invest $45 million in two electric ferries over the next three years.
Our largest customer, the Harbour Cooperative, accounted for 18% of revenue. The Maritime Safety Act applies to us."""
_RISKS = """Our ferries depend on a single shipyard for repairs.
If the yard were to close, we could lose sailings for months, and revenue would be adversely affected.

Storms have disrupted our sailings.
In 2022 a storm closed three ports for nine days and cost us $4.1 million. Climate change may make storms more frequent.

We rely on fuel whose price we cannot control.
A rise of 10% in the price of fuel would have reduced our operating income by $2.3 million. We hedge half of it."""
_MDA = """Revenue was $212.4 million in 2023 compared with $198.1 million in 2022, an increase of 7.2%, driven by higher
fares and more freight. Operating income was $31.0 million compared with $28.5 million. Passengers revenue grew 5% and
Freight revenue grew 12%. Cash and cash equivalents were $40.2 million. Net cash provided by operating activities was
$52.7 million. Capital expenditures were $38.9 million. We expect revenue to grow in 2024. Our most critical estimate is
the useful life of our vessels, since a change of one year would change depreciation by $3 million."""
_STATEMENTS = """Report of Independent Registered Public Accounting Firm. In our opinion, the statements present
fairly, in all material respects, the financial position of Northwind Ferries. Harbour & Quay LLP.
Note 1. Revenue is recognized when a passenger has travelled. Note 2. Long-term debt was $88.0 million.
Total assets rose to $410.2 million from $395.8 million."""


def filing(*, business=_BUSINESS, risks=_RISKS, mda=_MDA, statements=_STATEMENTS):
    """A 10-K as a text file has it; an Item's text may be replaced."""
    return f"""UNITED STATES SECURITIES AND EXCHANGE COMMISSION
FORM 10-K
ANNUAL REPORT PURSUANT TO SECTION 13 OR 15(d) OF THE SECURITIES EXCHANGE ACT OF 1934
For the fiscal year ended December 31, 2023

PART I

Item 1. Business

{business}

Item 1A. Risk Factors

{risks}

Item 2. Properties

We own four terminals.

PART II

Item 7. Management's Discussion and Analysis of Financial Condition and Results of Operations

{mda}

Item 7A. Quantitative and Qualitative Disclosures About Market Risk

We are exposed to the price of fuel.

Item 8. Financial Statements and Supplementary Data

{statements}

Item 9. Changes in and Disagreements with Accountants on Accounting and Financial Disclosure

None.
""".encode()


class Model:
    """A provider that answers as the offline model does, except where `says` has something for a component.

    `says`: by component, a text to answer, or an exception to raise. `asked`, `prompts`: of each
    call, in order.
    """

    schema_mode = "native"
    schema_lengths = True

    def __init__(self, says=None):
        self.says = says or {}
        self.asked = []
        self.prompts = []

    async def complete(self, messages, config_overrides=None):
        question = messages[0].content.rpartition("\n</document")[2]
        names = [
            line[2:].partition(":")[0] for line in question.splitlines() if line.startswith("- ")
        ]
        self.asked.append(names)
        self.prompts.append(messages[0].content)
        said = self.says.get(names[0]) if len(names) == 1 else None
        if isinstance(said, Exception):
            raise said
        schema = config_overrides["response_format"]["json_schema"]["schema"]
        turns = [(message.role, message.content) for message in messages]
        return LLMResponse(said or json_answer(turns, schema), usage=Usage(1000, 50, 200))
