"""Under which names a line of a statement is tagged: the first name that a filing uses is taken.

Names without a prefix are of the `us-gaap` taxonomy; ``fds:`` are those of the schedules of the
1990s. Where there is a total and a part of it, the total comes first.
"""

from __future__ import annotations

INCOME = {
    "revenue": """
        Revenues RevenueFromContractWithCustomerExcludingAssessedTax SalesRevenueNet
        RevenuesNetOfInterestExpense RevenueFromContractWithCustomerIncludingAssessedTax SalesRevenueGoodsNet
        SalesRevenueServicesNet RegulatedAndUnregulatedOperatingRevenue RegulatedOperatingRevenue
        HealthCareOrganizationRevenue RealEstateRevenueNet OperatingLeaseLeaseIncome OilAndGasRevenue
        fds:TOTAL-REVENUES fds:TOTAL-REVENUE fds:GROSS-OPERATING-REVENUE fds:SALES""",
    "interest_income": "InterestAndDividendIncomeOperating InterestIncomeOperating",
    "net_interest_income": "InterestIncomeExpenseNet fds:INTEREST-INCOME-NET",
    "noninterest_income": "NoninterestIncome",
    "provision_for_losses": """
        ProvisionForLoanLeaseAndOtherLosses ProvisionForLoanAndLeaseLosses ProvisionForCreditLosses
        FinancingReceivableExcludingAccruedInterestCreditLossExpenseReversal ProvisionForLoanLossesExpensed
        fds:LOAN-LOSSES""",
    "policy_benefits": """
        PolicyholderBenefitsAndClaimsIncurredNet
        LiabilityForUnpaidClaimsAndClaimsAdjustmentExpenseIncurredClaims1
        PolicyholderBenefitsAndClaimsIncurredHealthCare fds:BENEFITS""",
    "cost_of_revenue": """
        CostOfRevenue CostOfGoodsAndServicesSold CostOfGoodsSold CostOfServices
        CostOfGoodsAndServiceExcludingDepreciationDepletionAndAmortization fds:CGS""",
    "gross_profit": "GrossProfit",
    "research_and_development": """
        ResearchAndDevelopmentExpense ResearchAndDevelopmentExpenseExcludingAcquiredInProcessCost""",
    "selling_general_administrative": "SellingGeneralAndAdministrativeExpense",
    "operating_expenses": "OperatingExpenses NoninterestExpense",
    "total_costs": "CostsAndExpenses BenefitsLossesAndExpenses",
    "operating_income": "OperatingIncomeLoss",
    "interest_expense": "InterestExpense InterestExpenseNonoperating InterestExpenseDebt fds:INTEREST-EXPENSE",
    "pretax_income": """
        IncomeLossFromContinuingOperationsBeforeIncomeTaxesExtraordinaryItemsNoncontrollingInterest
        IncomeLossFromContinuingOperationsBeforeIncomeTaxesMinorityInterestAndIncomeLossFromEquityMethodInvestments
        IncomeLossFromContinuingOperationsBeforeIncomeTaxes
        IncomeLossIncludingPortionAttributableToNoncontrollingInterest fds:INCOME-PRETAX fds:INCOME-PRE-TAX""",
    "income_tax": "IncomeTaxExpenseBenefit fds:INCOME-TAX",
    "net_income": "NetIncomeLoss ProfitLoss NetIncomeLossAvailableToCommonStockholdersBasic fds:NET-INCOME",
    "eps_basic": """
        EarningsPerShareBasic EarningsPerShareBasicAndDiluted IncomeLossFromContinuingOperationsPerBasicShare
        fds:EPS-BASIC fds:EPS-PRIMARY""",
    "eps_diluted": """
        EarningsPerShareDiluted EarningsPerShareBasicAndDiluted
        IncomeLossFromContinuingOperationsPerDilutedShare fds:EPS-DILUTED""",
}
BALANCE = {
    "cash": """
        CashAndCashEquivalentsAtCarryingValue CashAndDueFromBanks Cash
        CashCashEquivalentsRestrictedCashAndRestrictedCashEquivalents fds:CASH fds:CASH-ITEMS""",
    "short_term_investments": """
        ShortTermInvestments MarketableSecuritiesCurrent AvailableForSaleSecuritiesCurrent
        AvailableForSaleSecuritiesDebtSecuritiesCurrent DebtSecuritiesCurrent OtherShortTermInvestments
        fds:SECURITIES""",
    "receivables": """
        AccountsReceivableNetCurrent ReceivablesNetCurrent AccountsAndOtherReceivablesNetCurrent
        AccountsNotesAndLoansReceivableNetCurrent PremiumsReceivableAtCarryingValue""",
    "loans": """
        FinancingReceivableExcludingAccruedInterestAfterAllowanceForCreditLoss
        LoansAndLeasesReceivableNetReportedAmount NotesReceivableNet""",
    "inventories": "InventoryNet InventoryNetOfAllowancesCustomerAdvancesAndProgressBillings fds:INVENTORY",
    "current_assets": "AssetsCurrent fds:CURRENT-ASSETS",
    "property_plant_equipment": """
        PropertyPlantAndEquipmentNet
        PropertyPlantAndEquipmentAndFinanceLeaseRightOfUseAssetAfterAccumulatedDepreciationAndAmortization
        RealEstateInvestmentPropertyNet""",
    "goodwill": "Goodwill",
    "total_assets": "Assets fds:TOTAL-ASSETS",
    "current_liabilities": "LiabilitiesCurrent fds:CURRENT-LIABILITIES",
    "deposits": "Deposits fds:DEPOSITS",
    "short_term_debt": """
        DebtCurrent LongTermDebtAndCapitalLeaseObligationsCurrent ShortTermBorrowings LongTermDebtCurrent""",
    "long_term_debt": """
        LongTermDebtNoncurrent LongTermDebtAndCapitalLeaseObligations LongTermDebtAndFinanceLeaseObligations
        LongTermNotesAndLoans SeniorLongTermNotes ConvertibleLongTermNotesPayable LongTermDebt fds:BONDS""",
    "total_liabilities": "Liabilities",
    "retained_earnings": "RetainedEarningsAccumulatedDeficit",
    "equity": "StockholdersEquity StockholdersEquityIncludingPortionAttributableToNoncontrollingInterest",
}
CASH_FLOW = {
    "net_income": "ProfitLoss NetIncomeLoss",
    "depreciation_amortization": """
        DepreciationDepletionAndAmortization DepreciationAmortizationAndAccretionNet
        DepreciationAndAmortization OtherDepreciationAndAmortization Depreciation""",
    "stock_compensation": "ShareBasedCompensation",
    "operating_cash_flow": """
        NetCashProvidedByUsedInOperatingActivities
        NetCashProvidedByUsedInOperatingActivitiesContinuingOperations""",
    "capital_expenditure": """
        -PaymentsToAcquirePropertyPlantAndEquipment -PaymentsToAcquireProductiveAssets
        -PaymentsToAcquireOtherPropertyPlantAndEquipment -PaymentsToAcquireAndDevelopRealEstate""",
    "acquisitions": """
        -PaymentsToAcquireBusinessesNetOfCashAcquired -PaymentsToAcquireBusinessesAndInterestInAffiliates
        -PaymentsToAcquireBusinessesGross""",
    "investing_cash_flow": """
        NetCashProvidedByUsedInInvestingActivities
        NetCashProvidedByUsedInInvestingActivitiesContinuingOperations""",
    "dividends_paid": "-PaymentsOfDividends -PaymentsOfDividendsCommonStock -PaymentsOfOrdinaryDividends",
    "share_repurchases": "-PaymentsForRepurchaseOfCommonStock -PaymentsForRepurchaseOfEquity",
    "debt_issued": """
        ProceedsFromIssuanceOfLongTermDebt ProceedsFromIssuanceOfDebt ProceedsFromDebtNetOfIssuanceCosts
        ProceedsFromIssuanceOfSeniorLongTermDebt ProceedsFromDebtMaturingInMoreThanThreeMonths""",
    "debt_repaid": """
        -RepaymentsOfLongTermDebt -RepaymentsOfDebt -RepaymentsOfSeniorDebt
        -RepaymentsOfDebtMaturingInMoreThanThreeMonths -RepaymentsOfLongTermDebtAndCapitalSecurities""",
    "financing_cash_flow": """
        NetCashProvidedByUsedInFinancingActivities
        NetCashProvidedByUsedInFinancingActivitiesContinuingOperations""",
}
