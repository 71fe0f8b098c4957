"""How filers print a statement's lines: patterns of labels, in lower case, for statements that are not tagged.

A pattern matches the whole label. Where a statement prints a total and its parts, only the total's
label is here.
"""

from __future__ import annotations

INCOME = {
    "revenue": r"(?:total )?(?:net )?(?:operating )?(?:revenues?|sales)(?:,? net)?"
    r"|total (?:net )?(?:sales|revenues?)\b.*"
    r"|net sales and (?:other )?revenues?",
    "net_interest_income": r"net interest income",
    "noninterest_income": r"total non-?interest income",
    "provision_for_losses": r"provision for (?:possible )?(?:loan|credit)(?: and lease)? losses",
    "policy_benefits": r"(?:losses and loss|claims and claim) (?:adjustment )?expenses?"
    r"|(?:total )?policyholder benefits.*",
    "cost_of_revenue": r"(?:total )?costs? of (?:net )?(?:sales|revenues?|goods sold|products sold"
    r"|products and services)\b.*",
    "gross_profit": r"gross (?:profit|margin|income)",
    "research_and_development": r"research,? (?:and )?development\b.*|product development",
    "selling_general_administrative": r"(?:selling|sales|marketing)\b.*\badministrative\b.*",
    "operating_expenses": r"(?:total )?operating (?:costs and )?expenses",
    "total_costs": r"total (?:costs|benefits|losses|expenses)\b.*",
    "operating_income": r"(?:operating (?:income|profit|earnings|\(?loss\)?)"
    r"|(?:income|earnings|profit|\(?loss\)?)(?: \(loss\))? from operations)"
    r"(?: \(loss\)| before .*)?",
    "interest_expense": r"interest(?: and debt)? expense\b.*",
    "pretax_income": r"(?:net )?(?:income|earnings|profit|\(?loss\)?)\b.*\bbefore\b.*\btax(?:es)?\b.*",
    "income_tax": r"(?:total )?(?:provision|benefit|\(benefit\)|\(provision\)|credit)\b.*\btax(?:es)?\b.*"
    r"|(?:total )?income tax(?:es)?\b(?: expense| provision)?.{0,20}",
    "net_income": r"net (?:income|earnings|profit|\(?loss\)?)(?: ?\(loss\)| or loss"
    r"| and comprehensive (?:income|loss))?"
    r"(?: attributable to .*)?",
    "eps_basic": r"(?:basic|primary)\b.*"
    r"|(?:net )?(?:income|earnings|\(?loss\)?)(?: \(loss\))? per (?:common )?share\b.*basic\b.*",
    "eps_diluted": r"(?:diluted|fully diluted|assuming dilution)\b.*"
    r"|(?:net )?(?:income|earnings"
    r"|\(?loss\)?)(?: \(loss\))? per (?:common )?(?:share\b.*diluted\b.*|and common equivalent share)",
}
BALANCE = {
    "cash": r"(?:total )?cash(?: and (?:cash|short-term|temporary|invest)\b.*)?",
    "short_term_investments": r"(?:total )?(?:short-term|temporary) investments|marketable (?:debt )?securities\b.*",
    "receivables": r"(?:total )?(?:trade |notes and )?(?:accounts |premiums |net )?receivables?\b.*",
    "loans": r"(?:net loans|loans,? net)\b.*",
    "inventories": r"(?:total )?(?:merchandise )?inventor(?:y|ies)\b.*",
    "current_assets": r"total current assets",
    "property_plant_equipment": r"(?:total |net )?propert(?:y|ies)(?:,| and).*equipment\b.*|net property\b.*",
    "goodwill": r"goodwill\b.*",
    "total_assets": r"total assets",
    "current_liabilities": r"total current liabilities",
    "deposits": r"total deposits",
    "short_term_debt": r"short-term (?:debt|borrowings)\b.*"
    r"|current (?:portion|maturities) of (?:long-term debt|notes)\b.*",
    "long_term_debt": r"(?:total )?long-term (?:debt|borrowings)\b.*",
    "total_liabilities": r"total liabilities",
    "retained_earnings": r"(?:retained earnings|accumulated (?:deficit|\(deficit\)))\b.*"
    r"|\(?deficit\)? accumulated\b.*",
    "equity": r"(?:total )?(?:stock|share)(?:holders|owners)['’]? ?['’]?s? (?:equity|deficit|investment"
    r"|\(deficit\))\b.*|total equity\b.*",
}
CASH_FLOW = {
    "net_income": INCOME["net_income"],
    "depreciation_amortization": r"(?:total )?depreciation\b.*",
    "stock_compensation": r"(?:stock|share|equity)-based compensation\b.*",
    "operating_cash_flow": r"(?:total |net )?cash\b.*\boperat(?:ions|ing activities)\b.*",
    "capital_expenditure": r"(?:purchases?|additions?|acquisitions?|payments?)\b.*\b(?:property|equipment|plant)\b.*"
    r"|capital expenditures\b.*",
    "acquisitions": r"(?:.*\bacquisitions?\b.*|.*\bpurchases? of (?:businesses|subsidiar).*)\bnet of cash\b.*",
    "investing_cash_flow": r"(?:total |net )?cash\b.*\binvest(?:ments|ing activities|ing)\b.*",
    "dividends_paid": r"(?:cash |common stock |payments? of )?(?:cash )?dividends?\b.*",
    "share_repurchases": r"(?:re)?purchases?\b.*\b(?:common|treasury|capital)\b.*"
    r"|(?:common|treasury) stock (?:re)?purchase[sd].*",
    "debt_issued": r"(?:proceeds from|issuances? of|additions to|borrowings?)\b.*\b(?:debt|notes|borrowings)\b.*",
    "debt_repaid": r"(?:re)?(?:payments?|retirements?|redemptions?|reductions?)\b.*\b(?:debt|notes?"
    r"|borrowings|loan)\b.*",
    "financing_cash_flow": r"(?:total |net )?cash\b.*\bfinancing\b.*",
}
